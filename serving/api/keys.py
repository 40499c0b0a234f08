"""
Keys over the API, for those who have the scope ``admin``.

A new secret is answered once. No answer here is stored under an ``Idempotency-Key``, since the store must never hold a
secret: a request that got no answer is looked up in the list, and its key revoked.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from data.instants import DAY_US, HOUR_US
from serving.api.auth import key_of, needs
from serving.api.json_body import JsonBody
from serving.api.parameters import CheckedRequest
from serving.api.problem_responses import BODY_PROBLEMS, problems
from serving.api.schemas.answer import respond
from serving.api.schemas.key_entries import CreatedKeyOut, KeyOut, KeyRotation, KeysOut, NewKey
from serving.callers.key_administration import issue_key, replace_key, withdraw_key
from serving.callers.keys import all_keys
from serving.service import service_of

router = APIRouter(prefix="/v1/keys", tags=["admin"])
_CREATED = 201
KeyInPath = Annotated[str, Path(description="the key's id in GET /v1/keys", examples=["9f86d081884c"])]
_NEW = JsonBody(NewKey, {"name": "crm", "scopes": ["events:write", "scores:read"], "expires_days": 365})
_ROTATION = JsonBody(KeyRotation, {"overlap_hours": 24})


@router.get("", summary="List keys", dependencies=[needs("admin")], response_model=KeysOut, responses=problems())
async def list_keys(request: CheckedRequest) -> Response:
    """List every key that was ever created, newest first, with when it was last used; no secret is in it."""
    service = service_of(request)
    keys = await service.ask_store(lambda store, _now: all_keys(store))
    now = service.clock.now()
    return respond(KeysOut(keys=[KeyOut.of(key, now) for key in keys]))


@router.post(
    "",
    summary="Create a key",
    dependencies=[needs("admin")],
    status_code=_CREATED,
    response_model=CreatedKeyOut,
    responses=problems(*BODY_PROBLEMS),
)
async def create_key(request: CheckedRequest, body: Annotated[NewKey, Depends(_NEW)]) -> Response:
    """Create a key; its secret is in this answer and in no other."""
    service, actor, now = service_of(request), key_of(request).key_id, service_of(request).clock.now()
    expires_at = None if body.expires_days is None else now + round(body.expires_days * DAY_US)

    def act() -> CreatedKeyOut:
        with service.database.writing() as store:
            key, secret = issue_key(
                store,
                body.name,
                scopes=body.scopes,
                addresses=body.addresses,
                expires_at=expires_at,
                now=now,
                actor=actor,
            )
        return CreatedKeyOut.with_secret(key, secret, now=now)

    return respond(await service.write(act), _CREATED)


@router.post(
    "/{key_id}/rotate",
    summary="Replace a key by a new one",
    dependencies=[needs("admin")],
    status_code=_CREATED,
    response_model=CreatedKeyOut,
    responses=problems(*BODY_PROBLEMS),
)
async def rotate_key(
    request: CheckedRequest, key_id: KeyInPath, body: Annotated[KeyRotation, Depends(_ROTATION)]
) -> Response:
    """Create a key with the same scopes, addresses and lifetime; the old one works until the overlap has passed."""
    service, actor, now = service_of(request), key_of(request).key_id, service_of(request).clock.now()

    def act() -> CreatedKeyOut:
        with service.database.writing() as store:
            overlap_us = round(body.overlap_hours * HOUR_US)
            key, secret = replace_key(store, key_id, overlap_us=overlap_us, now=now, actor=actor)
        return CreatedKeyOut.with_secret(key, secret, now=now)

    return respond(await service.write(act), _CREATED)


@router.delete(
    "/{key_id}", summary="Revoke a key", dependencies=[needs("admin")], response_model=KeyOut, responses=problems()
)
async def revoke_key(request: CheckedRequest, key_id: KeyInPath) -> Response:
    """Revoke a key; every process refuses it within two seconds."""
    service, actor, now = service_of(request), key_of(request).key_id, service_of(request).clock.now()

    def act() -> KeyOut:
        with service.database.writing() as store:
            return KeyOut.of(withdraw_key(store, key_id, now=now, actor=actor), now)

    return respond(await service.write(act))
