"""The leads that were handed over."""

import json
from typing import Any

from pydantic import Field
from sqlalchemy import Row

from data.lifecycle.lead_lifecycle import LeadState
from serving.api.schemas.answer import (
    Answer,
    ClosedAt,
    GradeName,
    LastStage,
    NextPage,
    PreviousPage,
    UtcInstant,
)
from serving.api.schemas.explained_scores import ReasonOut


class HandoverOut(Answer):
    """A lead that was handed over."""

    id: int = Field(description="rises with every handover", examples=[7])
    lead_id: str = Field(description="the lead", examples=["L-1"])
    score: int = Field(description="the points as shown: rounded, 0 to 100", examples=[71])
    grade: GradeName = Field(description="its grade then", examples=["A"])
    threshold: float = Field(description="points from which leads were handed over then", examples=[62.5])
    routed_at: UtcInstant = Field(description="when it was handed over")
    reasons: list[ReasonOut] = Field(description="the reasons that moved its score most")
    stage: LastStage
    closed_at: ClosedAt

    @classmethod
    def of(cls, row: Row[Any], state: LeadState) -> "HandoverOut":
        """Return a row of the store's table as it is answered, with where its lead stands by now."""
        content = {**row._mapping, **state._asdict()}  # noqa: SLF001 - both are public
        return cls.model_validate({**content, "reasons": json.loads(row.reasons)})


class HandoversOut(Answer):
    """A page of handovers, the newest first."""

    routes: list[HandoverOut] = Field(description="the handovers")
    next: NextPage
    previous: PreviousPage
