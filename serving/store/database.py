"""
The store: SQLite by default, PostgreSQL by its URL; one process writes at a time and readers never wait for it.

Facts are written through SQLAlchemy. Live scoring reads them on the engine's own connection, which takes a third of
the time.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

from serving.clock import Clock
from serving.errors import StoreError
from serving.settings import database_url
from serving.store.epoch import identify_store
from serving.store.ledger import keep_ledger
from serving.store.state import NEWEST_FACT, write_state
from serving.store.writes_in_flight import WritesInFlight, postgres_writer_since

Dialect = Literal["sqlite", "postgres"]

_STATEMENTS = 256
_CACHE_KIB = 64 * 1024
_MAPPED_BYTES = 1024**3
_STORE_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_WRITES = (
    *("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
    *(f"cache_size = -{_CACHE_KIB}", "wal_autocheckpoint = 4000"),  # facts of many leads touch many pages
)
_READS = ("query_only = ON", f"cache_size = -{_CACHE_KIB}", f"mmap_size = {_MAPPED_BYTES}")
_WRITER_LOCK = 7_310_579
"""The advisory lock that a process holds on PostgreSQL while it writes; any number that no other program uses."""


class RawConnection(Protocol):
    """The engine's own connection, for SQL that is compiled for it."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run a statement and return its cursor."""


class Database:
    """
    The store.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://…``; its tables are created or migrated where needed.
        busy_timeout_s: how long a write waits for another process's write.
        ledger: the file outside the store in which erasures, revocations and deployments are noted.

    Attributes:
        ledger: that file; None if nothing is noted.
        fact_writes: how many transactions of facts this process has committed since it opened the store.

    Raises:
        StoreError: the store cannot be opened.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 30, ledger: Path | None = None) -> None:
        self.url = make_url(database_url(url))
        self.dialect: Dialect = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgres"
        self.ledger = ledger
        self._writer = _engine(self.url, busy_timeout_s, writes=True)
        keep_ledger(self._writer, ledger)
        self._reader = _engine(self.url, busy_timeout_s, writes=False)
        self._autocommit = self._reader.execution_options(isolation_level="AUTOCOMMIT")
        self._turn = threading.Lock()
        self._of_thread = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self.fact_writes = 0
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._bring_up_to_date()
            self._writes_in_flight = WritesInFlight(self.path) if self.path is not None else None
        except StoreError:
            self._dispose()
            raise
        except _cannot_open() as error:
            self._dispose()
            reason = str(getattr(error, "orig", error)).strip().split("\n", maxsplit=1)[0]
            expected = "name a writable SQLite file, or the URL of a PostgreSQL server that answers"
            message = f"{self.display_url} cannot be opened as the store ({reason}): {expected}."
            raise StoreError(message) from None

    @property
    def path(self) -> Path | None:
        """The file of a store on SQLite; None on PostgreSQL."""
        return Path(str(self.url.database)) if self.url.get_backend_name() == "sqlite" else None

    @property
    def display_url(self) -> str:
        """Where the store is, without its password."""
        return str(self.path or self.url.render_as_string(hide_password=True))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Hold the write lock for one transaction; it commits at the end or leaves nothing."""
        with self._turn, self._writer.begin() as connection:  # threads queue here rather than poll the store's lock
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a snapshot of the store, which later writes do not change."""
        with self._reader.connect() as connection:
            yield connection

    def live_snapshot(self) -> AbstractContextManager[RawConnection]:
        """Return this thread's connection for live scoring, on which all statements see one snapshot."""
        return ReadTransaction(self.reader) if self.dialect == "sqlite" else _raw(self._reader)

    @property
    def reader(self) -> sqlite3.Connection:
        """This thread's own read-only connection to a SQLite store."""
        reader: sqlite3.Connection | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            assert self.path is not None  # noqa: S101 - only a store on SQLite is asked; tells the type checker
            reader = self._of_thread.reader = _open_reader(self.path)
            self._readers.append(reader)
        return reader

    def other_writer_since(self) -> int | None:
        """Return since when another process may be writing, None if none is; call it before reading."""
        if self._writes_in_flight is not None:
            return self._writes_in_flight.since()
        with _raw(self._autocommit) as store:
            return postgres_writer_since(store, _WRITER_LOCK)

    @contextmanager
    def writing_facts(self, clock: Clock) -> Iterator[tuple[Connection, int]]:
        """
        Hold the write lock to store facts; no process's "now" passes the instant yielded until they can be seen.

        Args:
            clock: this process's.

        Yields:
            The connection, and an instant later than every ``known_at`` in the store [us since 1970 UTC].
        """
        try:
            with clock.writing() as hold_now, self.writing() as connection:
                since = hold_now()
                if self._writes_in_flight is not None:
                    self._writes_in_flight.announce(since)
                yield connection, since
                write_state(connection, NEWEST_FACT, str(since))
            self.fact_writes += 1
        finally:
            if self._writes_in_flight is not None:
                self._writes_in_flight.announce(0)

    def clock_offset_us(self, now_us: Callable[[], int]) -> int:
        """Return how far the store's own clock is ahead of this machine's [us]; 0 for a file, which has none."""
        if self.dialect == "sqlite":
            return 0
        with self._autocommit.connect() as connection:
            before = now_us()
            store_now = connection.execute(text(_STORE_NOW)).scalar_one()
            return int(store_now) - (before + now_us()) // 2

    def close(self) -> None:
        """Close every connection."""
        for reader in self._readers:
            reader.close()
        if self._writes_in_flight is not None:
            self._writes_in_flight.close()
        self._dispose()

    def _dispose(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def _bring_up_to_date(self) -> None:
        from serving.store.schema_version import upgrade  # noqa: PLC0415 - Alembic is loaded only where a step is missing

        with self.writing() as connection:
            upgrade(connection)
            identify_store(connection)


def raw_connection(connection: Connection) -> RawConnection:
    """Return the engine's own connection, for statements that are compiled for it."""
    driver: Any = connection.connection.driver_connection
    own: RawConnection = driver
    return own


@contextmanager
def _raw(engine: Engine) -> Iterator[RawConnection]:
    with engine.connect() as connection:
        yield raw_connection(connection)


def _cannot_open() -> tuple[type[Exception], ...]:
    from serving.store.store_errors import STORE_ERRORS  # noqa: PLC0415 - loads psycopg, which a store on SQLite spares

    return (*STORE_ERRORS, OSError)


class ReadTransaction:  # a class costs half of what a generator would, on the hot path
    """A context in which several statements see one snapshot of a SQLite store."""

    __slots__ = ("_begins", "_store")

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._begins = not store.in_transaction

    def __enter__(self) -> sqlite3.Connection:
        if self._begins:
            self._store.execute("BEGIN")
        return self._store

    def __exit__(self, *_error: object) -> None:
        if self._begins:
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
        connection.isolation_level = None  # SQLAlchemy, not the driver, begins transactions
        for pragma in _WRITES if writes else _READS:
            connection.execute(f"PRAGMA {pragma}")

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
        # Planning a statement takes longer than running it, so each connection plans it once.
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
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"))

    return engine


def _open_reader(path: Path) -> sqlite3.Connection:
    """Open a read-only connection for live scoring; it stays on one thread."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False)
    for pragma in _READS:
        connection.execute(f"PRAGMA {pragma}")
    return connection
