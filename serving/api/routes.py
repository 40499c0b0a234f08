"""Routes: the leads that were handed over."""

from fastapi import APIRouter, Request, Response

from serving.api.allowed import needs
from serving.api.asked import answer, only, whole
from serving.api.document import READ_ROUTES
from serving.scores.routing import newest_routes
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["routes"])
_USUAL, _MOST = "100", 1000


@router.get("/routes", dependencies=[needs("scores:read", "routes:write")], **READ_ROUTES)
async def read_routes(request: Request) -> Response:
    """Give the leads that crossed the threshold, newest first."""
    only(request, "limit")
    limit = whole(request.query_params.get("limit", _USUAL), "limit", most=_MOST)
    found = await service_of(request).ask_store(lambda store, _now: newest_routes(store, limit))
    return answer({"routes": found})
