"""What became of facts that were sent."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from serving.api.schemas.answer import Answer
from serving.intake.ingestion import ItemOutcome

_Message = Annotated[str, BeforeValidator(str)]


class ItemResultOut(Answer):
    """What became of one item."""

    id: str | None = Field(description="the item's own id; null where it has none that can be one", examples=["web-8"])
    status: Literal["stored", "duplicate", "quarantined", "rejected"] = Field(
        description="stored is new, duplicate was there already, quarantined waits, rejected is not kept",
        examples=["stored"],
    )
    error: _Message | None = Field(
        default=None,
        description="why it was rejected; absent otherwise",
        examples=["lead_id: is missing."],
        exclude_if=lambda error: error is None,
    )


class IngestionOut(Answer):
    """What became of all items; what is stored is on disk."""

    results: list[ItemResultOut] = Field(description="one for each item, in the order they were sent")
    stored: int = Field(description="how many are new", examples=[1])
    duplicates: int = Field(description="how many were there already", examples=[0])
    quarantined: int = Field(description="how many are ahead of our clock; nothing counts them", examples=[0])
    rejected: int = Field(description="how many were not kept", examples=[0])

    @classmethod
    def of(cls, results: Sequence[ItemOutcome]) -> "IngestionOut":
        """
        Return the results of a batch as they are answered.

        >>> IngestionOut.of([ItemOutcome("a", "stored"), ItemOutcome("b", "duplicate")]).duplicates
        1
        """
        counts = Counter(result.status for result in results)
        numbers = {"stored": counts["stored"], "quarantined": counts["quarantined"], "rejected": counts["rejected"]}
        return cls.model_validate({"results": results, "duplicates": counts["duplicate"], **numbers})
