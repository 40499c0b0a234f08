"""
Idempotency keys: a request that is sent again under the same key gets the answer that it got first.

Before anything is done, a request's key is reserved in a transaction of its own, so that every process sees that it is
under way. The answer is written in the same transaction as the facts it speaks of. So after a kill there are either
both or neither, and then the reservation may be taken over once it is old enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from serving.auditing import mark_of
from serving.errors import InFlightError, ReusedKeyError
from serving.tables import idempotency, idempotency_leads

_SECOND_US = 1_000_000
KEPT_US = 24 * 3600 * _SECOND_US
"""How long an answer is kept."""
ABANDONED_US = 60 * _SECOND_US
"""After how long a reservation without an answer counts as left by a process that died."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A request that carries an idempotency key.

    Attributes:
        key_id: whose request it is; every caller's keys are his own.
        idempotency_key: as he sent it.
        method: of HTTP.
        path: the address.
        digest: SHA-256 of the body.
        lead_ids: the leads that it names, so that erasing one of them finds its answer.
    """

    key_id: str
    idempotency_key: str
    method: str
    path: str
    digest: str
    lead_ids: frozenset[str] = frozenset()

    def mark(self, connection: Connection) -> str:
        """Give the keyed hash that two requests share if they ask for the same."""
        return mark_of(connection, f"request\n{self.method}\n{self.path}\n{self.digest}")


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer to a request."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    The right to answer a request for the first time.

    Whoever keeps facts for the request calls ``finish`` in the transaction that keeps them. Where nothing is kept,
    nothing need be called: the answer is then written afterwards.
    """

    asked: Asked
    started_at: int

    def finish(self, connection: Connection, status: int, text: str, lead_ids: Iterable[str] = ()) -> None:
        """
        Write the answer down.

        Args:
            connection: inside the transaction that keeps the facts the answer speaks of.
            status: the answer's HTTP status.
            text: the answer's body, exactly as it is sent.
            lead_ids: leads that it speaks of, beside those that the request names.

        Raises:
            InFlightError: this took so long that another process took over; what the transaction did must not stay.
        """
        statement = update(idempotency).where(*self._mine(), idempotency.c.status.is_(None))
        if connection.execute(statement.values(status=status, answer=text)).rowcount == 0:
            raise InFlightError(_UNDER_WAY)
        spoken_of = sorted({*self.asked.lead_ids, *lead_ids})
        names = {"key_id": self.asked.key_id, "idempotency_key": self.asked.idempotency_key}
        if spoken_of:
            connection.execute(insert(idempotency_leads), [{**names, "lead_id": lead_id} for lead_id in spoken_of])

    def is_finished(self, connection: Connection) -> bool:
        """Say whether the answer is written down, or is no longer ours to write."""
        row = connection.execute(select(idempotency.c.status).where(*self._mine())).one_or_none()
        return row is None or row.status is not None

    def give_back(self, connection: Connection) -> None:
        """Let the next request with this key be the first, since this one got no answer that is worth keeping."""
        connection.execute(delete(idempotency).where(*self._mine(), idempotency.c.status.is_(None)))

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (*_of(self.asked), idempotency.c.started_at == self.started_at)


_UNDER_WAY = "The first request with this Idempotency-Key has no answer yet: send it again in a moment."
_REUSED = "This Idempotency-Key was sent with another request before: give every request a key of its own."


def reserve(connection: Connection, asked: Asked, *, now: int) -> Ticket | Kept:
    """
    Reserve a request's key, or give the answer that is kept for it.

    Args:
        connection: in a short transaction of its own that holds the write lock.
        asked: the request.
        now: the present instant [us since 1970 UTC].

    Raises:
        ReusedKeyError: the key was sent with another request.
        InFlightError: the first request with this key is under way.
    """
    mark = asked.mark(connection)
    row = connection.execute(select(idempotency).where(*_of(asked))).one_or_none()
    if row is not None and row.started_at <= now - KEPT_US:
        _forget(connection, asked)
        row = None
    if row is None:
        names = {"key_id": asked.key_id, "idempotency_key": asked.idempotency_key}
        connection.execute(insert(idempotency).values(**names, request=mark, started_at=now))
        return Ticket(asked, now)
    return _again(connection, asked, row=row, mark=mark, now=now)


def _again(connection: Connection, asked: Asked, *, row: Row[tuple[object, ...]], mark: str, now: int) -> Ticket | Kept:
    """Say what a request gets whose key is there already."""
    if row.request != mark:
        raise ReusedKeyError(_REUSED)
    if row.status is not None:
        return Kept(row.status, row.answer)
    if now - row.started_at < ABANDONED_US:
        raise InFlightError(_UNDER_WAY)
    connection.execute(update(idempotency).where(*_of(asked)).values(started_at=now))
    return Ticket(asked, now)


def forget_old(connection: Connection, now: int) -> None:
    """Forget the answers that were kept long enough."""
    old = idempotency.c.started_at <= now - KEPT_US
    of_it = (idempotency.c.key_id == idempotency_leads.c.key_id) & (
        idempotency.c.idempotency_key == idempotency_leads.c.idempotency_key
    )
    connection.execute(delete(idempotency_leads).where(select(idempotency.c.key_id).where(of_it, old).exists()))
    connection.execute(delete(idempotency).where(old))


def digest_of(body: bytes) -> str:
    """Give the SHA-256 of a body."""
    return sha256(body).hexdigest()


def _forget(connection: Connection, asked: Asked) -> None:
    for table in (idempotency_leads, idempotency):
        mine = (table.c.key_id == asked.key_id, table.c.idempotency_key == asked.idempotency_key)
        connection.execute(delete(table).where(*mine))


def _of(asked: Asked) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (idempotency.c.key_id == asked.key_id, idempotency.c.idempotency_key == asked.idempotency_key)
