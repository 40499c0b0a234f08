"""One HTTP request as a value, and how its path, query and body are written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from leadscore_client.errors import InvalidArgumentError

Answer = dict[str, Any]
"""The JSON object of a response."""

Query = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One request to the service.

    Attributes:
        method: the HTTP method.
        path: the path, with ids already quoted.
        query: parameters; those that are None are left out.
        body: the content, or None.
        changes: whether it changes something, and so carries an idempotency key.
        media_type: what the body is.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    query: Query = field(default_factory=dict)
    body: bytes | None = None
    changes: bool = False
    media_type: str = "application/json"

    @property
    def given_query(self) -> dict[str, str | int]:
        """The parameters that have a value."""
        return {name: value for name, value in self.query.items() if value is not None}


def encode(content: object) -> bytes:
    """
    Encode JSON; datetimes with an offset become ISO 8601.

    Raises:
        ValueError: NaN, Infinity or a circle.
        TypeError: a value has no form in JSON.

    >>> encode({"lead_id": "L-1", "attributes": {}})
    b'{"lead_id":"L-1","attributes":{}}'
    """
    return json.dumps(content, separators=(",", ":"), allow_nan=False, default=_datetime).encode()


def _datetime(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError


def instant(value: str | datetime | None) -> str | None:
    """Return an instant of a query as text."""
    return value.isoformat() if isinstance(value, datetime) else value


def lead_path(lead_id: str, suffix: str = "") -> str:
    """
    Return the path of a lead.

    >>> lead_path("a/b", "/score")
    '/v1/leads/a%2Fb/score'
    """
    return f"/v1/leads/{segment(lead_id)}{suffix}"


def segment(name: object) -> str:
    """
    Quote an id as one segment of a path; a segment of dots alone would mean a parent folder.

    >>> segment("a/b c"), segment("..")
    ('a%2Fb%20c', '%2E%2E')
    """
    if not isinstance(name, str) or not name:
        message = f"an id must be text that is not empty, not {name!r}."
        raise InvalidArgumentError(message)
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
