"""
Which writes are under way in other processes.

A fact known at ``t`` counts from ``t + 1`` on. A process that answered "as of now" while another one's write with an
earlier ``known_at`` is not yet visible would answer otherwise when asked for that instant later. So each process says
since when it writes, and "now" stands there for the others.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_SLOTS = 128
_SLOT = struct.Struct("<qq")  # the process, and since when it writes [us since 1970 UTC]; 0 is not at all
_ALL = struct.Struct(f"<{2 * _SLOTS}q")
_HOLDER = (
    "SELECT min((extract(epoch FROM a.xact_start) * 1000000)::bigint) FROM pg_locks AS l JOIN pg_stat_activity AS a"
    " ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.objid = %s"
)


def on_postgres(store: Any, lock: int) -> int | None:
    """Give when the transaction began that holds the writers' lock on PostgreSQL [us since 1970 UTC]."""
    found: int | None = store.execute(_HOLDER, (lock,)).fetchone()[0]
    return found


class UnderWay:
    """
    A file of slots beside a SQLite store, mapped into memory: each process that has the store open holds one.

    Args:
        store: the store's file.
    """

    def __init__(self, store: Path) -> None:
        self._file = store.with_name(f"{store.name}-writers").open("a+b")
        self._map: mmap.mmap | None = None
        with self._locked():
            if os.fstat(self._file.fileno()).st_size < _SLOTS * _SLOT.size:
                self._file.truncate(_SLOTS * _SLOT.size)
            self._map = mmap.mmap(self._file.fileno(), _SLOTS * _SLOT.size)
            self._mine = self._free_slot()
            _SLOT.pack_into(self._map, self._mine * _SLOT.size, os.getpid(), 0)

    def since(self) -> int | None:
        """Give since when another holder of a slot writes; None where none does."""
        assert self._map is not None  # noqa: S101 - set when it was opened; tells the type checker
        all_since: list[int] = list(
            _ALL.unpack_from(self._map)[1::2]
        )  # on the way of every answer: one look, in microseconds
        all_since[self._mine] = 0
        if not any(all_since) or not self._lives():
            return None
        return min(since for since in all_since if since)

    def announce(self, since: int) -> None:
        """Say since when this process writes [us since 1970 UTC]; 0 says that it no longer does."""
        assert self._map is not None  # noqa: S101 - set when it was opened; tells the type checker
        _SLOT.pack_into(self._map, self._mine * _SLOT.size, os.getpid(), since)

    def close(self) -> None:
        """Give the slot back."""
        if self._map is not None:
            _SLOT.pack_into(self._map, self._mine * _SLOT.size, 0, 0)
            self._map.close()
            self._map = None
        self._file.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _free_slot(self) -> int:
        """Find a slot that no living process holds; what the dead left in theirs is forgotten."""
        assert self._map is not None  # noqa: S101 - set two lines before; tells the type checker
        for at, (process, _) in enumerate(_SLOT.iter_unpack(self._map)):
            if process == 0 or not _is_alive(process):
                return at
        message = f"more than {_SLOTS} processes have the store open"
        raise OSError(message)

    def _lives(self) -> bool:
        """Forget what killed processes left behind, and say whether anybody still writes."""
        assert self._map is not None  # noqa: S101 - set when it was opened; tells the type checker
        found = False
        for at, (process, since) in enumerate(list(_SLOT.iter_unpack(self._map))):
            if since and at != self._mine:
                if _is_alive(process):
                    found = True
                else:
                    _SLOT.pack_into(self._map, at * _SLOT.size, 0, 0)
        return found


def _is_alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return True
    return False
