"""The routes of the API; each parses, calls one function and returns."""

from fastapi import FastAPI

from serving.api import audit, facts, health, merges, metrics, model, privacy, quarantine, receipts, routes, scores
from serving.api.document import describe


def add_routes(app: FastAPI) -> None:
    """Give an app its routes and its OpenAPI document."""
    for part in (facts, merges, quarantine, scores, receipts, routes, model, privacy, audit, health, metrics):
        app.include_router(part.router)
    describe(app)


__all__ = ["add_routes"]
