"""Routes: the leads that were handed over."""

from fastapi import APIRouter, Request, Response

from serving.api.auth import needs
from serving.api.document import READ_ROUTES
from serving.api.request_parsing import answer, limit_of, only
from serving.scores.crossings import newest_routes
from serving.service import service_of

router = APIRouter(prefix="/v1", tags=["routes"])


@router.get("/routes", dependencies=[needs("scores:read", "routes:write")], **READ_ROUTES)
async def read_routes(request: Request) -> Response:
    """Give the leads that crossed the threshold, newest first."""
    only(request, "limit")
    limit = limit_of(request)
    found = await service_of(request).ask_store(lambda store, _now: newest_routes(store, limit))
    return answer({"routes": found})
