"""The audit log: what administrators did."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from serving.api.allowed import needs
from serving.api.asked import answer, only, whole
from serving.api.document import READ_AUDIT
from serving.callers.auditing import newest_notes
from serving.service import service_of
from serving.store.database import Database

router = APIRouter(prefix="/v1", tags=["admin"])
_USUAL, _MOST = "100", 1000


@router.get("/audit", dependencies=[needs("admin")], **READ_AUDIT)
async def read_audit(request: Request) -> Response:
    """Give what administrators did, newest first; a lead stands there only as its keyed hash."""
    only(request, "limit")
    limit = whole(request.query_params.get("limit", _USUAL), "limit", most=_MOST)
    return answer({"notes": await run_in_threadpool(_notes, service_of(request).database, limit)})


def _notes(database: Database, limit: int) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return newest_notes(connection, limit)
