"""The problems that an operation may answer, for the OpenAPI document."""

from typing import Any

from serving.api.problems import MEDIA_TYPE

NO_SUCH_ID = (404, "Nothing is known under this id")
BODY_PROBLEMS = ((400, "The body is not JSON"), (413, "The body is too large"))
INVALID = (422, "A parameter or the body is not what was expected")
_FAILURES = ((500, "The service made a mistake"), (503, "The store does not answer"))


def problems(*others: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the problems of an operation: those of its own, and those of every operation that checks its input."""
    return {status: _problem(text) for status, text in (INVALID, *others)} | failures()


def failures() -> dict[int | str, dict[str, Any]]:
    """Return the problems of an operation that takes no input: it may only fail."""
    return {status: _problem(text) for status, text in _FAILURES}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
