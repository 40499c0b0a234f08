"""Replaying the ledger: what was erased and revoked after a backup is erased and revoked in what was restored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from serving.privacy.erasure import erase, scrub_if_due
from serving.store.audit_log import keyed_hashes, write_audit_entry
from serving.store.database import Database
from serving.store.epoch import epoch_of
from serving.store.ledger import Act, LedgerEntry, read_ledger
from serving.store.tables import api_keys, idempotent_request_leads, leads, quarantine, tombstones

_ACTOR = "restore"
_BATCH = 10_000
_NAMING = (leads, quarantine, idempotent_request_leads)


@dataclass(frozen=True, slots=True)
class ReplayedActs:
    """What a replay of the ledger changed: how many leads it erased, and the keys that it ended."""

    erased: int
    ended_keys: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, int]:
        """How many leads and how many keys."""
        return self.erased, len(self.ended_keys)

    def __bool__(self) -> bool:
        """Return whether it changed anything."""
        return bool(self.erased or self.ended_keys)


def replay_ledger(database: Database, entries: Sequence[LedgerEntry]) -> ReplayedActs:
    """
    Erase and revoke in a store what its ledger says, unless it is done already.

    Leads go first, then their tombstones: whoever is interrupted in between finds the leads again.
    """
    at_of = {hashed: entry.at for entry in entries if entry.act == "erase" for hashed in entry.targets}
    if not entries:
        return ReplayedActs(0, ())
    with database.reading() as connection:
        known = set(_tombstones(connection))
        new = {hashed: at for hashed, at in at_of.items() if hashed not in known}
        found = dict(_leads_of(connection, new)) if new else {}
    rows = [erase(database, lead_id, at=at, actor=_ACTOR, scrubs=False).rows for lead_id, at in found.items()]
    with database.writing() as connection:
        missing = set(new) - set(_tombstones(connection))
        if missing:
            connection.execute(
                insert(tombstones), [{"keyed_hash": hashed, "erased_at": new[hashed]} for hashed in sorted(missing)]
            )
        ended = tuple(entry.targets[0] for entry in entries if _ends(connection, entry))
    if found:
        scrub_if_due(database)
    return ReplayedActs(sum(map(bool, rows)), tuple(dict.fromkeys(ended)))


def acts_in_store(connection: Connection) -> list[LedgerEntry]:
    """Return what a store itself says was erased, revoked and ended, in the form of the ledger."""
    store = epoch_of(connection)
    erased = connection.execute(select(tombstones.c.keyed_hash, tombstones.c.erased_at))
    acts: list[tuple[Act, str, int, int | None, str]] = [("erase", hashed, at, None, "") for hashed, at in erased]
    for key in connection.execute(select(api_keys)):
        if key.revoked_at is not None:
            acts.append(("revoke", key.key_id, key.revoked_at, None, ""))
        elif key.replaced_by is not None:
            acts.append(("expire", key.key_id, key.expires_at, key.expires_at, key.replaced_by))
    return [
        LedgerEntry(act, (target,), store.store_id, store.number, at, until, says)
        for act, target, at, until, says in acts
    ]


def catch_up_with_ledger(database: Database) -> ReplayedActs:
    """Replay the ledger of a store that was put back by hand; it changes nothing in any other store."""
    if database.ledger is None:
        return ReplayedActs(0, ())
    with database.reading() as connection:
        store = epoch_of(connection)
    return replay_ledger(database, read_ledger(database.ledger, store.store_id).entries)


def _tombstones(connection: Connection) -> Iterator[str]:
    yield from connection.execute(select(tombstones.c.keyed_hash)).scalars()


def _leads_of(connection: Connection, at_of: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield the ids that hashes stand for, with the instant of each hash; every id in the store is tried."""
    for table in _NAMING:
        ids = connection.execution_options(yield_per=_BATCH).execute(select(table.c.lead_id).distinct()).scalars()
        for batch in ids.partitions(_BATCH):
            hashes = keyed_hashes(connection, batch)
            yield from ((lead_id, at_of[hashed]) for lead_id, hashed in hashes.items() if hashed in at_of)


def _ends(connection: Connection, entry: LedgerEntry) -> bool:
    """Revoke a key, or end one that was rotated, as noted; return whether it opened something still."""
    if entry.act not in {"revoke", "expire"}:
        return False
    is_key = api_keys.c.key_id == entry.targets[0]
    if entry.act == "revoke":
        query = update(api_keys).where(is_key, api_keys.c.revoked_at.is_(None)).values(revoked_at=entry.at)
    else:
        later = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > entry.until)
        query = update(api_keys).where(is_key, later).values(expires_at=entry.until, replaced_by=entry.says)
    if connection.execute(query).rowcount == 0:
        return False
    write_audit_entry(connection, at=entry.at, actor=_ACTOR, action=f"keys.{entry.act}", target=entry.targets[0])
    return True
