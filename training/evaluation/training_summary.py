"""What a training was made of: its data, its model, its gates, and how far the history carries."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from models.cold_start import ColdStartStage, Rung
from training.dataset.horizon import Horizon
from training.evaluation.scorer_evaluation import Period
from training.fitting.calibration_comparison import CalibrationComparison
from training.statistics.estimate import Estimate, EvaluationPart, Number


class PlaybookSummary(EvaluationPart):
    """The playbook by its name and title."""

    name: str
    title: str


class GoalSummary(EvaluationPart):
    """The stage that counts as success, and the days within which it must be reached."""

    stage: str
    horizon_days: float
    amount_from: str | None


class BlockPlan(EvaluationPart):
    """The period of each block."""

    train: Period
    test: Period


class BlockCounts(EvaluationPart):
    """How many snapshots each block holds, or how many of them reach the goal."""

    train: int
    test: int
    purged: int


class DataSummary(EvaluationPart):
    """The training set: how much of it there is, from when to when, and how often the goal is reached."""

    cutoff_at: str
    mature_until: str
    snapshots: int
    mature: int
    young: int
    leads: int
    groups: int
    base_rate: Number
    blocks: BlockCounts
    positives: BlockCounts
    plan: BlockPlan
    rows_sha256: str
    catalog_fingerprint: str
    outcome_lag_days: float
    horizon: Horizon

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Read it from the manifest of a training set, which says more."""
        return cls.model_validate({name: manifest[name] for name in cls.model_fields})


class ColdStart(EvaluationPart):
    """How far the history carries: rules only, a small model or a full one."""

    stage: Rung
    succeeded: int
    failed: int
    missing: str = Field(description="what the next stage needs; empty for a full model")
    says: str

    @classmethod
    def of(cls, stage: ColdStartStage) -> Self:
        """Read it from what training decided."""
        return cls(
            stage=stage.rung, succeeded=stage.succeeded, failed=stage.failed, missing=stage.missing, says=stage.says
        )


class CalibrationSummary(EvaluationPart):
    """The calibration that was chosen, and those it was compared with."""

    chosen: str
    compared: tuple[CalibrationComparison, ...]
    says: str


class TuningSummary(EvaluationPart):
    """What a search for parameters found: the log loss of the best, and of those without a search."""

    trials: int
    best: float
    default: float


class GradeBands(EvaluationPart):
    """The points from which on a lead is called, and from which on it has each grade."""

    threshold: float
    a: float
    b: float
    c: float


class FamilyChoice(EvaluationPart):
    """Which family of models serves, trees or a logistic regression, and why: the simplest within noise of the best."""

    family: Literal["trees", "regression"]
    log_loss: Mapping[Literal["trees", "regression"], float] = Field(
        description="of each family over the test weeks of every origin"
    )
    difference: Estimate = Field(description="log loss of the trees minus that of the regression")
    standard_error: float = Field(description="of the difference, over accounts")
    says: str

    @property
    def name(self) -> str:
        """The family in words."""
        return "boosted trees" if self.family == "trees" else "a logistic regression"


class ModelSummary(EvaluationPart):
    """The registered model: its size, its parameters and its calibration."""

    name: str
    fingerprint: str
    fitted_rows: int = Field(
        description="what serves is fitted anew to: all of known outcome, for a regression at most 100,000"
    )
    fitted_until: str
    features: int
    features_tried: int
    directions: Mapping[str, int] = Field(description="features with which the score may only rise (1) or fall (-1)")
    steps: int
    trees: int
    threshold: float
    base_points: float
    bands: GradeBands
    parameters: Mapping[str, bool | int | float | str | None]
    calibration: CalibrationSummary
    tuned: TuningSummary | None
    family: FamilyChoice | None = None

    @property
    def size(self) -> str:
        """What it consists of, in words."""
        if self.family is not None and self.family.family == "regression":
            return self.family.name
        return f"{self.trees:,} trees"


class ReasonWeight(EvaluationPart):
    """How far a group of features moves the points on average, and its share of all movement."""

    code: str
    says: str
    mean_points: float
    share: float


class LearnedScorecard(EvaluationPart):
    """The point rules distilled from the model, as YAML that a playbook can hold."""

    name: str
    rules: int
    yaml: str
