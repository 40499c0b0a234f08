"""Items that were not stored, and why."""

from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row

from serving.api.schemas.answer import Answer, NextPage, PreviousPage, UtcInstant


class RejectedItemOut(Answer):
    """An item that was not stored."""

    id: int = Field(description="rises with every rejected item", examples=[7])
    rejected_at: UtcInstant = Field(description="when it was sent")
    key_id: str = Field(description="the key that sent it", examples=["9f86d081884c"])
    kind: Literal["leads", "activities", "outcomes"] = Field(description="what it was sent as", examples=["activities"])
    item_id: str | None = Field(
        description="its own id; null where it has none that can be one, or its lead was erased",
        examples=["web-81723"],
    )
    reason: str = Field(
        description="why it was not stored, as the answer said",
        examples=["kind: not an activity of the playbook; known are page_view, demo_request."],
    )
    fields: list[str] = Field(description="the fields that the reason is about", examples=[["kind"]])

    @classmethod
    def of(cls, row: Row[Any]) -> "RejectedItemOut":
        """Return a row of the store's table as it is answered."""
        return cls.model_validate({**row._mapping, "fields": row.fields.split()})  # noqa: SLF001 - it is public


class RejectedItemsOut(Answer):
    """A page of rejected items, the newest first."""

    rejected: list[RejectedItemOut] = Field(description="the items")
    next: NextPage
    previous: PreviousPage
