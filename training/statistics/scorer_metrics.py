"""Scorer metrics: which scorer it is, and how good it is on one set of rows."""

from typing import Literal

from pydantic import Field

from training.statistics.estimate import CalibrationError, Estimate, EvaluationPart, Number

Kind = Literal["model", "rules", "learned rules", "baseline"]
"""A learned model, point rules, point rules distilled from a model, or a baseline."""


class ScorerName(EvaluationPart):
    """A scorer by its name, which no other of the evaluation has, and its kind."""

    name: str
    kind: Kind


class ScorerIdentity(ScorerName):
    """A scorer with its version; the fingerprint is that of all that decides its scores, empty for a baseline."""

    version: str
    fingerprint: str


class Metrics(EvaluationPart):
    """The numbers of one scorer on one set of rows; see ``training.statistics.scoring_metrics.evaluate``."""

    log_loss: Estimate | None
    base_log_loss: Number
    brier_skill: Estimate | None
    auc: Estimate | None
    pr_auc: Estimate | None
    base_rate: Estimate | None
    precision_at_capacity: Estimate | None
    recall_at_capacity: Estimate | None
    lift_at_5: Estimate | None
    lift_at_10: Estimate | None
    lift_at_20: Estimate | None
    found_by_best_25: Estimate | None
    top_over_bottom: Estimate | None
    slope: Estimate | None
    observed_over_expected: Estimate | None
    ece: CalibrationError
    value_at_capacity: Estimate | None = Field(description="None where the history knows no amounts")
    rows: int
    positives: int


class ScorerEvaluation(ScorerIdentity, Metrics):
    """A scorer and its numbers."""

    @property
    def metrics(self) -> Metrics:
        """The numbers without the scorer's identity."""
        return Metrics(**{name: getattr(self, name) for name in Metrics.model_fields})

    @property
    def is_constant(self) -> bool:
        """Whether the scorer gives every lead the same chance, so that its AUC is exactly that of no order."""
        return self.auc is not None and (self.auc.value, self.auc.low, self.auc.high) == (0.5, 0.5, 0.5)
