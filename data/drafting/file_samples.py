# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Samples of a company's files: each as a table of text in DuckDB, with how the file is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from data.cells import Cells
from data.drafting.csv_layout import csv_layout, told_apart
from data.drafting.json_records import json_records
from data.drafting.text_bytes import PlainText, packed_name, plain_text
from data.errors import IntakeError
from data.event_log import read_event_log
from data.exports import FORMATS
from data.progress import silent
from data.sql import literal, quoted

_MOST_CELLS = 40_000_000
_MOST_ROWS = 3_000_000
_HEAD = 400
_SPREAD = 2_400
_FOR_SHARES = 50_000


@dataclass(frozen=True, slots=True)
class FileSample:
    """
    One file as a table of text.

    Attributes:
        path: the file; of several that are read as one, the pattern that they share.
        format: csv, jsonl, json, parquet or xes.
        table: its name in DuckDB; ``_row`` is the row's number, that of the header line being 1.
        columns: names of its columns.
        rows: how many of its rows the table holds.
        is_whole: whether these are all.
        encoding: where it is not UTF-8.
        delimiter: of a CSV file.
        skip_lines: before the header.
        records: where a JSON document holds its list.
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
    records: str | None = None
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
    kind = _format_of(path)
    loaders = {"csv": _csv, "jsonl": _json, "json": _json, "parquet": _parquet, "xes": _xes}
    try:
        sample, origin = loaders[kind](path, f"file_{number}", tools)
        loaded = replace(_load(sample, origin, tools), shown=path.relative_to(folder).as_posix())
    except (duckdb.Error, ValueError) as error:
        why = str(error).strip().split("\n", maxsplit=1)[0]
        message = f"{path} cannot be read as {kind} ({why}): export it again."
        raise IntakeError(message) from None
    if not loaded.rows:
        message = f"{path} has no rows: export it again, or leave it out."
        raise IntakeError(message)
    return loaded


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


def _format_of(path: Path) -> str:
    suffix = Path(packed_name(path)).suffix.lower().removeprefix(".")
    kind = {**FORMATS, "json": "json", "txt": "csv"}.get(suffix)
    if suffix in {"xlsx", "xls", "xlsm"}:
        message = f"{path} is a workbook: save each sheet that matters as CSV (UTF-8), and name those files."
        raise IntakeError(message)
    if kind is None:
        message = f"{path} has no suffix of a known format: csv, tsv, jsonl, json, parquet and xes are known."
        raise IntakeError(message)
    return kind


def _load(sample: FileSample, origin: str, tools: SampleTools) -> FileSample:
    """Create the table: as many rows as a few seconds allow."""
    most = min(_MOST_ROWS, max(1_000, _MOST_CELLS // len(sample.columns)))
    tools.connection.execute(f"CREATE TABLE {sample.table} AS {origin} LIMIT {most}")
    rows = tools.values(f"SELECT count(*) FROM {sample.table}")[0][0]
    return replace(sample, rows=rows, is_whole=rows < most)


def _text_columns(names: Sequence[str], types: Mapping[str, str] | None = None) -> str:
    cells = Cells(types or dict.fromkeys(names, "VARCHAR"))
    return ", ".join(f"{cells.text(name)} AS {quoted(name)}" for name in names)


def _csv(path: Path, table: str, tools: SampleTools) -> tuple[FileSample, str]:
    plain = plain_text(path, tools.scratch)
    layout = csv_layout(plain.path, path.name)
    before = layout.skip_lines + layout.separator_line
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in layout.names)
    options = (
        f"auto_detect=false, header=true, columns={{{columns}}}, delim={literal(layout.delimiter)}, quote='\"',"
        f" escape='\"', skip={before}, null_padding=true, ignore_errors=true, strict_mode=false"
    )
    rows = f"read_csv({literal(str(plain.path))}, {options})"
    origin = f"SELECT row_number() OVER () + {before + 1} AS _row, {_text_columns(layout.names)} FROM {rows}"
    sample = FileSample(path, "csv", table, layout.names, encoding=plain.encoding)
    return replace(sample, delimiter=layout.delimiter, skip_lines=layout.skip_lines), origin


def _json(path: Path, table: str, tools: SampleTools) -> tuple[FileSample, str]:
    plain: PlainText = plain_text(path, tools.scratch)
    found = json_records(plain, tools.scratch)
    if not found.names:
        message = "it holds no objects"
        raise ValueError(message)
    shape = json.dumps(dict.fromkeys(found.names, "VARCHAR"), ensure_ascii=False)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in json.loads(shape))
    rows = (
        f"read_json({literal(str(found.path))}, format='newline_delimited', columns={{{columns}}}, ignore_errors=true)"
    )
    origin = f"SELECT row_number() OVER () AS _row, {_text_columns(found.names)} FROM {rows}"
    kind = "jsonl" if found.is_lines else "json"
    return FileSample(path, kind, table, found.names, encoding=plain.encoding, records=found.records), origin


def _parquet(path: Path, table: str, tools: SampleTools) -> tuple[FileSample, str]:
    rows = f"read_parquet({literal(str(path))})"
    return _described(FileSample(path, "parquet", table, ()), rows, "row_number() OVER () + 1", tools)


def _xes(path: Path, table: str, tools: SampleTools) -> tuple[FileSample, str]:
    target = tools.scratch / f"{table}.events"
    read_event_log(path, target, shown=path.name, progress=silent)
    rows = f"read_parquet({literal(str(target / '*.parquet'))}, union_by_name=true)"
    return _described(FileSample(path, "xes", table, ()), rows, "_row", tools)


def _described(sample: FileSample, rows: str, number: str, tools: SampleTools) -> tuple[FileSample, str]:
    types = {name: kind for name, kind, *_ in tools.values(f"DESCRIBE SELECT * FROM {rows}") if name != "_row"}
    names = told_apart(list(types))
    return replace(sample, columns=names), f"SELECT {number} AS _row, {_text_columns(names, types)} FROM {rows}"
