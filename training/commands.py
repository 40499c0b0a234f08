"""
The verbs of training, in the order in which they are used: from ``build`` to ``history``.

Each imports what it runs when it runs: ``history`` and ``report`` load neither MLflow nor LightGBM.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from data.output_files import write_output
from data.progress import Progress, silent
from data.workspace import Workspace
from training.command_results import (
    BuildResult,
    CompareResult,
    ReportResult,
    RulesOnlyResult,
    ScorecardResult,
    TrainResult,
)
from training.evaluation.evaluation_document import read_evaluation
from training.registry.promotion_history import read_champion_history
from training.registry.promotion_results import HistoryResult, PromotionResult, RollbackResult
from training.registry.run_folders import CHALLENGER, find_run, learned_rules_file, report_folder

if TYPE_CHECKING:
    from training.registry.renaming import RenameResult


def build(workspace: Workspace, *, progress: Progress = silent) -> BuildResult:
    """
    Make the training set of a playbook's history, or find the one that was made of it before.

    Args:
        workspace: the playbook, and where tables and models are kept.
        progress: receives the steps.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never reached in it.
    """
    from data.importing.warehouse import import_history
    from training.dataset.dataset_builder import keep_dataset
    from training.dataset.groups import LargestGroup

    kept = keep_dataset(import_history(workspace, progress=progress), workspace, progress=progress)
    return BuildResult(kept.place, kept.manifest, LargestGroup(**kept.manifest["largest_group"]).says)


def train(
    workspace: Workspace,
    *,
    tune: int = 0,
    accept_risk: str | None = None,
    progress: Progress = silent,
) -> TrainResult | RulesOnlyResult:
    """
    Train a model, evaluate it at every origin beside point rules and baselines, and register it as the challenger.

    Args:
        workspace: the playbook, and where tables and models are kept.
        tune: how many sets of parameters to try; 0 takes those that fit the size of the data.
        accept_risk: why to go on although a gate against leakage fails; it is written on the model card.
        progress: receives the steps.

    Returns:
        What was trained; or that the history is enough for the point rules alone, and what is missing.

    Raises:
        DataError: the history cannot be read.
        LeakError: a gate failed and no reason was given to go on.
        TrainingError: too short a history, or a damaged registry.
    """
    from training.pipeline import run_training

    return run_training(workspace, tune=tune, accept_risk=accept_risk, progress=progress)


def compare(workspace: Workspace, *, version: str = CHALLENGER, progress: Progress = silent) -> CompareResult:
    """
    Score the same leads of the same weeks with a registered model, the champion and every scorecard.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        progress: receives the steps.

    Raises:
        RegistryError: no model was trained yet.
        HistoryError: the model was trained on another history, and may have seen these leads.
    """
    from training.registry.registered_comparison import compare_registered

    return CompareResult(compare_registered(workspace, version=version, progress=progress))


def report(
    workspace: Workspace, *, version: str = CHALLENGER, out: Path | None = None, overwrite: bool = False
) -> ReportResult:
    """
    Find the report of a version, and copy it to a file.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        out: HTML file to write.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.

    Raises:
        UnknownVersionError: there is no report of such a version.
        TrainingError: its report cannot be read.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    number, run_id = find_run(models, version)
    place = report_folder(models, run_id)
    evaluation = read_evaluation(place)
    if out is not None:
        write_output(out, (place / "report.html").read_bytes(), workspace.home, overwrite=overwrite)
    return ReportResult(number, place, evaluation, out)


def scorecard(
    workspace: Workspace, *, out: Path, version: str = CHALLENGER, overwrite: bool = False
) -> ScorecardResult:
    """
    Write the point rules that were distilled from a model, to be used where no model may be.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: YAML file to write.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.
        version: ``challenger`` (the newest), ``champion`` or a number.

    Raises:
        UnknownVersionError: there is no report of such a version.
        TrainingError: no rules were distilled from it.
    """
    from training.distillation.rule_yaml import read_rules

    models = workspace.home.models(workspace.playbook.business.name)
    number, run_id = find_run(models, version)
    file = learned_rules_file(models, run_id)
    rules = read_rules(file, workspace.playbook.business)
    write_output(out, file.read_bytes(), workspace.home, overwrite=overwrite)
    return ScorecardResult(number, out, rules)


def promote(
    workspace: Workspace,
    *,
    version: str = CHALLENGER,
    force: bool = False,
    reason: str | None = None,
    progress: Progress = silent,
) -> PromotionResult:
    """
    Make a registered version the champion if the gate passes it.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest) or a number.
        force: skip the gate; then a reason must be given.
        reason: why, for the history and for MLflow.
        progress: receives the steps.

    Raises:
        RegistryError: there is no such version.
        PromotionRefusedError: its bundle does not load, a rule of the gate refused it, or somebody else was quicker.
        HistoryError: the rows that it was tested on are gone.
    """
    from training.registry.promote import promote_version

    return promote_version(workspace, version=version, force=force, reason=reason, progress=progress)


def rollback(workspace: Workspace, *, reason: str | None = None) -> RollbackResult:
    """
    Make the previous champion serve again, in one step.

    A second rollback goes one further back; what was rolled back comes again by being promoted.

    Args:
        workspace: the playbook, and where tables and models are kept.
        reason: why, for the history and for MLflow.

    Raises:
        RollbackRefusedError: there is no previous champion, or its bundle cannot serve.
        ChampionChangedError: somebody else was quicker.
    """
    from training.registry.promote import rollback_version

    return rollback_version(workspace, reason=reason)


def history(workspace: Workspace) -> HistoryResult:
    """
    Return which version serves, and who changed that, when and why.

    Args:
        workspace: the playbook, and where tables and models are kept.

    Raises:
        RegistryError: the history cannot be read.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    found = read_champion_history(models)
    problems = tuple(filter(None, (found.problem, found.damage_note(models))))
    return HistoryResult(None if found.problem else found.champion, found.changes[::-1], problems)


def rename(workspace: Workspace, *, name: str) -> "RenameResult":
    """
    Call a company by another name: its folders here, its model in the registry, and its playbook.

    Args:
        workspace: the playbook, and where tables and models are kept.
        name: the new name.

    Raises:
        RenameError: the name is taken or no name, the store is in use, or the playbook cannot be changed.
        RegistryError: the registry cannot be read or written.
    """
    from training.registry.renaming import rename_company

    return rename_company(workspace, name)
