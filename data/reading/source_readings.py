"""How the columns of a source are read: the words of the playbook, and what all its files show, brought together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import duckdb

from data.files.export_file import ExportFile
from data.importing.exports import reading
from data.reading.cells import Cells
from data.reading.column_profiles import FileProfile, InstantProfile, profile_file
from data.reading.column_readings import ColumnReading, writing_of
from data.reading.currency_cells import amounts_with_currency
from data.reading.currency_signs import contradiction_of_signs, stated_currencies
from data.reading.date_hints import fitting_one, in_yaml, written_as
from data.reading.number_notation import NumberNotation, NumberShapes, notation_of
from data.words.business import Business
from data.words.source_columns import instant_columns, mapped_columns, number_columns, number_pairs, shared_columns
from data.words.sources import FileSource
from data.words.writing import CellWriting


@dataclass(frozen=True, slots=True)
class SourceReadings:
    """How each column of a source is read, and the sentences about those that cannot be read."""

    columns: dict[str, ColumnReading]
    mistakes: tuple[str, ...]


def readings_of(
    source: FileSource, files: Sequence[ExportFile], *, business: Business, connection: duckdb.DuckDBPyConnection
) -> SourceReadings:
    """
    Resolve how the columns of a source are read, by its playbook and by a look at every cell.

    Args:
        source: the source, whose columns all its files have.
        files: its files, opened.
        business: the playbook.
        connection: has the macros of cells.

    Raises:
        IntakeError: a file is damaged.
    """
    wanted = [*mapped_columns(source, business), *source.written]
    said = {column: ColumnReading(_writing(column, source, business)) for column in wanted}
    profile = reduce(add, (_profile(file, said, source, business=business, connection=connection) for file in files))
    shown, mistakes, readings = files[0].shown, [], dict(said)
    with_currency, stated = amounts_with_currency(source), stated_currencies(source, business)
    for column, instants in profile.instants.items():
        if instants.bare and instants.bare == instants.given:
            mistakes.append(_bare_numbers(shown, column, instants, connection))
        if said[column].writing.midnights != "instants":
            readings[column] = replace(readings[column], days=instants.days)
    for column, shapes in _of_pairs(profile.numbers, number_pairs(source, business)).items():
        if column not in with_currency and (why := contradiction_of_signs(shapes.signs, stated=stated.get(column))):
            mistakes.append(f"{shown}: {column} {why}")
            continue
        notation = notation_of(said[column].writing, shapes)
        if isinstance(notation, NumberNotation):
            readings[column] = replace(readings[column], notation=notation)
        else:
            mistakes.append(
                f"{shown}: {column} {notation}, in {written_as(column, '…')} of its source in playbook.yaml."
            )
    return SourceReadings(readings, tuple(mistakes))


def _writing(column: str, source: FileSource, business: Business) -> CellWriting:
    """Return the words for a column; one that is taken from another has those of the other where it has none itself."""
    origin = shared_columns(source, business).get(column, column)
    return source.written.get(column, CellWriting()).over(writing_of(origin, source, business))


def _of_pairs(shapes: Mapping[str, NumberShapes], pairs: Sequence[Sequence[str]]) -> dict[str, NumberShapes]:
    """Return what is known of each column's numbers, with that of the columns that are written alike."""
    together = {name: reduce(add, (shapes[each] for each in pair)) for pair in pairs for name in pair}
    return {**shapes, **together}


def _profile(
    file: ExportFile,
    said: dict[str, ColumnReading],
    source: FileSource,
    *,
    business: Business,
    connection: duckdb.DuckDBPyConnection,
) -> FileProfile:
    with reading(file.shown, file.format):
        return profile_file(
            connection,
            Cells(file.types, said),
            file.rows,
            instants=instant_columns(source),
            numbers=number_columns(source, business),
            zone=business.timezone,
        )


def _bare_numbers(shown: str, column: str, profile: InstantProfile, connection: duckdb.DuckDBPyConnection) -> str:
    row, cell = profile.bare_example or (0, "")
    fits = fitting_one(connection, cell)
    found = f"{shown}: {column} holds numbers such as {cell} (row {row}) where instants are expected"
    if not fits:
        return (
            f"{found}, in no unit that would make sense: export the column in ISO 8601, such as 2026-03-01T12:00:00Z."
        )
    ways = (f"{written_as(column, f'date_format: {in_yaml(fit.date_format)}')} if it is {fit.reads_as}" for fit in fits)
    return f"{found}: add to its source in playbook.yaml {' or '.join(ways)}."
