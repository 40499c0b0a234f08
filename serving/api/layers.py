"""The layers around every route, outermost first: counted, guarded by headers, and the short way of scores."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.api import scores
from serving.api.express import Express, route_to
from serving.api.headers import Headers
from serving.api.watched import Watched


class GuardedApp(FastAPI):
    """An app whose every answer is counted and carries the headers."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put our own layers before all others."""
        usual = super().build_middleware_stack()
        return Watched(Headers(Express(usual, route_to(scores.router, scores.read_score))), self)
