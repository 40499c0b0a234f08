"""
Scores with their reasons.

They leave by the thousand, so they are dataclasses, and not even frozen ones: pydantic describes and writes them like
its own models, but makes them three times as slowly. Each lives from here to the socket.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from data.instants import SECOND_US, iso
from models.receipt import ScorerId, chance
from serving.api.schemas.answer import (
    Answer,
    BeyondHistory,
    ClosedAt,
    GradeName,
    LastStage,
    OptionalInstant,
    UtcInstant,
)
from serving.scorers.live_scorer import Score

_NO_SUCH_LEAD = "this lead is not known; send it to /v1/leads first."


@dataclass(slots=True)
class ReasonOut:
    """One line of a receipt."""

    code: Annotated[str, Field(description="what it is about", examples=["page_view_pricing"])]
    says: Annotated[
        str, Field(description="the reason in words", examples=["opened the pricing page 3 times in 7 days"])
    ]
    points: Annotated[float, Field(description="the points it adds; below 0 it takes some away", examples=[8.25])]


class ScorerOut(Answer):
    """Which scorer made a score."""

    kind: Literal["rules", "model"] = Field(description="point rules, or a learned model", examples=["model"])
    name: str = Field(description="its name", examples=["demo"])
    version: str = Field(description="its version", examples=["3"])
    fingerprint: str = Field(
        description="SHA-256 of everything it is made of",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


@lru_cache(maxsize=16)
def _scorer(scorer: ScorerId) -> ScorerOut:
    """Return a scorer as it is answered; thousands of scores share one."""
    return ScorerOut.model_validate(scorer)


@dataclass(slots=True, kw_only=True)
class ReplayedScoreOut:
    """A score computed again: base_points plus the points of the reasons plus rest_points is points."""

    lead_id: Annotated[str, Field(description="the lead, or the one it was merged into", examples=["L-1"])]
    as_of: Annotated[UtcInstant, Field(description="the instant before which facts count")]
    score: Annotated[int, Field(description="the points as shown: rounded, 0 to 100", examples=[71])]
    points: Annotated[float, Field(description="the exact score", examples=[70.75])]
    base_points: Annotated[float, Field(description="the points before any reason", examples=[47.5])]
    probability: Annotated[
        float | None,
        Field(description="the chance to reach the goal; null for point rules without history", examples=[0.31]),
    ]
    chance: Annotated[str | None, Field(description="the probability in words", examples=["about 1 in 3"])]
    grade: Annotated[GradeName, Field(description="the band that the points are in", examples=["A"])]
    reasons: Annotated[
        list[ReasonOut], Field(description="those that moved the score most first; what never happened is one")
    ]
    rest_points: Annotated[float, Field(description="points of the reasons that are not shown", examples=[15.0])]
    stretch: Annotated[
        float | None,
        Field(
            description="the factor on its reasons under a calibration that bends; null where all leads share one",
            examples=[1.08],
        ),
    ]
    scorer: Annotated[ScorerOut, Field(description="which scorer made it")]
    degraded: Annotated[bool, Field(description="whether this scorer stands in for the model", examples=[False])]
    newest_activity_at: Annotated[OptionalInstant, Field(description="when the newest activity that counts occurred")]


@dataclass(slots=True, kw_only=True)
class ScoreOut(ReplayedScoreOut):
    """An explained score: base_points plus the points of the reasons plus rest_points is points."""

    newest_activity_age_s: Annotated[
        float | None, Field(description="seconds from the newest activity to as_of", examples=[5.000321])
    ]
    threshold: Annotated[float, Field(description="points from which leads are handed over", examples=[62.5])]
    beyond_history: BeyondHistory
    stage: LastStage
    closed_at: ClosedAt

    @classmethod
    def of(cls, score: Score, *, reasons: int | None) -> "ScoreOut":
        """Return a score as it is answered, with so many reasons, or all."""
        receipt, newest = score.receipt.told(is_whole=reasons is None), score.newest_activity_at
        return cls(
            lead_id=receipt.lead_id,
            as_of=iso(receipt.as_of),
            score=receipt.score,
            points=receipt.points,
            base_points=receipt.base_points,
            probability=receipt.probability,
            chance=chance(receipt.probability),
            grade=receipt.grade,
            reasons=[ReasonOut(reason.code, reason.says, reason.points) for reason in receipt.reasons],
            rest_points=receipt.rest_points,
            stretch=receipt.stretch,
            scorer=_scorer(receipt.scorer),
            degraded=score.degraded,
            newest_activity_at=None if newest is None else iso(newest),
            newest_activity_age_s=None if newest is None else (receipt.as_of - newest) / SECOND_US,
            threshold=score.threshold,
            beyond_history=score.beyond_history,
            **score.state.as_json(),
        )


@dataclass(slots=True)
class UnknownLeadOut:
    """A lead that is not known, in place of its score."""

    lead_id: Annotated[str, Field(description="the id, in the form of the playbook's rule", examples=["L-9"])]
    error: Annotated[str, Field(description="why there is no score", examples=[_NO_SUCH_LEAD])] = _NO_SUCH_LEAD


@dataclass(slots=True)
class ScoresOut:
    """Scores in the order of the request."""

    scores: Annotated[list[ScoreOut | UnknownLeadOut], Field(description="one for each id that was sent")]
    as_of: Annotated[UtcInstant, Field(description="the instant that all of them share")]
