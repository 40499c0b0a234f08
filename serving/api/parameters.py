"""Typed parameters of addresses, queries and headers, with their bounds; FastAPI reads and documents them."""

import re
from typing import Annotated, Literal

from fastapi import Depends, Header, Path, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query as QueryInfo
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from models.receipt import Grade
from serving.errors import InvalidError, UnknownLeadError, UnknownReceiptError
from serving.facts import InstantText, instant
from serving.lead_ids import as_lead_id, require_checksum
from serving.scorers.deployments import Role
from serving.scores.receipt_history import NO_RECEIPT
from serving.service import service_of
from serving.validation_messages import KEY_PATTERN, safe_name

_MOST_DIGITS = 16
_MOST_NAMED = 5
_RECEIPT_ID = "^[0-9a-f]{32}$"
USUAL_REASONS, USUAL_LIMIT = 5, 100


def check_query(request: Request, known: list[str]) -> None:
    """
    Reject unknown or repeated query parameters, so that typos do not pass silently.

    Raises:
        InvalidError: in one sentence, which they are and which are known.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted({safe_name(name) for name in names if name not in known})
    if unknown:
        takes = f"known are {', '.join(known)}" if known else "this address takes none"
        message = f"query: unknown parameter {', '.join(unknown[:_MOST_NAMED])}; {takes}."
        raise InvalidError(message)
    if len(set(names)) < len(names):
        message = "query: a parameter is there twice; send each once."
        raise InvalidError(message)


async def with_declared_query(request: Request) -> Request:
    """
    Return a request whose query has only parameters that its operation declares, each once.

    FastAPI takes the last of two equal parameters, and passes over unknown ones.
    """
    if request.scope["query_string"]:
        route: APIRoute = request.scope["route"]
        declared = get_flat_params(route.dependant)
        check_query(request, [field.alias for field in declared if isinstance(field.field_info, QueryInfo)])
    return request


CheckedRequest = Annotated[Request, Depends(with_declared_query)]
"""The request of every operation under /v1."""


def _whole_number(least: int, most: int, *, otherwise: str = "") -> BeforeValidator:
    """Read a whole number, in digits and nothing else, since pydantic would also take 1_0 and 5.0."""

    def read(value: object) -> object:
        text = str(value)
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        if is_number and least <= int(text) <= most:
            return int(text)
        kind, message = "whole_number", f"expected a whole number from {least} to {most}{otherwise}"
        raise PydanticCustomError(kind, message)

    return BeforeValidator(read, json_schema_input_type=Annotated[int, Field(ge=least, le=most)])


_NUMBER_OF_REASONS = _whole_number(0, 1000, otherwise=" or all")


def _reason_count(value: object) -> object:
    return None if value == "all" or value is None else _NUMBER_OF_REASONS.func(value)  # type: ignore[call-arg]


ReasonCount = Annotated[
    int | None,
    BeforeValidator(_reason_count, json_schema_input_type=Annotated[int, Field(ge=0, le=1000)] | Literal["all"]),
    Query(
        description="how many reasons to put into words, or all of them; those below half a point are then one line",
        examples=[5],
    ),
]
"""A number of reasons; None is all of them."""


def _query_instant(value: object) -> int:
    """
    Return an instant of a query, whose plus sign is a space where the query was not encoded.

    >>> _query_instant("1970-01-01T01:00:01 01:00")
    1000000
    """
    if isinstance(value, str):
        head, space, offset = value.rpartition(" ")
        value = f"{head}+{offset}" if space and "T" in head else value
    return instant(value)


def _optional_instant(value: object) -> int | None:
    return None if value is None else _query_instant(value)


_OptionalInstant = BeforeValidator(_optional_instant, json_schema_input_type=InstantText)
AsOf = Annotated[
    int | None,
    _OptionalInstant,
    Query(
        description="an instant that has passed, with its offset; the answer uses what was known then",
        examples=["2026-03-01T12:00:00Z"],
    ),
]
"""An instant [us since 1970 UTC]; None is now."""
Since = Annotated[
    int,
    BeforeValidator(_query_instant, json_schema_input_type=InstantText),
    Query(description="an instant that has passed, with its offset", examples=["2026-03-01T12:00:00Z"]),
]
"""An instant [us since 1970 UTC]."""
SinceFilter = Annotated[
    int | None,
    _OptionalInstant,
    Query(description="an instant with its offset; earlier ones are left out", examples=["2026-03-01T12:00:00Z"]),
]
"""An instant [us since 1970 UTC]; None leaves nothing out."""
Limit = Annotated[int, _whole_number(1, 1000), Query(description="how many at most", examples=[100])]
RoleChoice = Annotated[
    Role, Query(description="the champion, or the shadow whose scores are only recorded", examples=["champion"])
]
GradeFilter = Annotated[Grade | None, Query(description="only leads of this grade", examples=["A"])]
FactNumber = Annotated[
    int, _whole_number(1, 2**53), Path(description="the fact's id in GET /v1/quarantine", examples=[7])
]


def checked_lead_id(request: Request, lead_id: str) -> str:
    """
    Return what an address has for the id of a lead, in the form of the playbook's rule.

    Raises:
        InvalidError: its checksum is wrong.
        UnknownLeadError: it cannot be an id, so no lead has it.
    """
    forms = service_of(request).playbook.business.id_forms
    require_checksum(lead_id, forms)
    checked = as_lead_id(lead_id, forms)
    if checked is None:
        message = "No such lead is known; send it to /v1/leads first."
        raise UnknownLeadError(message)
    return checked


async def _lead_id(
    request: Request, lead_id: Annotated[str, Path(description="your id of the lead", examples=["L-1"])]
) -> str:
    return checked_lead_id(request, lead_id)


LeadId = Annotated[str, Depends(_lead_id)]
"""The id of a lead in an address; what cannot be an id is no known lead."""


async def _receipt_id(
    receipt_id: Annotated[
        str,
        Path(
            description="a receipt's id",
            examples=["0b5d0c1e4f6a4c1d9e2b7a8c3d4e5f60"],
            json_schema_extra={"pattern": _RECEIPT_ID},
        ),
    ],
) -> str:
    if not re.fullmatch(_RECEIPT_ID, receipt_id):
        raise UnknownReceiptError(NO_RECEIPT)
    return receipt_id


ReceiptId = Annotated[str, Depends(_receipt_id)]
"""The id of a receipt in an address."""


async def _idempotency_key(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            pattern=KEY_PATTERN,
            description="names this request: sent again with the same key, it gets its first answer, for 24 hours",
            examples=["0b5d0c1e"],
        ),
    ] = None,
) -> str | None:
    if len(request.headers.getlist("Idempotency-Key")) > 1:
        message = "Idempotency-Key: is there twice; send it once."
        raise InvalidError(message)
    return key


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The key that names a request; None where it has none."""


def passed(instant_us: int, name: str, *, now: int) -> int:
    """
    Return an instant if it has passed; until then it is unknown what will have happened by it.

    Raises:
        InvalidError: it is in the future.
    """
    if instant_us > now:
        message = f"{name}: this instant is in the future; nobody knows yet what will have happened."
        raise InvalidError(message)
    return instant_us
