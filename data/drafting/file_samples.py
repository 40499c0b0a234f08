# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Samples of a company's files: each as a table of text in DuckDB, with how the file is written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from data.drafting.csv_layout import csv_layout, header_of
from data.drafting.table_footer import footer_begin
from data.drafting.text_bytes import encoding_of, opened_bytes, opened_text, packed_name
from data.errors import IntakeError
from data.files.export_file import ExportFile, ImportTools
from data.importing.exports import first_rows, first_sheet, format_of, open_files
from data.progress import silent
from data.sql import quoted
from data.words.sources import LeadSource

_MOST_CELLS = 40_000_000
_MOST_ROWS = 3_000_000
_HEAD = 400
_SPREAD = 2_400
_FOR_SHARES = 50_000
_DEEPEST_LIST = 4
_WITH_FOOTERS = {"csv", "xlsx"}


@dataclass(frozen=True, slots=True)
class FileSample:
    """
    One file as a table of text.

    Attributes:
        path: the file; of several that are read as one, the pattern that they share.
        format: csv, jsonl, json, parquet, xlsx or xes.
        table: its name in DuckDB; ``_row`` is the line or row as an editor or a spreadsheet numbers it.
        columns: names of its columns.
        rows: how many of its rows the table holds.
        is_whole: whether these are all.
        encoding: where it is not UTF-8.
        delimiter: of a CSV file.
        skip_lines: before the header.
        footer: lines after the last row.
        records: where a JSON document holds its list.
        sheet: of a workbook with several.
        name_dates: of files with a date in their names, that are read as one: the format of these dates; each row has
            its file's in ``_day``.
        shown: its path from the folder of all files, as the playbook and messages name it.
    """

    path: Path
    format: str
    table: str
    columns: tuple[str, ...]
    rows: int = 0
    is_whole: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    skip_lines: int = 0
    footer: int = 0
    records: str | None = None
    sheet: str | None = None
    name_dates: str | None = None
    shown: str = ""

    @property
    def spread(self) -> str:
        """The SQL of rows from the whole file, some ten thousands at most: enough for a share of rows."""
        return f"(SELECT * FROM {self.table} WHERE _row % {max(1, self.rows // _FOR_SHARES)} = 0)"


@dataclass(frozen=True, slots=True)
class SampleTools:
    """What sampling needs: a DuckDB connection and a scratch folder."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path

    def values(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(query).fetchall()


def take_sample(path: Path, number: int, *, folder: Path, tools: SampleTools) -> FileSample:
    """
    Load a file into a table of text.

    Args:
        path: the file.
        number: makes the table's name.
        folder: of all files.
        tools: the connection to load it into.

    Raises:
        IntakeError: it is missing, empty, damaged, or of no known format.
    """
    if not path.is_file():
        message = f"{path} is not a file: name the files of your export, such as exports/*.csv."
        raise IntakeError(message)
    sample = _written(path, number, path.relative_to(folder).as_posix())
    words = LeadSource.model_validate(
        {
            "file": sample.shown, "holds": "leads", "format": sample.format, "encoding": sample.encoding,
            "delimiter": sample.delimiter, "skip_lines": sample.skip_lines, "records": sample.records,
            "sheet": sample.sheet, "short_rows": "fill",
        }
    )  # fmt: skip
    (file,) = open_files(path, words, folder=folder, tools=ImportTools(tools.connection, tools.scratch, silent))
    if not file.count:
        message = f"{path} has no rows: export it again, or leave it out."
        raise IntakeError(message)
    return _load(sample, file, tools)


def _written(path: Path, number: int, shown: str) -> FileSample:
    """Find how a file is written, so far as its readers need it."""
    kind = format_of(Path(packed_name(path)))
    sample = FileSample(path, kind, f"file_{number}", (), shown=shown)
    if kind == "xlsx":
        sheet = first_sheet(path, shown)
        skipped, _ = header_of(first_rows(path, shown, sheet) or [[]])
        return replace(sample, sheet=sheet, skip_lines=skipped)
    if kind not in {"csv", "jsonl", "json"}:
        return sample
    with opened_bytes(path) as stream:
        sample = replace(sample, encoding=encoding_of(stream))
    if kind == "csv":
        layout = csv_layout(path, sample.encoding, path.name)
        return replace(sample, delimiter=layout.delimiter, skip_lines=layout.skip_lines)
    return sample if kind == "jsonl" else replace(sample, records=_place_of_records(path, sample.encoding))


def _place_of_records(path: Path, encoding: str | None) -> str | None:
    """Return under which name a JSON document holds its longest list, if it is an object that holds one."""
    with opened_text(path, encoding) as text:
        try:
            content = json.load(text)
        except ValueError:
            return None  # its reader says what is wrong with it
    lists = dict(_lists_in(content))
    return max(lists, key=lambda name: lists[name], default=None)


def _lists_in(content: Any, inside: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield the place and the length of every list that a JSON document holds, not of those in its rows."""
    for name, each in content.items() if isinstance(content, dict) and depth < _DEEPEST_LIST else ():
        if isinstance(each, list):
            yield f"{inside}{name}", len(each)
        else:
            yield from _lists_in(each, f"{inside}{name}.", depth + 1)


def spread_rows(sample: FileSample, tools: SampleTools) -> dict[str, list[tuple[int, str]]]:
    """Return the filled cells of each column in rows from the whole file, with the rows' numbers."""
    step = max(1, sample.rows // _SPREAD)
    names = ", ".join(quoted(name) for name in sample.columns)
    rows = tools.values(
        f"SELECT _row, {names} FROM {sample.table} WHERE _row <= {_HEAD} OR _row % {step} = 0 ORDER BY _row"
    )
    return {
        name: [(row[0], row[place]) for row in rows if row[place] is not None]
        for place, name in enumerate(sample.columns, start=1)
    }


def _load(sample: FileSample, file: ExportFile, tools: SampleTools) -> FileSample:
    """Create the table: as many rows as a few seconds allow; of nested values the innermost alone are columns."""
    names = [name for name in file.types if not any(other.startswith(f"{name}.") for other in file.types)]
    most = min(_MOST_ROWS, max(1_000, _MOST_CELLS // len(names)))
    columns = ", ".join(f"{file.cells.text(name)} AS {quoted(name)}" for name in names)
    origin = f"SELECT _row, {columns} FROM {file.rows} ORDER BY _row LIMIT {most}"
    tools.connection.execute(f"CREATE TABLE {sample.table} AS {origin}")
    loaded = replace(sample, columns=tuple(names), rows=min(file.count, most), is_whole=file.count <= most)
    return _without_footer(loaded, tools) if loaded.is_whole and sample.format in _WITH_FOOTERS else loaded


def _without_footer(sample: FileSample, tools: SampleTools) -> FileSample:
    """Leave out the rows of a table that are none, such as a total."""
    begin = footer_begin(sample.table, sample.columns, tools.connection)
    if begin is None:
        return sample
    last, above = tools.values(f"SELECT max(_row), max(_row) FILTER (_row < {begin}) FROM {sample.table}")[0]
    tools.connection.execute(f"DELETE FROM {sample.table} WHERE _row >= {begin}")
    return replace(sample, footer=last - above, rows=tools.values(f"SELECT count(*) FROM {sample.table}")[0][0])
