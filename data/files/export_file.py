"""One file of an export, opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa

from data.progress import Progress
from data.reading.cells import Cells
from data.reading.column_readings import ColumnReading
from data.sql import literal, quoted

BROKEN_LINES = pa.schema([("line", pa.int64()), ("content", pa.large_string()), ("why", pa.large_string())])
"""The records that could not be read: the line, its text, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """
    One file, opened: its name as reports show it, its columns and types, its rows as SQL.

    Attributes:
        shown: its name in reports.
        format: what it was read as.
        types: DuckDB's type of each column.
        rows: SQL of its rows, with ``_row``: the line or row as an editor or a spreadsheet numbers it.
        count: how many rows there are, as the reader counted them, those that could not be read left out.
        skipped: how many rows of the file the playbook leaves out, and so not among ``rows``.
        broken_lines: the records that could not be read, as `BROKEN_LINES`.
        doubled: the columns whose name the header has twice.
        original: SQL of a row as JSON; without one, its cells.
        broken: SQL of whether a row could not be parsed at all.
        readings: how its columns are read, once that is known.
    """

    shown: str
    format: str
    types: Mapping[str, str]
    rows: str
    count: int
    skipped: int = 0
    broken_lines: pa.Table = field(default_factory=BROKEN_LINES.empty_table)
    doubled: frozenset[str] = frozenset()
    original: str = ""
    broken: str = "FALSE"
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)

    @property
    def cells(self) -> Cells:
        """The readers of its cells."""
        return Cells(self.types, self.readings)

    def tidied(self, columns: Iterable[str]) -> tuple[Cells, str]:
        """Return the readers of its cells, and its rows with the text of the mapped columns."""
        return self.cells.over(self.rows, columns)

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
    _numbers: "count[int]" = field(default_factory=count)

    def new_path(self, kind: str) -> Path:
        """Return a path in the scratch folder that no other file has."""
        return self.scratch / f"{next(self._numbers)}.{kind}"
