"""
The audit log: what administrators did, with keyed hashes in place of the ids of leads.

Nobody who reads a keyed hash can tell the lead, and whoever knows the lead finds its hash only with the store's secret.
"""

import getpass
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from serving.store.state import read_state, write_state
from serving.store.tables import audit_log

_SECRET = "secret"  # noqa: S105 - the name under which the store keeps it
_SECRET_BYTES = 32


def write_audit_entry(connection: Connection, *, at: int, actor: str, action: str, target: str) -> None:
    """
    Note what an administrator did, in the same transaction as the act itself.

    Args:
        connection: the store, inside a transaction that writes.
        at: when [us since 1970 UTC].
        actor: a key's id, or the user of the command line.
        action: what was done, such as ``keys.revoke``.
        target: what it was done to; never personal data: a lead only by its keyed hash.
    """
    connection.execute(insert(audit_log).values(noted_at=at, actor=actor, action=action, target=target))


def newest_audit_entries(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the newest rows of the log, the newest first."""
    return connection.execute(select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)).all()


def keyed_hash(connection: Connection, lead_id: str) -> str:
    """
    Return the keyed hash of a lead: HMAC-SHA256 of its id under the store's secret, 64 hex digits.

    The first call makes the secret, which takes a transaction that writes.
    """
    return keyed_hashes(connection, [lead_id])[lead_id]


def keyed_hashes(connection: Connection, lead_ids: Iterable[str]) -> dict[str, str]:
    """Return the keyed hashes of many leads."""
    secret = _secret(connection)
    return {lead_id: hmac.new(secret, lead_id.encode(), hashlib.sha256).hexdigest() for lead_id in lead_ids}


def _secret(connection: Connection) -> bytes:
    secret = read_state(connection, _SECRET)
    if secret is None:
        secret = secrets.token_hex(_SECRET_BYTES)
        write_state(connection, _SECRET, secret)
    return bytes.fromhex(secret)


def command_line_user() -> str:
    """Return who uses the command line: ``LEADSCORE_USER``, or else the operating system's user."""
    name = " ".join(os.environ.get("LEADSCORE_USER", "").encode("utf-8", "replace").decode().split())
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"
