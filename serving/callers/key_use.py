"""
The use of keys: when each was last used, and who tried keys that open nothing.

Both are counted in memory and saved once a minute, so that neither a busy caller nor a guessing one keeps the store
busy. An address is saved only as a keyed hash.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, text

from serving.store.audit_log import keyed_hash, write_audit_entry
from serving.store.database import Database
from serving.store.rows import run_rows
from serving.store.store_errors import STORE_ERRORS

SAVED_EVERY_S = 60.0
_MOST_ADDRESSES = 100
_HASH_DIGITS = 12
_OTHERS = ""
_USED = text(
    "UPDATE api_keys SET last_used_at = :used_at"
    " WHERE key_id = :key_id AND (last_used_at IS NULL OR last_used_at < :used_at)"
)


class NotedUse(NamedTuple):
    """When keys were last used, and how often an address tried one that opens nothing, by the reason."""

    used: dict[str, int]
    failed: Counter[tuple[str, str]]


class KeyUse:
    """
    Counts what callers of one process do with keys, and saves it from time to time.

    Args:
        database: the store.
        now: the present instant [us since 1970 UTC].
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._used: dict[str, int] = {}
        self._failed: Counter[tuple[str, str]] = Counter()

    def note_use(self, key_id: str, at: int) -> None:
        """Note that a key was used at an instant [us since 1970 UTC]."""
        self._used[key_id] = at

    def note_failure(self, address: str, reason: str) -> None:
        """Note an attempt with a key that opens nothing; beyond 100 addresses, the others count as one."""
        attempt = (address, reason)
        if attempt not in self._failed and len(self._failed) >= _MOST_ADDRESSES:
            attempt = (_OTHERS, reason)
        self._failed[attempt] += 1

    def take(self) -> NotedUse:
        """Return what was noted since the last time; the thread that notes calls it, so nothing changes meanwhile."""
        noted = NotedUse(self._used, self._failed)
        self._used, self._failed = {}, Counter()
        return noted

    def save(self, noted: NotedUse) -> None:
        """Save what was noted; if the store does not answer, the next time does it."""
        used, failed = noted
        if not used and not failed:
            return
        try:
            with self._database.writing() as connection:
                run_rows(connection, _USED, [{"key_id": key_id, "used_at": at} for key_id, at in used.items()])
                self._audit(connection, failed)
        except STORE_ERRORS:
            self._used = used | self._used
            self._failed.update(failed)

    def _audit(self, connection: Connection, failed: Counter[tuple[str, str]]) -> None:
        """Write one entry for each address and reason."""
        for (address, reason), count in failed.items():
            hashed = keyed_hash(connection, f"address\n{address}")[:_HASH_DIGITS]
            actor = f"address {hashed}" if address != _OTHERS else "other addresses"
            times = "1 attempt" if count == 1 else f"{count:,} attempts"
            target = f"{times} with {reason}"
            write_audit_entry(connection, at=self._now(), actor=actor, action="keys.refused", target=target)
