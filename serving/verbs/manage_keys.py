"""What ``leadscore keys`` does: make a key, list them, rotate one, revoke one; each is kept in the audit log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from data.instants import iso, now_us
from data.workspace import Workspace
from serving.callers.keys import Key, all_keys, create_key, key_named, revoke_key, rotate_key
from serving.errors import KeysError
from serving.settings import settings_for
from serving.store.audit_log import command_line_user, write_audit_entry
from serving.store.database import Database

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key that was just made; its secret is shown now and never again."""

    key: Key
    secret: str
    replaces: Key | None = None

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        replaced = None if self.replaces is None else _told(self.replaces)
        return {**_told(self.key), "secret": self.secret, "replaces": replaced}

    def show(self, console: Console) -> None:
        """Say it on a console."""
        console.print(f"Key {self.key.key_id} for {self.key.name}:", markup=False, highlight=False)
        console.print(self.secret, markup=False, highlight=False, soft_wrap=True)
        console.print("Keep it now: it is shown this once, and the store holds only its hash.", highlight=False)
        if self.replaces is not None:
            until = _until(self.replaces.expires_at)
            console.print(f"Until {until} the old key {self.replaces.key_id} opens the same.", highlight=False)


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """The secret of a key that was just made and nothing else, for scripts."""

    made: CreatedKey

    def as_json(self) -> dict[str, Any]:
        """Write the key with its secret."""
        return self.made.as_json()

    def show(self, console: Console) -> None:
        """Give the secret on a line of its own."""
        console.print(self.made.secret, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key that was ever made."""

    keys: Sequence[Key]
    as_of: int

    def as_json(self) -> dict[str, Any]:
        """Write them."""
        return {"keys": [{**_told(key), "state": _state(key, self.as_of)} for key in self.keys]}

    def show(self, console: Console) -> None:
        """Show them on a console."""
        table = Table("key", "name", "scopes", "made", "until", "state")
        for key in self.keys:
            cells = [
                key.key_id,
                key.name,
                " ".join(sorted(key.scopes)),
                _minute(key.created_at),
                _until(key.expires_at),
            ]
            table.add_row(*cells, _state(key, self.as_of))
        console.print(table if self.keys else "No key was made yet: `leadscore keys create crm --scope events:write`.")


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A key that opens nothing any more."""

    key: Key

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return _told(self.key)

    def show(self, console: Console) -> None:
        """Say it on a console."""
        said = f"Key {self.key.key_id} of {self.key.name} opens nothing any more, in every process within two seconds."
        console.print(said, markup=False, highlight=False)


def create(workspace: Workspace, name: str, *, scopes: Sequence[str], expires_days: float | None = None) -> CreatedKey:
    """
    Make a key.

    Args:
        workspace: the playbook, and where tables and models are kept.
        name: who will hold it.
        scopes: what it may do.
        expires_days: after how many days it opens nothing any more; default: never.

    Raises:
        ServingError: the store cannot be opened, or the key cannot be made so.
    """
    now = now_us()
    expires_at = None if expires_days is None else now + _span_us(expires_days, "expires-days", most=_LONGEST_DAYS)
    with _writing(workspace) as connection:
        key, secret = create_key(connection, name, scopes=scopes, now=now, expires_at=expires_at)
        write_audit_entry(
            connection,
            at=now,
            actor=command_line_user(),
            action="keys.create",
            target=f"{key.key_id} {' '.join(sorted(key.scopes))}",
        )
    return CreatedKey(key, secret)


def list_keys(workspace: Workspace) -> KeyList:
    """
    Give every key that was ever made, without its secret.

    Raises:
        ServingError: the store cannot be opened.
    """
    with _writing(workspace) as connection:
        return KeyList(all_keys(connection), now_us())


def rotate(workspace: Workspace, key_id: str, *, overlap_hours: float) -> CreatedKey:
    """
    Make a key that takes another's place; both open until the overlap has passed.

    Raises:
        ServingError: the store cannot be opened, or there is no such key in force.
    """
    now, overlap_us = now_us(), _span_us(overlap_hours / 24, "overlap-hours", most=_LONGEST_DAYS)
    with _writing(workspace) as connection:
        key, secret = rotate_key(connection, key_id, now=now, overlap_us=overlap_us)
        write_audit_entry(
            connection, at=now, actor=command_line_user(), action="keys.rotate", target=f"{key_id} by {key.key_id}"
        )
        return CreatedKey(key, secret, key_named(connection, key_id))


def revoke(workspace: Workspace, key_id: str) -> RevokedKey:
    """
    Let a key open nothing any more.

    Raises:
        ServingError: the store cannot be opened, or there is no such key.
    """
    now = now_us()
    with _writing(workspace) as connection:
        key = revoke_key(connection, key_id, now=now)
        write_audit_entry(connection, at=now, actor=command_line_user(), action="keys.revoke", target=key_id)
    return RevokedKey(key)


@contextmanager
def _writing(workspace: Workspace) -> Iterator[Connection]:
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        with database.writing() as connection:
            yield connection
    finally:
        database.close()


def _span_us(days: float, name: str, *, most: int) -> int:
    if not 0 <= days <= most:
        message = f"--{name} must be from 0 to {most:,} days: a key without an end is made by leaving it out."
        raise KeysError(message)
    return round(days * _DAY_US)


def _told(key: Key) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": iso(key.created_at),
        "expires_at": None if key.expires_at is None else iso(key.expires_at),
        "revoked_at": None if key.revoked_at is None else iso(key.revoked_at),
        "replaced_by": key.replaced_by,
    }


def _state(key: Key, now: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.has_expired(now):
        return "expired"
    return "replaced" if key.replaced_by is not None else "in force"


def _until(expires_at: int | None) -> str:
    return "for ever" if expires_at is None else _minute(expires_at)


def _minute(at: int) -> str:
    """
    Write an instant to the minute, as far as people read it.

    >>> _minute(0)
    '1970-01-01T00:00Z'
    """
    return f"{iso(at)[:16]}Z"
