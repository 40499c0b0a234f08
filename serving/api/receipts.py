"""Receipts: the scores that were given, given again, and what has changed; and the worklist of stored scores."""

import re
from typing import cast, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from data.instants import SECOND_US, iso
from models.receipt import Grade
from serving.api.auth import needs
from serving.api.receipts_document import LIST_RECEIPTS, READ_CHANGES, READ_RECEIPT, REPLAY, WORKLIST
from serving.api.request_parsing import answer, instant_of, limit_of, only, passed, role_of
from serving.errors import InvalidError, UnknownLeadError, UnknownReceiptError
from serving.facts import is_id, shown
from serving.scores.receipt_history import NO_RECEIPT, receipt_of, receipts_of, recompute_receipt, score_change_since
from serving.scores.worklist import Freshness, best_leads
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["scores"], dependencies=[needs("scores:read")])
_RECEIPT = re.compile("[0-9a-f]{32}")


@router.get("/scores", **WORKLIST)
async def read_worklist(request: Request) -> Response:
    """Give the open leads with the highest stored scores, each with how fresh it is; nothing is scored anew."""
    only(request, "limit", "grade")
    service, limit = service_of(request), limit_of(request)
    grade = request.query_params.get("grade")
    if grade is not None and grade not in get_args(Grade):
        message = "grade: expected one of A, B, C, D."
        raise InvalidError(message)
    now = service.clock.now()
    scorer = service.active_scorer.current.scorer.id.fingerprint
    fresh = Freshness(now, round(service.settings.fresh_for_s * SECOND_US), scorer)
    wanted = cast("Grade | None", grade)
    found = await service.ask_store(lambda store, _now: best_leads(store, fresh, limit=limit, grade=wanted))
    return answer({"scores": found, "now": iso(now)})


@router.get("/leads/{lead_id:path}/receipts", **LIST_RECEIPTS)
async def read_receipts(request: Request) -> Response:
    """Give the receipts of a lead's scores, newest first; a score is kept once for as long as it says the same."""
    only(request, "limit", "role")
    service, limit, lead_id = service_of(request), limit_of(request), _lead_id(request)
    role = role_of(request)

    def ask(store: Connection, _now: int) -> list[dict[str, object]]:
        found = receipts_of(store, lead_id, role=role, limit=limit)
        return [past.as_json() for past in found]

    return answer({"receipts": await service.ask_store(ask)})


@router.get("/receipts/{receipt_id}", **READ_RECEIPT)
async def read_receipt(request: Request) -> Response:
    """Give one receipt."""
    only(request)
    service, receipt_id = service_of(request), _receipt_id(request)
    return answer(await service.ask_store(lambda store, _now: receipt_of(store, receipt_id).as_json()))


@router.get("/receipts/{receipt_id}/replay", **REPLAY)
async def replay_receipt(request: Request) -> Response:
    """Give a receipt again from its feature values and from the facts as known then, and say whether it is equal."""
    only(request)
    service, receipt_id = service_of(request), _receipt_id(request)
    dialect = service.database.dialect
    return answer(
        await service.ask_store(lambda store, _now: recompute_receipt(store, receipt_of(store, receipt_id), dialect))
    )


@router.get("/leads/{lead_id:path}/changes", **READ_CHANGES)
async def read_changes(request: Request) -> Response:
    """Say what changed in a lead's score since an instant, in points that add up to the difference."""
    only(request, "since")
    service, lead_id = service_of(request), _lead_id(request)
    since = instant_of(request, "since")
    if since is None:
        message = "since: is missing; say since which instant, such as since=2026-03-01T12:00:00Z."
        raise InvalidError(message)
    live = service.active_scorer.current

    def ask(store: Connection, now: int) -> dict[str, object]:
        return score_change_since(store, live, lead_id, since=passed(since, "since", now=now), now=now).as_json()

    return answer(await service.ask_store(ask))


def _limit(request: Request) -> int:
    return limit_of(request)


def _lead_id(request: Request) -> str:
    lead_id: str = request.path_params["lead_id"]
    if not is_id(lead_id):
        message = f"No lead {shown(lead_id)} is known."
        raise UnknownLeadError(message)
    return lead_id


def _receipt_id(request: Request) -> str:
    receipt_id: str = request.path_params["receipt_id"]
    if not _RECEIPT.fullmatch(receipt_id):
        raise UnknownReceiptError(NO_RECEIPT)
    return receipt_id
