"""The model card: on one page what a version is, how good it is, and what it must not be used for."""

from collections.abc import Iterator
from typing import Literal

from training.evaluation.evaluation_document import Evaluation
from training.evaluation.training_summary import (
    BlockCounts,
    BlockPlan,
    ColdStart,
    GoalSummary,
    PlaybookSummary,
    ReasonWeight,
)
from training.gates.gate import GateResult
from training.reporting import charts
from training.reporting.page import figure, render, swatches
from training.reporting.report import headline
from training.statistics.estimate import CalibrationError, Estimate, EvaluationPart, Number
from training.statistics.number_format import day, shown, value
from training.statistics.scorer_metrics import Metrics, ScorerEvaluation, ScorerIdentity, ScorerName


class RowCounts(EvaluationPart):
    """How much data there was, and the rate of success in the training period."""

    snapshots: int
    mature: int
    young: int
    leads: int
    groups: int
    base_rate: Number
    blocks: BlockCounts
    positives: BlockCounts


class DataWindow(EvaluationPart):
    """The period of each block, and up to when the history and its outcomes are known."""

    plan: BlockPlan
    cutoff_at: str
    mature_until: str


class HeadlineMetrics(ScorerName):
    """The numbers of another scorer that the model is compared with."""

    precision_at_capacity: Estimate | None
    recall_at_capacity: Estimate | None
    lift_at_10: Estimate | None
    log_loss: Estimate | None
    auc: Estimate | None
    observed_over_expected: Estimate | None


class CardCalibration(EvaluationPart):
    """How chances are calibrated, and whether they come true."""

    chosen: str | None
    says: str | None
    ece: CalibrationError | None
    slope: Estimate | None
    observed_over_expected: Estimate | None


class ModelSize(EvaluationPart):
    """How many features were tried and kept, and how many trees there are."""

    features: int
    features_tried: int
    trees: int


class CardSignature(EvaluationPart):
    """Whether somebody vouches that the numbers on the card are those of the model."""

    state: Literal["signed", "unsigned"]
    key_id: str | None = None

    @property
    def says(self) -> str:
        """The same in words."""
        if self.state == "signed":
            return f"Signed by the key {self.key_id}: these numbers are those of the model that was promoted."
        return "Unsigned: nobody vouches yet that these numbers are those of the model; leadscore promote signs it."


class ModelCard(EvaluationPart):
    """The card of a version; where only the point rules score, theirs."""

    format_version: Literal[2] = 2
    playbook: PlaybookSummary
    scorer: ScorerIdentity | None
    signature: CardSignature | None = None
    version: str | None
    run_id: str | None
    trained_at: str
    verdict: str
    used_for: str = "putting open leads into the order in which the sales team calls them, with reasons"
    goal: GoalSummary
    capacity_per_day: float
    data_window: DataWindow
    rows: RowCounts
    cold_start: ColdStart
    gates: tuple[GateResult, ...]
    accepted_risk: str | None
    metrics: Metrics | None
    compared_with: tuple[HeadlineMetrics, ...]
    calibration: CardCalibration
    model: ModelSize | None
    feature_groups: tuple[ReasonWeight, ...]
    must_not_be_used_for: tuple[str, ...]

    def to_json(self) -> str:
        """Return the text of ``card.json``."""
        return self.model_dump_json(indent=1)


def card_of(evaluation: Evaluation, *, signed_by: str | None = None) -> ModelCard:
    """
    Take from an evaluation what the card holds.

    Args:
        evaluation: what a training found.
        signed_by: the id of the key that signed the bundle; None if none did. Point rules have no signature.
    """
    state: Literal["signed", "unsigned"] = "unsigned" if signed_by is None else "signed"
    data, model, scorer = evaluation.data, evaluation.model, _main_scorer(evaluation)
    others = [other for other in evaluation.scorers if other is not scorer]
    return ModelCard(
        playbook=evaluation.playbook,
        scorer=None if scorer is None else _identity(scorer),
        signature=None if evaluation.model is None else CardSignature(state=state, key_id=signed_by),
        version=evaluation.version,
        run_id=evaluation.run_id,
        trained_at=evaluation.trained_at,
        verdict=evaluation.verdict,
        goal=evaluation.goal,
        capacity_per_day=evaluation.capacity_per_day,
        data_window=DataWindow.model_validate(data),
        rows=RowCounts.model_validate(data),
        cold_start=evaluation.cold_start,
        gates=evaluation.gates,
        accepted_risk=evaluation.accepted_risk,
        metrics=None if scorer is None else scorer.metrics,
        compared_with=tuple(HeadlineMetrics.model_validate(other) for other in others),
        calibration=_calibration(evaluation, scorer),
        model=None if model is None else ModelSize.model_validate(model),
        feature_groups=evaluation.reasons,
        must_not_be_used_for=tuple(not_for(evaluation)),
    )


def render_card(evaluation: Evaluation, *, signed_by: str | None = None) -> str:
    """Write the card as one HTML file; the arguments are those of `card_of`."""
    reasons = evaluation.reasons
    return render(
        "card.html.j2",
        evaluation=evaluation,
        card=card_of(evaluation, signed_by=signed_by),
        headline=list(headline(evaluation)),
        swatches=swatches(evaluation.scorers),
        reasons=figure(lambda width: charts.reasons_chart(reasons, width=width)) if reasons else "",
    )


def not_for(evaluation: Evaluation) -> Iterator[str]:
    """Yield what this version must not be used for: the general first, then what its own numbers forbid."""
    plan, goal = evaluation.data.plan, evaluation.goal
    yield (
        "Decisions about people other than the order of sales calls: not for hiring, credit, prices, insurance, "
        "eligibility or access to anything."
    )
    yield "Turning anybody away without a person deciding: a low score is a place in the queue and no refusal."
    yield (
        f"Leads unlike those from {day(plan.train.start)} to {day(plan.test.end)}: a new market, a new product, a new "
        "source or a new way to sell is not in them."
    )
    yield (
        f"What happens later than {goal.horizon_days:g} days: a score predicts whether a lead reaches {goal.stage} "
        "within that time, and nothing after it."
    )
    yield "Proof of cause: a reason explains what moved the score, not what would change the outcome."
    yield from _forbidden_by_numbers(evaluation)


def _forbidden_by_numbers(evaluation: Evaluation) -> Iterator[str]:
    """Yield what the numbers of this very evaluation cannot support."""
    if few := [f"“{segment.says}”" for segment in evaluation.segments if not segment.is_known]:
        yield f"Claims about these leads, of which there were too few to evaluate: {', '.join(few)}."
    scorer = _main_scorer(evaluation)
    if scorer is not None and _off(scorer.ece):
        error, noise = value(scorer.ece.value, "loss"), value(scorer.ece.noise_95, "loss")
        expected = shown(scorer.observed_over_expected, "ratio")
        yield (
            f"Exact chances, such as forecasts of revenue: they were off by {error}, more than the {noise} that chance "
            f"explains, and observed / expected was {expected}. The order of the leads holds."
        )
    if evaluation.model is None:
        yield "Anything that needs a learned model: there is none yet, and these are the point rules."
    for gate in evaluation.blocking_gates:
        yield f"Serving: the gate {gate.name} failed. {gate.says}"
    for gate in evaluation.asking_gates:
        yield f"Serving before a question is answered: {gate.says}"
    if evaluation.accepted_risk and evaluation.accepted_gates:
        yield f"Any use by people who do not know that a failed gate was accepted, because: {evaluation.accepted_risk}."


def _main_scorer(evaluation: Evaluation) -> ScorerEvaluation | None:
    return evaluation.model_scorer or evaluation.rules_scorer


def _identity(scorer: ScorerEvaluation) -> ScorerIdentity:
    return ScorerIdentity(name=scorer.name, kind=scorer.kind, version=scorer.version, fingerprint=scorer.fingerprint)


def _off(ece: CalibrationError) -> bool:
    return ece.value is not None and ece.noise_95 is not None and ece.value > ece.noise_95


def _calibration(evaluation: Evaluation, scorer: ScorerEvaluation | None) -> CardCalibration:
    choice = None if evaluation.model is None else evaluation.model.calibration
    return CardCalibration(
        chosen=None if choice is None else choice.chosen,
        says=None if choice is None else choice.says,
        ece=None if scorer is None else scorer.ece,
        slope=None if scorer is None else scorer.slope,
        observed_over_expected=None if scorer is None else scorer.observed_over_expected,
    )
