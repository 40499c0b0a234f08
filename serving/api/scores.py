"""Scores: of one lead, of many leads, and of leads that are not stored."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from data.instants import iso
from serving.api.auth import needs
from serving.api.json_body import LARGEST_BODY_BYTES, MOST_ITEMS, JsonBody
from serving.api.parameters import (
    USUAL_REASONS,
    AsOf,
    CheckedRequest,
    LeadId,
    ReasonCount,
    check_query,
    checked_lead_id,
    passed,
)
from serving.api.problem_responses import BODY_PROBLEMS, problems
from serving.api.schemas.answer import respond
from serving.api.schemas.explained_scores import ScoreOut, ScoresOut, UnknownLeadOut
from serving.errors import UnknownLeadError
from serving.facts import Fact, Id, Preview, read_as, shown
from serving.scorers.live_scorer import Score
from serving.service import service_of
from serving.store.database import RawConnection

router = APIRouter(prefix="/v1", tags=["scores"])
_UNKNOWN = (404, "The lead is not known, or was not yet")


class ScoreRequest(Fact):
    """The leads to be scored."""

    lead_ids: list[Id] = Field(
        max_length=MOST_ITEMS, description="your ids of the leads, at most 1,000", examples=[["L-1", "L-2"]]
    )


class ScoreQuery(BaseModel):
    """The query of a score, where FastAPI does not read it."""

    reasons: ReasonCount = USUAL_REASONS
    as_of: AsOf = None


_NO_QUERY = ScoreQuery()
LeadsToScore = Annotated[ScoreRequest, Depends(JsonBody(ScoreRequest, {"lead_ids": ["L-1", "L-2"]}))]
LeadToPreview = Annotated[
    Preview,
    Depends(
        JsonBody(
            Preview,
            {
                "lead": {"lead_id": "L-1", "account_id": "A-7", "attributes": {"seniority": "director"}},
                "activities": [{"kind": "demo_request", "occurred_at": "2026-03-01T12:00:00Z"}],
            },
        )
    ),
]


@router.get(
    "/leads/{lead_id:path}/score",
    summary="Score a lead",
    dependencies=[needs("scores:read")],
    response_model=ScoreOut,
    responses=problems(_UNKNOWN),
)
async def score_lead(
    request: CheckedRequest, lead_id: LeadId, reasons: ReasonCount = USUAL_REASONS, as_of: AsOf = None
) -> Response:
    """Score the lead as of now, or as of an instant with what was known then, with the reasons that moved it most."""
    return await _scored(request, lead_id, reasons, as_of=as_of)


async def scored(request: Request) -> Response:
    """
    Answer a request for the score of a lead as ``score_lead`` does, where the route matched but FastAPI stays outside.

    Raises:
        RequestError: as ``score_lead``.
    """
    if request.scope["query_string"]:
        check_query(request, list(ScoreQuery.model_fields))
    lead_id = checked_lead_id(request.path_params["lead_id"])
    query = read_as(ScoreQuery, dict(request.query_params)) if request.scope["query_string"] else _NO_QUERY
    return await _scored(request, lead_id, query.reasons, as_of=query.as_of)


async def _scored(request: Request, lead_id: str, reasons: int | None, *, as_of: int | None) -> Response:
    service = service_of(request)
    live = service.active_scorer.current

    def read(store: RawConnection, now: int) -> Score:
        instant_us = now if as_of is None else passed(as_of, "as_of", now=now)
        score = live.score(store, lead_id, as_of=instant_us, top=reasons)
        if score is None:
            message = f"No lead {shown(lead_id)} is known as of {iso(instant_us)}; send it to /v1/leads first."
            raise UnknownLeadError(message)
        return score

    score = await service.read(read, at_once=True)
    if as_of is None:
        service.recorder.record(live, [score])
    return respond(ScoreOut.of(score))


@router.post(
    "/scores",
    summary="Score many leads",
    dependencies=[needs("scores:read")],
    response_model=ScoresOut,
    responses=problems(*BODY_PROBLEMS),
    max_body_size=LARGEST_BODY_BYTES,
)
async def score_leads(
    request: CheckedRequest, leads: LeadsToScore, reasons: ReasonCount = USUAL_REASONS, as_of: AsOf = None
) -> Response:
    """Score up to 1,000 leads as of one instant; an unknown lead is reported in its place."""
    service = service_of(request)
    live = service.active_scorer.current

    def read(store: RawConnection, now: int) -> tuple[int, dict[str, Score]]:
        instant_us = now if as_of is None else passed(as_of, "as_of", now=now)
        return instant_us, live.scores(store, leads.lead_ids, as_of=instant_us, top=reasons)

    instant_us, scores = await service.read(read)
    if as_of is None:
        service.recorder.record(live, scores.values())
    answers = [
        ScoreOut.of(scores[lead_id]) if lead_id in scores else UnknownLeadOut(lead_id) for lead_id in leads.lead_ids
    ]
    return respond(ScoresOut(scores=answers, as_of=iso(instant_us)))


@router.post(
    "/scores/preview",
    summary="Score a lead without storing it",
    dependencies=[needs("scores:read")],
    response_model=ScoreOut,
    responses=problems(*BODY_PROBLEMS),
    max_body_size=LARGEST_BODY_BYTES,
)
async def preview_score(
    request: CheckedRequest, preview: LeadToPreview, reasons: ReasonCount = USUAL_REASONS
) -> Response:
    """Score a lead and activities that are in the body; nothing is stored."""
    service = service_of(request)
    latest = service.clock.now() + int(service.settings.clock_skew_s * 1_000_000)
    as_of = service.clock.as_of()
    score = await service.ask(lambda: service.previews.score(preview, as_of=as_of, latest=latest, top=reasons))
    return respond(ScoreOut.of(score))
