"""Tombstones: erased leads, known only by keyed hashes of their ids, so that late facts about them are refused."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from serving.errors import ErasedError
from serving.store.audit_log import keyed_hash, keyed_hashes
from serving.store.ledger import note
from serving.store.tables import tombstones

_BATCH = 1000
_ANY_TOMBSTONE = select(tombstones.c.keyed_hash).limit(1)


def add_tombstones(connection: Connection, lead_ids: Iterable[str], at: int) -> None:
    """Store the tombstones of leads that were erased at an instant [us since 1970 UTC]; those that have one keep it."""
    wanted = set(lead_ids)
    hashes = keyed_hashes(connection, sorted(wanted - find_erased(connection, wanted)))
    new = [{"keyed_hash": each, "erased_at": at} for each in hashes.values()]
    if new:
        connection.execute(insert(tombstones), new)
        note(connection, "erase", hashes.values())


def has_tombstones(connection: Connection) -> bool:
    """Return whether any lead was ever erased."""
    return connection.execute(_ANY_TOMBSTONE).first() is not None


def find_erased(connection: Connection, lead_ids: Iterable[str]) -> set[str]:
    """Return which of these leads were erased; one query if none ever was."""
    wanted = list(lead_ids)
    if not wanted or not has_tombstones(connection):
        return set()
    by_hash = {hashed: lead_id for lead_id, hashed in keyed_hashes(connection, wanted).items()}
    hashes, erased = list(by_hash), set[str]()
    for start in range(0, len(hashes), _BATCH):
        batch = hashes[start : start + _BATCH]
        query = select(tombstones.c.keyed_hash).where(tombstones.c.keyed_hash.in_(batch))
        erased |= {by_hash[hashed] for hashed in connection.execute(query).scalars()}
    return erased


def erased_at(connection: Connection, lead_id: str) -> int | None:
    """Return when a lead was erased [us since 1970 UTC]; None if it was not."""
    if not has_tombstones(connection):
        return None
    query = select(tombstones.c.erased_at).where(tombstones.c.keyed_hash == keyed_hash(connection, lead_id))
    instant: int | None = connection.execute(query).scalar()
    return instant


def erased_lead_error() -> ErasedError:
    """Return the error for a fact about an erased lead; it does not repeat the id, which must be stored nowhere."""
    message = (
        "lead_id: this lead was erased and nothing about it is kept; stop sending it, here and where it came from."
    )
    return ErasedError(message)
