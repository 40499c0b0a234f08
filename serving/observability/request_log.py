"""
Every request is counted and carries an id, and says goodbye once the service is to stop.

This stands before everything else that handles a request, and costs a few microseconds.
"""

import logging
import re
import secrets
import time
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.observability.prometheus import Meter, route_of
from serving.service import Service

_LOG = logging.getLogger("leadscore.requests")
_ID = b"x-request-id"
_ID_BYTES = 8
_well_formed = re.compile(rb"[0-9A-Fa-f-]{16,64}").fullmatch
"""Hexadecimal digits, as proxies and tracers make them: nobody's name and no CRM's id of a lead looks so."""
_CLOSING = (b"connection", b"close")
_MISTAKE = 500


@dataclass
class ShutdownState:
    """Whether the service was told to stop; it answers on, but takes nobody new."""

    has_begun: bool = False


class RequestLog:
    """
    Watches the requests of an app that `watch` was told of.

    Args:
        app: what answers.
        whole: the app that holds the meter.
    """

    def __init__(self, app: ASGIApp, whole: FastAPI) -> None:
        state = whole.state
        self._app = app
        self._meter: Meter = state.meter
        self._stopping: ShutdownState = state.stopping
        self._logged_from: int = state.logged_from

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
                headers = message["headers"] = [*message["headers"], (_ID, request_id)]
                if self._stopping.has_begun:
                    headers.append(_CLOSING)
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
            took_s, status = time.perf_counter() - began, status or _MISTAKE
            meter.answered(scope, status, seconds=took_s)
            if status >= self._logged_from or error is not None:
                _log(scope, status, took_s=took_s, request_id=request_id, error=error)


def watch(app: FastAPI, service: Service) -> None:
    """Give an app what its requests are watched with."""
    app.state.meter = Meter(service)
    app.state.stopping = ShutdownState()
    app.state.logged_from = {"all": 0, "errors": _MISTAKE, "none": 1000}[service.settings.log_requests]


def _id_of(scope: Scope) -> bytes:
    """Give the id that a request came with, or a new one."""
    for name, value in scope["headers"]:
        if name == _ID and _well_formed(value):
            found: bytes = value
            return found
    return secrets.token_hex(_ID_BYTES).encode()


def _log(scope: Scope, status: int, *, took_s: float, request_id: bytes, error: Exception | None) -> None:
    """Log a request by the template of its route, since its path may name a lead."""
    key = scope.get("state", {}).get("key")
    about = {
        "route": route_of(scope),
        "method": scope["method"] if scope.get("route") else "other",
        "status": status,
        "ms": round(took_s * 1000, 2),
        "key": None if key is None else key.key_id,
        "request_id": request_id.decode(),
    }
    level = logging.INFO if status < _MISTAKE else logging.ERROR
    _LOG.log(level, "answered with %d", status, extra=about, exc_info=error)
