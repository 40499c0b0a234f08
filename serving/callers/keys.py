"""
Keys of callers: 256 random bits, shown once, kept as their hash, with scopes, an end, and a successor.

The store holds the sha256 of a key. A slow hash makes guessing a password slow; nobody guesses 256 random bits.
"""

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from serving.errors import KeysError
from serving.facts import is_id
from serving.store.database import Database
from serving.store.tables import api_keys

PREFIX = "lsk_"
_RANDOM_BYTES = 32
_ID_BYTES = 6
_AT_ONCE = 5


class Scope(StrEnum):
    """What a key may do; ``admin`` may do everything."""

    EVENTS_WRITE = "events:write"
    SCORES_READ = "scores:read"
    ROUTES_WRITE = "routes:write"
    MODELS_WRITE = "models:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """
    What is known of a key; its secret is not.

    Attributes:
        key_id: names the key, in the audit log too; opens nothing.
        name: who holds it.
        scopes: what it may do.
        created_at: when it was made [us since 1970 UTC].
        expires_at: from when on it opens nothing; None is never.
        revoked_at: when it was revoked.
        replaced_by: the key that a rotation made in its place.
    """

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None
    replaced_by: str | None = None

    def allows(self, scope: str) -> bool:
        """
        Say whether this key may do what needs a scope.

        >>> Key("k", "crm", frozenset({"admin"})).allows("scores:read")
        True
        """
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def has_expired(self, now: int) -> bool:
        """Say whether its end has come."""
        return self.expires_at is not None and now >= self.expires_at


ANYBODY = Key("anonymous", "anonymous", frozenset(Scope))
"""Who calls a service that asks for no keys."""


def hash_of(secret: str) -> str:
    """Give the hash under which the store knows a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def create_key(
    connection: Connection, name: str, *, scopes: Iterable[str], now: int, expires_at: int | None = None
) -> tuple[Key, str]:
    """
    Make a key.

    Args:
        connection: the store, inside a transaction that writes.
        name: who will hold it, such as ``crm``.
        scopes: what it may do.
        now: the present instant [us since 1970 UTC].
        expires_at: from when on it opens nothing.

    Returns:
        The key, and its secret, which nobody can ever be told again.

    Raises:
        KeysError: a scope is unknown or there is none, the name cannot be one, or the end has passed.
    """
    known = _checked(scopes)
    if not is_id(name):
        message = "a key's name must be 1 to 200 signs without control characters: say who will hold it, such as crm."
        raise KeysError(message)
    if expires_at is not None and expires_at <= now:
        message = "a key must end in the future: give it at least a moment."
        raise KeysError(message)
    key = Key(secrets.token_hex(_ID_BYTES), name, known, now, expires_at)
    secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    connection.execute(insert(api_keys).values({**_row(key), "hash": hash_of(secret)}))
    return key, secret


def rotate_key(connection: Connection, key_id: str, *, now: int, overlap_us: int) -> tuple[Key, str]:
    """
    Make a key that takes another's place, with its name and scopes; both open until the overlap has passed.

    The new key lives as long as the old one was made for, counted from now.

    Raises:
        KeysError: there is no such key, or it opens nothing any more, or it was rotated before.
    """
    old = _in_force(connection, key_id, now)
    if old.replaced_by is not None:
        message = f"key {key_id} was rotated before: rotate the key that took its place, {old.replaced_by}."
        raise KeysError(message)
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    ends_at = now + overlap_us if old.expires_at is None else min(old.expires_at, now + overlap_us)
    made = create_key(
        connection,
        old.name,
        scopes=old.scopes,
        now=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    changed = {"expires_at": ends_at, "replaced_by": made[0].key_id}
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(changed))
    return made


def revoke_key(connection: Connection, key_id: str, *, now: int) -> Key:
    """
    Let a key open nothing any more, in every process within two seconds.

    Raises:
        KeysError: there is no such key, or it was revoked before.
    """
    key = key_named(connection, key_id)
    if key.revoked_at is not None:
        message = f"key {key_id} was revoked before; nothing is left to do."
        raise KeysError(message)
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(revoked_at=now))
    return key_named(connection, key_id)


def key_named(connection: Connection, key_id: str) -> Key:
    """
    Give the key of this id.

    Raises:
        KeysError: there is none.
    """
    found = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).mappings().first()
    if found is None:
        message = "there is no key with this id: `leadscore keys list` shows those that there are."
        raise KeysError(message)
    return _key(found)


def all_keys(connection: Connection) -> list[Key]:
    """Give every key that was ever made, the newest first."""
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.key_id)).mappings()
    return [_key(row) for row in rows]


class KeyRing:
    """
    The keys of the store in memory, so that finding one takes a microsecond; any thread may ask.

    What is held is never older than ``refresh_s`` while the store answers, so a key that was revoked stops within
    that time in every process. A key that is not held is looked for in the store at once, but no more than five times
    in as many ``refresh_s``: whoever sends wrong keys does not keep the store busy.

    Args:
        database: the store.
        now: the present instant [us since 1970 UTC].
        refresh_s: after how many seconds the store is read again.
        seconds: a clock that only ever goes forward [s].
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], int],
        *,
        refresh_s: float = 1.0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._refresh_s = refresh_s
        self._seconds = seconds
        self._lock = threading.Lock()
        self._cached: Mapping[str, Key] = {}
        self._due_at = float("-inf")
        self._read_for_unknown = deque([float("-inf")] * _AT_ONCE, maxlen=_AT_ONCE)
        self.refresh()

    def find(self, secret: str) -> Key | None:
        """Give the key of a secret, whether it has expired or not; None if there is none or it was revoked."""
        found = self.cached(secret)
        if not self.is_due(found):
            return found
        self.refresh(found)
        return self.cached(secret)

    def cached(self, secret: str) -> Key | None:
        """Give the key of a secret as it was when the store was last read."""
        return self._cached.get(hash_of(secret))

    def is_due(self, found: Key | None) -> bool:
        """Say whether the store must be read before what is held of a secret may be believed."""
        now = self._seconds()
        return now >= self._due_at or (found is None and now >= self._read_for_unknown[0] + _AT_ONCE * self._refresh_s)

    def refresh(self, found: Key | None = None) -> None:
        """
        Read the store, unless another thread just did.

        Where it does not answer, the next try is as far away as usual: nobody can revoke a key there meanwhile.
        """
        with self._lock:
            if not self.is_due(found):
                return
            now = self._seconds()
            if now < self._due_at:
                self._read_for_unknown.append(now)
            self._due_at = now + self._refresh_s
            with self._database.reading() as connection:
                self._cached = _by_hash(connection)


def _by_hash(connection: Connection) -> dict[str, Key]:
    rows = connection.execute(select(api_keys).where(api_keys.c.revoked_at.is_(None))).mappings()
    return {row["hash"]: _key(row) for row in rows}


def _in_force(connection: Connection, key_id: str, now: int) -> Key:
    key = key_named(connection, key_id)
    if key.revoked_at is not None or key.has_expired(now):
        said = "was revoked" if key.revoked_at is not None else "has expired"
        message = f"key {key_id} {said} and opens nothing any more: make a new one with `leadscore keys create`."
        raise KeysError(message)
    return key


def _checked(scopes: Iterable[str]) -> frozenset[str]:
    given = frozenset(scopes)
    if not given or not given <= set(Scope):
        message = f"a key's scopes must be one or more of {', '.join(Scope)}."
        raise KeysError(message)
    return frozenset(map(str, given))


def _row(key: Key) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def _key(row: RowMapping) -> Key:
    return Key(
        row["key_id"],
        row["name"],
        frozenset(row["scopes"].split()),
        row["created_at"],
        row["expires_at"],
        row["revoked_at"],
        row["replaced_by"],
    )
