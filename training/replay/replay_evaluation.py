"""The replay of the test weeks: what each participant's calls came to, and where two of them disagree."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from models.receipt import Receipt
from training.statistics.estimate import Estimate, EvaluationPart, Number
from training.statistics.scorer_metrics import ScorerIdentity, ScorerName

REASONS = 5
"""Reasons of a receipt that are kept, those that moved most first."""


class DayTotals(EvaluationPart):
    """Calls and conversions up to a day; a conversion counts on the day of its call."""

    day: str
    calls: float
    conversions: float


class ParticipantResult(ScorerIdentity):
    """What one participant's calls came to; counts are of the company's leads, so they need not be whole."""

    calls: float
    conversions: Estimate
    eventual_conversions: Estimate = Field(description="those and the ones that came later than the horizon")
    found_share: Estimate = Field(description="conversions, of all that any calls could have found")
    calls_per_conversion: Estimate
    days_before: Estimate = Field(description="mean days from the call to the goal")
    value: Estimate | None = Field(description="amount of the conversions; None where the history knows no amounts")
    by_day: tuple[DayTotals, ...]


class ReasonPoints(EvaluationPart):
    """A reason of a receipt, and the points it moved."""

    code: str
    says: str
    points: float


class ReceiptSummary(EvaluationPart):
    """A receipt with the reasons that moved most; the points of the others are in ``rest_points``."""

    score: int
    points: float
    base_points: float
    probability: Number
    grade: str
    reasons: tuple[ReasonPoints, ...]
    rest_points: float
    stretch: Number = None

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Shorten a receipt."""
        content = receipt.told(is_whole=False).as_json(reasons=REASONS)
        return cls.model_validate({name: content[name] for name in cls.model_fields})


class CalledLead(EvaluationPart):
    """A lead that only one of two participants called, with the receipts of both as of the same instant."""

    lead_id: str
    called_on: str
    reached_on: str | None = Field(description="day of the goal, if within the horizon from the call on")
    first_receipt: ReceiptSummary | None = Field(description="of the replay's first participant")
    other_receipt: ReceiptSummary | None


class ExclusiveCalls(EvaluationPart):
    """The leads that only one of two participants called, and the share of them that reached the goal."""

    leads: float
    rate: Estimate
    examples: tuple[CalledLead, ...] = Field(
        description="the clearest disagreements, in which hits and misses are as frequent as among all these leads"
    )


class PairwiseEvaluation(ScorerName):
    """The replay's first participant against one other, paired: the same leads on the same mornings."""

    conversions_more: Estimate = Field(description="conversions of the first, less those of the other")
    days_earlier: Estimate = Field(description="of what both found, how many days earlier the first called")
    value_more: Estimate | None
    rank_correlation: Number = Field(description="Spearman's, of their scores of all rows")
    calls_in_common: Number = Field(description="share of the first one's calls that the other made too")
    top_tenth_in_common: Number
    only_first: ExclusiveCalls
    only_other: ExclusiveCalls


class ReplayEvaluation(EvaluationPart):
    """The test weeks, replayed for every participant with the same calls a day."""

    start: str
    end: str
    days: int
    capacity_per_day: float
    leads: int
    conversions: float = Field(description="those that any calls could have found")
    participants: tuple[ParticipantResult, ...] = Field(description="the evaluated model first")
    pairwise: tuple[PairwiseEvaluation, ...] = Field(description="the first participant against each other one")
    winner: str
    decided: bool = Field(description="whether the 95 % interval of the difference excludes 0")
    says: str

    def with_absent(self, absent: Iterable[str]) -> Self:
        """Add a sentence on each scorer that should have taken part and could not."""
        return self.model_copy(update={"says": " ".join([self.says, *absent])})
