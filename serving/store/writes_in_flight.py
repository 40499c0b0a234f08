"""
Writes in flight in other processes.

A fact known at ``t`` counts from ``t + 1`` on. If a process answered "as of now" while another process's write with an
earlier ``known_at`` was not visible yet, the same question for that instant would later get another answer. So each
process publishes since when it is writing, and "now" stands still there for the others.
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
_SLOT = struct.Struct("<qqq")  # the process number, its identity, and since when it writes; 0 if it does not
_ALL = struct.Struct(f"<{3 * _SLOTS}q")
SLOTS_SUFFIX = "-processes"
"""The suffix of the file of slots, which stands beside the store."""
_LOCK_HOLDER = (
    "SELECT min((extract(epoch FROM a.xact_start) * 1000000)::bigint) FROM pg_locks AS l JOIN pg_stat_activity AS a"
    " ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s"
    " AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
)


def postgres_writer_since(store: Any, lock: int) -> int | None:
    """Return when the transaction began that holds PostgreSQL's writer lock [us since 1970 UTC]; None if none does."""
    since: int | None = store.execute(_LOCK_HOLDER, (lock,)).fetchone()[0]
    return since


def living_processes(store: Path) -> list[int]:
    """Return the numbers of the living processes that have a SQLite store open."""
    file = store.with_name(f"{store.name}{SLOTS_SUFFIX}")
    content = file.read_bytes() if file.exists() else b""
    slots = _SLOT.iter_unpack(content[: len(content) // _SLOT.size * _SLOT.size])
    return sorted({process for process, known_as, _ in slots if process and is_alive(process, known_as)})


class WritesInFlight:
    """
    A file of slots beside a SQLite store, mapped into memory: each process that opens the store holds one slot.

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
            self._identity = os.getpid(), process_identity(os.getpid())
            self._slot = self._free_slot()
            self._write(self._slot, *self._identity, 0)

    def since(self) -> int | None:
        """Return since when another process writes; None if none does."""
        all_since: list[int] = list(_ALL.unpack_from(self._mapped)[2::3])  # one read, since every answer waits for it
        all_since[self._slot] = 0
        if not any(all_since):
            return None
        self._forget_the_dead()
        all_since = list(_ALL.unpack_from(self._mapped)[2::3])
        return min((since for slot, since in enumerate(all_since) if since and slot != self._slot), default=None)

    def announce(self, since: int) -> None:
        """Publish since when this process writes [us since 1970 UTC]; 0 if it no longer does."""
        self._write(self._slot, *self._identity, since)

    def close(self) -> None:
        """Free the slot."""
        if self._map is not None:
            self._write(self._slot, 0, 0, 0)
            self._map.close()
            self._map = None
        self._file.close()

    @property
    def _mapped(self) -> mmap.mmap:
        assert self._map is not None  # noqa: S101 - set when it was opened; tells the type checker
        return self._map

    def _write(self, slot: int, process: int, known_as: int, since: int) -> None:
        _SLOT.pack_into(self._mapped, slot * _SLOT.size, process, known_as, since)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _free_slot(self) -> int:
        """Return the number of a slot that no living process holds."""
        for slot, (process, known_as, _) in enumerate(list(_SLOT.iter_unpack(self._mapped))):
            if process == 0 or not is_alive(process, known_as):
                return slot
        message = f"more than {_SLOTS} processes have the store open"
        raise OSError(message)

    def _forget_the_dead(self) -> None:
        """Clear the slots of killed processes that were writing."""
        for slot, (process, known_as, since) in enumerate(list(_SLOT.iter_unpack(self._mapped))):
            if since and slot != self._slot and not is_alive(process, known_as):
                self._write(slot, 0, 0, 0)
