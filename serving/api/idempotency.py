"""Requests that change something: what is sent again under its ``Idempotency-Key`` is answered as it was first."""

import re
from collections.abc import Callable, Iterable

from fastapi import Request, Response

from serving.api.auth import key_of
from serving.api.problems import MEDIA_TYPE, problem
from serving.errors import InvalidError, RequestError
from serving.intake.idempotent_requests import (
    IdempotentRequest,
    ResponseReservation,
    StoredResponse,
    answer_once,
    sha256_of,
)
from serving.service import service_of

_KEY = re.compile(r"[!-~]{1,200}")
_BAD = 400
Act = Callable[[ResponseReservation | None], StoredResponse]


async def once(request: Request, act: Act, *, body: bytes, lead_ids: Iterable[str] = ()) -> Response:
    """
    Do what a request asks, unless it is done; then give the answer that it got first.

    Args:
        request: it may carry an idempotency key.
        act: does what is asked on the writing thread, and finishes the ticket if it gets one.
        body: of the request.
        lead_ids: the leads that the request names.

    Raises:
        InvalidError: the idempotency key cannot be one.
    """
    service, asked = service_of(request), _asked(request, body, frozenset(lead_ids))
    said = await service.write(
        lambda: answer_once(service.database, asked, now=service.clock.now, act=act, word=worded)
    )
    headers = {"Idempotency-Replayed": "true"} if said.replayed else None
    return Response(said.text, said.status, headers, MEDIA_TYPE if said.status >= _BAD else "application/json")


def worded(error: RequestError) -> StoredResponse:
    """Write a refusal as it is answered."""
    text = bytes(problem(error.slug, error.title, status=error.status, detail=str(error)).body).decode()
    return StoredResponse(error.status, text)


def raising(error: RequestError) -> Act:
    """Give what refuses a request that cannot even be read, so that the refusal is kept as well."""

    def act(_ticket: ResponseReservation | None) -> StoredResponse:
        raise error

    return act


def _asked(request: Request, body: bytes, lead_ids: frozenset[str]) -> IdempotentRequest | None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        message = "Idempotency-Key: expected one, of 1 to 200 printable ASCII signs and no blank, such as a UUID."
        raise InvalidError(message)
    path = request.scope["path"]
    return IdempotentRequest(key_of(request).key_id, given[0], request.method, path, sha256_of(body), lead_ids)
