"""The verbs ``keys create``, ``list``, ``rotate`` and ``revoke``; each change is noted in the audit log."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from data.instants import DAY_US, iso, now_us
from data.workspace import Workspace
from serving.callers.key_administration import issue_key, replace_key, withdraw_key
from serving.callers.keys import LONGEST_DAYS, Key, all_keys, key_named
from serving.errors import KeysError
from serving.store.audit_log import command_line_user
from serving.verbs.opened_store import opened_store


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; its secret is shown now and never again."""

    key: Key
    secret: str
    replaces: Key | None = None

    def printed(self, *, plain: bool) -> "CreatedKey | PlainSecret":
        """Return what is printed of it: all, or the secret alone."""
        return PlainSecret(self) if plain else self

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        replaced = None if self.replaces is None else _key_json(self.replaces)
        return {**_key_json(self.key), "secret": self.secret, "replaces": replaced}

    def show(self, console: Console) -> None:
        """Print it."""
        console.print(f"Key {self.key.key_id} for {self.key.name}:", markup=False, highlight=False)
        console.print(self.secret, markup=False, highlight=False, soft_wrap=True)
        console.print("Save it now: it is shown only once, and the store holds only its hash.", highlight=False)
        if self.replaces is not None:
            until = _until(self.replaces.expires_at)
            console.print(f"The old key {self.replaces.key_id} works until {until}.", highlight=False)


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """The secret of a new key and nothing else, for scripts."""

    made: CreatedKey

    def as_json(self) -> dict[str, Any]:
        """Return the key with its secret as JSON."""
        return self.made.as_json()

    def show(self, console: Console) -> None:
        """Print the secret on its own line."""
        console.print(self.made.secret, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key that was ever created."""

    keys: Sequence[Key]
    as_of: int

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON."""
        return {"keys": [{**_key_json(key), "state": key.state(self.as_of)} for key in self.keys]}

    def show(self, console: Console) -> None:
        """Print them as a table."""
        table = Table("key", "name", "scopes", "last used", "until", "state")
        for key in self.keys:
            scopes = " ".join([*sorted(key.scopes), *(f"from {each}" for each in key.addresses)])
            used = "never" if key.last_used_at is None else _minute(key.last_used_at)
            table.add_row(key.key_id, key.name, scopes, used, _until(key.expires_at), key.state(self.as_of))
        console.print(table if self.keys else "There is no key yet: `leadscore keys create crm --scope events:write`.")


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A revoked key."""

    key: Key

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return _key_json(self.key)

    def show(self, console: Console) -> None:
        """Print it."""
        text = f"Key {self.key.key_id} of {self.key.name} is revoked; every process refuses it within two seconds."
        console.print(text, markup=False, highlight=False)


def create(
    workspace: Workspace,
    name: str,
    *,
    scopes: Sequence[str],
    expires_days: float | None = None,
    ranges: Sequence[str] | None = None,
) -> CreatedKey:
    """
    Create a key that stops working after some days, or never, and that works from these addresses, or anywhere.

    Raises:
        ServingError: the store cannot be opened, or the key is not valid.
    """
    now = now_us()
    expires_at = None if expires_days is None else now + _span_us(expires_days, "expires-days")
    with _writing(workspace) as connection:
        made = issue_key(
            connection,
            name,
            scopes=scopes,
            addresses=ranges or (),
            expires_at=expires_at,
            now=now,
            actor=command_line_user(),
        )
    return CreatedKey(*made)


def list_keys(workspace: Workspace) -> KeyList:
    """Return every key that was ever created, without its secret."""
    with _writing(workspace) as connection:
        return KeyList(all_keys(connection), now_us())


def rotate(workspace: Workspace, key_id: str, *, overlap_hours: float) -> CreatedKey:
    """
    Create a key that replaces another; both work until the overlap has passed.

    Raises:
        ServingError: the store cannot be opened, or there is no such working key.
    """
    now, overlap_us = now_us(), _span_us(overlap_hours / 24, "overlap-hours")
    with _writing(workspace) as connection:
        key, secret = replace_key(connection, key_id, overlap_us=overlap_us, now=now, actor=command_line_user())
        return CreatedKey(key, secret, key_named(connection, key_id))


def revoke(workspace: Workspace, key_id: str) -> RevokedKey:
    """
    Revoke a key.

    Raises:
        ServingError: the store cannot be opened, or there is no such key.
    """
    now = now_us()
    with _writing(workspace) as connection:
        return RevokedKey(withdraw_key(connection, key_id, now=now, actor=command_line_user()))


@contextmanager
def _writing(workspace: Workspace) -> Iterator[Connection]:
    with opened_store(workspace) as (_, database), database.writing() as connection:
        yield connection


def _span_us(days: float, name: str) -> int:
    if not 0 <= days <= LONGEST_DAYS:
        message = f"--{name} must be from 0 to {LONGEST_DAYS:,} days: leave it out for a key that never expires."
        raise KeysError(message)
    return round(days * DAY_US)


def _key_json(key: Key) -> dict[str, Any]:
    columns = {**asdict(key), "scopes": sorted(key.scopes), "addresses": list(key.addresses)}
    instants = {name: iso(at) for name, at in columns.items() if name.endswith("_at") and at is not None}
    return {**columns, **instants}


def _until(expires_at: int | None) -> str:
    return "no end" if expires_at is None else _minute(expires_at)


def _minute(at: int) -> str:
    """
    Format an instant to the minute, for people.

    >>> _minute(0)
    '1970-01-01T00:00Z'
    """
    return f"{iso(at)[:16]}Z"
