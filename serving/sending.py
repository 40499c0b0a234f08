"""How the client sends: batches that fit, what is worth sending again, and how long to wait before."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from serving.errors import InvalidError, ProblemError

MOST_ITEMS = 1000
_MOST_BYTES = 4 * 2**20  # half of what the service takes
_LATER = {429, 502, 503, 504}
_CONFLICT = 409
IN_FLIGHT = "in-flight"
"""The problem of a request whose twin, under the same key, is still being answered."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0
_MOST_PATIENCE_S = 60.0


def batches(items: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """
    Cut items into bodies of at most 1,000 of them and 4 MiB, without ever holding them all.

    Raises:
        InvalidError: an item cannot be written as JSON.

    >>> list(batches([{"lead_id": "L-1"}, {"lead_id": "L-2"}]))
    [b'[{"lead_id":"L-1"},{"lead_id":"L-2"}]']
    """
    batch: list[bytes] = []
    size = 0
    for item in items:
        body = written(item)
        if batch and (len(batch) == MOST_ITEMS or size + len(body) > _MOST_BYTES):
            yield _list(batch)
            batch, size = [], 0
        batch.append(body)
        size += len(body) + 1
    if batch:
        yield _list(batch)


def _list(batch: list[bytes]) -> bytes:
    return b"[" + b",".join(batch) + b"]"


def written(content: object) -> bytes:
    """
    Write a body as JSON; instants that know their offset may be given as such.

    Raises:
        InvalidError: it cannot be written so, such as NaN.

    >>> written({"reached_at": datetime(2026, 3, 1, tzinfo=UTC)})
    b'{"reached_at":"2026-03-01T00:00:00+00:00"}'
    """
    try:
        return json.dumps(content, separators=(",", ":"), allow_nan=False, default=_instant).encode()
    except (TypeError, ValueError, RecursionError):
        message = (
            "An item cannot be written as JSON: give text, finite numbers, booleans, None and instants with offset."
        )
        raise InvalidError(message) from None


def _instant(given: object) -> str:
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.isoformat()
    raise TypeError


def problem_of(response: httpx.Response) -> ProblemError:
    """Read why the service, or what stands before it, refused."""
    try:
        said = response.json()
        kind, title, detail = (str(said[name]) for name in ("type", "title", "detail"))
    except (ValueError, LookupError, TypeError):
        kind, title = "about:blank", response.reason_phrase or "no answer of the service"
        detail = "The answer is not one of the service: check its address, and what stands before it."
    return ProblemError(response.status_code, kind, title=title, detail=detail)


def pause_s(came: httpx.Response | httpx.TransportError, attempt: int) -> float | None:
    """
    Give how long to wait before the same request is sent again [s]; None where that would not help.

    Args:
        came: the refusal, or why there was no answer.
        attempt: how often it was sent already.
    """
    if isinstance(came, httpx.UnsupportedProtocol):
        return None
    asked = came.headers.get("Retry-After") if isinstance(came, httpx.Response) else None
    least = _asked_s(asked)
    if least > _MOST_PATIENCE_S or (isinstance(came, httpx.Response) and not _comes_later(came)):
        return None
    usual = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempt - 1))
    return least + usual * random.uniform(0.5, 1)  # noqa: S311 - so that many callers do not come back together


def _comes_later(refusal: httpx.Response) -> bool:
    if refusal.status_code == _CONFLICT:
        return problem_of(refusal).slug == IN_FLIGHT
    return refusal.status_code in _LATER


def _asked_s(given: str | None) -> float:
    """
    Read a ``Retry-After``: seconds, or an instant as HTTP writes it.

    >>> _asked_s("3"), _asked_s(None), _asked_s("soon"), _asked_s("Thu, 01 Jan 1970 00:00:00 GMT")
    (3.0, 0.0, 0.0, 0.0)
    """
    if given is None:
        return 0.0
    if given.isascii() and given.isdecimal():
        return float(given)
    try:
        until = parsedate_to_datetime(given)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
