"""Receipts of past scores, their replay, and what changed since."""

from typing import Literal

from pydantic import Field

from serving.api.schemas.answer import (
    Answer,
    BeyondHistory,
    ClosedAt,
    GradeName,
    LastStage,
    OptionalInstant,
    UtcInstant,
)
from serving.api.schemas.explained_scores import ReasonOut, ReplayedScoreOut

_RECEIPT_ID = Field(description="the receipt's id", examples=["0b5d0c1e4f6a4c1d9e2b7a8c3d4e5f60"])
_SCORE = Field(description="the points as shown: rounded, 0 to 100", examples=[71])
_POINTS = Field(description="the exact score", examples=[70.75])
_GRADE = Field(description="the band that the points are in", examples=["A"])
_FINGERPRINT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class ReceiptScorerOut(Answer):
    """Which scorer made a receipt; only its fingerprint is known where it cannot be loaded any more."""

    fingerprint: str = Field(description="SHA-256 of everything it is made of", examples=[_FINGERPRINT])
    kind: Literal["rules", "model"] | None = Field(
        default=None,
        description="point rules, or a learned model",
        examples=["model"],
        exclude_if=lambda kind: not kind,
    )
    name: str | None = Field(
        default=None, description="its name", examples=["demo"], exclude_if=lambda name: name is None
    )
    version: str | None = Field(
        default=None, description="its version", examples=["3"], exclude_if=lambda version: version is None
    )


class ReceiptOut(Answer):
    """A past score; base_points plus the points of all reasons is points."""

    receipt_id: str = _RECEIPT_ID
    lead_id: str = Field(description="the lead", examples=["L-1"])
    role: Literal["champion", "shadow"] = Field(
        description="the champion, or the shadow whose scores are only recorded", examples=["champion"]
    )
    as_of: UtcInstant = Field(description="the instant before which facts count")
    score: int = _SCORE
    points: float = _POINTS
    base_points: float = Field(description="the points before any reason", examples=[47.5])
    probability: float | None = Field(
        description="the chance to reach the goal; null for point rules without history", examples=[0.31]
    )
    chance: str | None = Field(description="the probability in words", examples=["about 1 in 3"])
    grade: GradeName = _GRADE
    threshold: float = Field(description="points from which leads were handed over then", examples=[62.5])
    reasons: list[ReasonOut] = Field(description="those that moved the score most first")
    scorer: ReceiptScorerOut = Field(description="which scorer made it")
    degraded: bool = Field(description="whether that scorer stood in for the model", examples=[False])
    newest_activity_at: OptionalInstant = Field(description="when the newest activity that counts occurred")
    beyond_history: BeyondHistory
    stage: LastStage
    closed_at: ClosedAt


class ReceiptsOut(Answer):
    """The receipts of a lead, the newest first."""

    receipts: list[ReceiptOut] = Field(description="the receipts")


class ReplayOut(Answer):
    """A receipt computed again."""

    receipt_id: str = _RECEIPT_ID
    equal: bool = Field(
        description="whether values and facts have the very same score again, apart from what an erasure changed",
        examples=[True],
    )
    differences: list[str] = Field(
        description="what differs, feature by feature and reason by reason",
        examples=[["page_views_7d: 3.0 was known then, the facts give 2.0 now"]],
    )
    changed_by_erasure: list[str] = Field(
        description="what differs because a lead of the same account was erased, which is no fault",
        examples=[["account_page_views_7d: 5.0 was known then, the facts give 3.0 now"]],
    )
    given: ReceiptOut = Field(description="the receipt as it was stored")
    again: ReplayedScoreOut | None = Field(
        description="what the facts as they were known then give now; null where they give nothing"
    )


class ScoreEndOut(Answer):
    """A score at one end of a change."""

    score: int = _SCORE
    points: float = _POINTS
    grade: GradeName = _GRADE
    scorer: ReceiptScorerOut = Field(description="which scorer made it")


class ScoreChangeOut(Answer):
    """What changed: before.points plus the points of all changes is after.points."""

    lead_id: str = Field(description="the lead", examples=["L-1"])
    since: UtcInstant = Field(description="the earlier instant")
    as_of: UtcInstant = Field(description="the later instant")
    before: ScoreEndOut = Field(description="the score at the earlier instant")
    after: ScoreEndOut = Field(description="the score at the later instant")
    points: float = Field(description="the difference", examples=[8.25])
    changes: list[ReasonOut] = Field(description="those that moved the score most first")
    beyond_history: BeyondHistory
    stage: LastStage
    closed_at: ClosedAt
    says: str = Field(
        description="the most important of it in a sentence",
        examples=["From 63 to 71 points: opened the pricing page 3 times in 7 days (+8.2)."],
    )
