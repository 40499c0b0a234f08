"""What callers tell us: leads, activities and outcomes, checked against the playbook, strict to the last sign."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from data.contract import AttributeType
from data.instants import to_us
from data.playbook import Business, LeadAttribute
from serving.errors import InvalidError

_PLAIN = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
_SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST_INSTANT = 40
_EARLIEST_YEAR = 1900
LARGEST = 1e15
_NAMED = 5
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
Said = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PLAIN)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
_NUMBER = "a number from -1e15 to 1e15"
_WITHOUT = "without control characters, and without blanks at its ends"
_WORDS = {
    "missing": "is missing",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "too_long": "expected at most {max_length:,} items",
    "string_type": "expected text",
    "string_too_short": "expected text of at least {min_length:,} signs",
    "string_too_long": "expected text of at most {max_length:,} signs",
    "string_unicode": "expected Unicode text without lone surrogates",
    "string_pattern_mismatch": f"expected text {_WITHOUT}",
    "float_type": f"expected {_NUMBER}",
    "finite_number": f"expected {_NUMBER}",
    "greater_than_equal": f"expected {_NUMBER}",
    "less_than_equal": f"expected {_NUMBER}",
}
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_ID: TypeAdapter[str] = TypeAdapter(Id)
_SAID: TypeAdapter[str] = TypeAdapter(Said)


def instant(given: object) -> int:
    """
    Read an instant that says its offset from UTC, into microseconds since 1970 UTC.

    What is before 1900 is a placeholder, not an instant, here as in the exports.

    >>> instant("1970-01-01T01:00:01+01:00")
    1000000
    """
    if isinstance(given, str) and len(given) <= _LONGEST_INSTANT:
        try:
            found = datetime.fromisoformat(given)
        except ValueError:
            found = None
        if found is not None and found.tzinfo is not None:
            return _counted(found)
    kind, message = "instant", "expected an ISO 8601 instant with its offset, such as 2026-03-01T12:00:00Z"
    raise PydanticCustomError(kind, message)


def _counted(found: datetime) -> int:
    with suppress(OverflowError):
        at = found.astimezone(UTC)
        if at.year >= _EARLIEST_YEAR:
            return to_us(at)
    kind, message = "early_instant", "expected an instant from 1900 on; leave the field out or send the true one"
    raise PydanticCustomError(kind, message)


Instant = Annotated[
    int,
    BeforeValidator(instant, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})]),
]


class Fact(BaseModel):
    """A frozen value that a caller sent; unknown fields are mistakes and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LeadFact(Fact):
    """A lead as it is known from now on; attributes that are left out are unknown."""

    lead_id: Id
    account_id: Id | None = None
    created_at: Instant | None = Field(default=None, description="default: as told before, or else now")
    attributes: dict[str, Any] = Field(default_factory=dict, max_length=1000)


class ActivityFact(Fact):
    """Something a lead did or that was done to it."""

    activity_id: Id
    lead_id: Id
    kind: Id = Field(description="one of the playbook's activities")
    occurred_at: Instant
    subject: Said | None = Field(default=None, description="only where the kind may carry one")
    value: Number | None = Field(default=None, description="only where the kind may carry one, in its unit")


class OutcomeFact(Fact):
    """A lead reached a stage."""

    outcome_id: Id
    lead_id: Id
    stage: Id = Field(description="one of the playbook's stages")
    reached_at: Instant
    amount: Number | None = None
    reason: Said | None = None


class PreviewActivity(Fact):
    """An activity of a lead that is only looked at."""

    kind: Id
    occurred_at: Instant
    subject: Said | None = None
    value: Number | None = None


class Preview(Fact):
    """A lead and its activities, to be scored without being stored."""

    lead: LeadFact
    activities: Annotated[tuple[PreviewActivity, ...], Field(strict=False, max_length=1000)] = ()


Model = TypeVar("Model", bound=BaseModel)


def read_as(model: type[Model], given: object) -> Model:
    """
    Read JSON as a model.

    Raises:
        InvalidError: one sentence that names the first fields that are wrong, without repeating their content.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        mistakes = [_mistake(part) for part in error.errors(include_url=False)]
        more = f"; and {len(mistakes) - _NAMED:,} more" if len(mistakes) > _NAMED else ""
        message = f"{'; '.join(mistakes[:_NAMED])}{more}."
        raise InvalidError(message) from None


def _mistake(error: ErrorDetails) -> str:
    names = [safe_name(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        *names, unknown = names
        said = f"unknown field {unknown}"
    else:
        usual = error["msg"][:1].lower() + error["msg"][1:]
        said = _WORDS.get(error["type"], usual).format(**error.get("ctx", {}))
    return f"{'.'.join(names)}: {said}" if names else said


def safe_name(given: int | str) -> str:
    """
    Give a name for a message if it looks like one, since a message never repeats what else was sent.

    >>> safe_name("lead_id"), safe_name("<b>")
    ('lead_id', '(name)')
    """
    return str(given) if isinstance(given, int) or _SAFE_NAME.fullmatch(given) else "(name)"


def check_lead(fact: LeadFact, business: Business, *, latest: int) -> None:
    """
    Check a lead against the playbook.

    Args:
        fact: as sent.
        business: says which attributes there are.
        latest: instants after this one are in the future [us since 1970 UTC].

    Raises:
        InvalidError: an attribute is not the playbook's, or an instant is in the future.
    """
    if fact.created_at is not None:
        _check_past(fact.created_at, "created_at", latest)
    for name, value in fact.attributes.items():
        if name not in business.attributes:
            known = ", ".join(business.attributes) or "none"
            message = f"attributes: one of them is not an attribute of the playbook; known are {known}."
            raise InvalidError(message)
        _check_attribute(name, business.attributes[name], value)


def attributes_json(fact: LeadFact) -> str:
    """
    Write a lead's attributes as canonical JSON, without those that are unknown.

    >>> attributes_json(LeadFact(lead_id="a", attributes={"size": 5, "country": "NL", "source": None}))
    '{"country":"NL","size":5.0}'
    """
    return canonical(fact.attributes)


def canonical(attributes: Mapping[str, object]) -> str:
    """Write attributes as canonical JSON: equal attributes give equal text."""
    known = {
        name: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for name, value in attributes.items()
        if value is not None
    }
    return _CANONICAL.encode(known)


def check_activity(fact: ActivityFact | PreviewActivity, business: Business, *, latest: int) -> None:
    """
    Check an activity against the playbook.

    Raises:
        InvalidError: its kind is unknown, carries what it may not, or it is in the future.
    """
    kind = business.activities.get(fact.kind)
    if kind is None:
        message = f"kind: not an activity of the playbook; known are {', '.join(business.activities)}."
        raise InvalidError(message)
    if fact.subject is not None and not kind.carries_subject:
        message = f"subject: {fact.kind} carries no subject; leave it out."
        raise InvalidError(message)
    if fact.value is not None and kind.value is None:
        message = f"value: {fact.kind} carries no value; leave it out."
        raise InvalidError(message)
    _check_past(fact.occurred_at, "occurred_at", latest)


def check_outcome(fact: OutcomeFact, business: Business, *, latest: int) -> None:
    """
    Check an outcome against the playbook.

    Raises:
        InvalidError: its stage is unknown or it is in the future.
    """
    if fact.stage not in business.stages:
        message = f"stage: not a stage of the playbook; known are {', '.join(business.stages)}."
        raise InvalidError(message)
    _check_past(fact.reached_at, "reached_at", latest)


def _check_past(at: int, name: str, latest: int) -> None:
    if at > latest:
        message = f"{name}: this instant is in the future; send a fact once it has happened."
        raise InvalidError(message)


def _check_attribute(name: str, attribute: LeadAttribute, value: object) -> None:
    expected = None if value is None else _expected(attribute, value)
    if expected is not None:
        message = f"attributes.{name}: expected {expected}."
        raise InvalidError(message)


def _expected(attribute: LeadAttribute, value: object) -> str | None:
    """Say what was expected where a value is not it."""
    match attribute.type:
        case AttributeType.NUMERIC:
            return None if _is_number(value) else _NUMBER
        case AttributeType.BOOLEAN:
            return None if isinstance(value, bool) else "true or false"
        case AttributeType.CATEGORY if attribute.values is not None:
            return None if value in attribute.values else f"one of {', '.join(attribute.values)}"
        case AttributeType.CATEGORY:
            return (
                None
                if _is_said(value)
                else "text of 1 to 500 signs without control characters, and without blanks at its ends"
            )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -LARGEST <= value <= LARGEST


def _is_said(value: object) -> bool:
    try:
        _SAID.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def shown(given: str) -> str:
    """
    Give an id for a message: quoted if it is well formed, without its content if it is not.

    >>> shown("L-1"), shown("x" * 300)
    ("'L-1'", 'with this id')
    """
    return f"{given!r}" if is_id(given) else "with this id"


def is_id(given: object) -> bool:
    """Say whether something can be an id."""
    try:
        _ID.validate_python(given, strict=True)
    except ValidationError:
        return False
    return True
