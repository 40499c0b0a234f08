"""The audit log: what administrators did."""

from fastapi import APIRouter, Response

from serving.api.auth import needs
from serving.api.parameters import USUAL_LIMIT, CheckedRequest, Limit
from serving.api.problem_responses import problems
from serving.api.schemas.answer import respond
from serving.api.schemas.service_state import AuditOut
from serving.service import service_of
from serving.store.audit_log import newest_audit_entries

router = APIRouter(prefix="/v1", tags=["admin"])


@router.get(
    "/audit", summary="List audit entries", dependencies=[needs("admin")], response_model=AuditOut, responses=problems()
)
async def list_audit_entries(request: CheckedRequest, limit: Limit = USUAL_LIMIT) -> Response:
    """List what administrators did, newest first; a lead stands there only as its keyed hash."""
    entries = await service_of(request).ask_store(lambda store, _now: newest_audit_entries(store, limit))
    return respond(AuditOut.model_validate({"notes": entries}))
