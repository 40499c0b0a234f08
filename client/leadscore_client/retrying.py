"""Which requests are worth sending again, how long to wait before, and when to give up: for both clients."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx
from tenacity import RetryCallState, retry_if_exception, stop_before_delay, wait_random_exponential

from leadscore_client.call import Answer
from leadscore_client.errors import ProblemError, UnreachableError

_PASSING = {429, 502, 503, 504}
IN_FLIGHT = "in-flight"
"""The problem of a request whose twin, under the same idempotency key, is still being answered."""
_doubling_s = wait_random_exponential(multiplier=0.2, max=5)


def retry_options(patience_s: float) -> dict[str, Any]:
    """Return what tenacity needs to make attempts until ``patience_s`` after the first one [s], in both of its ways."""
    return {
        "retry": retry_if_exception(is_passing),
        "wait": _pause_s,
        "stop": stop_before_delay(patience_s),
        "retry_error_callback": _give_up,
    }


def is_passing(error: BaseException) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, ProblemError):
        return error.status in _PASSING or error.slug == IN_FLIGHT
    return isinstance(error, httpx.TransportError)


def _pause_s(state: RetryCallState) -> float:
    """Return how long to wait: at least as long as the service asks for, and not all callers equally long."""
    error = state.outcome.exception() if state.outcome else None
    return _doubling_s(state) + (error.retry_after_s if isinstance(error, ProblemError) else 0.0)


def _give_up(state: RetryCallState) -> NoReturn:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, httpx.TransportError):
        url = error.request.url
        host = url.host if url.port is None else f"{url.host}:{url.port}"
        raise UnreachableError(host, attempts=state.attempt_number) from error
    raise error or AssertionError


def answer_of(response: httpx.Response) -> Answer:
    """
    Return the JSON object of a response.

    Raises:
        ProblemError: the service refused, or the response is not the service's.
    """
    try:
        content = response.json()
    except ValueError:
        content = None
    if response.is_success and isinstance(content, dict):
        return content
    raise _problem_of(response, content)


def _problem_of(response: httpx.Response, content: object) -> ProblemError:
    pause_s = retry_after_s(response.headers.get("Retry-After"))
    try:
        kind, title, detail = (str(content[name]) for name in ("type", "title", "detail"))  # type: ignore[index]
    except (LookupError, TypeError):
        kind, title = "about:blank", response.reason_phrase or "No answer of the service"
        detail = "The response is not one of leadscore: check the address, and any proxy in front of the service."
    return ProblemError(response.status_code, kind, title=title, detail=detail, retry_after_s=pause_s)


def retry_after_s(header: str | None) -> float:
    """
    Read a ``Retry-After`` header, which has seconds or an HTTP date; 0 where it cannot be read.

    >>> retry_after_s("3"), retry_after_s(None), retry_after_s("soon"), retry_after_s("Thu, 01 Jan 1970 00:00:00 GMT")
    (3.0, 0.0, 0.0, 0.0)
    """
    if header is None:
        return 0.0
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
