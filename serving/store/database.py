"""
The store: SQLite by default, PostgreSQL by its URL; one process writes at a time and readers never wait for it.

Facts are written through SQLAlchemy. Live scoring runs SQL that is compiled for the engine, on the engine's own
connection, because that takes a third of the time.
"""

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.schema import CreateIndex, CreateTable

from serving.clock import Clock
from serving.errors import StoreError
from serving.settings import database_url
from serving.store.tables import metadata
from serving.store.writes_in_flight import WritesInFlight, postgres_writer_since

Dialect = Literal["sqlite", "postgres"]


def _store_errors() -> tuple[type[Exception], ...]:
    found: list[type[Exception]] = [DBAPIError, sqlite3.Error, PoolTimeoutError]
    with suppress(ModuleNotFoundError):
        import psycopg  # noqa: PLC0415 - only where a store may be on PostgreSQL

        found.append(psycopg.Error)
    return tuple(found)


STORE_ERRORS = _store_errors()
"""What says that the store does not answer, however it was asked."""
_CANNOT_OPEN: tuple[type[Exception], ...] = (*STORE_ERRORS, OSError)
_STATEMENTS = 256
_CACHE_KIB = 64 * 1024
_MAPPED_BYTES = 1024**3
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_WRITES = (
    *("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
    *(f"cache_size = -{_CACHE_KIB}", "wal_autocheckpoint = 4000"),  # facts of many leads touch many pages
)
_READS = ("query_only = ON", f"cache_size = -{_CACHE_KIB}", f"mmap_size = {_MAPPED_BYTES}")
_WRITER = 7_310_579
"""The advisory lock that a process holds on PostgreSQL while it writes; any number that nobody else takes."""


class RawConnection(Protocol):
    """The engine's own connection, for SQL that is compiled for it."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run a statement and give its cursor."""


class Database:
    """
    The store.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://…``; tables are made, or brought up to date, where needed.
        busy_timeout_s: how long a write waits for another process's write.

    Attributes:
        fact_writes: how many times this process has kept facts since it opened the store.

    Raises:
        StoreError: it cannot be opened as a store.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 30) -> None:
        self.url = make_url(database_url(url))
        self.dialect: Dialect = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgres"
        self._writer = _engine(self.url, busy_timeout_s, writes=True)
        self._reader = _engine(self.url, busy_timeout_s, writes=False)
        self._asker = self._reader.execution_options(isolation_level="AUTOCOMMIT")
        self._mine = threading.Lock()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self.fact_writes = 0
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._bring_up_to_date()
            self._under_way = WritesInFlight(self.path) if self.path is not None else None
        except StoreError:
            self._dispose()
            raise
        except _CANNOT_OPEN as error:
            self._dispose()
            said = str(getattr(error, "orig", error)).strip().split("\n", maxsplit=1)[0]
            expected = "give a SQLite file that may be written, or the URL of a PostgreSQL that answers"
            message = f"{self.display_url} cannot be opened as the store ({said}): {expected}."
            raise StoreError(message) from None

    @property
    def path(self) -> Path | None:
        """Give the file of a store on SQLite."""
        return Path(str(self.url.database)) if self.url.get_backend_name() == "sqlite" else None

    @property
    def display_url(self) -> str:
        """Give where the store is, without its password."""
        return str(self.path or self.url.render_as_string(hide_password=True))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Hold the write lock for one transaction; it commits at the end or leaves nothing."""
        with self._mine, self._writer.begin() as connection:  # in turn here, rather than by polling the store's lock
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See the store as it is at one moment, whatever is written meanwhile."""
        with self._reader.connect() as connection:
            yield connection

    def live_snapshot(self) -> AbstractContextManager[RawConnection]:
        """Give this thread's connection for live scoring; several statements see one moment."""
        return ReadTransaction(self.reader) if self.dialect == "sqlite" else self._reading_raw()

    def live_statement(self) -> AbstractContextManager[RawConnection]:
        """Give this thread's connection for one statement of live scoring."""
        return nullcontext(self.reader) if self.dialect == "sqlite" else self._asking()

    @contextmanager
    def _asking(self) -> Iterator[RawConnection]:
        with self._asker.connect() as connection:
            yield raw_connection(connection)

    @contextmanager
    def _reading_raw(self) -> Iterator[RawConnection]:
        with self._reader.connect() as connection:
            yield raw_connection(connection)

    @property
    def reader(self) -> sqlite3.Connection:
        """Give this thread's own connection to a SQLite store, which may only read."""
        found: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if found is None:
            assert self.path is not None  # noqa: S101 - only a store on SQLite is asked; tells the type checker
            found = self._local.reader = _reading(self.path)
            self._opened.append(found)
        return found

    def other_writer_since(self) -> int | None:
        """Give the instant from which another process's write may be under way, if one is; ask before reading."""
        if self._under_way is not None:
            return self._under_way.since()
        with self._asking() as store:
            return postgres_writer_since(store, _WRITER)

    @contextmanager
    def writing_facts(self, clock: Clock) -> Iterator[tuple[Connection, int]]:
        """
        Hold the write lock to keep facts; nobody's "now" passes the instant given until they can be seen.

        Args:
            clock: this process's.

        Yields:
            The connection, and an instant before which all facts of the store became known [us since 1970 UTC].
        """
        try:
            with clock.writing() as stand_still, self.writing() as connection:
                since = stand_still()
                if self._under_way is not None:
                    self._under_way.announce(since)
                yield connection, since
            self.fact_writes += 1
        finally:
            if self._under_way is not None:
                self._under_way.announce(0)

    def clock_offset_us(self, now_us: Callable[[], int]) -> int:
        """Say how far the store's own clock is ahead of this machine's; a file has none."""
        if self.dialect == "sqlite":
            return 0
        with self._asker.connect() as connection:
            before = now_us()
            said = connection.execute(text(_NOW)).scalar_one()
            return int(said) - (before + now_us()) // 2

    def close(self) -> None:
        """Close every connection."""
        for reader in self._opened:
            reader.close()
        if self._under_way is not None:
            self._under_way.close()
        self._dispose()

    def _dispose(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def _bring_up_to_date(self) -> None:
        from serving.store.schema_version import upgrade  # noqa: PLC0415 - Alembic is loaded only where a step is missing

        with self.writing() as connection:
            upgrade(connection)


def raw_connection(connection: Connection) -> RawConnection:
    """Give the engine's own connection, for statements that are compiled for it."""
    driver: Any = connection.connection.driver_connection
    found: RawConnection = driver
    return found


def in_memory_store() -> sqlite3.Connection:
    """Open an empty store in memory; its one transaction is never committed."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _give_exp(connection)
    dialect = sqlite_dialect.dialect()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in table.indexes:
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    return connection


class ReadTransaction:  # a class costs half of what a generator would, on the hot path
    """Let several statements see a SQLite store as it was at one moment."""

    __slots__ = ("_mine", "_store")

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._mine = not store.in_transaction

    def __enter__(self) -> sqlite3.Connection:
        if self._mine:
            self._store.execute("BEGIN")
        return self._store

    def __exit__(self, *_error: object) -> None:
        if self._mine:
            self._store.execute("COMMIT")


def _engine(url: URL, busy_timeout_s: float, *, writes: bool) -> Engine:
    make = _sqlite_engine if url.get_backend_name() == "sqlite" else _postgres_engine
    return make(url, busy_timeout_s, writes=writes)


def _sqlite_engine(url: URL, busy_timeout_s: float, *, writes: bool) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": busy_timeout_s, "cached_statements": _STATEMENTS}
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in _WRITES if writes else _READS:
            connection.execute(f"PRAGMA {pragma}")
        _give_exp(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres_engine(url: URL, busy_timeout_s: float, *, writes: bool) -> Engine:
    isolation = "READ COMMITTED" if writes else "REPEATABLE READ"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        isolation_level=isolation,
        connect_args={"connect_timeout": max(2, round(busy_timeout_s))},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # Planning a catalog's features takes ten times as long as computing them: each plan is made once, for all.
        connection.prepare_threshold = 0
        connection.execute("SET jit = off")
        if not writes:
            connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if writes:
            wait_ms = round(busy_timeout_s * 1000)
            connection.execute(text(f"SET LOCAL lock_timeout = {wait_ms}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER})"))

    return engine


def _reading(path: Path) -> sqlite3.Connection:
    """Open a connection for live scoring; all its use is on one thread."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False)
    for pragma in _READS:
        connection.execute(f"PRAGMA {pragma}")
    _give_exp(connection)
    return connection


def _give_exp(connection: sqlite3.Connection) -> None:
    """Give SQLite the function that decay needs, where it was built without it."""
    with suppress(sqlite3.OperationalError):
        connection.execute("SELECT exp(0)")
        return
    connection.create_function("exp", 1, math.exp, deterministic=True)
