"""What tells whether a store is well: that it can be written, how large it is, and when it last learned something."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, select, text

from serving.errors import StoreError
from serving.settings import database_url
from serving.store.database import Database
from serving.store.schema_version import recorded_step
from serving.store.state import NEWEST_FACT, read_state, write_state
from serving.store.store_errors import STORE_ERRORS, name_of
from serving.store.tables import activities, lead_versions, outcomes

LEAST_FREE_BYTES = 16 * 2**20
"""With less free space the disk counts as full: a single row may still find room where facts find none."""
_PROBE = "write_probe"
_BUSY = "SQLITE_BUSY"


def step_of_store(url: str) -> str | None:
    """
    Return the step that a store's tables are at, None where it has none; nothing is created or migrated.

    Raises:
        StoreError: there is no such store, or it does not answer.
    """
    place = make_url(database_url(url))
    is_file = place.get_backend_name() == "sqlite"
    if is_file and not Path(str(place.database)).exists():
        message = f"there is no store at {place.database}."
        raise StoreError(message)
    engine = create_engine(_read_only(place) if is_file else place, poolclass=NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return recorded_step(connection)
    except STORE_ERRORS as error:
        message = f"{place.render_as_string(hide_password=True)} does not answer ({name_of(error)})."
        raise StoreError(message) from None
    finally:
        engine.dispose()


def _read_only(place: URL) -> URL:
    file = f"file:{quote(str(Path(str(place.database)).resolve()))}"
    return place.set(database=file, query={"mode": "ro", "uri": "true"})


def prove_writable(database: Database) -> None:
    """
    Write one row; where somebody else is writing to the file, that proves as much.

    Raises:
        sqlite3.Error: the file cannot be written: the disk is full, or it may only be read.
        DBAPIError: the server takes no writes.
    """
    if database.path is not None:
        _prove_file(database.path)
        return
    with database.writing() as connection:
        write_state(connection, _PROBE, "")


def _prove_file(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("REPLACE INTO store_state (name, content) VALUES (?, '')", (_PROBE,))
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != _BUSY:
                raise


def newest_fact_at(connection: Connection) -> int | None:
    """Return when the store last learned a fact [us since 1970 UTC]; None where it knows none."""
    noted = read_state(connection, NEWEST_FACT)
    if noted is not None:
        return int(noted)
    known = [lead_versions.c.known_at, activities.c.known_at, outcomes.c.known_at]
    newest = [connection.execute(select(column).order_by(column.desc()).limit(1)).scalar() for column in known]
    return max((each for each in newest if each is not None), default=None)


def size_bytes(database: Database) -> int:
    """Return the size of a store, its write-ahead log included."""
    if database.path is not None:
        return sum(path.stat().st_size for path in (database.path, _log_of(database.path)) if path.exists())
    with database.reading() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def log_bytes(database: Database) -> int:
    """Return the size of a file's write-ahead log; 0 on PostgreSQL, which keeps its own watch."""
    path = None if database.path is None else _log_of(database.path)
    return path.stat().st_size if path is not None and path.exists() else 0


def disk_free_bytes(database: Database) -> int | None:
    """Return the free space on the disk of a file; None on PostgreSQL, whose disk is its server's."""
    return None if database.path is None else shutil.disk_usage(database.path.parent).free


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
