"""Rows by the hundred: each statement is compiled once per engine, and its rows go to the driver unchanged."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Table, TextClause, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Rows = Sequence[Mapping[str, Any]]


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """
    Insert rows of numbers and text, all with the same columns.

    SQLAlchemy's own executemany would spend as long on their names as the store does on storing them.
    """
    if rows:
        _run(connection, _inserting(table, tuple(rows[0]), connection.dialect), rows)


def run_rows(connection: Connection, statement: TextClause, rows: Rows) -> None:
    """Run a statement, one of a few that live as long as the process, once for each row of numbers and text."""
    if rows:
        _run(connection, _compiled(statement, connection.dialect), rows)


def _run(connection: Connection, compiled: SQLCompiler, rows: Rows) -> None:
    order = compiled.positiontup
    parameters = list(rows) if order is None else [tuple([row[name] for name in order]) for row in rows]
    connection.exec_driver_sql(compiled.string, cast("Any", parameters))


@lru_cache(maxsize=64)
def _inserting(table: Table, columns: tuple[str, ...], dialect: Dialect) -> SQLCompiler:
    return insert(table).compile(dialect=dialect, column_keys=list(columns))


@lru_cache(maxsize=64)
def _compiled(statement: TextClause, dialect: Dialect) -> SQLCompiler:
    return statement.compile(dialect=dialect)
