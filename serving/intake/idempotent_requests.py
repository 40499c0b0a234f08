"""
Idempotency keys: a request that is sent again under the same key gets the answer that it got first.

Before anything is done, a request's key is reserved in a transaction of its own, so that every process sees that it is
under way. The answer is written in the same transaction as the facts it speaks of. So after a kill there are either
both or neither, and then the reservation may be taken over once it is old enough.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, select, text, update

from data.instants import SECOND_US
from serving.errors import InFlightError, RequestError, ReusedKeyError
from serving.store.audit_log import keyed_hash
from serving.store.database import STORE_ERRORS, Database
from serving.store.rows import insert_rows
from serving.store.tables import idempotent_request_leads, idempotent_requests
from serving.store.tombstones import find_erased

RETENTION_US = 24 * 3600 * SECOND_US
"""How long an answer is kept."""
ABANDONED_US = 60 * SECOND_US
"""After how long a reservation without an answer counts as left by a process that died."""
_ITS = (
    idempotent_requests.c.key_id == bindparam("key_id"),
    idempotent_requests.c.idempotency_key == bindparam("idempotency_key"),
)
_THERE = select(idempotent_requests).where(*_ITS)
_FINISH = text(
    "UPDATE idempotent_requests SET status = :answered, response = :said WHERE key_id = :key_id"
    " AND idempotency_key = :idempotency_key AND started_at = :began AND status IS NULL"
)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
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
        return keyed_hash(connection, f"request\n{self.method}\n{self.path}\n{self.digest}")


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """
    An answer.

    Attributes:
        status: of HTTP.
        text: the body, exactly as it is sent.
        replayed: whether it is the one that was given first.
    """

    status: int
    text: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ResponseReservation:
    """
    The right to answer a request for the first time.

    Whoever does what was asked calls ``finish`` in the transaction that does it. Where that cannot be done and an
    error is raised, ``answered_once`` writes it down instead.
    """

    asked: IdempotentRequest
    started_at: int

    def finish(self, connection: Connection, said: StoredResponse, lead_ids: Iterable[str] = ()) -> None:
        """
        Write the answer down; one about an erased lead is kept nowhere, so the same request is judged anew.

        Args:
            connection: inside the transaction that does what was asked.
            said: the answer.
            lead_ids: leads that it speaks of, beside those that the request names.

        Raises:
            InFlightError: this took so long that another process took over; what the transaction did must not stay.
        """
        answer = {"began": self.started_at, "answered": said.status, "said": said.text}
        if connection.execute(_FINISH, {**_names(self.asked), **answer}).rowcount == 0:
            raise InFlightError(_UNDER_WAY)
        named = {*self.asked.lead_ids, *lead_ids}
        if find_erased(connection, named):
            connection.execute(delete(idempotent_requests).where(*self._mine()))
        elif named:
            names = _names(self.asked)
            insert_rows(connection, idempotent_request_leads, [{**names, "lead_id": each} for each in sorted(named)])

    def give_back(self, database: Database) -> None:
        """Let the next request with this key be the first, since this one got no answer that is worth keeping."""
        with suppress(*STORE_ERRORS), database.writing() as connection:  # a store that is gone lets it lapse by itself
            connection.execute(delete(idempotent_requests).where(*self._mine(), idempotent_requests.c.status.is_(None)))

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (*_of(self.asked), idempotent_requests.c.started_at == self.started_at)


_NOT_KEPT = frozenset({401, 403, 429, 500, 503})
_UNDER_WAY = "The first request with this Idempotency-Key has no answer yet: send it again in a moment."
_REUSED = "This Idempotency-Key was sent with another request before: give every request a key of its own."


def answer_once(
    database: Database,
    asked: IdempotentRequest | None,
    *,
    now: Callable[[], int],
    act: Callable[[ResponseReservation | None], StoredResponse],
    word: Callable[[RequestError], StoredResponse],
) -> StoredResponse:
    """
    Do what a request asks, unless it is done; then give the answer that it got first.

    Args:
        database: the store.
        asked: the request; None where it carries no idempotency key.
        now: gives the present instant [us since 1970 UTC].
        act: does what is asked, and finishes the ticket that it is given before it returns.
        word: writes a refusal as an answer; it is kept as well, but for those that say "later" or "not you".

    Raises:
        ReusedKeyError: the key was sent with another request.
        InFlightError: the first request with this key is under way.
        RequestError: a refusal that is not kept.
    """
    if asked is None:
        return act(None)
    with database.writing() as connection:
        ticket = reserve(connection, asked, now=now())
    if isinstance(ticket, StoredResponse):
        return ticket
    try:
        return act(ticket)
    except RequestError as error:
        if error.status in _NOT_KEPT or isinstance(error, InFlightError):
            ticket.give_back(database)
            raise
        said = word(error)
        with database.writing() as connection:
            ticket.finish(connection, said)
        return said
    except BaseException:
        ticket.give_back(database)
        raise


def reserve(connection: Connection, asked: IdempotentRequest, *, now: int) -> ResponseReservation | StoredResponse:
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
    row = connection.execute(_THERE, _names(asked)).one_or_none()
    if row is not None and row.started_at <= now - RETENTION_US:
        _forget(connection, asked)
        row = None
    if row is None:
        insert_rows(connection, idempotent_requests, [{**_names(asked), "request_hash": mark, "started_at": now}])
        return ResponseReservation(asked, now)
    return _again(connection, asked, row=row, mark=mark, now=now)


def _again(
    connection: Connection, asked: IdempotentRequest, *, row: Row[tuple[object, ...]], mark: str, now: int
) -> ResponseReservation | StoredResponse:
    """Say what a request gets whose key is there already."""
    if row.request_hash != mark:
        raise ReusedKeyError(_REUSED)
    if row.status is not None:
        return StoredResponse(row.status, row.response, replayed=True)
    if now - row.started_at < ABANDONED_US:
        raise InFlightError(_UNDER_WAY)
    connection.execute(update(idempotent_requests).where(*_of(asked)).values(started_at=now))
    return ResponseReservation(asked, now)


def delete_expired(connection: Connection, now: int) -> None:
    """Forget the answers that were kept long enough."""
    old = idempotent_requests.c.started_at <= now - RETENTION_US
    of_it = (idempotent_requests.c.key_id == idempotent_request_leads.c.key_id) & (
        idempotent_requests.c.idempotency_key == idempotent_request_leads.c.idempotency_key
    )
    connection.execute(
        delete(idempotent_request_leads).where(select(idempotent_requests.c.key_id).where(of_it, old).exists())
    )
    connection.execute(delete(idempotent_requests).where(old))


def sha256_of(body: bytes) -> str:
    """Give the SHA-256 of a body."""
    return sha256(body).hexdigest()


def _forget(connection: Connection, asked: IdempotentRequest) -> None:
    for table in (idempotent_request_leads, idempotent_requests):
        mine = (table.c.key_id == asked.key_id, table.c.idempotency_key == asked.idempotency_key)
        connection.execute(delete(table).where(*mine))


def _names(asked: IdempotentRequest) -> dict[str, str]:
    return {"key_id": asked.key_id, "idempotency_key": asked.idempotency_key}


def _of(asked: IdempotentRequest) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        idempotent_requests.c.key_id == asked.key_id,
        idempotent_requests.c.idempotency_key == asked.idempotency_key,
    )
