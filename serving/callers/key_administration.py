"""What administrators do to keys, by the API or the command line; each change is noted in the audit log with it."""

from collections.abc import Iterable

from sqlalchemy import Connection

from serving.callers.keys import Key, create_key, revoke_key, rotate_key
from serving.store.audit_log import write_audit_entry


def issue_key(
    connection: Connection,
    name: str,
    *,
    scopes: Iterable[str],
    addresses: Iterable[str],
    expires_at: int | None,
    now: int,
    actor: str,
) -> tuple[Key, str]:
    """
    Create a key.

    Returns:
        The key, and its secret, which can never be shown again.

    Raises:
        KeysError: a scope or an address range is unknown, the name is invalid, or the expiry has passed.
    """
    key, secret = create_key(connection, name, scopes=scopes, addresses=addresses, now=now, expires_at=expires_at)
    target = " ".join([key.key_id, *sorted(key.scopes), *(f"from {each}" for each in key.addresses)])
    write_audit_entry(connection, at=now, actor=actor, action="keys.create", target=target)
    return key, secret


def replace_key(connection: Connection, key_id: str, *, overlap_us: int, now: int, actor: str) -> tuple[Key, str]:
    """
    Create a key that replaces another; both work until the overlap has passed.

    Raises:
        KeysError: there is no such key, or it works no longer, or it was rotated before.
    """
    key, secret = rotate_key(connection, key_id, now=now, overlap_us=overlap_us)
    target = f"{key_id} by {key.key_id}"
    write_audit_entry(connection, at=now, actor=actor, action="keys.rotate", target=target)
    return key, secret


def withdraw_key(connection: Connection, key_id: str, *, now: int, actor: str) -> Key:
    """
    Revoke a key.

    Raises:
        KeysError: there is no such key, or it was revoked before.
    """
    key = revoke_key(connection, key_id, now=now)
    write_audit_entry(connection, at=now, actor=actor, action="keys.revoke", target=key_id)
    return key
