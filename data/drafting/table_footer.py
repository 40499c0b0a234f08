# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Where the rows of a table end and a footer begins: a total, who made the report and when."""

from collections.abc import Sequence

import duckdb

from data.sql import quoted

_LONGEST = 30
_NEARLY_ALWAYS = 0.95
_MISSING = 0.5
_FEWEST_ROWS = 3


def footer_begin(table: str, columns: Sequence[str], connection: duckdb.DuckDBPyConnection) -> int | None:
    """
    Return the row with which a footer begins; None where there is none.

    Of a footer, each row lacks at least half of the cells that all rows above it have.

    Args:
        table: the rows, with ``_row``; an empty cell is NULL.
        columns: of the table.
        connection: holds it.
    """
    names = ", ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
    last = connection.execute(f"SELECT _row, [{names}] FROM {table} ORDER BY _row DESC LIMIT {_LONGEST}").fetchall()
    shares = ", ".join(f"avg(({quoted(name)} IS NOT NULL)::INTEGER)" for name in columns)
    for number in range(len(last), 0, -1):
        begin = last[number - 1][0]
        rows, *filled = connection.execute(
            f"SELECT count(*), {shares} FROM {table} WHERE _row < {begin}"
        ).fetchall()[0]  # fmt: skip
        if rows < _FEWEST_ROWS:
            continue
        always = [place for place, share in enumerate(filled) if share >= _NEARLY_ALWAYS]
        if len(always) > 1 and all(_lacks_half(cells, always) for _, cells in last[:number]):
            return int(begin)
    return None


def _lacks_half(cells: Sequence[bool], always: Sequence[int]) -> bool:
    return sum(not cells[place] for place in always) >= _MISSING * len(always)
