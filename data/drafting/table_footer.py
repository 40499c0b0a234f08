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
    filled = ", ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
    last = connection.execute(f"SELECT _row, [{filled}] FROM {table} ORDER BY _row DESC LIMIT {_LONGEST}").fetchall()
    counts = ", ".join(f"count({quoted(name)})" for name in columns)
    rows, *above = connection.execute(f"SELECT count(*), {counts} FROM {table}").fetchall()[0]
    begin = None
    for number, (row, cells) in enumerate(last, start=1):
        above = [count - here for count, here in zip(above, cells, strict=True)]
        if rows - number < _FEWEST_ROWS:
            break
        always = [place for place, count in enumerate(above) if count >= _NEARLY_ALWAYS * (rows - number)]
        if len(always) > 1 and all(_lacks_half(each, always) for _, each in last[:number]):
            begin = int(row)
    return begin


def _lacks_half(cells: Sequence[bool], always: Sequence[int]) -> bool:
    return sum(not cells[place] for place in always) >= _MISSING * len(always)
