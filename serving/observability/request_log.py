"""
The outermost layer: every request is counted, carries an id, and is logged where the settings ask for it.

It costs a few microseconds.
"""

import logging
import re
import secrets
import time
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.observability.open_connections import OpenConnections
from serving.observability.prometheus import Meter, route_of
from serving.service import Service

_LOG = logging.getLogger("leadscore.requests")
_ID = b"x-request-id"
_ID_BYTES = 8
_well_formed = re.compile(rb"[0-9A-Fa-f-]{16,64}").fullmatch
"""Hexadecimal digits, as proxies and tracers make them; no person's name and no lead id of a CRM looks like that."""
_SERVER_ERROR = 500


@dataclass
class ShutdownState:
    """Whether the service has begun to stop; it still answers, but must not be sent new callers."""

    has_begun: bool = False


class RequestLog:
    """Counts and logs the requests of an app that `watch` has prepared."""

    def __init__(self, app: ASGIApp, whole: FastAPI) -> None:
        self._app = app
        self._meter: Meter = whole.state.meter
        self._logged_from: int = whole.state.logged_from

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the app."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id, meter = time.perf_counter(), 0, _id_of(scope), self._meter

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_ID, request_id)]
            await send(message)

        error = None
        meter.in_flight += 1
        try:
            await self._app(scope, receive, send_watched)
        except Exception as raised:
            error = raised
            if not status:
                raise  # the server itself answers then
        finally:
            meter.in_flight -= 1
            took_s, status = time.perf_counter() - began, status or _SERVER_ERROR
            meter.answered(scope, status, seconds=took_s)
            if status >= self._logged_from or error is not None:
                _log(scope, status, took_s=took_s, request_id=request_id, error=error)


def watch(app: FastAPI, service: Service) -> None:
    """Attach to an app the meter that counts its requests, and what `RequestLog` and the readiness check look up."""
    settings = service.settings
    app.state.connections = OpenConnections(settings.connections, settings.connections_per_address)
    app.state.meter = Meter(service, app.state.connections)
    app.state.stopping = ShutdownState()
    app.state.logged_from = {"all": 0, "errors": _SERVER_ERROR, "none": 1000}[settings.log_requests]


def _id_of(scope: Scope) -> bytes:
    """Return the id that a request came with, or a new one."""
    for name, value in scope["headers"]:
        if name == _ID and _well_formed(value):
            return bytes(value)
    return secrets.token_hex(_ID_BYTES).encode()


def _log(scope: Scope, status: int, *, took_s: float, request_id: bytes, error: Exception | None) -> None:
    """Log a request by the template of its route, since its path may name a lead."""
    key = scope.get("state", {}).get("key")
    fields = {
        "route": route_of(scope),
        "method": scope["method"] if scope.get("route") else "other",
        "status": status,
        "ms": round(took_s * 1000, 2),
        "key": None if key is None else key.key_id,
        "request_id": request_id.decode(),
    }
    level = logging.INFO if status < _SERVER_ERROR else logging.ERROR
    _LOG.log(level, "answered with %d", status, extra=fields, exc_info=error)
