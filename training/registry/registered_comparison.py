"""Replay of the test weeks beside whatever serves, and the comparison of a registered version with it."""

from pathlib import Path

from data.home import Home
from data.progress import Progress
from data.words.playbook import Playbook
from data.workspace import Workspace
from models.bundle_company import require_own_bundle
from models.champion import bundle_folder
from models.conversion import ConversionModel
from models.scorecard import Scorecard
from training.dataset.dataset import SEED, Dataset
from training.dataset.dataset_builder import TrainingInputs, load_training_inputs
from training.distillation.rule_yaml import read_rules
from training.errors import HistoryError, TrainingError
from training.evaluation.model_comparison import ModelComparison
from training.evaluation.scorer_evaluation import Period
from training.fitting.scorecard_fit import calibrated_rules, fit_scorecard
from training.registry.challenger_evaluation import load_judged, load_version
from training.registry.mlflow_registry import Registry
from training.registry.registered_version import RegisteredVersion
from training.registry.run_folders import learned_rules_file
from training.replay.participants import Participants, choose_participants
from training.replay.replay import run_replay
from training.replay.replay_evaluation import ReplayEvaluation
from training.statistics.comparison import compare_scorers
from training.statistics.scoring_metrics import EvaluationRows


def compare_registered(workspace: Workspace, *, version: str, progress: Progress, seed: int = SEED) -> ModelComparison:
    """Score the test rows with a registered model, the champion and every scorecard; see `commands.compare`."""
    playbook = workspace.playbook
    registry = Registry(workspace.home, playbook.business.name)
    registered = registry.find(version)
    serving = load_version(registered, workspace.home, playbook.business.name)
    model = load_judged(serving, registry.models, registered.run_id)
    require_own_bundle(bundle_folder(registry.models, registered.run_id), playbook.company)
    inputs = load_training_inputs(workspace, progress=progress, seed=seed)
    _require_same_history(registered, registry, inputs.dataset)
    replay, participants = replay_weeks(
        model,
        fit_scorecard(inputs.dataset, playbook),
        learned=_learned_scorecard(learned_rules_file(registry.models, registered.run_id), inputs, playbook),
        inputs=inputs,
        workspace=workspace,
        progress=progress,
    )
    comparison = compare_scorers(
        list(participants.participants),
        EvaluationRows.of(inputs.dataset.block("test")),
        base_rate=inputs.dataset.base_rate,
        capacity_per_day=playbook.business.capacity_per_day,
        progress=progress,
    )
    return ModelComparison(
        version=registered.version,
        test=Period.model_validate(inputs.dataset.plan.test.as_json()),
        **comparison._asdict(),
        replay=replay.with_absent(participants.absent),
    )


def replay_weeks(
    model: ConversionModel,
    scorecard: Scorecard,
    *,
    learned: Scorecard | None,
    inputs: TrainingInputs,
    workspace: Workspace,
    progress: Progress,
) -> tuple[ReplayEvaluation, Participants]:
    """Replay the test weeks for the model, the champion and every scorecard; return the replay and who took part."""
    dataset, business = inputs.dataset, workspace.playbook.business
    participants = choose_participants(
        dataset,
        workspace.playbook,
        model=model,
        scorecard=scorecard,
        champion=_champion(workspace.home, business.name),
        learned=learned,
        warehouse=inputs.warehouse,
        progress=progress,
    )
    replay = run_replay(
        participants,
        dataset,
        capacity_per_day=business.capacity_per_day,
        zone=business.timezone,
        warehouse=inputs.warehouse,
        progress=progress,
    )
    return replay, participants


def _champion(home: Home, name: str) -> ConversionModel | None:
    """Load the model that serves; None where there is none, or where it cannot be loaded and so cannot take part."""
    champion = Registry(home, name).champion()
    try:
        if champion is None:
            return None
        return load_judged(load_version(champion, home, name), home.models(name), champion.run_id)
    except TrainingError:
        return None


def _learned_scorecard(file: Path, inputs: TrainingInputs, playbook: Playbook) -> Scorecard | None:
    """Calibrate the point rules distilled from a model; None where there are none."""
    if not file.exists():
        return None
    rules = read_rules(file, playbook.business)
    return calibrated_rules(rules, inputs.dataset, playbook=playbook, warehouse=inputs.warehouse)


def _require_same_history(registered: RegisteredVersion, registry: Registry, dataset: Dataset) -> None:
    trained_on = registry.parameters(registered.run_id).get("rows_sha256")
    if trained_on != dataset.sha256:
        message = (
            f"Version {registered.version} was trained on another history or playbook than there is now, so it may "
            "have seen these leads: run leadscore train, then compare."
        )
        raise HistoryError(message)
