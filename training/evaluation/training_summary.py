"""What a training was made of: its data, its model, its gates, and how far the history carries."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from models.cold_start import ColdStartStage, Rung
from training.evaluation.scorer_evaluation import Period
from training.gates.gate import NOT_CONTRADICTED, GateResult
from training.statistics.estimate import Estimate, EvaluationPart, Number

GateState = Literal["passed", "not contradicted (too few successes to tell)", "failed", "failed, accepted"]


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
    """The period of each block; train and calibrate may share one."""

    name: Literal["two purges", "one purge"]
    train: Period
    calibrate: Period
    test: Period


class BlockCounts(EvaluationPart):
    """How many snapshots each block holds, or how many of them reach the goal."""

    train: int
    stop: int
    calibrate: int
    test: int
    purged: int
    aside: int

    @property
    def learnt_from(self) -> int:
        """The blocks that the trees learn from: train, and the part of it that tells when to stop."""
        return self.train + self.stop


class HorizonPoint(EvaluationPart):
    """The share of eventual conversions reached by a day."""

    day: float
    reached: Number


class Horizon(EvaluationPart):
    """How long leads take to reach the goal, and whether the goal's horizon holds enough of them."""

    share: Estimate | None = Field(description="of all conversions, those within the horizon")
    proposed_days: Number = Field(description="a horizon that would hold 90 %, where the playbook's holds less")
    median_days: Number
    watched_days: Number = Field(default=None, description="conversions are known up to here")
    says: str
    curve: tuple[HorizonPoint, ...]


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


class GateOutcome(EvaluationPart):
    """One gate: what it found, and why the training went on where it failed."""

    name: str
    passed: bool
    conclusive: bool = Field(default=True, description="false where a pass may be for want of successes")
    says: str
    numbers: Mapping[str, Number]
    accepted: str | None = None

    @classmethod
    def of(cls, gate: GateResult) -> Self:
        """Read it from what the gate found."""
        return cls.model_validate(gate.as_json())

    @property
    def state(self) -> GateState:
        """The outcome in words."""
        if not self.passed:
            return "failed" if self.accepted is None else "failed, accepted"
        return "passed" if self.conclusive else NOT_CONTRADICTED


class CalibrationCandidate(EvaluationPart):
    """One calibration that was tried, and its log loss against Platt's."""

    kind: str
    log_loss: Number
    difference: Estimate | None


class CalibrationSummary(EvaluationPart):
    """The calibration that was chosen, and those it was compared with."""

    chosen: str
    compared: tuple[CalibrationCandidate, ...]
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


class ModelSummary(EvaluationPart):
    """The registered model: its size, its parameters and its calibration."""

    name: str
    fingerprint: str
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
