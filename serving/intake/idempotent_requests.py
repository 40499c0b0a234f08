"""
Idempotency keys: a request sent again under the same key gets the response that it got first.

Before anything else, a transaction of its own reserves a request's key, so that every process sees the request in
flight. The response is written in the same transaction as the facts that it reports, so a kill leaves both or neither.
After a kill, the reservation may be taken over once it is old enough.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, select, text, update

from data.instants import SECOND_US
from serving.errors import InFlightError, RequestError, ReusedKeyError
from serving.store.audit_log import keyed_hash
from serving.store.database import Database
from serving.store.rows import insert_rows
from serving.store.store_errors import STORE_ERRORS
from serving.store.tables import idempotent_request_leads, idempotent_requests
from serving.store.tombstones import find_erased

RETENTION_US = 24 * 3600 * SECOND_US
"""How long a response is stored."""
ABANDONED_US = 60 * SECOND_US
"""The age at which a reservation without a response counts as abandoned by a process that died."""
_SAME_KEY = (
    idempotent_requests.c.key_id == bindparam("key_id"),
    idempotent_requests.c.idempotency_key == bindparam("idempotency_key"),
)
_STORED_REQUEST = select(idempotent_requests).where(*_SAME_KEY)
_FINISH = text(
    "UPDATE idempotent_requests SET status = :answered, response = :response WHERE key_id = :key_id"
    " AND idempotency_key = :idempotency_key AND started_at = :started_at AND status IS NULL"
)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """
    A request with an idempotency key; each caller, told by its API key, has its own.

    It names leads, so that erasing one of them finds its response.
    """

    key_id: str
    idempotency_key: str
    method: str
    path: str
    digest: str
    lead_ids: frozenset[str] = frozenset()

    @property
    def key(self) -> dict[str, str]:
        """The columns that tell it from other requests."""
        return {"key_id": self.key_id, "idempotency_key": self.idempotency_key}

    def keyed_hash(self, connection: Connection) -> str:
        """Return the keyed hash that is equal for two requests with the same method, path and body."""
        return keyed_hash(connection, f"request\n{self.method}\n{self.path}\n{self.digest}")


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it is stored, whose text is sent unchanged; ``replayed`` is one that an earlier request got."""

    status: int
    text: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ResponseReservation:
    """
    The right to answer a request for the first time.

    Whatever does the work calls ``finish`` in the transaction that does it. If the work is refused, ``answer_once``
    stores the refusal instead.
    """

    request: IdempotentRequest
    started_at: int

    def finish(self, connection: Connection, response: StoredResponse, lead_ids: Iterable[str] = ()) -> None:
        """
        Store the response, unless it mentions an erased lead: then the same request will be handled anew.

        Args:
            connection: inside the transaction that does the work.
            response: the response.
            lead_ids: leads that it mentions, beside those that the request names.

        Raises:
            InFlightError: another process took over meanwhile; the transaction must be rolled back.
        """
        columns = {"started_at": self.started_at, "answered": response.status, "response": response.text}
        if connection.execute(_FINISH, {**self.request.key, **columns}).rowcount == 0:
            raise InFlightError(_IN_FLIGHT)
        named = {*self.request.lead_ids, *lead_ids}
        if find_erased(connection, named):
            connection.execute(delete(idempotent_requests).where(self._is_mine()))
        elif named:
            rows = [{**self.request.key, "lead_id": lead_id} for lead_id in sorted(named)]
            insert_rows(connection, idempotent_request_leads, rows)

    def give_back(self, database: Database) -> None:
        """Release the reservation, so that the next request with this key counts as the first."""
        with suppress(*STORE_ERRORS), database.writing() as connection:  # if the store is gone, the reservation expires
            is_open = idempotent_requests.c.status.is_(None)
            connection.execute(delete(idempotent_requests).where(self._is_mine(), is_open))

    def _is_mine(self) -> ColumnElement[bool]:
        return _has_key(idempotent_requests, self.request) & (idempotent_requests.c.started_at == self.started_at)


_NOT_STORED = frozenset({401, 403, 429, 500, 503})
_IN_FLIGHT = "The first request with this Idempotency-Key has no answer yet: send it again in a moment."
_REUSED = "This Idempotency-Key was used for another request: use a new key for every request."


def answer_once(
    database: Database,
    request: IdempotentRequest | None,
    *,
    now: Callable[[], int],
    act: Callable[[ResponseReservation | None], StoredResponse],
    write_refusal: Callable[[RequestError], StoredResponse],
) -> StoredResponse:
    """
    Handle a request for the first time, or return the response that it got then.

    Args:
        database: the store.
        request: the request; None if it carries no idempotency key.
        now: returns the present instant [us since 1970 UTC].
        act: does the work, and finishes the reservation that it is passed before it returns.
        write_refusal: turns a refusal into a response, which is stored too unless it means "later" or "not you".

    Raises:
        ReusedKeyError: the key was sent with another request.
        InFlightError: the first request with this key is still in flight.
        RequestError: a refusal that is not stored.
    """
    if request is None:
        return act(None)
    with database.writing() as connection:
        reservation = reserve(connection, request, now=now())
    if isinstance(reservation, StoredResponse):
        return reservation
    try:
        return act(reservation)
    except RequestError as error:
        if error.status in _NOT_STORED or isinstance(error, InFlightError):
            reservation.give_back(database)
            raise
        response = write_refusal(error)
        with database.writing() as connection:
            reservation.finish(connection, response)
        return response
    except BaseException:
        reservation.give_back(database)
        raise


def reserve(connection: Connection, request: IdempotentRequest, *, now: int) -> ResponseReservation | StoredResponse:
    """
    Reserve a request's key, in a short transaction of its own, or return the response that is stored for it.

    Raises:
        ReusedKeyError: the key was sent with another request.
        InFlightError: the first request with this key is still in flight.
    """
    request_hash = request.keyed_hash(connection)
    row = connection.execute(_STORED_REQUEST, request.key).one_or_none()
    if row is not None and row.started_at <= now - RETENTION_US:
        for table in (idempotent_request_leads, idempotent_requests):
            connection.execute(delete(table).where(_has_key(table, request)))
        row = None
    if row is None:
        new = {**request.key, "request_hash": request_hash, "started_at": now}
        insert_rows(connection, idempotent_requests, [new])
        return ResponseReservation(request, now)
    return _response_of(connection, request, row=row, request_hash=request_hash, now=now)


def _response_of(
    connection: Connection, request: IdempotentRequest, *, row: Row[tuple[object, ...]], request_hash: str, now: int
) -> ResponseReservation | StoredResponse:
    """Return what a request gets whose key is reserved already."""
    if row.request_hash != request_hash:
        raise ReusedKeyError(_REUSED)
    if row.status is not None:
        return StoredResponse(row.status, row.response, replayed=True)
    if now - row.started_at < ABANDONED_US:
        raise InFlightError(_IN_FLIGHT)
    connection.execute(update(idempotent_requests).where(_has_key(idempotent_requests, request)).values(started_at=now))
    return ResponseReservation(request, now)


def delete_expired(connection: Connection, now: int) -> None:
    """Delete the responses that are old enough."""
    expired = idempotent_requests.c.started_at <= now - RETENTION_US
    of_it = (idempotent_requests.c.key_id == idempotent_request_leads.c.key_id) & (
        idempotent_requests.c.idempotency_key == idempotent_request_leads.c.idempotency_key
    )
    connection.execute(
        delete(idempotent_request_leads).where(select(idempotent_requests.c.key_id).where(of_it, expired).exists())
    )
    connection.execute(delete(idempotent_requests).where(expired))


def _has_key(table: Table, request: IdempotentRequest) -> ColumnElement[bool]:
    return (table.c.key_id == request.key_id) & (table.c.idempotency_key == request.idempotency_key)
