"""Problems: every error leaves as ``application/problem+json`` (RFC 9457), and none repeats what was sent."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from serving.api.lead_paths import methods_at
from serving.errors import RequestError, TooLargeError
from serving.store.database import STORE_ERRORS
from serving.validation_messages import message_of

_LOG = logging.getLogger("leadscore.serving")
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do, as RFC 9457 has it."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="names the kind of problem; never changes", examples=["urn:leadscore:unknown-lead"])
    title: str = Field(description="the kind of problem in words", examples=["This lead is not known"])
    status: int = Field(description="the HTTP status", examples=[404])
    detail: str = Field(
        description="what is wrong this time and what to do",
        examples=["No lead 'L-1' is known as of 2026-03-01T12:00:00Z; send it to /v1/leads first."],
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(RequestError, _on_request_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    for kind in STORE_ERRORS:
        app.add_exception_handler(kind, _on_store_error)
    app.add_exception_handler(ClientDisconnect, _on_hung_up)
    app.add_exception_handler(Exception, _on_any_error)


def problem(slug: str, title: str, *, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Write a problem as a response."""
    content = {"type": f"urn:leadscore:{slug}", "title": title, "status": status, "detail": detail}
    return Response(json.dumps(content), status, headers=headers, media_type=MEDIA_TYPE)


def too_large() -> Response:
    """Say that a body is larger than its address takes; the framework would say so in plain text."""
    detail = "The body is larger than this address takes: send fewer items at once."
    return problem(TooLargeError.slug, TooLargeError.title, status=TooLargeError.status, detail=detail)


def refusal_of(error: RequestError) -> Response:
    """Write a refusal of ours as a problem."""
    return problem(error.slug, error.title, status=error.status, detail=str(error), headers=error.headers)


async def _on_request_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - it is registered for nothing else
    return refusal_of(error)


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for nothing else
    detail = message_of(error.errors(), below=1)
    return problem("invalid", "The request is not what was expected", status=422, detail=detail)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    if error.status_code == TooLargeError.status:
        return too_large()
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address: see /openapi.json for those that exist.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address takes other methods: the Allow header names them.",
    }.get(status, status.description or status.phrase)
    slug, headers = status.phrase.lower().replace(" ", "-"), error.headers
    if status is HTTPStatus.METHOD_NOT_ALLOWED:  # a route knows its own methods, not those of its neighbours
        headers = {"Allow": ", ".join(methods_at(request.app, request.scope["path"]))}
    return problem(slug, status.phrase, status=status, detail=detail, headers=headers)


async def _on_hung_up(_request: Request, _error: Exception) -> Response:
    """Answer a caller that hung up before its request had arrived: nobody hears it, and nothing went wrong here."""
    detail = "The connection ended before the request had arrived."
    return problem("incomplete", "The request is incomplete", status=400, detail=detail)


async def _on_store_error(request: Request, error: Exception) -> Response:
    request.app.state.meter.store_errors.inc()
    _LOG.error("the store did not answer: %s", type(error).__name__, exc_info=error)
    detail = "The store is busy or cannot be reached; nothing was kept. Send the same request again."
    return problem(
        "store-unavailable", "The store does not answer", status=503, detail=detail, headers={"Retry-After": "1"}
    )


async def _on_any_error(_request: Request, _error: Exception) -> Response:
    detail = "Something broke on our side; nothing was kept. Sending the same request again does no harm."
    return problem("internal-error", "The service made a mistake", status=500, detail=detail)
