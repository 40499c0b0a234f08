"""The replay of the test weeks: what each participant's calls came to, and where two of them disagree."""

from typing import TYPE_CHECKING, Self

from pydantic import Field

from data.instants import iso
from training.statistics.estimate import Estimate, EvaluationPart, Number
from training.statistics.scorer_metrics import ScorerIdentity, ScorerName

if TYPE_CHECKING:  # whoever only reads an evaluation does not load what makes one
    from models.receipt import Receipt
    from training.replay import Replay
    from training.replay.disagreements import DisagreementExample, SwapSet
    from training.replay.pairwise import PairwiseResult
    from training.replay.results import ReplayResult

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
    found_share: Estimate = Field(description="conversions, of all that any calls could have found")
    calls_per_conversion: Estimate
    days_before: Estimate = Field(description="mean days from the call to the goal")
    value: Estimate | None = Field(description="amount of the conversions; None where the history knows no amounts")
    by_day: tuple[DayTotals, ...]

    @classmethod
    def of(cls, result: "ReplayResult") -> Self:
        """Read it from the replay."""
        who = result.participant
        return cls(
            name=who.name,
            kind=who.kind,
            version=who.version,
            fingerprint=who.fingerprint,
            calls=result.calls,
            conversions=result.conversions,
            found_share=result.found_share,
            calls_per_conversion=result.calls_per_conversion,
            days_before=result.days_before,
            value=None if result.value is None else result.value,
            by_day=tuple(DayTotals(day=day, calls=calls, conversions=won) for day, calls, won in result.by_day),
        )


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
    def of(cls, receipt: "Receipt | None") -> Self | None:
        """Shorten a receipt; None where the scorer writes none."""
        if receipt is None:
            return None
        content = receipt.as_json(reasons=REASONS)
        return cls.model_validate({name: content[name] for name in cls.model_fields})


class CalledLead(EvaluationPart):
    """A lead that only one of two participants called, with the receipts of both as of the same instant."""

    lead_id: str
    called_on: str
    reached_on: str | None = Field(description="day of the goal, if within the horizon from the call on")
    first_receipt: ReceiptSummary | None = Field(description="of the replay's first participant")
    other_receipt: ReceiptSummary | None

    @classmethod
    def of(cls, example: "DisagreementExample") -> Self:
        """Read it from the replay."""
        return cls(
            lead_id=example.lead_id,
            called_on=example.called_on,
            reached_on=example.reached_on,
            first_receipt=ReceiptSummary.of(example.first),
            other_receipt=ReceiptSummary.of(example.other),
        )


class ExclusiveCalls(EvaluationPart):
    """The leads that only one of two participants called, and the share of them that reached the goal."""

    leads: float
    rate: Estimate
    examples: tuple[CalledLead, ...]

    @classmethod
    def of(cls, calls: "SwapSet") -> Self:
        """Read them from the replay."""
        examples = tuple(CalledLead.of(example) for example in calls.examples)
        return cls(leads=calls.leads, rate=calls.rate, examples=examples)


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

    @classmethod
    def of(cls, pair: "PairwiseResult") -> Self:
        """Read it from the replay."""
        difference, agreement = pair.difference, pair.agreement
        return cls(
            name=pair.other.name,
            kind=pair.other.kind,
            conversions_more=difference.conversions_more,
            days_earlier=difference.days_earlier,
            value_more=None if difference.value_more is None else difference.value_more,
            rank_correlation=agreement.rank_correlation,
            calls_in_common=agreement.calls_in_common,
            top_tenth_in_common=agreement.top_tenth_in_common,
            only_first=ExclusiveCalls.of(pair.only_first),
            only_other=ExclusiveCalls.of(pair.only_other),
        )


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

    @classmethod
    def of(cls, replay: "Replay") -> Self:
        """Read it from the replay."""
        return cls(
            start=iso(replay.period.start),
            end=iso(replay.period.end),
            days=replay.days,
            capacity_per_day=replay.capacity_per_day,
            leads=replay.leads,
            conversions=replay.conversions,
            participants=tuple(ParticipantResult.of(result) for result in replay.results),
            pairwise=tuple(PairwiseEvaluation.of(pair) for pair in replay.pairwise),
            winner=replay.conclusion.winner,
            decided=replay.conclusion.decided,
            says=" ".join([replay.conclusion.says, *replay.absent]),
        )
