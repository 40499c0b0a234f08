"""The OpenAPI document of merges and of the quarantine."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.api.document import LIMIT, ONCE, ResultOut, body, problems

_INTO = {
    "type": "object",
    "additionalProperties": False,
    "required": ["into"],
    "properties": {"into": {"type": "string", "minLength": 1, "maxLength": 200}},
}
_UNDER_WAY = "or the first request with this key is under way"


class MergedOut(BaseModel):
    """What became of a merge."""

    lead_id: str = Field(examples=["L-2"])
    into: str = Field(description="the lead that stays", examples=["L-1"])
    merged_at: str = Field(description="from then on one score stands for both", examples=["2026-03-01T12:00:05Z"])
    status: Literal["merged", "duplicate"]


class HeldOut(BaseModel):
    """A fact in quarantine."""

    id: int = Field(examples=[7])
    kind: Literal["leads", "activities", "outcomes"]
    fact_id: str = Field(examples=["web-81723"])
    lead_id: str = Field(examples=["L-1"])
    why: str = Field(examples=["occurred_at is 2 days ahead of our clock"])
    received_at: str = Field(examples=["2026-03-01T12:00:05Z"])
    fact: dict[str, Any] = Field(description="as it was sent")


class QuarantineOut(BaseModel):
    """The facts in quarantine, newest first."""

    quarantine: list[HeldOut]


class DiscardedOut(BaseModel):
    """A fact that was thrown away."""

    id: int
    status: Literal["discarded"]


MERGE: dict[str, Any] = {
    "summary": "Merge a lead into another one",
    "response_model": MergedOut,
    "responses": problems(
        (400, "The body is not JSON"),
        (404, "The lead is not known"),
        (409, f"The two are part of another merge, {_UNDER_WAY}"),
        (413, "The body is too large"),
        (422, "The body is not what was expected, or the other lead is not known"),
    ),
    "openapi_extra": {
        "parameters": [ONCE],
        "requestBody": body(_INTO, {"one": {"summary": "one", "value": {"into": "L-1"}}}),
    },
}
READ_QUARANTINE: dict[str, Any] = {
    "summary": "List facts in quarantine",
    "response_model": QuarantineOut,
    "responses": problems((422, "The query is not what was expected")),
    "openapi_extra": {"parameters": [LIMIT]},
}
RELEASE: dict[str, Any] = {
    "summary": "Take in a fact from quarantine",
    "response_model": ResultOut,
    "responses": problems(
        (404, "No fact with this number was quarantined"),
        (409, f"It was released or taken in already, its id is taken by now, {_UNDER_WAY}"),
        (410, "The lead was erased"),
        (413, "The body is too large"),
        (422, "The fact is not what is expected by now, or its lead is not known any more"),
    ),
    "openapi_extra": {"parameters": [ONCE]},
}
DISCARD: dict[str, Any] = {
    "summary": "Throw away a fact in quarantine",
    "response_model": DiscardedOut,
    "responses": problems(
        (404, "No fact with this number was quarantined"),
        (409, "It was released or taken in already"),
        (422, "The number or the query is not what was expected"),
    ),
}
