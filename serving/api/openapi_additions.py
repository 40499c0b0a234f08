"""What the OpenAPI document says beyond what FastAPI reads from the routes: scopes, strict bodies, problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from serving.api.auth import add_scopes
from serving.api.json_body import RawBody
from serving.api.problems import Problem


def complete_document(app: FastAPI) -> None:
    """Make an app's OpenAPI document complete."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            content = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            content["components"]["schemas"]["Problem"] = Problem.model_json_schema()
            add_scopes(content, app)
            _add_bodies(content, app)
            app.openapi_schema = content
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _add_bodies(content: dict[str, Any], app: FastAPI) -> None:
    """Describe the bodies that operations read by a dependency."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        bodies = [needed.call for needed in dependant.dependencies] if dependant else []
        for body in bodies:
            if isinstance(body, RawBody):
                path = content["paths"][getattr(route, "path_format", "")]
                for method in route.methods or ():
                    path[method.lower()]["requestBody"] = body.request_body
                content["components"]["schemas"] |= body.schemas
