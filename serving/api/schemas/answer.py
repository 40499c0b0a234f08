"""What all answers share: frozen models that are read from the values they describe, and how they are sent."""

from functools import cache
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic_core import SchemaSerializer

from data.instants import iso

GradeName = Literal["A", "B", "C", "D"]


class Answer(BaseModel):
    """Part of an answer; it reads the fields it has from an object with attributes of the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _iso(value: object) -> object:
    return iso(value) if isinstance(value, int) else value


UtcInstant = Annotated[
    str,
    BeforeValidator(_iso),
    Field(examples=["2026-03-01T12:00:05.000321Z"], json_schema_extra={"format": "date-time"}),
]
"""An instant in UTC as ISO 8601, made of microseconds since 1970 UTC."""
OptionalInstant = Annotated[
    str | None,
    BeforeValidator(_iso),
    Field(examples=["2026-03-01T12:00:05.000321Z"], json_schema_extra={"format": "date-time"}),
]
"""The same, or None."""

LastStage = Annotated[
    str | None, Field(description="the last stage that the lead reached; null before any", examples=["mql"])
]
ClosedAt = Annotated[
    OptionalInstant,
    Field(description="since when the lead is closed, so that it is on no list and never handed over; null while open"),
]

BeyondHistory = Annotated[
    str | None,
    Field(
        description="a sentence where the model's history has too few leads this old, or silent this long; else null",
        examples=["Too few leads in the history were this old: 412 days, and fewer than 50 were older than 280."],
    ),
]

NextPage = Annotated[
    str | None,
    Field(
        description="the cursor of the page that follows; null on the last",
        examples=["h3qk2JvIWzEsInJvdXRlcyIsZmFsc2U"],
    ),
]
PreviousPage = Annotated[
    str | None,
    Field(
        description="the cursor of the page before; null on the first", examples=["U2mQ8sXdWzEsInJvdXRlcyIsdHJ1ZSxb"]
    ),
]


def as_text(answer: object) -> str:
    """Return an answer, a model or a dataclass, as the JSON that is sent."""
    return _as_json(answer).decode()


def list_as_text(items: list[Any], kind: object) -> bytes:
    """Return items as the JSON of a list of their kind, without its brackets, so that lists can be sent in parts."""
    return _serializer(kind).to_json(items)[1:-1]


def respond(answer: object, status: int = 200) -> Response:
    """
    Return an answer, a model or a dataclass, as a response.

    A response is sent as it is: FastAPI would validate and convert an answer a second time.
    """
    return Response(_as_json(answer), status, media_type="application/json")


def _as_json(answer: object) -> bytes:
    return _serializer(type(answer)).to_json(answer)  # type: ignore[arg-type]  # mypy looks at the __hash__ of instances


@cache
def _serializer(kind: Any) -> SchemaSerializer:
    """Return what writes answers of a type; calling it straight saves a tenth of a score's time."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    serializer = adapter.serializer
    assert isinstance(serializer, SchemaSerializer)  # noqa: S101 - a mock stands there only for classes not yet defined
    return serializer
