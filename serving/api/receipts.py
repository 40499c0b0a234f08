"""Receipts: the scores that were given, given again, and what has changed; and the worklist of stored scores."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from data.instants import iso
from models.receipt import Grade
from serving.api.allowed import needs
from serving.api.asked import answer, instant_of, only, whole
from serving.api.receipts_document import LIST_RECEIPTS, READ_CHANGES, READ_RECEIPT, REPLAY, WORKLIST
from serving.errors import InvalidError, UnknownLeadError
from serving.intake.facts import is_id, shown
from serving.scores.receipts import Role
from serving.scores.replaying import changed, receipt_of, receipts_of, replay
from serving.scores.worklist import Freshness, best
from serving.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["scores"], dependencies=[needs("scores:read")])
Answer = TypeVar("Answer")
_USUAL, _MOST = "100", 1000
_SECOND_US = 1_000_000


@router.get("/scores", **WORKLIST)
async def read_worklist(request: Request) -> Response:
    """Give the open leads with the highest stored scores, each with how fresh it is; nothing is scored anew."""
    only(request, "limit", "grade")
    service, limit = service_of(request), _limit(request)
    grade = request.query_params.get("grade")
    if grade is not None and grade not in get_args(Grade):
        message = "grade: expected one of A, B, C, D."
        raise InvalidError(message)
    now = service.clock.now()
    scorer = service.ladder.current.scorer.id.fingerprint
    fresh = Freshness(now, round(service.settings.fresh_for_s * _SECOND_US), scorer)
    found = await _reading(service, lambda store: best(store, fresh, limit=limit, grade=cast("Grade | None", grade)))
    return answer({"scores": found, "now": iso(now)})


@router.get("/leads/{lead_id:path}/receipts", **LIST_RECEIPTS)
async def read_receipts(request: Request) -> Response:
    """Give the receipts of a lead's scores, newest first; a score is kept once for as long as it says the same."""
    only(request, "limit", "role")
    service, limit, lead_id = service_of(request), _limit(request), _lead_id(request)
    role = request.query_params.get("role", "champion")
    if role not in get_args(Role):
        message = "role: expected champion or shadow."
        raise InvalidError(message)

    def ask(store: Connection) -> list[dict[str, object]]:
        found = receipts_of(store, lead_id, role=cast("Role", role), limit=limit)
        return [past.as_json() for past in found]

    return answer({"receipts": await _reading(service, ask)})


@router.get("/receipts/{receipt_id}", **READ_RECEIPT)
async def read_receipt(request: Request) -> Response:
    """Give one receipt."""
    only(request)
    receipt_id = request.path_params["receipt_id"]
    found = await _reading(service_of(request), lambda store: receipt_of(store, receipt_id).as_json())
    return answer(found)


@router.get("/receipts/{receipt_id}/replay", **REPLAY)
async def replay_receipt(request: Request) -> Response:
    """Give a receipt again from its feature values and from the facts as known then, and say whether it is equal."""
    only(request)
    service, receipt_id = service_of(request), request.path_params["receipt_id"]
    dialect = service.database.dialect
    return answer(await _reading(service, lambda store: replay(store, receipt_of(store, receipt_id), dialect)))


@router.get("/leads/{lead_id:path}/changes", **READ_CHANGES)
async def read_changes(request: Request) -> Response:
    """Say what changed in a lead's score since an instant, in points that add up to the difference."""
    only(request, "since")
    service, lead_id = service_of(request), _lead_id(request)
    since = instant_of(request, service, "since")
    if since is None:
        message = "since: is missing; say since which instant, such as since=2026-03-01T12:00:00Z."
        raise InvalidError(message)
    now = service.clock.as_of(await asyncio.to_thread(service.database.writing_since))
    live = service.ladder.current
    found = await _reading(service, lambda store: changed(store, live, lead_id, since=since, now=now).as_json())
    return answer(found)


async def _reading(service: Service, ask: Callable[[Connection], Answer]) -> Answer:
    """Ask what takes a while on a thread, so that nobody else waits."""

    def asked() -> Answer:
        with service.database.reading() as connection:
            return ask(connection)

    return await asyncio.get_running_loop().run_in_executor(service.readers, asked)


def _limit(request: Request) -> int:
    return whole(request.query_params.get("limit", _USUAL), "limit", most=_MOST)


def _lead_id(request: Request) -> str:
    lead_id: str = request.path_params["lead_id"]
    if not is_id(lead_id):
        message = f"No lead {shown(lead_id)} is known."
        raise UnknownLeadError(message)
    return lead_id
