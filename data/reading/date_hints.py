# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Which words of a playbook would read the instants of a column that cannot be read as they are."""

import json
import re
from dataclasses import dataclass

import duckdb

from data.instants import iso
from data.reading.date_formats import reads_clock, reads_day
from data.sql import literal

_TIMES = ("", " %H:%M", " %H:%M:%S")
_DAYS = ("%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y")
_CANDIDATES = (
    *("us", "german"),
    *(day + time for day in _DAYS for time in _TIMES),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%Y%m%d%H%M", "%Y%m%d%H%M%S"),
    *("epoch_s", "epoch_ms", "epoch_us", "epoch_ns"),
)


@dataclass(frozen=True, slots=True)
class DateReading:
    """A format of the playbook that reads every cell of a column, and how it reads the first of them."""

    date_format: str
    cell: str
    reads_as: str

    @property
    def said(self) -> str:
        """The format as YAML, with how it reads a cell."""
        return f"date_format: {in_yaml(self.date_format)} reads {self.cell} as {self.reads_as}"


def fitting_formats(connection: duckdb.DuckDBPyConnection, cells: str) -> list[DateReading]:
    """
    Return the formats that read all of some cells.

    Args:
        connection: has the macros of cells.
        cells: SELECT of the cells that no format has read yet, as one column ``t``.
    """
    reads = [
        f"plausible(coalesce(local_us({reads_day(given, 't')}::TIMESTAMP), {reads_clock(given, 't')}))"
        for given in _CANDIDATES
    ]
    asked = ", ".join(f"[count({read})::BIGINT, arg_min({read}, t)]" for read in reads)
    total, first, *found = connection.execute(f"SELECT count(*), min(t), {asked} FROM ({cells})").fetchall()[0]
    return [
        DateReading(given, first, re.sub("T00:00:00Z$", "", iso(us)))
        for given, (count, us) in zip(_CANDIDATES, found, strict=True)
        if total and count == total
    ]


def fitting_one(connection: duckdb.DuckDBPyConnection, cell: str) -> list[DateReading]:
    """Return the formats that read one cell."""
    return fitting_formats(connection, f"SELECT {literal(cell)} AS t")


def in_yaml(word: str) -> str:
    """
    Write a word as YAML.

    >>> in_yaml("german"), in_yaml("%d.%m.%Y")
    ('german', '"%d.%m.%Y"')
    """
    return word if re.fullmatch(r"[A-Za-z_]\w*", word) else json.dumps(word, ensure_ascii=False)


def written_as(column: str, said: str) -> str:
    """
    Return the entry of a source's ``written`` that says something of a column.

    >>> written_as("Create Date", "date_format: us")
    'written: {"Create Date": {date_format: us}}'
    """
    return f"written: {{{in_yaml(column)}: {{{said}}}}}"
