"""
Typed numbers: an estimate with its interval, and all numbers of one scorer.

These classes know pydantic alone, so that reading a report loads neither numba nor scikit-learn.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["model", "rules", "learned rules", "baseline"]


class _Frozen(BaseModel):
    """A value that never changes and has no fields beside those declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_json(self) -> dict[str, Any]:
        """Return the value as JSON."""
        return self.model_dump(mode="json")


class Estimate(_Frozen):
    """
    A number with its 95 % interval; None where there is no such number.

    Attributes:
        value: the number on the rows as they are.
        low: the lower end of the interval.
        high: the upper end.
    """

    value: float | None
    low: float | None
    high: float | None


NO_ESTIMATE = Estimate(value=None, low=None, high=None)


class CalibrationError(_Frozen):
    """
    The expected calibration error.

    Attributes:
        value: the mean distance between predicted and observed, over bins of equal weight.
        noise_95: what a perfectly calibrated model stays below 95 times in 100.
    """

    value: float
    noise_95: float


class ScorerMetrics(_Frozen):
    """
    How good one scorer is on rows that it has never seen.

    Attributes:
        value_at_capacity: what a call is worth; None where no amounts are known.
        log_loss: the weighted mean.
        base_log_loss: the same of the training period's base rate, given to every row.
        base_rate: the share of these rows that reached the goal.
        precision_at_capacity: the share of the called leads that reached the goal.
        recall_at_capacity: the share of all successes among the called leads.
        observed_over_expected: successes over the sum of all probabilities.
        found_by_best_25: the share of all successes among the best 25 % of the rows.
        top_over_bottom: the rate of the best 10 % over that of the worst 50 %.
        lift_at_5: the rate of the best 5 % over that of all rows.
        lift_at_10: the same of the best 10 %.
        lift_at_20: the same of the best 20 %.
        brier_skill: 1 - the Brier score over that of the base rate.
        auc: the area under the ROC curve.
        pr_auc: average precision.
        slope: of the outcome on the predicted log-odds; 1 is right, below 1 is overconfident.
        ece: the expected calibration error.
        rows: how many there are.
        positives: how many of them reached the goal.
    """

    value_at_capacity: Estimate | None
    log_loss: Estimate
    base_log_loss: float | None
    base_rate: Estimate
    precision_at_capacity: Estimate
    recall_at_capacity: Estimate
    observed_over_expected: Estimate
    found_by_best_25: Estimate
    top_over_bottom: Estimate
    lift_at_5: Estimate
    lift_at_10: Estimate
    lift_at_20: Estimate
    brier_skill: Estimate
    auc: Estimate
    pr_auc: Estimate
    slope: Estimate
    ece: CalibrationError
    rows: int
    positives: int


class ScorerIdentity(_Frozen):
    """
    Which scorer it is.

    Attributes:
        name: what readers call it; no two scorers of one comparison share it.
        kind: a learned model, point rules, point rules distilled from a model, or a baseline.
        version: of a model the registry's, of rules the beginning of their fingerprint; empty for a baseline.
        fingerprint: of all that decides its scores; empty for a baseline.
    """

    name: str
    kind: Kind
    version: str
    fingerprint: str


class ScorerEvaluation(ScorerMetrics, ScorerIdentity):
    """One scorer with its numbers: the fields of `ScorerIdentity`, then those of `ScorerMetrics`."""

    @property
    def metrics(self) -> ScorerMetrics:
        """The numbers without the scorer's identity."""
        return ScorerMetrics(**{name: getattr(self, name) for name in ScorerMetrics.model_fields})
