"""Receipts of past scores, their replay, what changed since, and the worklist of stored scores."""

from collections.abc import Sequence
from typing import cast

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from data.instants import SECOND_US, iso
from data.lifecycle.lead_lifecycle import Lifecycle
from models.receipt import Grade
from serving.api.auth import needs
from serving.api.cursor import CursorText, PageRequest
from serving.api.parameters import (
    USUAL_LIMIT,
    CheckedRequest,
    GradeFilter,
    LeadId,
    Limit,
    ReceiptId,
    RoleChoice,
    Since,
    SinceFilter,
    passed,
)
from serving.api.problem_responses import NO_SUCH_ID, problems
from serving.api.schemas.answer import respond
from serving.api.schemas.past_receipts import ReceiptOut, ReceiptsOut, ReplayOut, ScoreChangeOut
from serving.api.schemas.ranked_leads import StoredScoreOut, WorklistOut
from serving.scores.receipt_history import PastReceipt, receipt_of, receipts_of, recompute_receipt
from serving.scores.score_changes import ScoreChange, score_change_since
from serving.scores.worklist import Freshness, ranked
from serving.service import service_of
from serving.store.lead_lives import LeadLives

router = APIRouter(prefix="/v1", tags=["scores"], dependencies=[needs("scores:read")])


@router.get("/scores", summary="List the leads to call first", response_model=WorklistOut, responses=problems())
async def list_scores(
    request: CheckedRequest,
    limit: Limit = USUAL_LIMIT,
    grade: GradeFilter = None,
    since: SinceFilter = None,
    cursor: CursorText = None,
) -> Response:
    """
    List the open leads with the highest stored scores, each with how fresh it is; nothing is scored again.

    `since` keeps those with `as_of` from then on. A lead whose score changes between two pages may move past them.
    """
    wanted, service = PageRequest.read(cursor, "scores", since=since, grade=grade), service_of(request)
    now, scorer = service.clock.now(), service.active_scorer.current.scorer.id.fingerprint
    fresh = Freshness(now, round(service.settings.fresh_for_s * SECOND_US), scorer)

    def read(store: Connection, as_of: int) -> WorklistOut:
        grade_only = cast("Grade | None", wanted.filters["grade"])
        page = ranked(store, grade=grade_only, since=wanted.since, position=wanted.position, limit=limit)
        lives = LeadLives.read(store, [row.lead_id for row in page.rows], service.playbook.business.lifecycle)
        scores = [StoredScoreOut.of(row, fresh, lives.state(row.lead_id, as_of)) for row in page.rows]
        return WorklistOut(scores=scores, now=iso(now), **wanted.cursors(page))

    return respond(await service.ask_store(read))


@router.get(
    "/leads/{lead_id:path}/receipts",
    summary="List the receipts of a lead",
    response_model=ReceiptsOut,
    responses=problems(NO_SUCH_ID),
)
async def list_receipts(
    request: CheckedRequest, lead_id: LeadId, limit: Limit = USUAL_LIMIT, role: RoleChoice = "champion"
) -> Response:
    """List the receipts of a lead's scores, newest first; a score is stored once for as long as it says the same."""
    service = service_of(request)
    lifecycle = service.playbook.business.lifecycle

    def read(store: Connection, _now: int) -> ReceiptsOut:
        past = receipts_of(store, lead_id, role=role, limit=limit)
        return ReceiptsOut(receipts=_answered(store, past, lifecycle))

    return respond(await service.ask_store(read))


@router.get(
    "/receipts/{receipt_id}", summary="Read a receipt", response_model=ReceiptOut, responses=problems(NO_SUCH_ID)
)
async def read_receipt(request: CheckedRequest, receipt_id: ReceiptId) -> Response:
    """Return one receipt."""
    service = service_of(request)
    lifecycle = service.playbook.business.lifecycle

    def read(store: Connection, _now: int) -> ReceiptOut:
        return _answered(store, [receipt_of(store, receipt_id)], lifecycle)[0]

    return respond(await service.ask_store(read))


def _answered(store: Connection, past: Sequence[PastReceipt], lifecycle: Lifecycle) -> list[ReceiptOut]:
    """Return receipts as they are answered, each with where its lead stood then."""
    lives = LeadLives.read(store, [receipt.row.lead_id for receipt in past], lifecycle)
    states = (lives.state(receipt.row.lead_id, receipt.row.as_of) for receipt in past)
    return [
        ReceiptOut.model_validate(receipt.as_json() | state.as_json())
        for receipt, state in zip(past, states, strict=True)
    ]


@router.get(
    "/receipts/{receipt_id}/replay",
    summary="Compute a receipt again",
    response_model=ReplayOut,
    responses=problems(NO_SUCH_ID),
)
async def replay_receipt(request: CheckedRequest, receipt_id: ReceiptId) -> Response:
    """Compute a receipt again, from its feature values and from the facts as known then; report what differs."""
    service = service_of(request)
    lifecycle = service.playbook.business.lifecycle

    def read(store: Connection, _now: int) -> ReplayOut:
        past = receipt_of(store, receipt_id)
        (given,) = _answered(store, [past], lifecycle)
        replay = recompute_receipt(store, past, service.database.dialect).as_json()
        return ReplayOut.model_validate(replay | {"given": given})

    return respond(await service.ask_store(read))


@router.get(
    "/leads/{lead_id:path}/changes",
    summary="Explain what changed in a score",
    response_model=ScoreChangeOut,
    responses=problems(NO_SUCH_ID),
)
async def explain_changes(request: CheckedRequest, lead_id: LeadId, since: Since) -> Response:
    """Explain what changed in a lead's score since an instant, in points that add up to the difference."""
    service = service_of(request)
    live = service.active_scorer.current

    def read(store: Connection, now: int) -> ScoreChange:
        return score_change_since(store, live, lead_id, since=passed(since, "since", now=now), now=now)

    return respond(ScoreChangeOut.model_validate((await service.ask_store(read)).as_json()))
