"""
The score of a lead, which is asked for more often than all else together, without the layers it has no use for.

FastAPI and Starlette stand a dozen layers around every route: they solve its dependencies, bound bodies that may come
in pieces, close what was opened. A score has one dependency and no body, and the layers would take as long as its SQL.
Here the route itself says whether a request is its own, and the one dependency that it declares is asked first. Any
other request, and whatever breaks, takes the usual way.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.api.auth import RequiredScopes
from serving.api.problems import refusal_of
from serving.errors import RequestError

Answer = Callable[[Request], Awaitable[Response]]
_OF_A_BODY = (b"content-length", b"transfer-encoding")


def route_to(router: APIRouter, answer: Callable[..., Awaitable[Response]]) -> APIRoute:
    """Return the route of a router that a function answers."""
    return next(route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is answer)


class FastPath:
    """
    Answers the requests of one route that has one dependency and takes no body.

    Args:
        app: the usual way.
        route: the route.
        answer: answers one of its requests as the route would.
    """

    def __init__(self, app: ASGIApp, route: APIRoute, answer: Answer) -> None:
        self._app = app
        self._route = route
        (needed,) = route.dependencies
        self._needs = cast("RequiredScopes", needed.dependency)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it go the usual way."""
        response = await self._answered(scope, receive) if self._is_mine(scope) else None
        if response is None:
            await self._app(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _is_mine(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET":
            return False
        match, found = self._route.matches(scope)
        if match is not Match.FULL or any(name in _OF_A_BODY for name, _ in scope["headers"]):
            return False
        scope.update(found)
        return True

    async def _answered(self, scope: Scope, receive: Receive) -> Response | None:
        """Answer; None where something broke that the usual way knows how to tell."""
        request = Request(scope, receive)
        try:
            await self._needs(request)
            return await self._answer(request)
        except RequestError as error:
            return refusal_of(error)
        except Exception:  # noqa: BLE001 - it will break again on the usual way, and be told there
            return None
