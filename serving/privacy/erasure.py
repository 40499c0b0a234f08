"""
Erasure: everything that the store knows about the person behind a lead is deleted, and late facts are refused.

First the rows, in one transaction; then the bytes that they left behind. SQLite overwrites deleted rows with zeros, but
copies remain where a full page was split in two: so the file is rewritten and the write-ahead log emptied. PostgreSQL
marks rows as dead and reuses their place later.
"""

import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, NullPool, Table, create_engine, delete, or_, select

from data.instants import iso
from serving.errors import UnknownLeadError
from serving.lead_ids import shown
from serving.store.audit_log import keyed_hash, write_audit_entry
from serving.store.changed_accounts import note_changed_accounts
from serving.store.database import Database
from serving.store.state import read_state, write_state
from serving.store.tables import idempotent_request_leads, idempotent_requests, merges, metadata, store_state
from serving.store.tombstones import add_tombstones, erased_at

Forget = Callable[[str], object]
ByteState = Literal["gone", "freed", "pending"]
_LEAD_COLUMNS = ("lead_id", "into_lead_id")
_SCRUB_DUE = "scrub"
_BUSY_TIMEOUT_MS = 2000
_QUICK_BYTES = 64 * 1024**2
"""A store on SQLite up to this size is rewritten while the caller waits, which takes a second or two."""


@dataclass(frozen=True, slots=True)
class RemainingCopy:
    """
    A place that may still hold something of an erased lead.

    Attributes:
        what: what it holds.
        until: until when.
        do: what the operator of the service should do, if anything.
    """

    what: str
    until: str
    do: str

    def as_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"what": self.what, "until": self.until, "do": self.do}


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    What an erasure did to the store.

    Attributes:
        ids: every id of the person: the lead, what it was merged into and what was merged into it.
        erased_at: when, counting the first time [us since 1970 UTC].
        rows: how many rows were deleted, by table.
        left: what became of the bytes of those rows in the store's files.
        dialect: the store's engine.
    """

    ids: frozenset[str]
    erased_at: int
    rows: dict[str, int]
    left: ByteState
    dialect: Literal["sqlite", "postgres"]

    def as_json(self) -> dict[str, Any]:
        """Return it without any id."""
        return {
            "erased_at": iso(self.erased_at),
            "rows": self.rows,
            "bytes": self.left,
        }

    @property
    def held(self) -> list[RemainingCopy]:
        """The places beside the store's tables that only the operator of the engine can clean."""
        copies = [
            RemainingCopy(
                "Backups and copies of the store that were made before",
                "as long as you store them",
                "Let them expire; `leadscore restore` erases the lead again from the one that it puts back.",
            )
        ]
        if self.dialect == "postgres":
            copies += _HELD_BY_POSTGRES if self.left == "gone" else [_DEAD_ROWS, *_HELD_BY_POSTGRES]
        elif self.left == "pending":
            copies.append(_UNUSED_PARTS)
        return copies


_UNUSED_PARTS = RemainingCopy(
    "Unused parts of the store's file, and the write-ahead log beside it",
    "until the file is rewritten; the service tries every minute, and waits for readers of older snapshots",
    "Nothing, or run `leadscore erase LEAD`, which does it at once.",
)
_DEAD_ROWS = RemainingCopy(
    "Dead rows in PostgreSQL's table files",
    "until VACUUM has freed their place and new rows have taken it",
    "Nothing, or run `leadscore erase LEAD --vacuum` while the service may wait: it rewrites the tables.",
)
_HELD_BY_POSTGRES = [
    RemainingCopy(
        "PostgreSQL's write-ahead log, its archive and its replicas",
        "until the segments are recycled, after the next checkpoints",
        "Nothing; if you archive segments, let the archive expire.",
    ),
]


def erase(
    database: Database,
    lead_id: str,
    *,
    at: int,
    actor: str,
    forget: Iterable[Forget] = (),
    scrubs: bool = True,
    waits: bool = False,
    thorough: bool = False,
) -> Erasure:
    """
    Erase a lead and every lead that it was merged with.

    Args:
        database: the store.
        lead_id: any id of the person; one that was erased before is erased again, in case something has come back.
        at: the present instant [us since 1970 UTC].
        actor: who asked for it: a key's id, or the user of the command line.
        forget: caches of this process; each is called with every id after the rows are deleted.
        scrubs: whether to remove the bytes too if that is quick, rather than leave it to the service's worker.
        waits: whether to remove them at once even from a large SQLite store, which takes as long as copying it.
        thorough: whether PostgreSQL shall rewrite its tables, which takes as long and blocks everybody.

    Raises:
        UnknownLeadError: the lead is not known.
    """
    with database.writing() as connection:
        person = ids_of_person(connection, lead_id)
        note_changed_accounts(connection, person, at)
        rows = _delete(connection, person)
        first = erased_at(connection, lead_id)
        if not rows and first is None:
            message = f"No lead {shown(lead_id)} is known: there is nothing to erase."
            raise UnknownLeadError(message)
        add_tombstones(connection, person, at)
        write_audit_entry(connection, at=at, actor=actor, action="leads.erase", target=keyed_hash(connection, lead_id))
        _remember_to_scrub(connection)
    for forget_lead in forget:
        for each in sorted(person):
            forget_lead(each)
    left: ByteState = "pending"
    if scrubs and (waits or _is_quick(database)) and scrub_if_due(database, thorough=thorough):
        left = "gone" if thorough or database.dialect == "sqlite" else "freed"
    return Erasure(frozenset(person), at if first is None else first, rows, left, database.dialect)


def ids_of_person(connection: Connection, lead_id: str) -> set[str]:
    """Return every id of the person behind a lead: what it was merged into, and all that was merged into that."""
    person, new = {lead_id}, {lead_id}
    while new:
        query = select(merges.c.lead_id, merges.c.into_lead_id).where(
            or_(merges.c.lead_id.in_(new), merges.c.into_lead_id.in_(new))
        )
        new = {each for row in connection.execute(query) for each in row} - person
        person |= new
    return person


def _delete(connection: Connection, person: Collection[str]) -> dict[str, int]:
    """Delete every row that names the person and return how many there were, for each table that had any."""
    counts = {idempotent_requests.name: _delete_responses(connection, person)}
    for table in reversed(metadata.sorted_tables):
        naming = [table.c[name].in_(person) for name in _LEAD_COLUMNS if name in table.c]
        if naming:
            counts[table.name] = connection.execute(delete(table).where(or_(*naming))).rowcount
    return {name: count for name, count in counts.items() if count}


def _delete_responses(connection: Connection, person: Collection[str]) -> int:
    """Delete the stored responses that mention the person, with the list of leads that each mentions."""
    same = idempotent_request_leads.alias("same")
    count = 0
    for table in (idempotent_requests, idempotent_request_leads):
        key = (same.c.key_id == table.c.key_id) & (same.c.idempotency_key == table.c.idempotency_key)
        mentions = select(same.c.lead_id).where(key, same.c.lead_id.in_(person)).exists()
        count = count or connection.execute(delete(table).where(mentions)).rowcount
    return count


def _remember_to_scrub(connection: Connection) -> None:
    write_state(connection, _SCRUB_DUE, secrets.token_hex(8))


def _is_quick(database: Database) -> bool:
    return database.path is None or database.path.stat().st_size <= _QUICK_BYTES


def scrub_if_due(database: Database, *, thorough: bool = False) -> bool:
    """
    Remove the bytes that erased rows left behind, if there was an erasure since the last time.

    Args:
        database: the store.
        thorough: whether PostgreSQL shall rewrite its tables.

    Returns:
        Whether all erasures before this call are done with; those during the call stay due.
    """
    with database.reading() as connection:
        due = read_state(connection, _SCRUB_DUE)
    if due is None and not thorough:
        return True
    if not scrub(database, thorough=thorough):
        return False
    with database.writing() as connection:
        connection.execute(delete(store_state).where(store_state.c.name == _SCRUB_DUE, store_state.c.content == due))
    return True


def scrub(database: Database, *, thorough: bool = False) -> bool:
    """
    Remove the bytes that deleted rows left behind; on SQLite by rewriting the file.

    Args:
        database: the store.
        thorough: whether PostgreSQL shall rewrite its tables, and not only free the place of dead rows.

    Returns:
        Whether it was possible; it is not while a reader uses an older snapshot of the store.
    """
    return _scrub_postgres(database, thorough) if database.path is None else _scrub_sqlite(str(database.path))


def _scrub_sqlite(path: str) -> bool:
    """Rewrite the file and empty the log; if the log cannot be emptied, spare a large file the rewriting."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_TIMEOUT_MS / 1000)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with suppress(sqlite3.OperationalError):  # somebody is writing, or the disk is full: retried later
            if not _log_is_emptied(connection):
                return False
            connection.execute("VACUUM")
            return _log_is_emptied(connection)
    return False


def _log_is_emptied(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the file; return whether no reader of an older snapshot was in the way."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _scrub_postgres(database: Database, thorough: bool) -> bool:  # noqa: FBT001 - handed through
    """Free dead rows, or rewrite the tables, and renew the planner's statistics, which name the most frequent leads."""
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    names = ", ".join(table.name for table in metadata.sorted_tables if _may_name_leads(table))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"VACUUM ({'FULL, ' if thorough else ''}ANALYZE) {names}")
            if thorough:  # the statistics before these named frequent leads
                connection.exec_driver_sql("VACUUM (FULL) pg_catalog.pg_statistic")
    finally:
        engine.dispose()
    return True


def _may_name_leads(table: Table) -> bool:
    return table is idempotent_requests or any(name in table.c for name in _LEAD_COLUMNS)
