"""One training, from history to a registered version, top to bottom."""

from data.importing.history_breaks import history_breaks
from data.instants import now_us
from data.progress import Progress
from data.words.playbook import Playbook
from data.workspace import Workspace
from models.cold_start import ColdStartStage, save_standing
from models.saved_scorers import save_scorecard_fit
from training.command_results import RulesOnlyResult, TrainResult
from training.dataset.dataset import SEED, Dataset
from training.dataset.dataset_builder import TrainingInputs, load_training_inputs
from training.dataset.feature_values import values_of
from training.dataset.origins import on_all_rows, rolling_origins
from training.distillation.distillation import LearnedRules, distil
from training.evaluation.assembly import Findings, evaluation_of_rules
from training.evaluation.backtest import OriginResult, evaluate_origins, with_contender
from training.fitting.families import refit
from training.fitting.minimum_data import cold_start_stage, leads_of_block
from training.fitting.scorecard_fit import fit_scorecard
from training.fitting.tuning import TuningResult, tune_parameters
from training.gates.calibration_gates import calibration_gates, replay_gate
from training.gates.gate import GateResult, require_passed
from training.gates.leakage.leakage_gates import after_fitting, before_fitting
from training.lists.list_evaluation import ListTest
from training.lists.list_gate import list_gate
from training.lists.list_test import calibration_spread, list_test
from training.registry.mlflow_registry import Registry
from training.registry.register import register
from training.registry.registered_comparison import replay_weeks
from training.registry.run_folders import report_folder
from training.reporting.report_folder import write_report
from training.statistics.comparison import Contender
from training.statistics.estimate import NO_ESTIMATE
from training.statistics.scorer_metrics import Metrics
from training.statistics.scoring_metrics import EvaluationRows, evaluate

_NOISE_RESAMPLES = 200


def run_training(
    workspace: Workspace, *, tune: int, accept_risk: str | None, progress: Progress, seed: int = SEED
) -> TrainResult | RulesOnlyResult:
    """Train on a history, evaluate at every origin, and register what came of it; see `commands.train`."""
    registry = Registry(workspace.home, workspace.playbook.business.name)
    registry.require_readable()
    registry.require_company(workspace.playbook.company)
    inputs = load_training_inputs(workspace, progress=progress, seed=seed)
    cold_start = cold_start_stage(inputs.dataset)
    if cold_start.rung == "rules only":
        return _leave_to_rules(inputs, cold_start, workspace)
    findings = _findings(inputs, workspace, tune=tune, accept_risk=accept_risk, progress=progress, seed=seed)
    return register(findings, inputs, cold_start, workspace=workspace, registry=registry, progress=progress)


def _leave_to_rules(inputs: TrainingInputs, cold_start: ColdStartStage, workspace: Workspace) -> RulesOnlyResult:
    """Leave the scoring to the point rules, with what history can teach about them, and report what is missing."""
    models, dataset = workspace.home.models(workspace.playbook.business.name), inputs.dataset
    if 0 < dataset.base_rate < 1 and len(dataset.recent):
        save_scorecard_fit(models, fit_scorecard(dataset, workspace.playbook))
    save_standing(models, cold_start)
    evaluation = evaluation_of_rules(dataset, cold_start, workspace.playbook, trained_at=now_us())
    breaks = history_breaks(inputs.warehouse, workspace.playbook.business)
    evaluation = evaluation.with_history_breaks(each.says for each in breaks)
    place = report_folder(models, "rules-only")
    write_report(evaluation, place)
    return RulesOnlyResult(cold_start, place, evaluation)


def _findings(
    inputs: TrainingInputs,
    workspace: Workspace,
    *,
    tune: int,
    accept_risk: str | None,
    progress: Progress,
    seed: int,
) -> Findings:
    """Pass the gates, fit and evaluate at every origin, distil the rules, and replay the test weeks."""
    dataset, playbook = inputs.dataset, workspace.playbook
    gates = before_fitting(dataset, inputs.warehouse, playbook.business, seed=seed, progress=progress)
    gates = require_passed(gates, accept_risk=accept_risk)
    tuned = _tuned(dataset, workspace, trials=tune, progress=progress, seed=seed)
    parameters = None if tuned is None else tuned.parameters
    found = evaluate_origins(rolling_origins(dataset), playbook, parameters=parameters, seed=seed, progress=progress)
    last = found.origins[-1]
    gates += require_passed(_leaks_after_fitting(last, seed=seed, progress=progress), accept_risk=accept_risk)
    noise = _calibration_noise(last, playbook)
    lists = _lists(last, noise, playbook)
    succeeded = leads_of_block(last.dataset, "test")[0]
    gates += calibration_gates(last.scorers[0], successes=succeeded, fitted_on=noise)
    gates += () if lists is None else (list_gate(lists),)
    learned = distil(last.fitted.model, dataset, playbook, seed=seed)
    if learned is not None:
        rules = _contender(learned, last)
        last = with_contender(last, rules, capacity_per_day=playbook.business.capacity_per_day)
    fitted = last.fitted
    scorecard = None if learned is None else learned.scorecard
    replay, participants = replay_weeks(
        fitted.model, fitted.scorecard, learned=scorecard, inputs=inputs, workspace=workspace, progress=progress
    )
    gates += (replay_gate(replay),)
    accepted = accept_risk if any(gate.accepted for gate in gates) else None
    replay = replay.with_absent(participants.absent)
    served = refit(fitted, on_all_rows(dataset), playbook, progress=_on_all(progress))
    origins = (*found.origins[:-1], last)
    return Findings(origins, found.choice, served, gates, lists, replay, learned, tuned, accepted)


def _on_all(progress: Progress) -> Progress:
    """Return a progress that tells the fitting of what serves from the fitting of what was judged."""
    return lambda what, done, total: progress(f"{what} on all rows", done, total)


def _tuned(
    dataset: Dataset, workspace: Workspace, *, trials: int, progress: Progress, seed: int
) -> TuningResult | None:
    if not trials:
        return None
    place = workspace.home.models(workspace.playbook.business.name) / "studies.db"
    return tune_parameters(dataset, workspace.playbook, trials=trials, place=place, seed=seed, progress=progress)


def _leaks_after_fitting(last: OriginResult, *, seed: int, progress: Progress) -> tuple[GateResult, ...]:
    return after_fitting(
        last.dataset,
        probability=last.contenders[0].probability,
        judged=EvaluationRows.of(last.dataset.block("test")),
        encoding=last.fitted.model.encoding,
        parameters=last.fitted.parameters,
        seed=seed,
        progress=progress,
    )


def _calibration_noise(last: OriginResult, playbook: Playbook) -> Metrics:
    """Evaluate the model on the rows that its calibration was fitted to: their noise is that of the fit."""
    return evaluate(
        last.fitted.out_of_fold,
        EvaluationRows.of(last.fitted.rows),
        base_rate=last.dataset.base_rate,
        capacity_per_day=playbook.business.capacity_per_day,
        resamples=_NOISE_RESAMPLES,
    )


def _lists(last: OriginResult, noise: Metrics, playbook: Playbook) -> ListTest | None:
    """Compare what the lists of the test weeks promised with what came; None where nobody was on any."""
    scored = last.lists(calibration_spread(noise.observed_over_expected or NO_ESTIMATE))
    if scored.rows.empty:
        return None
    return list_test(scored, last.dataset, bands=last.fitted.model.bands, business=playbook.business)


def _contender(learned: LearnedRules, last: OriginResult) -> Contender:
    """Score the test rows by the distilled rules."""
    rows = last.dataset.block("test")
    values = values_of(learned.scorecard.catalog, rows, dataset=last.dataset)
    return Contender.of(learned.scorecard, learned.scorecard.score_many(values).probabilities, kind="learned rules")
