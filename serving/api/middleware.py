"""The layers around every route, outermost first: the request log, security headers, and the fast path of scores."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.api import scores
from serving.api.fast_path import FastPath, route_to
from serving.api.security_headers import SecurityHeaders
from serving.observability.request_log import RequestLog


class GuardedApp(FastAPI):
    """An app that counts every request and puts security headers on every response."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put our own layers before all others; middleware that was added to the app sees every request, scores too."""
        app: ASGIApp = super().build_middleware_stack()
        if not self.user_middleware:
            route = route_to(scores.router, scores.score_lead)
            app = FastPath(app, route, answer=scores.scored, handlers=self.exception_handlers)
        return RequestLog(SecurityHeaders(app), self)
