"""Routes: the leads that were handed over."""

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from serving.api.auth import needs
from serving.api.cursor import CursorText, PageRequest
from serving.api.parameters import USUAL_LIMIT, CheckedRequest, Limit, SinceFilter
from serving.api.problem_responses import problems
from serving.api.schemas.answer import respond
from serving.api.schemas.handed_over_leads import HandoverOut, HandoversOut
from serving.scores.handovers import handovers
from serving.service import service_of
from serving.store.lead_lives import LeadLives

router = APIRouter(prefix="/v1", tags=["routes"])


@router.get(
    "/routes",
    summary="List handovers",
    dependencies=[needs("scores:read", "routes:write")],
    response_model=HandoversOut,
    responses=problems(),
)
async def list_handovers(
    request: CheckedRequest, limit: Limit = USUAL_LIMIT, since: SinceFilter = None, cursor: CursorText = None
) -> Response:
    """List the leads that crossed the threshold, newest first; `since` keeps those with `routed_at` from then on."""
    wanted, service = PageRequest.read(cursor, "routes", since=since), service_of(request)

    def read(store: Connection, now: int) -> HandoversOut:
        page = handovers(store, since=wanted.since, position=wanted.position, limit=limit)
        lives = LeadLives.read(store, [row.lead_id for row in page.rows], service.playbook.business.lifecycle)
        routes = [HandoverOut.of(row, lives.state(row.lead_id, now)) for row in page.rows]
        return HandoversOut(routes=routes, **wanted.cursors(page))

    return respond(await service.ask_store(read))
