"""Assembly: what a training found, put together as its evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data.instants import iso
from data.words.playbook import Business, Playbook
from features.feature_labels import reason_label
from models.cold_start import ColdStartStage
from training.dataset.dataset import Dataset
from training.distillation.distillation import LearnedRules
from training.evaluation.backtest import OriginResult
from training.evaluation.curves import curves
from training.evaluation.evaluation_document import Evaluation
from training.evaluation.segments import segments
from training.evaluation.summary import verdict_of
from training.evaluation.training_summary import (
    CalibrationSummary,
    ColdStart,
    DataSummary,
    FamilyChoice,
    GoalSummary,
    GradeBands,
    LearnedScorecard,
    ModelSummary,
    PlaybookSummary,
    ReasonWeight,
    TuningSummary,
)
from training.fitting.fitted_model import FittedModel
from training.fitting.tuning import TuningResult
from training.gates.gate import GateResult
from training.lists.list_evaluation import ListTest
from training.replay.replay_evaluation import ReplayEvaluation
from training.statistics.scoring_metrics import EvaluationRows


@dataclass(frozen=True, eq=False)
class Findings:
    """
    What a training found, before it is put together.

    Attributes:
        origins: every origin, oldest first; the model of the last one is judged.
        choice: which family of models serves, and why.
        served: the recipe of the last origin, fitted to every row whose outcome is known: the model that serves.
        gates: those against leakage, then those of the calibration.
        lists: what the lists of the test weeks promised, and what came; None where nobody was on any.
        replay: of the test weeks.
        learned: the scorecard distilled from the model; None where there was nothing that a rule could tell.
        tuned: the result of a search for parameters, where there was one.
        accepted_risk: why a failed gate did not stop the training.
    """

    origins: tuple[OriginResult, ...]
    choice: FamilyChoice
    served: FittedModel
    gates: tuple[GateResult, ...]
    lists: ListTest | None
    replay: ReplayEvaluation
    learned: LearnedRules | None
    tuned: TuningResult | None
    accepted_risk: str | None

    @property
    def last(self) -> OriginResult:
        """The origin whose model is judged."""
        return self.origins[-1]


def evaluation_of(
    findings: Findings,
    cold_start: ColdStartStage,
    playbook: Playbook,
    *,
    trained_at: int,
    run_id: str,
    fingerprint: str,
) -> Evaluation:
    """
    Assemble the evaluation of a training.

    Args:
        findings: all of it.
        cold_start: how far the history carries.
        playbook: the playbook.
        trained_at: when [us since 1970 UTC].
        run_id: of MLflow.
        fingerprint: of the bundle.

    Returns:
        The evaluation; its version is not known yet.
    """
    last, business = findings.last, playbook.business
    test = last.dataset.block("test")
    learned = findings.learned
    rules_alone = evaluation_of_rules(last.dataset, cold_start, playbook, trained_at=trained_at)
    parts = {
        "run_id": run_id,
        "gates": findings.gates,
        "model": _model(findings, fingerprint),
        "reasons": tuple(_reasons(last, business)),
        "scorers": last.scorers,
        "differences": last.differences,
        "origins": tuple(origin.evaluation(number) for number, origin in enumerate(findings.origins, 1)),
        "segments": segments(last.contenders[:2], test, business=business),
        "curves": curves(last.contenders, EvaluationRows.of(test)),
        "lists": findings.lists,
        "replay": findings.replay,
        "learned_scorecard": None if learned is None else _scorecard(learned, last),
        "accepted_risk": findings.accepted_risk,
    }
    return _with_verdict(rules_alone.model_copy(update=parts))


def evaluation_of_rules(
    dataset: Dataset, cold_start: ColdStartStage, playbook: Playbook, *, trained_at: int
) -> Evaluation:
    """Describe a history that is enough for the point rules alone, and what is missing for a model."""
    business = playbook.business
    evaluation = Evaluation(
        playbook=PlaybookSummary(name=business.name, title=business.title),
        goal=GoalSummary.model_validate(business.goal),
        capacity_per_day=business.capacity_per_day,
        trained_at=iso(trained_at),
        data=DataSummary.of(dataset.manifest),
        cold_start=ColdStart.of(cold_start),
    )
    return _with_verdict(evaluation)


def _with_verdict(evaluation: Evaluation) -> Evaluation:
    return evaluation.model_copy(update={"verdict": verdict_of(evaluation)})


def _model(findings: Findings, fingerprint: str) -> ModelSummary:
    fitted = findings.served
    model, choice = fitted.model, fitted.calibrated
    return ModelSummary(
        name=model.name,
        fingerprint=fingerprint,
        fitted_rows=fitted.fitted_rows,
        fitted_until=str(findings.last.dataset.manifest["mature_until"]),
        features=len(model.catalog.features),
        features_tried=fitted.features_tried,
        directions=dict(fitted.directions),
        steps=fitted.steps,
        trees=len(model.trees.trees),
        threshold=model.bands.threshold,
        base_points=model.base_points,
        bands=GradeBands.model_validate(model.bands),
        parameters={name: value for name, value in fitted.parameters.items() if name != "num_threads"},
        calibration=CalibrationSummary(chosen=choice.chosen.kind, compared=choice.compared, says=choice.says),
        tuned=None if findings.tuned is None else TuningSummary.model_validate(findings.tuned),
        family=findings.choice,
    )


def _reasons(origin: OriginResult, business: Business) -> Iterator[ReasonWeight]:
    """Yield the reasons by how far they move the points of the test rows on average, largest first."""
    scored = origin.fitted.model.score_many(origin.dataset.block("test"))
    points = np.abs(scored.reasons).mean(axis=0)
    total = float(points.sum()) or 1.0
    for index in np.argsort(-points, kind="stable").tolist():
        code, mean = scored.codes[index], float(points[index])
        yield ReasonWeight(code=code, says=reason_label(code, business), mean_points=mean, share=mean / total)


def _scorecard(learned: LearnedRules, last: OriginResult) -> LearnedScorecard:
    yaml = learned.to_yaml(scorers=last.scorers)
    return LearnedScorecard(name=learned.rules.name, rules=len(learned.rules.rules), yaml=yaml)
