"""How good each scorer is: on all rows, at each origin, in each segment, and along its curves."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from pydantic import Field

from training.statistics.estimate import Estimate, EvaluationPart, Number
from training.statistics.scorer_metrics import Kind, ScorerEvaluation, ScorerName


class LogLossDifference(EvaluationPart):
    """The log loss of the model minus that of another scorer on the same rows, paired."""

    name: str = Field(description="the other scorer")
    log_loss: Estimate


class Period(EvaluationPart):
    """A half-open span of time."""

    start: str = Field(description="first instant, ISO 8601 in UTC")
    end: str = Field(description="instant at which it is over, ISO 8601 in UTC")
    days: float


class OriginEvaluation(EvaluationPart):
    """One origin: everything was fitted anew on the weeks before it and evaluated on the weeks after it."""

    number: int = Field(description="counted from 1, the oldest")
    train: Period
    test: Period
    rows: int
    positives: int
    scorers: tuple[ScorerEvaluation, ...]
    differences: tuple[LogLossDifference, ...]
    says: str


class SegmentMetrics(ScorerName):
    """The numbers of one scorer in one segment; all None where the segment has too few leads."""

    log_loss: Estimate | None = None
    auc: Estimate | None = None
    precision_at_10: Estimate | None = None
    lift_at_10: Estimate | None = None
    observed_over_expected: Estimate | None = None
    base_rate: Estimate | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is any number."""
        return any(number is not None for number in (self.log_loss, self.auc, self.base_rate))


class SegmentEvaluation(EvaluationPart):
    """One kind of lead: how many there are, and how good each scorer is for them."""

    attribute: str
    label: str
    value: str
    says: str = Field(description="the value in the playbook's words")
    rows: int
    positives: int
    leads: int
    scorers: tuple[SegmentMetrics, ...]
    note: str = Field(description="why there are no numbers; empty where there are")

    @property
    def is_known(self) -> bool:
        """Whether any scorer has a number."""
        return any(scorer.is_known for scorer in self.scorers)


class ReliabilityPoint(EvaluationPart):
    """A bin of rows: the mean chance, the share that came true, and where a perfect scorer would lie."""

    predicted: float
    observed: float
    share: float
    low: Number
    high: Number


class ReliabilityCurve(ScorerName):
    """Predicted chances against what came true, in bins of equal weight, with the calibration error."""

    points: tuple[ReliabilityPoint, ...]
    error: Number
    noise_95: Number


class GainPoint(EvaluationPart):
    """The share of all successes that is among the best-scored share of the rows."""

    called: float
    found: Number


class GainCurve(ScorerName):
    """How much of the success is found by calling from the top of the list."""

    points: tuple[GainPoint, ...]


class LiftPoint(EvaluationPart):
    """How many times as often the best share of the rows succeeds as all rows."""

    share: float
    lift: Number
    low: Number
    high: Number

    @property
    def estimate(self) -> Estimate:
        """The lift with its interval."""
        return Estimate(value=self.lift, low=self.low, high=self.high)


class LiftCurve(ScorerName):
    """The lift at several shares of the list."""

    points: tuple[LiftPoint, ...]


class Curves(EvaluationPart):
    """The curves of every scorer."""

    reliability: tuple[ReliabilityCurve, ...] = ()
    gain: tuple[GainCurve, ...] = ()
    lift: tuple[LiftCurve, ...] = ()


class NamedResult(Protocol):
    """Anything with the name and the kind of a scorer."""

    @property
    def name(self) -> str:
        """What readers call it."""

    @property
    def kind(self) -> Kind:
        """Model, rules, learned rules or baseline."""


AnyNamed = TypeVar("AnyNamed", bound=NamedResult)


def first_of(scorers: Iterable[AnyNamed], kind: Kind) -> AnyNamed | None:
    """Return the first scorer of a kind; None where there is none."""
    return next((scorer for scorer in scorers if scorer.kind == kind), None)


def ranking_scorers(scorers: Sequence[ScorerEvaluation]) -> tuple[ScorerEvaluation, ...]:
    """Leave out the scorers that give every lead the same chance; all are kept where there is no other."""
    return tuple(scorer for scorer in scorers if not scorer.is_constant) or tuple(scorers)
