"""The routes of the API; each parses, calls one function and returns."""

from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.routing import request_response

from serving.api import audit, facts, health, merges, metrics, model, privacy, quarantine, receipts, routes, scores
from serving.api.allowed import Needs, needs
from serving.api.document import READ_SCORE, describe

READ = "/v1/leads/{lead_id:path}/score"


def add_routes(app: FastAPI) -> None:
    """
    Give an app its routes and its OpenAPI document.

    The score of a lead comes first and belongs to the app itself: finding it takes no way through nested routers.
    """
    needed = needs("scores:read")
    app.get(READ, tags=["scores"], dependencies=[needed], **READ_SCORE)(scores.read_score)
    _shorten(app, needed)
    for part in (facts, merges, quarantine, scores, receipts, routes, model, privacy, audit, health, metrics):
        app.include_router(part.router)
    describe(app)


def _shorten(app: FastAPI, needed: Depends) -> None:
    """
    Let the score of a lead be read without FastAPI's way of solving dependencies, which costs as much as the score.

    The one dependency that the route declares is asked all the same, and first.
    """
    ask = cast("Needs", needed.dependency)

    async def read(request: Request) -> Response:
        await ask(request)
        return await scores.read_score(request)

    route = next(route for route in app.router.routes if isinstance(route, APIRoute) and route.path == READ)
    route.app = request_response(read)


__all__ = ["add_routes"]
