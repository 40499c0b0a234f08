# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Histories in long form made wide: one column for each attribute, read as a column of a table of leads is."""

from dataclasses import replace

from data.files.export_file import ExportFile
from data.importing.row_selection import require_new
from data.reading.cells import Cells
from data.reading.column_readings import ColumnReading, writing_of
from data.sql import listed, quoted
from data.words.business import Business
from data.words.source_columns import attribute_words, history_columns
from data.words.sources import FileSource, LeadChangeSource


def with_attribute_columns(file: ExportFile, source: FileSource, business: Business) -> ExportFile:
    """
    Return a file of changes with a column for the value of each attribute, and one for its value before.

    A cell of these columns is empty where the row is about another attribute. Files of other sources stay as they are.

    Args:
        file: the file, its rows selected.
        source: says which column names the attribute and which hold its values; those that the file lacks are reported
            elsewhere, and give empty columns here.
        business: the playbook.

    Raises:
        IntakeError: the file has a column of such a name itself.
    """
    if not isinstance(source, LeadChangeSource):
        return file
    said, words = source.columns, attribute_words(source, business)
    made: dict[str, tuple[str, str]] = {}
    for name, columns in history_columns(source, business).items():
        meant = [word for word, attribute in words.items() if attribute == name]
        for new, origin in ((columns.value, said.value), (columns.previous, said.previous)):
            if new is not None and origin is not None:
                require_new(file, new)
                made[new] = _cell(file, source, business, origin=origin, words=meant)
    columns_sql = ", ".join(f"{cell} AS {quoted(name)}" for name, (cell, _) in made.items())
    types = {**file.types, **{name: kind for name, (_, kind) in made.items()}}
    return replace(file, rows=f"(SELECT *, {columns_sql} FROM {file.rows})", types=types, original=file.as_json)


def _cell(
    file: ExportFile, source: LeadChangeSource, business: Business, *, origin: str, words: list[str]
) -> tuple[str, str]:
    """Return the SQL of a cell that is filled where the row is about one of the words, and its type."""
    attribute = source.columns.attribute
    if attribute not in file.types or origin not in file.types:
        return "NULL::VARCHAR", "VARCHAR"
    cells = Cells(file.types, {attribute: ColumnReading(writing_of(attribute, source, business))})
    return f"CASE WHEN {cells.text(attribute)} IN {listed(words)} THEN {quoted(origin)} END", file.types[origin]
