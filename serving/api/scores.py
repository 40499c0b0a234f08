"""Scores go out: one lead, many leads, and leads that are only looked at."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from data.instants import iso
from serving.api.auth import needs
from serving.api.document import PREVIEW, READ_SCORE, READ_SCORES
from serving.api.request_parsing import MOST_ITEMS, answer, as_of_of, body_of, only, passed, reasons_of
from serving.errors import UnknownLeadError
from serving.facts import Fact, Id, Preview, is_id, read_as, shown
from serving.scorers.live_scorer import Score
from serving.service import service_of
from serving.store.database import RawConnection

router = APIRouter(prefix="/v1", tags=["scores"])


class ScoreRequest(Fact):
    """The leads whose scores are asked for."""

    lead_ids: Annotated[list[Id], Field(max_length=MOST_ITEMS)]


@router.get("/leads/{lead_id:path}/score", dependencies=[needs("scores:read")], **READ_SCORE)
async def read_score(request: Request) -> Response:
    """Score the lead as of now, or as of an instant with what was known then, with the reasons that moved it most."""
    only(request, "reasons", "as_of")
    service, lead_id = service_of(request), request.path_params["lead_id"]
    top, wanted = reasons_of(request), as_of_of(request)
    live = service.active_scorer.current
    if not is_id(lead_id):
        message = "No such lead is known; send it to /v1/leads first."
        raise UnknownLeadError(message)

    def ask(store: RawConnection, now: int) -> Score:
        as_of = now if wanted is None else passed(wanted, "as_of", now=now)
        score = live.score(store, lead_id, as_of=as_of, top=top)
        if score is None:
            message = f"No lead {shown(lead_id)} is known as of {iso(as_of)}; send it to /v1/leads first."
            raise UnknownLeadError(message)
        return score

    score = await service.read(ask, at_once=True)
    if wanted is None:
        service.recorder.record(live, [score])
    return answer(score.as_json())


@router.post("/scores", dependencies=[needs("scores:read")], **READ_SCORES)
async def read_scores(request: Request) -> Response:
    """Score up to 1,000 leads as of one instant; those that are not known are told in their place."""
    only(request, "reasons", "as_of")
    service, asked = service_of(request), read_as(ScoreRequest, await body_of(request))
    top, wanted = reasons_of(request), as_of_of(request)
    live = service.active_scorer.current

    def ask(store: RawConnection, now: int) -> tuple[int, dict[str, Score]]:
        as_of = now if wanted is None else passed(wanted, "as_of", now=now)
        return as_of, live.scores(store, asked.lead_ids, as_of=as_of, top=top)

    as_of, found = await service.read(ask)
    if wanted is None:
        service.recorder.record(live, found.values())
    told = [found[lead_id].as_json() if lead_id in found else _unknown(lead_id) for lead_id in asked.lead_ids]
    return answer({"scores": told, "as_of": iso(as_of)})


@router.post("/scores/preview", dependencies=[needs("scores:read")], **PREVIEW)
async def preview_score(request: Request) -> Response:
    """Score a lead and activities that are in the body; nothing is stored."""
    only(request, "reasons")
    service, preview = service_of(request), read_as(Preview, await body_of(request))
    latest = service.clock.now() + int(service.settings.clock_skew_s * 1_000_000)
    as_of, top = service.clock.as_of(), reasons_of(request)
    score = await service.ask(lambda: service.previews.score(preview, as_of=as_of, latest=latest, top=top))
    return answer(score.as_json())


def _unknown(lead_id: str) -> dict[str, Any]:
    return {"lead_id": lead_id, "error": "this lead is not known; send it to /v1/leads first."}
