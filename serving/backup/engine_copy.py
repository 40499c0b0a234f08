"""
Copies of a store by the means of its engine, while the service goes on.

SQLite copies its pages out of one snapshot, so that writes neither wait nor make it begin again. PostgreSQL's own
`pg_dump` reads the snapshot whose rows are counted for the manifest.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine

from data.progress import Progress
from serving.backup.errors import BackupError
from serving.backup.store_summary import StoreSummary, summarise_store
from serving.store.database import Database
from serving.store.tables import metadata

_PAGES = 2048
_LOOK_EVERY_S = 0.2
VERSION_TABLE = "alembic_version"


def copy_store(database: Database, draft: Path, progress: Progress) -> StoreSummary:
    """
    Copy a store into a file, verify the copy, and return what it holds.

    Raises:
        BackupError: the copy is damaged, or a program of PostgreSQL is missing or failed.
    """
    draft.touch(mode=0o600)  # it holds personal data
    if database.path is not None:
        return _copy_sqlite(database.path, draft, progress)
    return _dump_postgres(database, draft, progress)


def _copy_sqlite(path: Path, draft: Path, progress: Progress) -> StoreSummary:
    with closing(sqlite3.connect(path, isolation_level=None)) as source, closing(sqlite3.connect(draft)) as copy:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on, one snapshot
        source.backup(
            copy, pages=_PAGES, progress=lambda _status, left, total: progress("copying the store", total - left, total)
        )
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        problems = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
    if problems != ["ok"]:
        message = f"the copy of {path} is damaged ({problems[0]}): check the disk, and restore the last good backup."
        raise BackupError(message)
    engine = create_engine(f"sqlite:///{draft}", poolclass=NullPool)
    with engine.connect() as connection:
        return summarise_store(connection)


def _dump_postgres(database: Database, draft: Path, progress: Progress) -> StoreSummary:
    dump, restore = postgres_program("pg_dump"), postgres_program("pg_restore")
    names = [*(table.name for table in metadata.sorted_tables), VERSION_TABLE]
    with database.reading() as connection:
        snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        tables = [f'--table="{schema}"."{name}"' for name in names]
        arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={draft}", *tables]
        run_program([dump, *arguments, "--dbname", address_of(database.url)], database.url, draft, progress)
        summary = summarise_store(connection)
    run_program([restore, "--list", f"--file={os.devnull}", str(draft)], database.url, draft, progress)
    return summary


def postgres_program(name: str) -> str:
    """
    Return where a program of PostgreSQL is.

    Raises:
        BackupError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        message = (
            f"{name} is not on this machine, and a store on PostgreSQL needs it: install PostgreSQL's client programs, "
            "of the server's version or later."
        )
        raise BackupError(message)
    return path


def address_of(url: URL) -> str:
    """
    Return a store's address as programs of PostgreSQL take it; the password goes through their environment.

    >>> from sqlalchemy import make_url
    >>> address_of(make_url("postgresql+psycopg://sales:secret@db/leads"))
    'postgresql://sales@db/leads'
    """
    return url._replace(drivername="postgresql", password=None).render_as_string(hide_password=False)


def run_program(command: Sequence[str], url: URL, file: Path, progress: Progress) -> None:
    """
    Run a program of PostgreSQL; the size of a file is the progress.

    Raises:
        BackupError: it failed; the message has what it wrote.
    """
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=environment, stderr=errors, stdout=subprocess.DEVNULL)  # noqa: S603 - found by its name
        try:
            while process.poll() is None:
                progress(f"running {name}", file.stat().st_size, 0)
                _wait_a_moment(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        reason = "; ".join(lines) if lines else f"exit code {process.returncode}"
        message = f"{name} failed ({reason}): mend that, then try again; the store is as it was."
        raise BackupError(message)


def _wait_a_moment(process: "subprocess.Popen[bytes]") -> None:
    """Wait a moment for a program to end."""
    try:
        process.wait(_LOOK_EVERY_S)
    except subprocess.TimeoutExpired:
        return
