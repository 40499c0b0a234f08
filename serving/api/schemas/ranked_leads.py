"""The worklist: open leads by their stored scores."""

from typing import Any

from pydantic import Field
from sqlalchemy import Row

from data.instants import SECOND_US
from data.lifecycle.lead_lifecycle import LeadState
from models.receipt import chance
from serving.api.schemas.answer import (
    Answer,
    BeyondHistory,
    ClosedAt,
    GradeName,
    LastStage,
    NextPage,
    OptionalInstant,
    PreviousPage,
    UtcInstant,
)
from serving.scores.worklist import Freshness


class StoredScoreOut(Answer):
    """A lead's score as of when it was last computed."""

    lead_id: str = Field(description="the lead", examples=["L-1"])
    as_of: UtcInstant = Field(description="when it was last computed")
    score: int = Field(description="the points as shown: rounded, 0 to 100", examples=[71])
    points: float = Field(description="the exact score", examples=[70.75])
    grade: GradeName = Field(description="the band that the points are in", examples=["A"])
    probability: float | None = Field(
        description="the chance to reach the goal; null for point rules without history", examples=[0.31]
    )
    chance: str | None = Field(description="the probability in words", examples=["about 1 in 3"])
    newest_activity_at: OptionalInstant = Field(description="when the newest activity that counts occurred")
    receipt_id: str = Field(description="the receipt with its reasons", examples=["0b5d0c1e4f6a4c1d9e2b7a8c3d4e5f60"])
    stored_score_age_s: float = Field(description="seconds since it was last computed", examples=[12.5])
    waiting: bool = Field(description="whether facts came since that are not counted yet", examples=[False])
    stale: bool = Field(description="whether it is older than promised, or another scorer's", examples=[False])
    why_stale: str | None = Field(
        description="why it is stale; null where it is fresh", examples=["another scorer answers by now"]
    )
    beyond_history: BeyondHistory
    stage: LastStage
    closed_at: ClosedAt

    @classmethod
    def of(cls, row: Row[Any], fresh: Freshness, state: LeadState) -> "StoredScoreOut":
        """Return a row of the worklist as it is answered."""
        why = fresh.why_stale(row.as_of, row.scorer, row.since)
        return cls.model_validate(
            {
                **row._mapping,  # noqa: SLF001 - it is public
                "chance": chance(row.probability),
                "stored_score_age_s": max(0.0, (fresh.now - row.as_of) / SECOND_US),
                "waiting": row.since is not None,
                "stale": why is not None,
                "why_stale": why,
                **state._asdict(),
            }
        )


class WorklistOut(Answer):
    """A page of the open leads, those with the highest scores first."""

    scores: list[StoredScoreOut] = Field(description="the leads' stored scores")
    now: UtcInstant = Field(description="the instant of the answer")
    next: NextPage
    previous: PreviousPage
