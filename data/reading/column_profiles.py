# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""What the cells of a column show of how they are written: bare numbers, midnights, marks; one query per file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from data.instants import DAY_US
from data.reading.cells import Cells
from data.reading.column_readings import DayRule
from data.reading.date_formats import fixed_offsets_us
from data.reading.number_notation import DEFAULT_SIGNS, NumberShapes, is_plain, sign_of, undecorated, without_blanks
from data.sql import literal

MIDNIGHTS_OF_DAYS = 0.99
"""The share of a column's instants that are midnight where they stand for days."""

_NONE_SEEN = NumberShapes({})
_SHAPES = ("point", "comma", "three_after_point", "three_after_comma")


@dataclass(frozen=True, slots=True)
class InstantProfile:
    """
    What the cells of a column of instants are.

    Attributes:
        given: how many hold anything.
        bare: how many of them are numbers that no format explains.
        bare_example: the first row with one, and its cell.
        clocks: how many have a time of day.
        midnights: clock → how many of those are midnight by it.
    """

    given: int = 0
    bare: int = 0
    bare_example: tuple[int, str] | None = None
    clocks: int = 0
    midnights: dict[DayRule, int] = field(default_factory=dict)

    def __add__(self, more: "InstantProfile") -> "InstantProfile":
        """Return the profile of two files of one source together."""
        rules = {*self.midnights, *more.midnights}
        return InstantProfile(
            self.given + more.given,
            self.bare + more.bare,
            self.bare_example or more.bare_example,
            self.clocks + more.clocks,
            {rule: self.midnights.get(rule, 0) + more.midnights.get(rule, 0) for rule in rules},
        )

    @property
    def days(self) -> DayRule | None:
        """By which clock nearly all are midnight, the zone's before any other; none if by no clock."""
        order: list[DayRule] = ["zone", "own", *sorted(rule for rule in self.midnights if isinstance(rule, int))]
        enough = self.clocks * MIDNIGHTS_OF_DAYS
        return next((rule for rule in order if self.clocks and self.midnights.get(rule, 0) >= enough), None)


@dataclass(frozen=True, slots=True)
class FileProfile:
    """The profiles of one file's columns, of instants and of numbers."""

    instants: dict[str, InstantProfile]
    numbers: dict[str, NumberShapes]

    def __add__(self, more: "FileProfile") -> "FileProfile":
        """Return the profiles of two files of one source together."""
        instants = {name: profile + more.instants[name] for name, profile in self.instants.items()}
        return FileProfile(instants, {name: shapes + more.numbers[name] for name, shapes in self.numbers.items()})


def profile_file(
    connection: duckdb.DuckDBPyConnection,
    cells: Cells,
    rows: str,
    *,
    instants: Sequence[str],
    numbers: Sequence[str],
    zone: str,
) -> FileProfile:
    """
    Look at every cell of a file's columns of instants and of numbers, in one pass.

    Args:
        connection: has the macros of cells.
        cells: the readers of the file, by what the playbook says alone.
        rows: the file's rows as SQL, with ``_row``.
        instants: columns of instants.
        numbers: columns of numbers.
        zone: the playbook's.
    """
    cells, rows = cells.over(rows, [*instants, *numbers])
    texts = [column for column in numbers if cells.types[column] == "VARCHAR"]
    rules = {column: _day_rules(cells, column, zone) for column in instants}
    columns = [_instants(cells, column, at=at, rules=rules[column]) for at, column in enumerate(instants)]
    columns += [_numbers(cells, column, at=at) for at, column in enumerate(texts, start=len(instants))]
    if not columns:
        return FileProfile({}, dict.fromkeys(numbers, _NONE_SEEN))
    counts = _asked(connection, columns, rows)
    dates = {column: _instant_profile(counts.pop(0), rules[column]) for column in instants}
    shapes = {column: _shapes(counts.pop(0), _signed(connection, cells, column, rows)) for column in texts}
    return FileProfile(dates, {column: shapes.get(column, _NONE_SEEN) for column in numbers})


@dataclass(frozen=True, slots=True)
class _ColumnQuery:
    """One column in the query of a profile: what is read of a cell, seen in what was read, and counted."""

    read: tuple[str, ...]
    seen: tuple[str, ...]
    counted: tuple[str, ...]


def _asked(connection: duckdb.DuckDBPyConnection, columns: Sequence[_ColumnQuery], rows: str) -> list[list[Any]]:
    """Run the query and return what was counted of each column; layers keep DuckDB from reading a cell twice."""
    read = ", ".join(expression for column in columns for expression in column.read)
    seen = ", ".join(expression for column in columns for expression in column.seen)
    counted = ", ".join(expression for column in columns for expression in column.counted)
    layers = f"SELECT *, {seen} FROM (SELECT _row, {read} FROM {rows})"
    found = list(connection.execute(f"SELECT {counted} FROM ({layers})").fetchall()[0])
    return [[found.pop(0) for _ in column.counted] for column in columns]


def _day_rules(cells: Cells, name: str, zone: str) -> list[DayRule]:
    """Return the clocks by which midnights of a column may be days."""
    offsets = sorted({0, *fixed_offsets_us(zone)}) if cells.has_offsets(name) else []
    return ["zone", *(("own",) if cells.is_iso(name) else ()), *offsets]


def _instants(cells: Cells, name: str, *, at: int, rules: Sequence[DayRule]) -> _ColumnQuery:
    us, text, bare, clock = f"c{at}_us", f"c{at}_text", cells.is_bare_number(name), cells.instant(name)
    if cells.has_colons(name):  # most instants are told from midnights without being read
        bare = f"CASE WHEN contains({cells.text(name)}, ':') THEN FALSE ELSE {bare} END"
        clock = f"CASE WHEN contains({cells.text(name)}, ':00') THEN {clock} END"
        day, has_time = "NULL", f"contains({text}, ':')"
    else:
        day, has_time = cells.day(name), f"{us} IS NOT NULL AND c{at}_day IS NULL"
    given = f"CASE WHEN {cells.given(name)} THEN {cells.text(name)} END"
    return _ColumnQuery(
        read=(f"{given} AS {text}", f"{clock} AS {us}", f"{bare} AS c{at}_bare", f"{day} AS c{at}_day"),
        seen=(f"{has_time} AND plausible({us}) IS NOT NULL AS c{at}_timed",),
        counted=(
            f"count({text})",
            f"count(*) FILTER (c{at}_bare)",
            *_first(f"c{at}_bare", text),
            f"count(*) FILTER ({has_time})",
            *(f"count(*) FILTER (CASE WHEN c{at}_timed THEN {_midnight(rule, us, text)} END)" for rule in rules),
        ),
    )


def _midnight(rule: DayRule, us: str, text: str) -> str:
    if rule == "zone":
        return f"is_zone_midnight({us})"
    return f"is_own_midnight({text})" if rule == "own" else f"({us} + {rule}) % {DAY_US} = 0"


def _instant_profile(counts: list[Any], rules: Sequence[DayRule]) -> InstantProfile:
    given, bare, row, cell, clocks, *midnights = counts
    first = None if row is None else (row, cell)
    return InstantProfile(given, bare, first, clocks, dict(zip(rules, midnights, strict=True)))


def _signs(cells: Cells, name: str) -> tuple[str, ...]:
    """Return the signs that may stand around the numbers of a column."""
    named = cells.reading(name).writing.currency_signs
    return DEFAULT_SIGNS if named is None else named


def _numbers(cells: Cells, name: str, *, at: int) -> _ColumnQuery:
    writing, text, signs = cells.reading(name).writing, cells.filled(name), _signs(cells, name)
    bare = without_blanks(undecorated(text, signs, percent=writing.percent), writing.thousands)
    cell, shape, odd = f"c{at}_cell", f"c{at}_shape", f"c{at}_odd"
    has_percent = f"contains({cell}, '%')"
    return _ColumnQuery(
        read=(
            f"{text} AS {cell}",
            f"CASE WHEN NOT regexp_full_match({text}, '[0-9]*') THEN {bare} END AS c{at}_bare",
        ),
        seen=(f"number_shape(c{at}_bare) AS {shape}", f"NOT {is_plain(cell)} AS {odd}"),
        counted=(
            *(one for each in _SHAPES for one in _first(f"{shape} = {literal(each)}", cell)),
            f"count(*) FILTER ({odd})",
            f"list(DISTINCT {sign_of(cell, signs)}) FILTER ({odd})",
            f"count(*) FILTER ({odd} AND {has_percent})",
            f"count(*) FILTER (NOT {has_percent} AND NOT regexp_full_match({cell}, '[0.,]*'))"
            if writing.percent
            else "0",
        ),
    )


def _first(test: str, cell: str) -> tuple[str, str]:
    """Return the SQL of the first row that passes a test, and of its cell."""
    return f"min(_row) FILTER ({test})", f"arg_min({cell}, _row) FILTER ({test})"


def _shapes(counts: list[Any], first_of_each: Callable[[], Mapping[str, tuple[int, str]]]) -> NumberShapes:
    """Return what was counted; the first row of each sign is looked up only where there are signs, which is seldom."""
    *examples, decorated, signs, percents, others = counts
    pairs = zip(_SHAPES, examples[::2], examples[1::2], strict=True)
    first = {shape: (row, cell) for shape, row, cell in pairs if row is not None}
    return NumberShapes(first, decorated, first_of_each() if any(signs or ()) else {}, percents, others)


def _signed(
    connection: duckdb.DuckDBPyConnection, cells: Cells, name: str, rows: str
) -> Callable[[], Mapping[str, tuple[int, str]]]:
    """Return what finds the first row of each currency sign of a column, and its cell."""

    def found() -> Mapping[str, tuple[int, str]]:
        text = cells.filled(name)
        signed = f"SELECT _row, {text} AS cell, {sign_of(text, _signs(cells, name))} AS sign FROM {rows}"
        first = f"SELECT sign, min(_row), arg_min(cell, _row) FROM ({signed}) WHERE sign IS NOT NULL GROUP BY sign"
        answers = connection.execute(f"{first} ORDER BY 2").fetchall()
        return {sign: (row, cell) for sign, row, cell in answers if sign}

    return found
