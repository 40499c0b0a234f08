"""Leases: work that one process does for all; a process that dies loses its lease."""

import os
import secrets
import socket
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from serving.store.database import Database
from serving.store.processes import is_alive, process_identity
from serving.store.tables import leases

_DURATION_US = 15_000_000
WORKER = "worker"
"""The lease that one process of every running service holds."""


class Lease:
    """A claim to a piece of work of all processes on a store, valid as long as it is renewed."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._holder = f"{socket.gethostname()} {os.getpid()} {process_identity(os.getpid())} {secrets.token_hex(4)}"
        self._until = 0

    def acquire(self, now: int) -> bool:
        """Return whether this process holds the lease, after taking it if it is free; renew it at half time."""
        if now < self._until - _DURATION_US // 2:
            return True
        self._until = now + _DURATION_US if self._take(now) else 0
        return self._until > 0

    def release(self) -> None:
        """Leave the work to another process."""
        if self._until:
            with self._database.writing() as connection:
                connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.holder == self._holder))
            self._until = 0

    def _take(self, now: int) -> bool:
        claim = {"holder": self._holder, "until": now + _DURATION_US}
        query = select(leases.c.holder, leases.c.until).where(leases.c.name == self._name)
        with self._database.reading() as connection:
            if not self._is_free(connection.execute(query).one_or_none(), now):
                return False
        with self._database.writing() as connection:
            row = connection.execute(query).one_or_none()
            if not self._is_free(row, now):
                return False
            if row is None:
                connection.execute(insert(leases).values(name=self._name, **claim))
            else:
                connection.execute(update(leases).where(leases.c.name == self._name).values(**claim))
        return True

    def _is_free(self, row: Any, now: int) -> bool:
        return row is None or row.holder == self._holder or row.until < now or _is_dead(row.holder)


def living_holder(connection: Connection, name: str, now: int) -> str | None:
    """Return which process holds a lease, by its machine and number; None if no living one does."""
    query = select(leases.c.holder).where(leases.c.name == name, leases.c.until >= now)
    holder = connection.execute(query).scalar()
    if holder is None or _is_dead(holder):
        return None
    host, process, *_ = holder.split(" ")
    return f"process {process} on {host}"


def _is_dead(holder: str) -> bool:
    """Return whether the holder was a process of this machine that has ended."""
    host, process, known_as, _ = holder.split(" ")
    return host == socket.gethostname() and not is_alive(int(process), int(known_as))
