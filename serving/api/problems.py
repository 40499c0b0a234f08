"""Problems: every error is answered as ``application/problem+json`` (RFC 9457) and never repeats what was sent."""

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
from serving.api.problem_types import ABOUT_BLANK, PROBLEM_TYPES, type_url
from serving.errors import InvalidError, RequestError, TooLargeError
from serving.store.store_errors import STORE_ERRORS, name_of
from serving.validation_messages import message_of

_LOG = logging.getLogger("leadscore.serving")
MEDIA_TYPE = "application/problem+json"
_BY_SLUG = {kind.slug: kind for kind in PROBLEM_TYPES}


class Problem(BaseModel):
    """What went wrong and what to do (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(
        description="the type of problem: where its cause and cure are described, relative to this service",
        examples=["/docs/errors#unknown-lead"],
    )
    title: str = Field(description="the type of problem in words", examples=["This lead is not known"])
    status: int = Field(description="the HTTP status", examples=[404])
    detail: str = Field(
        description="what is wrong this time and what to do",
        examples=["No lead 'L-1' is known as of 2026-03-01T12:00:00Z; send it to /v1/leads first."],
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an app with a problem."""
    app.exception_handler(RequestError)(_on_request_error)
    app.exception_handler(RequestValidationError)(_on_validation_error)
    app.exception_handler(HTTPException)(_on_http_error)
    for kind in STORE_ERRORS:
        app.exception_handler(kind)(_on_store_error)
    app.exception_handler(ClientDisconnect)(_on_hung_up)
    app.exception_handler(Exception)(_on_any_error)


def problem(slug: str, title: str, *, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as a response; a slug that is in no list has the type ``about:blank``."""
    kind = type_url(slug) if slug in _BY_SLUG else ABOUT_BLANK
    content = {"type": kind, "title": title, "status": status, "detail": detail}
    return Response(json.dumps(content), status, headers=headers, media_type=MEDIA_TYPE)


def too_large() -> Response:
    """Return the problem of a body that is larger than its address accepts, which the framework words as plain text."""
    return _problem_of(TooLargeError.slug, "The body is larger than this address accepts: send fewer items at once.")


def _problem_of(slug: str, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    kind = _BY_SLUG[slug]
    return problem(slug, kind.title, status=kind.status, detail=detail, headers=headers)


async def _on_request_error(_request: Request, error: RequestError) -> Response:
    return problem(error.slug, error.title, status=error.status, detail=str(error), headers=error.headers)


async def _on_validation_error(_request: Request, error: RequestValidationError) -> Response:
    return _problem_of(InvalidError.slug, message_of(error.errors(), below=1))


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == TooLargeError.status:
        return too_large()
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address: see /openapi.json for those that exist.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address accepts other methods: the Allow header names them.",
    }.get(status, status.description or status.phrase)
    headers = error.headers
    if status is HTTPStatus.METHOD_NOT_ALLOWED:  # a route knows its own methods, not those of its neighbours
        headers = {"Allow": ", ".join(methods_at(request.app, request.scope["path"]))}
    slug = status.phrase.lower().replace(" ", "-")
    return problem(slug, status.phrase, status=status, detail=detail, headers=headers)


async def _on_hung_up(_request: Request, _error: Exception) -> Response:
    """Return a problem for the log: the caller hung up before its request had arrived."""
    return _problem_of("incomplete", "The connection ended before the request had arrived.")


async def _on_store_error(request: Request, error: Exception) -> Response:
    request.app.state.meter.store_errors.labels(name_of(error)).inc()
    _LOG.error("the store did not answer: %s", name_of(error), exc_info=error)
    detail = "The store is busy or cannot be reached; nothing was stored. Send the same request again."
    return _problem_of("store-unavailable", detail, headers={"Retry-After": "1"})


async def _on_any_error(_request: Request, _error: Exception) -> Response:
    detail = "Something broke in the service; nothing was stored. Sending the same request again does no harm."
    return _problem_of("internal-error", detail)
