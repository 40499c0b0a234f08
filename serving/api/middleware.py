"""The layers around every route, outermost first: counted, guarded by headers, and the short way of scores."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.api import scores
from serving.api.fast_path import FastPath, route_to
from serving.api.security_headers import SecurityHeaders
from serving.observability.request_log import RequestLog


class GuardedApp(FastAPI):
    """An app whose every answer is counted and carries the headers."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put our own layers before all others."""
        usual = super().build_middleware_stack()
        return RequestLog(
            SecurityHeaders(FastPath(usual, route_to(scores.router, scores.score_lead), scores.scored)), self
        )
