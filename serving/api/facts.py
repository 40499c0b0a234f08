"""Facts come in: leads, activities and outcomes."""

from fastapi import APIRouter, Request, Response

from serving.api.allowed import needs
from serving.api.asked import answer, body_of, items_of, only
from serving.api.document import ingest
from serving.errors import RequestError
from serving.facts import ActivityFact, LeadFact, OutcomeFact
from serving.ingestion import Kind, Result, summary
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["facts"])


@router.post("/leads", dependencies=[needs("events:write")], **ingest("Tell of leads, or of changes to them", LeadFact))
async def post_leads(request: Request) -> Response:
    """
    Keep what is known of a lead from now on; the same content again is a duplicate.

    A version says all that is known: attributes that are left out are unknown from now on.
    """
    return await _taken(request, "leads")


@router.post("/activities", dependencies=[needs("events:write")], **ingest("Tell of activities", ActivityFact))
async def post_activities(request: Request) -> Response:
    """Keep what a lead did, once per `activity_id`; a lead that crosses the threshold by it is routed at once."""
    return await _taken(request, "activities")


@router.post(
    "/outcomes", dependencies=[needs("events:write")], **ingest("Tell of stages that leads reached", OutcomeFact)
)
async def post_outcomes(request: Request) -> Response:
    """Keep which stage a lead reached, once per `outcome_id`; a closed lead is never routed again."""
    return await _taken(request, "outcomes")


async def _taken(request: Request, kind: Kind) -> Response:
    """Answer once everything is on disk; one bad object is a problem, a bad item of a list is told in its place."""
    only(request)
    service, body = service_of(request), await body_of(request)
    items = items_of(body)
    results = await service.write(lambda: service.ingestion.take(kind, items))
    refused = _refusal(results) if isinstance(body, dict) else None
    if refused is not None:
        raise refused
    return answer(summary(results), 202)


def _refusal(results: list[Result]) -> RequestError | None:
    return next((result.error for result in results), None)
