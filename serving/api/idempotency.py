"""Requests that change something: one that is sent again under its ``Idempotency-Key`` gets its first answer."""

from collections.abc import Callable, Iterable
from hashlib import sha256

from fastapi import Request, Response

from serving.api.auth import key_of
from serving.api.problems import MEDIA_TYPE, problem
from serving.errors import RequestError
from serving.intake.idempotent_requests import IdempotentRequest, ResponseReservation, StoredResponse, answer_once
from serving.service import service_of

_BAD = 400
Act = Callable[[ResponseReservation | None], StoredResponse]


async def once(request: Request, act: Act, *, key: str | None, body: bytes, lead_ids: Iterable[str] = ()) -> Response:
    """
    Do what a request demands, unless it is done; then return its first answer.

    ``act`` does it on the writing thread, and finishes the reservation if it gets one.
    """
    service = service_of(request)
    identity = None if key is None else _identity(request, key, body=body, lead_ids=frozenset(lead_ids))
    response = await service.write(
        lambda: answer_once(service.database, identity, now=service.clock.now, act=act, write_refusal=worded)
    )
    headers = {"Idempotency-Replayed": "true"} if response.replayed else None
    media_type = MEDIA_TYPE if response.status >= _BAD else "application/json"
    return Response(response.text, response.status, headers, media_type)


def worded(error: RequestError) -> StoredResponse:
    """Return a refusal as it is answered."""
    text = bytes(problem(error.slug, error.title, status=error.status, detail=str(error)).body).decode()
    return StoredResponse(error.status, text)


def raising(error: RequestError) -> Act:
    """Return what refuses a request that cannot even be read, so that the refusal is stored as well."""

    def act(_reservation: ResponseReservation | None) -> StoredResponse:
        raise error

    return act


def _identity(request: Request, key: str, *, body: bytes, lead_ids: frozenset[str]) -> IdempotentRequest:
    path = request.scope["path"]
    return IdempotentRequest(key_of(request).key_id, key, request.method, path, sha256(body).hexdigest(), lead_ids)
