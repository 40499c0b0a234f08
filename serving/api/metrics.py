"""Metrics, for Prometheus to read with a key of any scope."""

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.api.auth import needs
from serving.api.document import METRICS
from serving.observability.prometheus import Meter

router = APIRouter(tags=["health"])


@router.get("/metrics", dependencies=[needs()], **METRICS)
async def read_metrics(request: Request) -> Response:
    """Say how the service is doing, as Prometheus reads it."""
    meter: Meter = request.app.state.meter
    return Response(await asyncio.to_thread(meter.text), media_type=CONTENT_TYPE_LATEST)
