"""The verbs ``build``, ``train`` and ``compare``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.home import Home
from data.instants import now_us
from data.playbook import Playbook
from data.progress import Progress, silent
from data.workspace import Workspace
from models.cold_start import ColdStartStage, save_standing
from models.conversion import ConversionModel
from models.saved_scorers import save_scorecard_fit
from models.scorecard import Scorecard
from training.command_results import (
    BuildResult,
    CompareResult,
    RulesOnlyResult,
    TrainResult,
)
from training.dataset.dataset import SEED, Dataset
from training.dataset.feature_values import values_of
from training.dataset.material import TrainingInputs, gather
from training.dataset.origins import origins
from training.distillation import LearnedRules, distil, read_rules
from training.errors import HistoryError, TrainingError
from training.evaluation.backtest import OriginResult, joined, try_origins
from training.evaluation.evaluation_document import Findings, judgement_of_rules_alone
from training.fitting.minimum_data import standing_of
from training.fitting.scorecard_fit import calibrated_rules, fit_scorecard
from training.fitting.tuning import TuningResult, tune_parameters
from training.gates.calibration_gates import against_the_rules, calibration_gates
from training.gates.leakage import GateResult, after_fitting, before_fitting, demand
from training.registry.challenger_evaluation import load_version
from training.registry.mlflow_registry import Registry
from training.registry.register import register
from training.registry.registered_versions import CHALLENGER, RegisteredVersion, learned_rules_file, report_folder
from training.replay import Replay, hold_arena, line_up
from training.reporting import write_report
from training.statistics.comparison import Contender, compare_scorers
from training.statistics.scoring_metrics import EvaluationRows, evaluate

_NOISE_RESAMPLES = 200


def build(workspace: Workspace, *, progress: Progress = silent, seed: int = SEED) -> BuildResult:
    """
    Make the training set of a playbook's history, or find the one that was made of it before.

    Args:
        workspace: the playbook, and where tables and models are kept.
        progress: hears how far it has come.
        seed: of every draw.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    material = gather(workspace, progress=progress, seed=seed)
    return BuildResult(material.place, material.dataset.manifest)


def train(
    workspace: Workspace,
    *,
    tune: int = 0,
    accept_risk: str | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> TrainResult | RulesOnlyResult:
    """
    Train a model, judge it at every origin beside point rules and baselines, and register it as the challenger.

    Args:
        workspace: the playbook, and where tables and models are kept.
        tune: how many sets of parameters to try; 0 takes those that fit the size of the data.
        accept_risk: why to go on although a gate against leakage fails; it is written on the model card.
        progress: hears how far it has come.
        seed: of every draw.

    Returns:
        What was trained; or that the history is enough for the point rules alone, and what is missing.

    Raises:
        DataError: the history cannot be read.
        LeakError: a gate failed and no reason was given to go on.
        TrainingError: too short a history, or a damaged registry.
    """
    registry = Registry(workspace.home, workspace.playbook.business.name)
    registry.demand_readable()
    material = gather(workspace, progress=progress, seed=seed)
    standing = standing_of(material.dataset)
    if standing.rung == "rules only":
        return _rules_alone(material, standing, workspace)
    findings = _find(material, workspace, tune=tune, accept_risk=accept_risk, progress=progress, seed=seed)
    entry = register(findings, material, standing, workspace=workspace, registry=registry, progress=progress)
    return TrainResult(entry)


def compare(
    workspace: Workspace, *, version: str = CHALLENGER, progress: Progress = silent, seed: int = SEED
) -> CompareResult:
    """
    Put a registered model, the champion and every scorecard on the same leads of the same weeks.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        progress: hears how far it has come.
        seed: as in training.

    Raises:
        RegistryError: no model was trained yet.
        HistoryError: the model was trained on another history, and may have seen these leads.
    """
    name = workspace.playbook.business.name
    registry = Registry(workspace.home, name)
    found = registry.find(version)
    model = load_version(found, workspace.home, name)
    material = gather(workspace, progress=progress, seed=seed)
    _demand_same_history(found, registry, material.dataset)
    scorecard = fit_scorecard(material.dataset, workspace.playbook)
    learned = _learned_card(learned_rules_file(workspace.home.models(name), found.run_id), material, workspace.playbook)
    arena, contenders = _arena(
        model, scorecard, learned=learned, material=material, workspace=workspace, progress=progress
    )
    comparison = compare_scorers(
        list(contenders),
        EvaluationRows.of(material.dataset.block("test")),
        base_rate=material.dataset.base_rate,
        capacity_per_day=workspace.playbook.business.capacity_per_day,
        progress=progress,
    )
    return CompareResult(comparison, found.version, arena)


def _rules_alone(material: TrainingInputs, standing: ColdStartStage, workspace: Workspace) -> RulesOnlyResult:
    """Leave the scoring to the point rules, with what history can teach about them, and say what is missing."""
    models = workspace.home.models(workspace.playbook.business.name)
    dataset = material.dataset
    both_known = 0 < dataset.base_rate < 1 and dataset.block("calibrate")["label"].nunique() > 1
    if both_known and len(dataset.recent):
        save_scorecard_fit(models, fit_scorecard(dataset, workspace.playbook))
    save_standing(models, standing)
    judgement = judgement_of_rules_alone(dataset, standing, workspace.playbook, trained_at=now_us())
    place = report_folder(models, "rules-only")
    write_report(judgement, place)
    return RulesOnlyResult(standing, place, judgement)


def _find(
    material: TrainingInputs,
    workspace: Workspace,
    *,
    tune: int,
    accept_risk: str | None,
    progress: Progress,
    seed: int,
) -> Findings:
    """Pass the gates, fit and judge at every origin, and hold the arena."""
    dataset, business = material.dataset, workspace.playbook.business
    gates = before_fitting(dataset, material.warehouse, business, seed=seed, progress=progress)
    gates = demand(gates, accept_risk=accept_risk)
    tuned = _tuned(dataset, workspace, trials=tune, progress=progress, seed=seed)
    tried = try_origins(
        origins(dataset, seed=seed),
        workspace.playbook,
        parameters=None if tuned is None else tuned.parameters,
        seed=seed,
        progress=progress,
    )
    last = tried[-1]
    gates += demand(_after(last, seed=seed, progress=progress), accept_risk=accept_risk)
    gates += calibration_gates(last.scorers[0], learnt=_learnt(last, workspace.playbook))
    learned = distil(last.fitted.model, dataset, workspace.playbook, seed=seed)
    if learned is not None:
        theirs = _contender(learned, last)
        tried = (*tried[:-1], joined(last, theirs, capacity_per_day=business.capacity_per_day))
    arena, _ = _arena(
        last.fitted.model,
        last.fitted.scorecard,
        learned=None if learned is None else learned.scorecard,
        material=material,
        workspace=workspace,
        progress=progress,
    )
    gates += (against_the_rules(arena),)
    accepted = accept_risk if any(gate.accepted for gate in gates) else None
    return Findings(tried, gates, arena, learned, tuned, accepted)


def _learnt(last: OriginResult, playbook: Playbook) -> Mapping[str, Any]:
    """Give the model's numbers on the rows that its calibration was fitted to: their noise is that of the fit."""
    rows = last.dataset.block("calibrate")
    return evaluate(
        last.fitted.model.score_many(rows).probabilities,
        EvaluationRows.of(rows),
        base_rate=last.dataset.base_rate,
        capacity_per_day=playbook.business.capacity_per_day,
        resamples=_NOISE_RESAMPLES,
    )


def _tuned(
    dataset: Dataset, workspace: Workspace, *, trials: int, progress: Progress, seed: int
) -> TuningResult | None:
    if not trials:
        return None
    place = workspace.home.models(workspace.playbook.business.name) / "studies.db"
    return tune_parameters(dataset, workspace.playbook, trials=trials, place=place, seed=seed, progress=progress)


def _contender(learned: LearnedRules, last: OriginResult) -> Contender:
    """Let the distilled rules score the test rows."""
    rows = last.dataset.block("test")
    values = values_of(learned.scorecard.catalog, rows, dataset=last.dataset)
    return Contender.of(learned.scorecard, learned.scorecard.score_many(values).probabilities, kind="learned rules")


def _after(last: OriginResult, *, seed: int, progress: Progress) -> tuple[GateResult, ...]:
    return after_fitting(
        last.dataset,
        probability=last.contenders[0].probability,
        judged=EvaluationRows.of(last.dataset.block("test")),
        encoding=last.fitted.model.encoding,
        parameters=last.fitted.parameters,
        seed=seed,
        progress=progress,
    )


def _arena(
    model: ConversionModel,
    scorecard: Scorecard,
    *,
    learned: Scorecard | None,
    material: TrainingInputs,
    workspace: Workspace,
    progress: Progress,
) -> tuple[Replay, tuple[Contender, ...]]:
    """Let all scorers replay the test weeks; give the arena and who took part."""
    dataset, warehouse, business = material.dataset, material.warehouse, workspace.playbook.business
    lined_up = line_up(
        dataset,
        workspace.playbook,
        model=model,
        scorecard=scorecard,
        champion=_champion(workspace.home, business.name),
        learned=learned,
        warehouse=warehouse,
        progress=progress,
    )
    arena = hold_arena(
        lined_up,
        dataset,
        capacity_per_day=business.capacity_per_day,
        zone=business.timezone,
        warehouse=warehouse,
        progress=progress,
    )
    return arena, lined_up.entrants


def _champion(home: Home, name: str) -> ConversionModel | None:
    """Give the model that serves; None where none does, or where it cannot be loaded and so cannot take part."""
    serving = Registry(home, name).champion()
    try:
        return None if serving is None else load_version(serving, home, name)
    except TrainingError:
        return None


def _learned_card(file: Path, material: TrainingInputs, playbook: Playbook) -> Scorecard | None:
    """Give the point rules distilled from a model; None where there are none."""
    if not file.exists():
        return None
    rules = read_rules(file, playbook.business)
    return calibrated_rules(rules, material.dataset, playbook=playbook, warehouse=material.warehouse)


def _demand_same_history(found: RegisteredVersion, registry: Registry, dataset: Dataset) -> None:
    trained_on = registry.parameters(found.run_id).get("rows_sha256")
    if trained_on != dataset.sha256:
        message = (
            f"Version {found.version} was trained on another history or playbook than there is now, so it may have "
            "seen these leads: run leadscore train, then compare."
        )
        raise HistoryError(message)
