"""The routes of the API; each parses, calls one function and returns."""

from serving.api import facts, health, model, routes, scores
from serving.api.document import describe

ROUTERS = (facts.router, scores.router, routes.router, model.router, health.router)

__all__ = ["ROUTERS", "describe"]
