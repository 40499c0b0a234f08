"""Health: whether the process runs, and whether it can answer."""

from fastapi import APIRouter, Request, Response

from serving.api.document import HEALTH, READY
from serving.api.request_parsing import answer
from serving.errors import StoppingError
from serving.observability.request_log import ShutdownState
from serving.service import service_of

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", **HEALTH)
async def read_live() -> Response:
    """Say that the process runs."""
    return answer({"status": "ok"})


@router.get("/ready", **READY)
async def read_ready(request: Request) -> Response:
    """Say that the store answers and a scorer stands ready; without either, or once it is to stop, a 503 says so."""
    stopping: ShutdownState = request.app.state.stopping
    if stopping.has_begun:
        message = "The service answers what was begun and then stops: send new requests to another process."
        raise StoppingError(message)
    service = service_of(request)
    await service.read(lambda store, _now: store.execute("SELECT lead_id FROM leads LIMIT 1").fetchone())
    return answer({"status": "ok", "degraded": service.active_scorer.current.degraded})
