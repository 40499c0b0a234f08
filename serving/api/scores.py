"""Scores: of one lead, of many leads, and of leads that are not stored."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from data.instants import iso
from serving.api.auth import charge, needs
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
from serving.api.schemas.answer import list_as_text, respond
from serving.api.schemas.explained_scores import ScoreOut, ScoresOut, UnknownLeadOut
from serving.errors import UnknownLeadError
from serving.facts import Fact, Preview, read_as
from serving.lead_ids import LeadRef, shown
from serving.scorers.live_scorer import LiveScorer, Score
from serving.service import Service, service_of
from serving.store.database import RawConnection

router = APIRouter(prefix="/v1", tags=["scores"])
_AT_ONCE = 250
"""Leads that are scored together: about fifty milliseconds, the longest that another batch waits for its turn."""
_ACTIVITIES_A_LEAD = 20
"""Activities of a preview that cost as much as a lead."""
_UNKNOWN = (404, "The lead is not known, or was not yet")


class ScoreRequest(Fact):
    """The leads to be scored."""

    lead_ids: list[LeadRef] = Field(
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
    lead_id = checked_lead_id(request, request.path_params["lead_id"])
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

    score = await service.read(read)
    if as_of is None:
        service.recorder.record(live, [score])
    return respond(ScoreOut.of(score, reasons=reasons))


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
    service, lead_ids = service_of(request), leads.lead_ids
    headers = charge(request, leads=len(lead_ids))

    def instant(_store: RawConnection, now: int) -> int:
        return now if as_of is None else passed(as_of, "as_of", now=now)

    instant_us = await service.read(instant)
    live = service.active_scorer.current
    parts = _scored_parts(service, live, lead_ids, as_of=instant_us, reasons=reasons, is_recorded=as_of is None)
    first = await anext(parts, b"")  # what fails at once is still answered with a problem

    async def content() -> AsyncIterator[bytes]:
        yield b'{"scores":[' + first
        async for part in parts:
            yield b"," + part
        yield b'],"as_of":"%s"}' % iso(instant_us).encode()

    return StreamingResponse(content(), headers=headers, media_type="application/json")


async def _scored_parts(
    service: Service, live: LiveScorer, lead_ids: list[str], *, as_of: int, reasons: int | None, is_recorded: bool
) -> AsyncIterator[bytes]:
    """Yield the scores of leads as JSON, a few at a time; one instant for all makes them one answer."""

    def scored(part: list[str], store: RawConnection) -> tuple[dict[str, Score], bytes]:
        scores = live.scores(store, part, as_of=as_of, top=reasons)
        answers = [
            ScoreOut.of(scores[lead_id], reasons=reasons) if lead_id in scores else UnknownLeadOut(lead_id)
            for lead_id in part
        ]
        return scores, list_as_text(answers, list[ScoreOut | UnknownLeadOut])

    for start in range(0, len(lead_ids), _AT_ONCE):
        scores, text = await service.read_part(partial(scored, lead_ids[start : start + _AT_ONCE]))
        if is_recorded:
            service.recorder.record(live, scores.values())
        del scores  # a caller that does not read keeps this waiting
        yield text


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
    charge(request, leads=1 + len(preview.activities) // _ACTIVITIES_A_LEAD)
    latest = service.clock.now() + int(service.settings.clock_skew_s * 1_000_000)
    as_of = service.clock.as_of()
    score = await service.ask(lambda: service.previews.score(preview, as_of=as_of, latest=latest, top=reasons))
    return respond(ScoreOut.of(score, reasons=reasons))
