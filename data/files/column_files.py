# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Files that say the type of each column, opened: Parquet, and event logs as Parquet."""

from pathlib import Path

from data.files.export_file import ExportFile, ImportTools
from data.importing.event_log import read_event_log
from data.sql import literal, quoted
from data.words.writing import FileWriting


def open_parquet(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape for all
    """Open a Parquet file; its rows are numbered from 1."""
    return _described(
        shown, f"read_parquet({literal(str(path))}, file_row_number=true)", tools, row="file_row_number + 1"
    )


def open_xes(path: Path, *, shown: str, writing: FileWriting, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape
    """
    Open an event log; its events are numbered from 1.

    Raises:
        IntakeError: the file is damaged, is no XES, or declares a document type.
    """
    target = tools.new_path("events")
    read_event_log(path, target, shown=shown, progress=tools.progress)
    return _described(
        shown, f"read_parquet({literal(str(target / '*.parquet'))}, union_by_name=true)", tools, row="_row"
    )


def _described(shown: str, origin: str, tools: ImportTools, *, row: str) -> ExportFile:
    described = tools.connection.execute(f"DESCRIBE SELECT * FROM {origin}").fetchall()
    types = {name: kind for name, kind, *_ in described if name not in {"_row", "file_row_number"}}
    columns = ", ".join(quoted(name) for name in types)
    count = tools.connection.execute(f"SELECT count(*) FROM {origin}").fetchall()[0][0]
    return ExportFile(shown, "parquet", types, f"(SELECT {row} AS _row, {columns} FROM {origin})", count)
