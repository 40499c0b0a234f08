"""The audit log: what administrators did."""

from fastapi import APIRouter, Request, Response

from serving.api.auth import needs
from serving.api.document import READ_AUDIT
from serving.api.request_parsing import answer, limit_of, only
from serving.service import service_of
from serving.store.audit_log import newest_audit_entries

router = APIRouter(prefix="/v1", tags=["admin"])


@router.get("/audit", dependencies=[needs("admin")], **READ_AUDIT)
async def read_audit(request: Request) -> Response:
    """Give what administrators did, newest first; a lead stands there only as its keyed hash."""
    only(request, "limit")
    limit = limit_of(request)
    found = await service_of(request).ask_store(lambda store, _now: newest_audit_entries(store, limit))
    return answer({"notes": [entry.as_json() for entry in found]})
