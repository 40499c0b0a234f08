"""The verbs ``build``, ``train``, ``compare``, ``report`` and ``scorecard``."""

import shutil
from pathlib import Path

from data.home import Home
from data.instants import now_us
from data.playbook import Playbook
from data.progress import Progress, silent
from data.workspace import Workspace
from models.champion import save_scorecard_fit
from models.cold_start import ColdStartStage, save_standing
from models.conversion import ConversionModel
from models.scorecard import Scorecard
from training.command_results import (
    BuildResult,
    CompareResult,
    ReportResult,
    RulesOnlyResult,
    ScorecardResult,
    TrainResult,
)
from training.dataset.assembly import TrainingInputs, load_training_inputs
from training.dataset.dataset import SEED, Dataset
from training.dataset.feature_values import values_of
from training.dataset.origins import rolling_origins
from training.distillation import LearnedRules, distil, read_rules
from training.errors import HistoryError, TrainingError
from training.evaluation.backtest import OriginResult, joined, try_origins
from training.evaluation.evaluation_document import Findings, judgement_of_rules_alone, read_judgement
from training.fitting.minimum_data import cold_start_stage
from training.fitting.scorecard_fit import calibrated_rules, fit_scorecard
from training.fitting.tuning import TuningResult, tune_parameters
from training.gates.calibration_gates import calibration_gates, replay_gate
from training.gates.leakage import GateResult, after_fitting, before_fitting, require_passed
from training.registry.challenger_evaluation import load_version
from training.registry.mlflow_registry import CHALLENGER, RegisteredVersion, Registry
from training.registry.register import learned_rules_file, register, report_folder
from training.replay import Replay, choose_participants, run_replay
from training.reporting import write_report
from training.statistics.comparison import Contender, compare_scorers
from training.statistics.estimates import ScorerMetrics
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
    material = load_training_inputs(workspace, progress=progress, seed=seed)
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
    material = load_training_inputs(workspace, progress=progress, seed=seed)
    standing = cold_start_stage(material.dataset)
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
    material = load_training_inputs(workspace, progress=progress, seed=seed)
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


def report(workspace: Workspace, *, version: str = CHALLENGER, out: Path | None = None) -> ReportResult:
    """
    Find the report of a version, and copy it where it is wanted.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        out: HTML file to write.

    Raises:
        RegistryError: there is no such version.
        TrainingError: its report is gone.
    """
    found = Registry(workspace.home, workspace.playbook.business.name).find(version)
    place = report_folder(workspace.home.models(workspace.playbook.business.name), found.run_id)
    judgement = read_judgement(place)
    if out is not None:
        _copy(place / "report.html", out)
    return ReportResult(found.version, place, judgement, out)


def scorecard(workspace: Workspace, *, out: Path, version: str = CHALLENGER) -> ScorecardResult:
    """
    Write the point rules that were distilled from a model, to be used where no model may be.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: YAML file to write.
        version: ``challenger`` (the newest), ``champion`` or a number.

    Raises:
        RegistryError: there is no such version.
        TrainingError: no rules were distilled from it.
    """
    found = Registry(workspace.home, workspace.playbook.business.name).find(version)
    file = learned_rules_file(workspace.home.models(workspace.playbook.business.name), found.run_id)
    rules = read_rules(file, workspace.playbook.business)
    _copy(file, out)
    return ScorecardResult(found.version, out, rules)


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
    gates = require_passed(gates, accept_risk=accept_risk)
    tuned = _tuned(dataset, workspace, trials=tune, progress=progress, seed=seed)
    tried = try_origins(
        rolling_origins(dataset, seed=seed),
        workspace.playbook,
        parameters=None if tuned is None else tuned.parameters,
        seed=seed,
        progress=progress,
    )
    last = tried[-1]
    gates += require_passed(_after(last, seed=seed, progress=progress), accept_risk=accept_risk)
    gates += calibration_gates(last.scorers[0], fitted_on=_learnt(last, workspace.playbook))
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
    gates += (replay_gate(arena),)
    accepted = accept_risk if any(gate.accepted for gate in gates) else None
    return Findings(tried, gates, arena, learned, tuned, accepted)


def _learnt(last: OriginResult, playbook: Playbook) -> ScorerMetrics:
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
    lined_up = choose_participants(
        dataset,
        workspace.playbook,
        model=model,
        scorecard=scorecard,
        champion=_champion(workspace.home, business.name),
        learned=learned,
        warehouse=warehouse,
        progress=progress,
    )
    arena = run_replay(
        lined_up,
        dataset,
        capacity_per_day=business.capacity_per_day,
        zone=business.timezone,
        warehouse=warehouse,
        progress=progress,
    )
    return arena, lined_up.participants


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


def _copy(file: Path, out: Path) -> None:
    """Copy a file whole, into a folder that is made where there is none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.partial")
    shutil.copyfile(file, draft)
    draft.replace(out)
