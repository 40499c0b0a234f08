"""Health: whether the process runs, and whether it can answer."""

from fastapi import APIRouter, Request, Response

from serving.api.problem_responses import failures
from serving.api.schemas.answer import respond
from serving.api.schemas.service_state import LivenessOut, ReadinessOut
from serving.errors import StoppingError
from serving.observability.request_log import ShutdownState
from serving.service import service_of

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Check that the process runs", response_model=LivenessOut)
async def check_liveness() -> Response:
    """Answer that the process runs."""
    return respond(LivenessOut())


@router.get("/ready", summary="Check that the service can answer", response_model=ReadinessOut, responses=failures())
async def check_readiness(request: Request) -> Response:
    """Answer that the store answers and a scorer is ready; without either, or once it is to stop, with a 503."""
    stopping: ShutdownState = request.app.state.stopping
    if stopping.has_begun:
        message = "The service answers what was begun and then stops: send new requests to another process."
        raise StoppingError(message)
    service = service_of(request)
    await service.read(lambda store, _now: store.execute("SELECT lead_id FROM leads LIMIT 1").fetchone())
    return respond(ReadinessOut(degraded=service.active_scorer.current.degraded))
