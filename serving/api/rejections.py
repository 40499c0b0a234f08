"""Rejected items: what a caller sent and was not stored, and why."""

from fastapi import APIRouter, Response

from serving.api.auth import key_of, needs
from serving.api.cursor import CursorText, PageRequest
from serving.api.parameters import USUAL_LIMIT, CheckedRequest, Limit, SinceFilter
from serving.api.problem_responses import problems
from serving.api.schemas.answer import respond
from serving.api.schemas.rejected_entries import RejectedItemOut, RejectedItemsOut
from serving.callers.keys import Scope
from serving.intake.rejected_items import read_rejected
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["facts"])


@router.get(
    "/rejected",
    summary="List rejected items",
    dependencies=[needs("events:write")],
    response_model=RejectedItemsOut,
    responses=problems(),
)
async def list_rejected_items(
    request: CheckedRequest, limit: Limit = USUAL_LIMIT, since: SinceFilter = None, cursor: CursorText = None
) -> Response:
    """List what this key sent in the last 7 days and was not stored, newest first; a key for `admin` sees all."""
    wanted, key = PageRequest.read(cursor, "rejected", since=since), key_of(request)
    own = None if key.allows(Scope.ADMIN) else key.key_id
    page = await service_of(request).ask_store(
        lambda store, _now: read_rejected(store, key_id=own, since=wanted.since, position=wanted.position, limit=limit)
    )
    return respond(RejectedItemsOut(rejected=[RejectedItemOut.of(row) for row in page.rows], **wanted.cursors(page)))
