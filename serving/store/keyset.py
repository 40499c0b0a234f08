"""Pages of a sorted list by the place of a row, so that rows that come or go between two pages move no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, or_

KeyValue = int | float | str


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that a list is sorted by."""

    column: Column[Any]
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Position:
    """
    A place in a sorted list.

    Attributes:
        values: the sort keys of the row at this place; the row itself is not on the page.
        is_backwards: whether the page holds the rows before this place, not those after it.
    """

    values: tuple[KeyValue, ...]
    is_backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page of a sorted list.

    Attributes:
        rows: in the order of the list, whichever way the page was reached.
        following: where the next page begins; None where nothing follows.
        preceding: where the page before begins; None where nothing precedes.
    """

    rows: Sequence[Row[Any]]
    following: Position | None
    preceding: Position | None


def page_of(
    connection: Connection, query: Select[Any], keys: Sequence[SortKey], *, position: Position | None, limit: int
) -> Page:
    """
    Read a page of a sorted list.

    Args:
        connection: reads the store.
        query: the whole list, in any order; it selects the columns of the keys.
        keys: what it is sorted by; together they tell any two rows apart.
        position: where the page begins; None is the start of the list.
        limit: how many rows at most.
    """
    place = position or Position(())
    rows = _rows(connection, query, keys, position=place, limit=limit + 1)
    goes_on, rows = len(rows) > limit, rows[:limit]
    if not rows:
        return Page((), None, None)
    behind = Position(_values(rows[0], keys), not place.is_backwards)
    comes_from = bool(_rows(connection, query, keys, position=behind, limit=1))
    if place.is_backwards:
        rows, goes_on, comes_from = rows[::-1], comes_from, goes_on
    return Page(
        rows,
        Position(_values(rows[-1], keys)) if goes_on else None,
        Position(_values(rows[0], keys), is_backwards=True) if comes_from else None,
    )


def _rows(
    connection: Connection, query: Select[Any], keys: Sequence[SortKey], *, position: Position, limit: int
) -> Sequence[Row[Any]]:
    falling = [key.is_descending != position.is_backwards for key in keys]
    order = [key.column.desc() if falls else key.column.asc() for key, falls in zip(keys, falling, strict=True)]
    if position.values:
        query = query.where(_beyond([key.column for key in keys], falling, position.values))
    return connection.execute(query.order_by(*order).limit(limit)).all()


def _beyond(
    columns: Sequence[ColumnElement[Any]], falling: Sequence[bool], values: Sequence[KeyValue]
) -> ColumnElement[bool]:
    """Return whether a row lies beyond a place: the first key that differs decides."""
    first, value = columns[0], values[0]
    past = first < value if falling[0] else first > value
    if len(columns) == 1:
        return past
    rest = and_(first == value, _beyond(columns[1:], falling[1:], values[1:]))
    reached = first <= value if falling[0] else first >= value  # this alone lets an index on the first key be used
    return and_(reached, or_(past, rest))


def _values(row: Row[Any], keys: Sequence[SortKey]) -> tuple[KeyValue, ...]:
    return tuple(row._mapping[key.column] for key in keys)  # noqa: SLF001 - a public attribute of rows
