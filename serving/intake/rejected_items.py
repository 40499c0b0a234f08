"""
Rejected items: what callers sent and was not stored, so that they can see afterwards what was rejected and why.

A row may name a person by the ids of the item and of its lead, so it is deleted after seven days, and with its lead.
What is sent about a lead that was erased leaves a row without any id.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from data.instants import DAY_US
from data.words.id_rules import IdForms
from serving.intake.quarantined_facts import IDS, Kind
from serving.lead_ids import as_id, as_lead_id
from serving.store.database import Database
from serving.store.keyset import Page, Position, SortKey, page_of
from serving.store.rows import insert_rows
from serving.store.tables import rejected_items
from serving.store.tombstones import find_erased

RETENTION_DAYS = 7
MOST_ITEMS_PER_KEY = 10_000
"""Of each key so many rows are kept, the newest."""
_NEWEST_FIRST = (SortKey(rejected_items.c.id, is_descending=True),)
_QUOTE = re.compile("['\"]")
_FIELD = re.compile(r"(?:unknown field )?([A-Za-z_][\w-]*(?:\.[\w-]+)*)(?::|\.?$| $)")


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """
    An item that was not stored.

    Attributes:
        kind: what it was sent as.
        item_id: its own id; None where it has none that can be one.
        lead_id: the lead it is about; None where it names none.
        reason: what was wrong with it, as the caller was told.
    """

    kind: Kind
    item_id: str | None
    lead_id: str | None
    reason: str

    @classmethod
    def of(cls, kind: Kind, sent: object, *, reason: str, forms: IdForms) -> "RejectedItem":
        """Return what is remembered of an item as it was sent; its lead by the id that its facts would have."""
        named = sent if isinstance(sent, dict) else {}
        return cls(kind, own_id(kind, sent, forms), as_lead_id(named.get("lead_id"), forms), reason)


def own_id(kind: Kind, sent: object, forms: IdForms) -> str | None:
    """Return the own id of an item as it was sent; None where it has none that can be one."""
    item_id = sent.get(IDS[kind]) if isinstance(sent, dict) else None
    return as_lead_id(item_id, forms) if kind == "leads" else as_id(item_id)


def save_rejected(connection: Connection, items: Sequence[RejectedItem], *, key_id: str, at: int) -> None:
    """
    Save the items of a request that were rejected, and forget the oldest where the key has too many.

    Args:
        connection: the store, inside a transaction that writes.
        items: the items.
        key_id: who sent them.
        at: when [us since 1970 UTC].
    """
    if not items:
        return
    erased = find_erased(connection, {item.lead_id for item in items if item.lead_id is not None})
    rows = [
        {
            "rejected_at": at,
            "key_id": key_id,
            "kind": item.kind,
            "item_id": None if item.lead_id in erased else item.item_id,
            "lead_id": None if item.lead_id in erased else item.lead_id,
            "reason": item.reason,
            "fields": " ".join(fields_in(item.reason)),
        }
        for item in items
    ]
    insert_rows(connection, rejected_items, rows)
    of_key = rejected_items.c.key_id == key_id
    newest_first = select(rejected_items.c.id).where(of_key).order_by(rejected_items.c.id.desc())
    too_old = newest_first.offset(MOST_ITEMS_PER_KEY).limit(1).scalar_subquery()
    connection.execute(delete(rejected_items).where(of_key, rejected_items.c.id <= too_old))


def read_rejected(
    connection: Connection, *, key_id: str | None, since: int | None, position: Position | None, limit: int
) -> Page:
    """
    Read a page of the rejected items, the newest first.

    Args:
        connection: reads the store.
        key_id: only items that this key sent; None is everybody's.
        since: earlier ones are left out [us since 1970 UTC].
        position: where the page begins; None is the start.
        limit: how many at most.
    """
    query = select(rejected_items)
    if key_id is not None:
        query = query.where(rejected_items.c.key_id == key_id)
    if since is not None:
        query = query.where(rejected_items.c.rejected_at >= since)
    return page_of(connection, query, _NEWEST_FIRST, position=position, limit=limit)


def delete_old_rejected(database: Database, now: int) -> int:
    """Delete the rows that are seven days old, and return how many there were [us since 1970 UTC: now]."""
    with database.writing() as connection:
        is_old = rejected_items.c.rejected_at <= now - RETENTION_DAYS * DAY_US
        deleted: int = connection.execute(delete(rejected_items).where(is_old)).rowcount
    return deleted


def fields_in(reason: str) -> list[str]:
    """
    Return the fields that a reason is about, each once; what stands behind an id of the caller's is not looked at.

    >>> fields_in("kind: is missing; value: expected a number from -1e15 to 1e15.")
    ['kind', 'value']
    >>> fields_in("lead_id: no lead 'x; y: z' is known; send it to /v1/leads first."), fields_in("expected an object.")
    (['lead_id'], [])
    >>> fields_in("activity_id 'a: b' is taken by other content."), fields_in("unknown field known_at.")
    (['activity_id'], ['known_at'])
    """
    words = _QUOTE.split(reason, maxsplit=1)[0]
    found = (_FIELD.match(part) for part in words.split("; "))
    return list(dict.fromkeys(field[1] for field in found if field is not None))
