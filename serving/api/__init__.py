"""The routes of the API; each has typed parameters, calls one function and returns one typed answer."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.api import (
    audit,
    facts,
    health,
    keys,
    merges,
    metrics,
    model,
    privacy,
    quarantine,
    receipts,
    rejections,
    routes,
    scores,
)
from serving.api.openapi_additions import complete_document


def add_routes(app: FastAPI) -> None:
    """Add the routes to an app and complete its OpenAPI document."""
    facts_in = (facts, merges, quarantine, rejections)
    for part in (*facts_in, scores, receipts, routes, model, privacy, audit, keys, health, metrics):
        app.include_router(part.router, generate_unique_id_function=_operation_id)
    complete_document(app)


def _operation_id(route: APIRoute) -> str:
    """Return the name of the function as the operation's id."""
    return route.name


__all__ = ["add_routes"]
