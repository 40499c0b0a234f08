"""Tombstones: leads that were erased, known by keyed hashes of their ids alone, so that late facts are refused."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from serving.errors import ErasedError
from serving.store.audit_log import keyed_hash, keyed_hashes
from serving.store.tables import tombstones

_BATCH = 1000
_ANYBODY = select(tombstones.c.keyed_hash).limit(1)


def add_tombstones(connection: Connection, lead_ids: Iterable[str], at: int) -> None:
    """
    Set the tombstones of leads.

    Args:
        connection: holds the write lock.
        lead_ids: the leads; those that have one already keep it.
        at: when they were erased [us since 1970 UTC].
    """
    there = find_erased(connection, wanted := sorted(set(lead_ids)))
    marked = keyed_hashes(connection, [one for one in wanted if one not in there])
    new = [{"keyed_hash": mark, "erased_at": at} for mark in marked.values()]
    if new:
        connection.execute(insert(tombstones), new)


def has_tombstones(connection: Connection) -> bool:
    """Say whether there is any tombstone."""
    return connection.execute(_ANYBODY).first() is not None


def find_erased(connection: Connection, lead_ids: Iterable[str]) -> set[str]:
    """Give which of these leads were erased; where nobody ever was, that costs one look."""
    wanted = list(lead_ids)
    if not wanted or not has_tombstones(connection):
        return set()
    by_mark = {mark: lead_id for lead_id, mark in keyed_hashes(connection, wanted).items()}
    marked, found = list(by_mark), set[str]()
    for start in range(0, len(marked), _BATCH):
        some = marked[start : start + _BATCH]
        asked = select(tombstones.c.keyed_hash).where(tombstones.c.lead_hash.in_(some))
        found |= {by_mark[mark] for mark in connection.execute(asked).scalars()}
    return found


def erased_at(connection: Connection, lead_id: str) -> int | None:
    """Give when a lead was erased [us since 1970 UTC]; None where it was not."""
    if not has_tombstones(connection):
        return None
    asked = select(tombstones.c.erased_at).where(tombstones.c.keyed_hash == keyed_hash(connection, lead_id))
    found: int | None = connection.execute(asked).scalar()
    return found


def erased_lead_error() -> ErasedError:
    """Say why a fact about an erased lead is refused; the id is not repeated, so that it is kept nowhere."""
    message = (
        "lead_id: this lead was erased and nothing about it is kept; stop sending it, here and where it came from."
    )
    return ErasedError(message)
