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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.store.processes import is_alive, process_identity

_SLOTS = 128
_SLOT = struct.Struct("<qqq")  # the process, which of that number it is, and since when it writes; 0 is not at all
_ALL = struct.Struct(f"<{3 * _SLOTS}q")
SLOTS_SUFFIX = "-processes"
"""What is put after the store's name to name the file beside it."""
_HOLDER = (
    "SELECT min((extract(epoch FROM a.xact_start) * 1000000)::bigint) FROM pg_locks AS l JOIN pg_stat_activity AS a"
    " ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s"
    " AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
)


def postgres_writer_since(store: Any, lock: int) -> int | None:
    """Give when the transaction began that holds the writers' lock on PostgreSQL [us since 1970 UTC]."""
    found: int | None = store.execute(_HOLDER, (lock,)).fetchone()[0]
    return found


class WritesInFlight:
    """
    A file of slots beside a SQLite store, mapped into memory: each process that has the store open holds one.

    Args:
        store: the store's file.
    """

    def __init__(self, store: Path) -> None:
        self._file = store.with_name(f"{store.name}{SLOTS_SUFFIX}").open("a+b")
        self._map: mmap.mmap | None = None
        with self._locked():
            if os.fstat(self._file.fileno()).st_size < _ALL.size:
                self._file.truncate(_ALL.size)
            self._map = mmap.mmap(self._file.fileno(), _ALL.size)
            self._me = os.getpid(), process_identity(os.getpid())
            self._mine = self._free_slot()
            self._say(self._mine, *self._me, 0)

    def since(self) -> int | None:
        """Give since when another holder of a slot writes; None where none does."""
        all_since: list[int] = list(_ALL.unpack_from(self._mapped)[2::3])  # one look: every answer waits for it
        all_since[self._mine] = 0
        if not any(all_since):
            return None
        self._forget_the_dead()
        told = _ALL.unpack_from(self._mapped)[2::3]
        return min((since for at, since in enumerate(told) if since and at != self._mine), default=None)

    def announce(self, since: int) -> None:
        """Say since when this process writes [us since 1970 UTC]; 0 says that it no longer does."""
        self._say(self._mine, *self._me, since)

    def close(self) -> None:
        """Give the slot back."""
        if self._map is not None:
            self._say(self._mine, 0, 0, 0)
            self._map.close()
            self._map = None
        self._file.close()

    @property
    def _mapped(self) -> mmap.mmap:
        assert self._map is not None  # noqa: S101 - set when it was opened; tells the type checker
        return self._map

    def _say(self, at: int, process: int, known_as: int, since: int) -> None:
        _SLOT.pack_into(self._mapped, at * _SLOT.size, process, known_as, since)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _free_slot(self) -> int:
        """Find a slot that no living process holds; what the dead left in theirs is forgotten."""
        for at, (process, known_as, _) in enumerate(list(_SLOT.iter_unpack(self._mapped))):
            if process == 0 or not is_alive(process, known_as):
                return at
        message = f"more than {_SLOTS} processes have the store open"
        raise OSError(message)

    def _forget_the_dead(self) -> None:
        """Forget that killed processes were writing."""
        for at, (process, known_as, since) in enumerate(list(_SLOT.iter_unpack(self._mapped))):
            if since and at != self._mine and not is_alive(process, known_as):
                self._say(at, 0, 0, 0)
