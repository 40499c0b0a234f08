"""The store: a SQLite file that one process writes at a time and that readers never wait for."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from serving.errors import StoreError
from serving.tables import leads, metadata

_STATEMENTS = 256
_READ_CACHE_KIB = 64 * 1024
_MAPPED_BYTES = 1024**3


class Database:
    """
    The store's file, opened for writing through SQLAlchemy and for live scoring through one raw connection.

    Args:
        path: created with its tables where it does not exist.
        busy_timeout_s: how long a write waits for another process's write.

    Raises:
        StoreError: the file cannot be opened as a store.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 30) -> None:
        self.path = path
        self._engine = _writer(path, busy_timeout_s)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self.writing() as connection:
                metadata.create_all(connection)
                _bring_up_to_date(connection)
            self.reader = _reader(path)
        except (DBAPIError, sqlite3.Error, OSError) as error:
            self._engine.dispose()
            said = error.orig if isinstance(error, DBAPIError) else error
            message = f"{path} cannot be opened as the store ({said}): give a SQLite file that may be written."
            raise StoreError(message) from None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Hold the write lock for one transaction; it commits at the end or leaves nothing."""
        with self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.reader.close()
        self._engine.dispose()


def raw(connection: Connection) -> sqlite3.Connection:
    """Give SQLite's own connection, for statements that are compiled for it."""
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the only engine there is; tells the type checker
    return driver


def memory() -> sqlite3.Connection:
    """Open an empty store in memory; its one transaction is never committed."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _give_exp(connection)
    dialect = sqlite_dialect.dialect()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    return connection


def _writer(path: Path, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": busy_timeout_s, "cached_statements": _STATEMENTS}
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        _give_exp(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _bring_up_to_date(connection: Connection) -> None:
    """Give a store of an earlier release the columns that came later."""
    there = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({leads.name})")}
    if leads.c.above_for.name not in there:
        connection.exec_driver_sql(f"ALTER TABLE {leads.name} ADD COLUMN {leads.c.above_for.name} TEXT")


def _reader(path: Path) -> sqlite3.Connection:
    """Open the connection for live scoring; all its use is on the thread of the event loop."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False)
    for pragma in ("query_only = ON", f"cache_size = -{_READ_CACHE_KIB}", f"mmap_size = {_MAPPED_BYTES}"):
        connection.execute(f"PRAGMA {pragma}")
    _give_exp(connection)
    return connection


def _give_exp(connection: sqlite3.Connection) -> None:
    """Give SQLite the function that decay needs, where it was built without it."""
    with suppress(sqlite3.OperationalError):
        connection.execute("SELECT exp(0)")
        return
    connection.create_function("exp", 1, math.exp, deterministic=True)
