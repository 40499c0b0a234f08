"""
API keys: 256 random bits, shown once and stored as a hash, with scopes, an expiry and a successor.

The store holds the sha256 of a key. A slow hash makes guessing a password slow; nobody guesses 256 random bits.
"""

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, insert, select, update

from serving.errors import KeysError
from serving.lead_ids import is_id
from serving.store.database import Database
from serving.store.ledger import note
from serving.store.tables import api_keys

PREFIX = "lsk_"
_RANDOM_BYTES = 32
_ID_BYTES = 6
_LOOKUPS = 5
LONGEST_DAYS = 36_500
State = Literal["in force", "replaced", "expired", "revoked"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
    What is known of a key, without its secret.

    Attributes:
        key_id: names the key, also in the audit log; it grants nothing.
        name: who holds it.
        scopes: what the key allows.
        created_at: when it was made [us since 1970 UTC].
        expires_at: when it stops working; None is never.
        revoked_at: when it was revoked.
        replaced_by: the key that replaced it in a rotation.
        last_used_at: when it was last used, to the minute; None is never.
        addresses: ranges of addresses that it may be used from; empty is anywhere.
    """

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None
    replaced_by: str | None = None
    last_used_at: int | None = None
    addresses: tuple[str, ...] = ()

    def allows(self, scope: str) -> bool:
        """
        Return whether this key grants a scope.

        >>> Key("k", "crm", frozenset({"admin"})).allows("scores:read")
        True
        """
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def has_expired(self, now: int) -> bool:
        """Return whether the key has expired."""
        return self.expires_at is not None and now >= self.expires_at

    def allows_from(self, host: str) -> bool:
        """
        Return whether the key may be used from an address.

        >>> key = Key("k", "crm", frozenset({"admin"}), addresses=("10.0.0.0/8",))
        >>> key.allows_from("10.1.2.3"), key.allows_from("::ffff:10.1.2.3"), key.allows_from("192.168.0.1")
        (True, True, False)
        """
        if not self.addresses:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # a socket of the machine itself has no address
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in _networks(self.addresses))

    def state(self, now: int) -> State:
        """Return the state of the key at an instant [us since 1970 UTC]."""
        if self.revoked_at is not None:
            return "revoked"
        if self.has_expired(now):
            return "expired"
        return "replaced" if self.replaced_by is not None else "in force"


ANYBODY = Key("anonymous", "anonymous", frozenset(Scope))
"""The caller of a service that requires no keys."""


def hash_of(secret: str) -> str:
    """Return the hash under which the store knows a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def create_key(
    connection: Connection,
    name: str,
    *,
    scopes: Iterable[str],
    now: int,
    expires_at: int | None = None,
    addresses: Iterable[str] = (),
) -> tuple[Key, str]:
    """
    Create a key for a holder, such as ``crm``; without ``expires_at`` [us since 1970 UTC] it works for ever.

    With ``addresses``, such as ``10.0.0.0/8``, it works from there alone.

    Returns:
        The key, and its secret, which can never be shown again.

    Raises:
        KeysError: a scope or an address range is unknown, no scope is named, the name is invalid, or the expiry has
            passed.
    """
    allowed = _checked(scopes)
    if not is_id(name):
        message = (
            "a key's name must be 1 to 200 characters without control characters: name who will hold it, such as crm."
        )
        raise KeysError(message)
    if expires_at is not None and expires_at <= now:
        message = "a key must expire in the future."
        raise KeysError(message)
    key = Key(secrets.token_hex(_ID_BYTES), name, allowed, now, expires_at, addresses=_checked_addresses(addresses))
    secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    lists = {"scopes": " ".join(sorted(key.scopes)), "addresses": " ".join(key.addresses)}
    connection.execute(insert(api_keys).values({**asdict(key), **lists, "hash": hash_of(secret)}))
    return key, secret


def rotate_key(connection: Connection, key_id: str, *, now: int, overlap_us: int) -> tuple[Key, str]:
    """
    Create a key that replaces another, with its name and scopes; both work until the overlap has passed.

    The new key gets the lifetime that the old one was created with, counted from now.

    Raises:
        KeysError: there is no such key, or it works no longer, or it was rotated before.
    """
    old = _in_force(connection, key_id, now)
    if old.replaced_by is not None:
        message = f"key {key_id} was rotated before: rotate the key that took its place, {old.replaced_by}."
        raise KeysError(message)
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    ends_at = now + overlap_us if old.expires_at is None else min(old.expires_at, now + overlap_us)
    expires_at = None if lifetime is None else now + lifetime
    made = create_key(connection, old.name, scopes=old.scopes, now=now, expires_at=expires_at, addresses=old.addresses)
    changed = {"expires_at": ends_at, "replaced_by": made[0].key_id}
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(changed))
    note(connection, "expire", [key_id], until=ends_at, says=made[0].key_id)
    return made


def revoke_key(connection: Connection, key_id: str, *, now: int) -> Key:
    """
    Revoke a key; it stops working in every process within two seconds.

    Raises:
        KeysError: there is no such key, or it was revoked before.
    """
    key = key_named(connection, key_id)
    if key.revoked_at is not None:
        message = f"key {key_id} was revoked before."
        raise KeysError(message)
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(revoked_at=now))
    note(connection, "revoke", [key_id])
    return key_named(connection, key_id)


def key_named(connection: Connection, key_id: str) -> Key:
    """
    Return the key with this id.

    Raises:
        KeysError: there is none.
    """
    row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).mappings().first()
    if row is None:
        message = "there is no key with this id: `leadscore keys list` shows them all."
        raise KeysError(message)
    return _key(row)


def all_keys(connection: Connection) -> list[Key]:
    """Return every key that was ever created, the newest first."""
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.key_id)).mappings()
    return [_key(row) for row in rows]


class KeyRing:
    """
    The keys of the store in memory, so that looking one up takes a microsecond; safe on any thread.

    The cache is never older than ``refresh_s`` while the store answers, so a revoked key stops working within that time
    in every process. A key that is not cached is looked up in the store at once, but no more than five times in five
    ``refresh_s``, so that wrong keys do not keep the store busy.
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
        self._read_for_unknown = deque([float("-inf")] * _LOOKUPS, maxlen=_LOOKUPS)
        self.refresh()

    def find(self, secret: str) -> Key | None:
        """Return the key of a secret, expired or not; None if there is none or it was revoked."""
        key = self.cached(secret)
        if not self.is_due(key):
            return key
        self.refresh(key)
        return self.cached(secret)

    def cached(self, secret: str) -> Key | None:
        """Return the key of a secret as of the last time the store was read."""
        return self._cached.get(hash_of(secret))

    def is_due(self, key: Key | None) -> bool:
        """Return whether the store must be read before the cache may be trusted about a secret."""
        now = self._seconds()
        return now >= self._due_at or (key is None and now >= self._read_for_unknown[0] + _LOOKUPS * self._refresh_s)

    def refresh(self, key: Key | None = None) -> None:
        """
        Read the store, unless another thread just did.

        If it does not answer, the next try is as far away as usual: meanwhile no key can be revoked there.
        """
        with self._lock:
            if not self.is_due(key):
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
        state = "was revoked" if key.revoked_at is not None else "has expired"
        message = f"key {key_id} {state} and no longer works: create a new one with `leadscore keys create`."
        raise KeysError(message)
    return key


def _checked(scopes: Iterable[str]) -> frozenset[str]:
    named = frozenset(scopes)
    if not named or not named <= set(Scope):
        message = f"a key's scopes must be one or more of {', '.join(Scope)}."
        raise KeysError(message)
    return frozenset(map(str, named))


def _checked_addresses(ranges: Iterable[str]) -> tuple[str, ...]:
    """
    Return ranges as they are compared, each once.

    >>> _checked_addresses(["10.1.2.3/8", "::1"])
    ('10.0.0.0/8', '::1/128')
    """
    try:
        return tuple(dict.fromkeys(str(ipaddress.ip_network(each, strict=False)) for each in ranges))
    except ValueError:
        message = "an address range must be an IPv4 or IPv6 address or network, such as 10.0.0.0/8."
        raise KeysError(message) from None


@lru_cache(maxsize=256)
def _networks(ranges: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in ranges)


def _key(row: RowMapping) -> Key:
    columns: dict[str, Any] = {name: value for name, value in row.items() if name != "hash"}
    lists = {"scopes": frozenset(row["scopes"].split()), "addresses": tuple(row["addresses"].split())}
    return Key(**{**columns, **lists})
