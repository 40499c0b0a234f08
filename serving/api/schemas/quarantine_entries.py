"""Facts in quarantine."""

from typing import Any, Literal

from pydantic import Field

from serving.api.schemas.answer import Answer, UtcInstant


class QuarantinedFactOut(Answer):
    """A fact in quarantine."""

    id: int = Field(
        validation_alias="number", description="its number, by which it is released or discarded", examples=[7]
    )
    kind: Literal["leads", "activities", "outcomes"] = Field(description="what it is", examples=["activities"])
    fact_id: str = Field(description="the fact's own id", examples=["web-81723"])
    lead_id: str = Field(description="the lead that it is about", examples=["L-1"])
    why: str = Field(description="why it cannot be right yet", examples=["occurred_at is 2 days ahead of our clock"])
    received_at: UtcInstant = Field(description="when it was sent")
    fact: dict[str, Any] = Field(
        validation_alias="sent",
        description="as it was sent",
        examples=[
            {"activity_id": "web-81723", "lead_id": "L-1", "kind": "call", "occurred_at": "2026-03-03T12:00:00Z"}
        ],
    )


class QuarantineOut(Answer):
    """The facts in quarantine, the newest first."""

    quarantine: list[QuarantinedFactOut] = Field(description="the facts")


class DiscardedFactOut(Answer):
    """A fact that was thrown away."""

    id: int = Field(description="its number", examples=[7])
    status: Literal["discarded"] = Field(default="discarded", description="what became of it", examples=["discarded"])
