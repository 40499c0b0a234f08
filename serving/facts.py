"""What callers send: leads, activities and outcomes, checked strictly and against the playbook."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from data.contract import AttributeType
from data.instants import to_us
from data.words.id_rules import IdForms
from data.words.playbook import Business, LeadAttribute
from serving.errors import InvalidError
from serving.lead_ids import AccountRef, Id, LeadRef
from serving.validation_messages import NUMBER, PLAIN_PATTERN, message_of, safe_name

_LONGEST_INSTANT = 40
_EARLIEST_YEAR = 1900
LARGEST = 1e15
MOST_ACTIVITIES = 1000
"""Activities of one preview."""
_MOST_UNKNOWN = 5
"""Unknown fields of an object that are described one by one."""


PlainText = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PLAIN_PATTERN)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_PLAIN_TEXT: TypeAdapter[str] = TypeAdapter(PlainText)
_PLAIN_TEXT_IN_WORDS = "text of 1 to 500 characters without control characters, and without blanks at its ends"


def instant(value: object) -> int:
    """
    Return an instant that has its offset from UTC as microseconds since 1970 UTC.

    An instant before 1900 is a placeholder, here as in the exports.

    >>> instant("1970-01-01T01:00:01+01:00")
    1000000

    Raises:
        PydanticCustomError: it is not ISO 8601 with an offset, or before 1900.
    """
    parsed = _parsed(value)
    if parsed is None:
        kind, message = "instant", "expected an ISO 8601 instant with its offset, such as 2026-03-01T12:00:00Z"
        raise PydanticCustomError(kind, message)
    with suppress(OverflowError):
        in_utc = parsed.astimezone(UTC)
        if in_utc.year >= _EARLIEST_YEAR:
            return to_us(in_utc)
    kind, message = "early_instant", "expected an instant from 1900 on; leave the field out or send the true one"
    raise PydanticCustomError(kind, message)


def _parsed(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > _LONGEST_INSTANT:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if parsed.tzinfo is None else parsed


InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""An instant as it is written in JSON."""
Instant = Annotated[int, BeforeValidator(instant, json_schema_input_type=InstantText)]
_LEAD_ID = Field(description="your id of the lead", examples=["L-1"])
_KIND = Field(description="one of the playbook's activities", examples=["page_view"])
_OCCURRED_AT = Field(description="when it happened, with its offset from UTC", examples=["2026-03-01T12:00:00Z"])
_SUBJECT = Field(default=None, description="what it was about; only where the kind has a subject", examples=["pricing"])
_VALUE = Field(default=None, description="in the kind's unit; only where the kind has a value", examples=[3])


class Fact(BaseModel):
    """A frozen value that a caller sent; unknown fields are mistakes and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _few_unknown(cls, value: object) -> object:
        """Refuse many unknown fields in one sentence: pydantic describes each, in one call that nobody interrupts."""
        if isinstance(value, dict) and len(value) > _MOST_UNKNOWN:
            unknown = [name for name in value if name not in cls.model_fields]
            if len(unknown) > _MOST_UNKNOWN:
                names = "; ".join(f"unknown field {safe_name(name)}" for name in unknown[:_MOST_UNKNOWN])
                kind, message = "unknown_fields", "{names}; and {more} more"
                raise PydanticCustomError(kind, message, {"names": names, "more": f"{len(unknown) - _MOST_UNKNOWN:,}"})
        return value


class LeadFact(Fact):
    """A lead as it is known from now on; an attribute that is left out is unknown."""

    lead_id: LeadRef = _LEAD_ID
    account_id: AccountRef = Field(default=None, description="your id of the lead's company", examples=["A-7"])
    created_at: Instant | None = Field(
        default=None,
        description="when the lead came into being; by default as sent before, or else now",
        examples=["2026-02-27T08:15:00Z"],
    )
    attributes: dict[str, Any] = Field(
        default_factory=dict,
        max_length=1000,
        description="values by the names of the playbook's attributes",
        examples=[{"seniority": "director", "employees": 250, "business_email": True}],
    )


class ActivityFact(Fact):
    """Something a lead did or that was done to it."""

    activity_id: Id = Field(description="your id of the activity; a second one with it counts once", examples=["web-8"])
    lead_id: LeadRef = _LEAD_ID
    kind: Id = _KIND
    occurred_at: Instant = _OCCURRED_AT
    subject: PlainText | None = _SUBJECT
    value: Number | None = _VALUE


class OutcomeFact(Fact):
    """A stage that a lead reached."""

    outcome_id: Id = Field(description="your id of the outcome; a second one with it counts once", examples=["crm-552"])
    lead_id: LeadRef = _LEAD_ID
    stage: Id = Field(description="one of the playbook's stages", examples=["sql"])
    reached_at: Instant = Field(
        description="when it was reached, with its offset from UTC", examples=["2026-03-02T09:30:00+01:00"]
    )
    amount: Number | None = Field(default=None, description="what it is worth", examples=[12000])
    reason: PlainText | None = Field(default=None, description="why, in a few words", examples=["no budget"])


class PreviewActivity(Fact):
    """An activity that is not stored."""

    kind: Id = _KIND
    occurred_at: Instant = _OCCURRED_AT
    subject: PlainText | None = _SUBJECT
    value: Number | None = _VALUE


def _few(activities: object) -> object:
    """Refuse too many activities before the mistakes of each are described, which pydantic does first."""
    if isinstance(activities, list) and len(activities) > MOST_ACTIVITIES:
        kind: Literal["too_long"] = "too_long"
        length = {"field_type": "Tuple", "max_length": MOST_ACTIVITIES, "actual_length": len(activities)}
        raise PydanticKnownError(kind, length)
    return activities


class Preview(Fact):
    """A lead and its activities, to be scored without being stored."""

    lead: LeadFact = Field(description="the lead", examples=[{"lead_id": "L-1", "account_id": "A-7"}])
    activities: Annotated[
        tuple[PreviewActivity, ...],
        Field(strict=False, max_length=MOST_ACTIVITIES),
        FailFast(),
        BeforeValidator(_few),
    ] = Field(
        default=(),
        description="what it did, in any order",
        examples=[[{"kind": "demo_request", "occurred_at": "2026-03-01T12:00:00Z"}]],
    )


Model = TypeVar("Model", bound=BaseModel)
_AS_SENT = IdForms()


def read_as(model: type[Model], value: object, forms: IdForms = _AS_SENT) -> Model:
    """
    Return parsed JSON as a model.

    Args:
        model: what it is.
        value: the JSON.
        forms: the rules into whose form ids of leads and accounts are brought.

    Raises:
        InvalidError: in one sentence, the first fields that are wrong, without their content.
    """
    try:
        return model.model_validate(value, context=forms)
    except ValidationError as error:
        raise InvalidError(message_of(error.errors(include_url=False))) from None


def check_lead(fact: LeadFact, business: Business, *, latest: int) -> None:
    """
    Check a lead against the playbook; instants after ``latest`` are in the future [us since 1970 UTC].

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
        expected = None if value is None else _expected(business.attributes[name], value)
        if expected is not None:
            message = f"attributes.{name}: expected {expected}."
            raise InvalidError(message)


def canonical(attributes: Mapping[str, object]) -> str:
    """
    Return attributes as canonical JSON, without those that are unknown: equal attributes have equal text.

    >>> canonical({"size": 5, "country": "NL", "source": None})
    '{"country":"NL","size":5.0}'
    """
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
        InvalidError: its kind or its subject is unknown, it has a subject or value that its kind has not, or it is in
            the future.
    """
    kind = business.activities.get(fact.kind)
    if kind is None:
        message = f"kind: not an activity of the playbook; known are {', '.join(business.activities)}."
        raise InvalidError(message)
    if fact.subject is not None and not kind.carries_subject:
        message = f"subject: {fact.kind} carries no subject; leave it out."
        raise InvalidError(message)
    if fact.subject is not None and not kind.allows_subject(fact.subject):
        message = f"subject: not a subject of {fact.kind} in the playbook; known are {', '.join(kind.subjects)}."
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


def _check_past(instant_us: int, name: str, latest: int) -> None:
    if instant_us > latest:
        message = f"{name}: this instant is in the future; send a fact once it has happened."
        raise InvalidError(message)


def _expected(attribute: LeadAttribute, value: object) -> str | None:
    """Return what was expected where a value is something else; None where it is right."""
    match attribute.type:
        case AttributeType.NUMERIC:
            return None if _is_number(value) else NUMBER
        case AttributeType.BOOLEAN:
            return None if isinstance(value, bool) else "true or false"
        case AttributeType.CATEGORY if attribute.values is not None:
            return None if value in attribute.values else f"one of {', '.join(attribute.values)}"
        case AttributeType.CATEGORY:
            return None if _is_valid(_PLAIN_TEXT, value) else _PLAIN_TEXT_IN_WORDS


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _is_valid(text: TypeAdapter[str], value: object) -> bool:
    try:
        text.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
