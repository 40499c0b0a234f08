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
    Insert rows; SQLAlchemy's own executemany would spend as long on their names as the store does on storing them.

    Args:
        connection: the store, inside a transaction that writes.
        table: where they go.
        rows: each with the same columns; numbers and text alone.
    """
    if rows:
        _run(connection, _inserting(table, tuple(rows[0]), connection.dialect), rows)


def run_rows(connection: Connection, statement: TextClause, rows: Rows) -> None:
    """
    Run a statement once for each row.

    Args:
        connection: the store, inside a transaction that writes.
        statement: one of a few that live as long as the process.
        rows: its parameters by name; numbers and text alone.
    """
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
