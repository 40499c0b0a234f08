# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The files of a company's exports: found, opened, their columns known, their rows as SQL."""

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, cast

import duckdb

from data.cells import Cells
from data.column_readings import ColumnReading
from data.errors import IntakeError
from data.event_log import read_event_log
from data.progress import Progress
from data.sources import FileSource
from data.sql import literal, quoted, select

FORMATS = {"csv": "csv", "tsv": "csv", "parquet": "parquet", "jsonl": "jsonl", "ndjson": "jsonl", "xes": "xes"}
BROKEN = "broken_lines"
DELIMITERS = ",;\t|"
NEVER_IN_TEXT = "\x1f"
_WELL_FORMED = "CASE WHEN json_valid(_line) THEN _line END"
_KEEP_BROKEN = f"store_rejects=true, rejects_table='{BROKEN}', rejects_scan='broken_files'"
_UNREADABLE = (duckdb.DataError, duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """
    One file, opened: its name as reports show it, its columns and types, its rows as SQL.

    ``original`` and ``broken`` are SQL, too: a row as JSON, and whether a row could not be parsed at all. ``readings``
    are of its columns, once they are known.
    """

    shown: str
    format: str
    types: Mapping[str, str]
    rows: str
    original: str = ""
    broken: str = "FALSE"
    header_lines: int = 0
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)

    def tidied(self, columns: Iterable[str]) -> tuple[Cells, str]:
        """Return the readers of its cells, and its rows with the text of the mapped columns."""
        return Cells(self.types, self.readings).over(self.rows, columns)

    @property
    def as_json(self) -> str:
        """The SQL of a row's original content as JSON."""
        fields = ", ".join(f"{literal(name)}: {quoted(name)}" for name in self.types)
        return self.original or f"to_json({{{fields}}})::VARCHAR"


@dataclass(frozen=True, slots=True)
class ImportTools:
    """What opening an export needs: a DuckDB connection, a scratch folder, and the progress to report to."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    progress: Progress


def find_files(folder: Path, source: FileSource) -> list[Path]:
    """
    Find the files of a source.

    Raises:
        IntakeError: there are none.
    """
    if "*" in source.file:
        paths = sorted(path for path in folder.glob(source.file) if path.is_file())
    else:
        paths = [folder / source.file] if (folder / source.file).is_file() else []
    if not paths:
        raise IntakeError(_missing(folder, source))
    return paths


def open_file(path: Path, source: FileSource, *, folder: Path, tools: ImportTools) -> ExportFile:
    """
    Open one file of a source, whatever its format.

    Raises:
        IntakeError: it is empty, damaged, or not in the format that its name or the playbook says.
    """
    shown = path.relative_to(folder).as_posix()
    kind = source.format or _format_of(path)
    openers = {"csv": _open_csv, "jsonl": _open_jsonl, "parquet": _open_parquet, "xes": _open_xes}
    with reading(shown, kind):
        return openers[kind](path, shown=shown, source=source, tools=tools)


@contextmanager
def reading(shown: str, kind: str) -> Iterator[None]:
    """Report a damaged file in one sentence; other DuckDB errors would be our own mistakes."""
    try:
        yield
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(shown, kind, error) from None
    except duckdb.Error as error:
        if not isinstance(error, _UNREADABLE) and type(error) is not duckdb.Error:
            raise
        raise _damaged(shown, kind, error) from None


def forget_broken_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the lines that DuckDB could not parse so far: they are counted once, when the file is staged."""
    if connection.execute(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{BROKEN}'").fetchall() != [(0,)]:
        connection.execute(f"DELETE FROM {BROKEN}")


def _damaged(shown: str, kind: str, error: Exception) -> IntakeError:
    why = str(error).strip().split("\n", maxsplit=1)[0]
    return IntakeError(f"{shown} cannot be read as {kind} ({why}): export it again, or set its format in the playbook.")


def _missing(folder: Path, source: FileSource) -> str:
    return (
        f"{source.file} is not in {folder}: put the export there, or name another folder. `leadscore simulate` makes"
        " the demo's exports; the bpi2012 log is read from the folder in LEADSCORE_DATASETS."
    )


def _format_of(path: Path) -> str:
    suffixes = [suffix.removeprefix(".").lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        message = f"{path.name} has no suffix of a known format: set format to csv, parquet, jsonl or xes."
        raise IntakeError(message)
    return kind


def _open_csv(path: Path, *, shown: str, source: FileSource, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape for all
    names, delimiter = _header(path, shown=shown, delimiter=source.delimiter)
    types = dict.fromkeys(names, "VARCHAR")
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = (
        f"auto_detect=false, header=true, columns={{{columns}}}, delim={literal(delimiter)}, quote='\"', escape='\"',"
        f" {_KEEP_BROKEN}"
    )
    rows = f"(SELECT row_number() OVER () AS _row, * FROM read_csv({literal(str(path))}, {options}))"
    return ExportFile(shown, "csv", types, rows, header_lines=1)


def _header(path: Path, *, shown: str, delimiter: str | None) -> tuple[list[str], str]:
    with path.open("rb") as raw:
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        lines = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        first = lines.readline()
        separator = delimiter or max(DELIMITERS, key=first.count)
        cells = next(csv.reader(chain([first], lines), delimiter=separator), [])
    names = [name.strip() or f"column {position}" for position, name in enumerate(cells, start=1)]
    if not names:
        message = f"{shown} has no header: the first line of a CSV file must name its columns."
        raise IntakeError(message)
    _tell_apart(names, shown)
    return names, separator


def _tell_apart(names: Sequence[str], shown: str) -> None:
    counted = Counter(name.lower() for name in names)
    twice = sorted({name for name in names if counted[name.lower()] > 1})
    if twice:
        message = f"{shown}: column names must differ by more than case: {', '.join(twice)}. Rename them."
        raise IntakeError(message)


def _open_jsonl(path: Path, *, shown: str, source: FileSource, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape
    names = _keys(path, tools)
    _tell_apart(names, shown)
    lines = _lines(path, _KEEP_BROKEN)
    numbered = select({"_row": "row_number() OVER ()", "_line": "_line"}, lines, where="_line IS NOT NULL")
    shape = literal(json.dumps(dict.fromkeys(names, "VARCHAR")))
    read = f"from_json({_WELL_FORMED}, {shape})" if names else "NULL"
    values = select({"_row": "_row", "_line": "_line", "_values": read}, f"({numbered})")
    columns = {name: f"_values[{literal(name)}]" for name in names}
    rows = f"({select({'_row': '_row', '_line': '_line', **columns}, f'({values})')})"
    broken = f"NOT coalesce(json_type({_WELL_FORMED}) = 'OBJECT', FALSE)"
    original = f"CASE WHEN {broken} THEN to_json({{'line': _line}})::VARCHAR ELSE _line END"
    return ExportFile(shown, "jsonl", dict.fromkeys(names, "VARCHAR"), rows, original=original, broken=broken)


def _keys(path: Path, tools: ImportTools) -> list[str]:
    """Return every key that any line has; a column is unknown only if no line has it."""
    keys = select({"name": f"unnest(json_keys({_WELL_FORMED}))"}, _lines(path, "ignore_errors=true"))
    rows = tools.connection.execute(f"SELECT DISTINCT name FROM ({keys}) ORDER BY 1").fetchall()
    return [name for (name,) in rows if name and name.isprintable()]


def _lines(path: Path, broken: str) -> str:
    options = f"auto_detect=false, header=false, delim={literal(NEVER_IN_TEXT)}, quote='', escape='', {broken}"
    return f"read_csv({literal(str(path))}, columns={{'_line': 'VARCHAR'}}, {options})"


def _open_parquet(path: Path, *, shown: str, source: FileSource, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape
    return _described(shown, f"read_parquet({literal(str(path))}, file_row_number=true)", tools, number=True)


def _open_xes(path: Path, *, shown: str, source: FileSource, tools: ImportTools) -> ExportFile:  # noqa: ARG001 - one shape
    target = tools.scratch / f"{len(list(tools.scratch.iterdir()))}.events"
    read_event_log(path, target, shown=shown, progress=tools.progress)
    return _described(shown, f"read_parquet({literal(str(target / '*.parquet'))}, union_by_name=true)", tools)


def _described(shown: str, origin: str, tools: ImportTools, *, number: bool = False) -> ExportFile:
    described = tools.connection.execute(f"DESCRIBE SELECT * FROM {origin}").fetchall()
    types = {name: kind for name, kind, *_ in described if name not in {"_row", "file_row_number"}}
    row = "file_row_number + 1 AS _row" if number else "_row"
    columns = ", ".join(quoted(name) for name in types)
    return ExportFile(shown, "parquet", types, f"(SELECT {row}, {columns} FROM {origin})")
