"""
The score of a lead, which is requested more often than all else together, without the layers it has no use for.

FastAPI and Starlette put a dozen layers around every route: they solve its dependencies, bound bodies that may come in
pieces, close what was opened. A score has one dependency and no body, and the layers would take as long as its SQL.
Here the route itself decides whether a request is its own, its one dependency decides whether it may pass, and the
app's exception handlers write the refusals. Every other request takes the usual way.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.api.auth import RequiredScopes

Answer = Callable[[Request], Awaitable[Response]]
_BODY_HEADERS = (b"content-length", b"transfer-encoding")


def route_to(router: APIRouter, endpoint: Callable[..., Awaitable[Response]]) -> APIRoute:
    """Return the route of a router that has this endpoint."""
    return next(route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is endpoint)


class FastPath:
    """
    Answers the requests of one route that has one dependency and takes no body.

    Args:
        app: the usual way, for all other requests.
        route: the route.
        answer: answers one of its requests as its endpoint would.
        handlers: the app's exception handlers by class of exception, one of them for ``Exception``.
    """

    def __init__(self, app: ASGIApp, route: APIRoute, *, answer: Answer, handlers: Mapping[Any, Any]) -> None:
        self._app = app
        self._route = route
        (dependency,) = route.dependencies
        self._require = cast("RequiredScopes", dependency.dependency)
        self._answer = answer
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to the usual way."""
        if not self._is_mine(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._require(request)
            response = await self._answer(request)
        except Exception as error:
            handled_as = next(kind for kind in type(error).__mro__ if kind in self._handlers)
            response = await self._handlers[handled_as](request, error)
            await response(scope, receive, send)
            if handled_as is Exception:  # as on the usual way, the request log and the server learn of it
                raise
        else:
            await response(scope, receive, send)

    def _is_mine(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET":
            return False
        match, matched = self._route.matches(scope)
        if match is not Match.FULL or any(name in _BODY_HEADERS for name, _ in scope["headers"]):
            return False
        scope.update(matched)
        return True
