"""Health: whether the process runs, and whether it can answer."""

from fastapi import APIRouter, Request, Response

from data.instants import SECOND_US, iso
from serving.api.problem_responses import failures
from serving.api.schemas.answer import respond
from serving.api.schemas.service_state import LivenessOut, ReadinessOut
from serving.observability.request_log import ShutdownState
from serving.service import service_of
from serving.store.store_health import LEAST_FREE_BYTES, disk_free_bytes, newest_fact_at, prove_writable
from serving.unready_errors import ClockBehindError, DiskFullError, StoppingError

router = APIRouter(prefix="/health", tags=["health"])


@router.head("/live", include_in_schema=False)
@router.get("/live", summary="Check that the process runs", response_model=LivenessOut)
async def check_liveness() -> Response:
    """Answer that the process runs."""
    return respond(LivenessOut())


@router.head("/ready", include_in_schema=False)
@router.get("/ready", summary="Check that the service can answer", response_model=ReadinessOut, responses=failures())
async def check_readiness(request: Request) -> Response:
    """
    Answer that the store takes facts, the clock is not behind it and a scorer is ready.

    Without any of these, or once the service is to stop, the answer is a 503.
    """
    stopping: ShutdownState = request.app.state.stopping
    if stopping.has_begun:
        message = "The service answers what was begun and then stops: send new requests to another process."
        raise StoppingError(message)
    service = service_of(request)
    newest = await service.ask_store(lambda connection, _now: newest_fact_at(connection))
    _check_clock(newest, service.clock.now(), skew_s=service.settings.clock_skew_s)
    _check_disk(disk_free_bytes(service.database))
    on_thread = service.ask if service.database.path is not None else service.write  # where it waits for other writes
    await on_thread(lambda: prove_writable(service.database))
    return respond(ReadinessOut(degraded=service.active_scorer.current.degraded))


def _check_clock(newest: int | None, now: int, *, skew_s: float) -> None:
    """Refuse to be ready where the store knows facts from after the clock's present, which no score would count."""
    if newest is not None and newest > now + skew_s * SECOND_US:
        message = (
            f"The clock shows {iso(now)}, and the store knows facts from {iso(newest)}: set the clock of the machine; "
            "until then those facts count in no score."
        )
        raise ClockBehindError(message)


def _check_disk(free_bytes: int | None) -> None:
    """Refuse to be ready before the disk is quite full: a single row may still find room where facts find none."""
    if free_bytes is not None and free_bytes < LEAST_FREE_BYTES:
        message = (
            f"The disk of the store has {free_bytes // 2**20:,} MiB left, and {LEAST_FREE_BYTES // 2**20} are needed: "
            "make room, or facts will be refused."
        )
        raise DiskFullError(message)
