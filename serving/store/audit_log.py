"""
What administrators did, and the marks that stand for leads there and on tombstones.

A mark is a keyed hash: whoever reads it cannot tell the lead, and whoever knows the lead finds its marks only with
the store's secret.
"""

import getpass
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, select

from data.instants import iso
from serving.store.tables import audit, marks

_SECRET = "secret"  # noqa: S105 - the name under which the store keeps it
_SECRET_BYTES = 32
_KEPT = select(marks.c.content).where(marks.c.name == _SECRET)


def write_audit_entry(connection: Connection, *, at: int, actor: str, act: str, about: str) -> None:
    """
    Keep what an administrator did, in the same transaction as the act itself.

    Args:
        connection: the store, inside a transaction that writes.
        at: when [us since 1970 UTC].
        actor: a key's id, or the user of the command line.
        act: what was done, such as ``keys.revoke``.
        about: to what; never personal data: a lead only by its mark.
    """
    connection.execute(insert(audit).values(at=at, actor=actor, act=act, about=about))


def newest_audit_entries(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Give what was done, the newest first."""
    rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(limit)).mappings()
    return [{**{name: row[name] for name in ("id", "actor", "act", "about")}, "at": iso(row["at"])} for row in rows]


def keyed_hash(connection: Connection, lead_id: str) -> str:
    """
    Give the mark of a lead: HMAC-SHA256 of its id under the store's secret, 64 hex digits.

    The secret is made when the first mark is asked for; that takes a transaction that writes.
    """
    return keyed_hashes(connection, [lead_id])[lead_id]


def keyed_hashes(connection: Connection, lead_ids: Iterable[str]) -> dict[str, str]:
    """Give the marks of many leads."""
    secret = _secret(connection)
    return {lead_id: hmac.new(secret, lead_id.encode(), hashlib.sha256).hexdigest() for lead_id in lead_ids}


def _secret(connection: Connection) -> bytes:
    found = connection.execute(_KEPT).scalar()
    if found is None:
        found = secrets.token_hex(_SECRET_BYTES)
        connection.execute(insert(marks).values(name=_SECRET, content=found))
    return bytes.fromhex(found)


def command_line_user() -> str:
    """Give who is at the command line: ``LEADSCORE_USER``, or else the operating system's user."""
    named = " ".join(os.environ.get("LEADSCORE_USER", "").encode("utf-8", "replace").decode().split())
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"
