"""Metrics, for Prometheus to read with a key of any scope."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.api.auth import needs
from serving.api.problem_responses import failures
from serving.observability.prometheus import Meter

router = APIRouter(tags=["health"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The text format of Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get(
    "/metrics",
    summary="Read the metrics",
    dependencies=[needs()],
    response_class=Response,
    responses=_TEXT | failures(),
)
async def read_metrics(request: Request) -> Response:
    """Return how the service is doing, in the text format of Prometheus."""
    meter: Meter = request.app.state.meter
    return Response(await asyncio.to_thread(meter.text), media_type=CONTENT_TYPE_LATEST)
