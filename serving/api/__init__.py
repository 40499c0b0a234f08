"""The routes of the API; each parses, calls one function and returns."""

from fastapi import FastAPI

from serving.api import audit, facts, health, merges, metrics, model, privacy, quarantine, receipts, routes, scores
from serving.api.allowed import needs
from serving.api.document import READ_SCORE, describe


def add_routes(app: FastAPI) -> None:
    """
    Give an app its routes and its OpenAPI document.

    The score of a lead comes first and belongs to the app itself: finding it takes no way through nested routers.
    """
    app.get("/v1/leads/{lead_id:path}/score", tags=["scores"], dependencies=[needs("scores:read")], **READ_SCORE)(
        scores.read_score
    )
    for part in (facts, merges, quarantine, scores, receipts, routes, model, privacy, audit, health, metrics):
        app.include_router(part.router)
    describe(app)


__all__ = ["add_routes"]
