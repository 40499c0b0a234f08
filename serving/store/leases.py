"""Leases: work that one process does for all of them; who dies loses it."""

import os
import secrets
import socket
from typing import Any

from sqlalchemy import delete, insert, select, update

from serving.store.database import Database
from serving.store.processes import is_alive, process_identity
from serving.store.tables import leases

_LENGTH_US = 15_000_000


class Lease:
    """
    A claim to a piece of work, as long as it is renewed.

    Args:
        database: the store that all processes share.
        name: the work.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._mine = f"{socket.gethostname()} {os.getpid()} {process_identity(os.getpid())} {secrets.token_hex(4)}"
        self._until = 0

    def acquire(self, now: int) -> bool:
        """Say whether the work is this process's, after taking it if it is free; renew it when half of it is over."""
        if now < self._until - _LENGTH_US // 2:
            return True
        self._until = now + _LENGTH_US if self._taken(now) else 0
        return self._until > 0

    def release(self) -> None:
        """Leave the work to another process."""
        if self._until:
            with self._database.writing() as connection:
                connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.holder == self._mine))
            self._until = 0

    def _taken(self, now: int) -> bool:
        mine = {"holder": self._mine, "until": now + _LENGTH_US}
        asked = select(leases.c.holder, leases.c.until).where(leases.c.name == self._name)
        with self._database.reading() as connection:
            if not self._is_free(connection.execute(asked).one_or_none(), now):
                return False
        with self._database.writing() as connection:
            found = connection.execute(asked).one_or_none()
            if not self._is_free(found, now):
                return False
            if found is None:
                connection.execute(insert(leases).values(name=self._name, **mine))
            else:
                connection.execute(update(leases).where(leases.c.name == self._name).values(**mine))
        return True

    def _is_free(self, found: Any, now: int) -> bool:
        return found is None or found.holder == self._mine or found.until < now or _is_dead(found.holder)


def _is_dead(holder: str) -> bool:
    """Say whether the holder was a process of this machine that is no more."""
    host, process, known_as, _ = holder.split(" ")
    return host == socket.gethostname() and not is_alive(int(process), int(known_as))
