"""Registration: the bundle, the run, the report and the version of a training, or none of them."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
from mlflow.entities import Dataset as LoggedDataset

from data.company_identity import CompanyIdentity
from data.importing.history_breaks import history_breaks
from data.instants import now_us
from data.progress import Progress
from data.words.playbook import Playbook
from data.workspace import Workspace
from features.age_and_silence import BESIDE
from models.bundle import save_bundle
from models.bundle_company import company_fact
from models.champion import bundle_folder, judged_folder
from models.cold_start import ColdStartStage, save_standing
from models.conversion import ConversionModel
from models.history_reach import REACH
from models.saved_scorers import save_scorecard_fit
from training.command_results import TrainResult
from training.dataset.dataset import Dataset
from training.dataset.dataset_builder import TrainingInputs
from training.dataset.split import BLOCKS, PURGED
from training.evaluation.assembly import Findings, evaluation_of
from training.evaluation.evaluation_document import LEARNED_RULES, Evaluation
from training.fitting.fitted_model import FittedModel
from training.lists.reached_days import history_reach
from training.registry.gate_tags import gate_tags
from training.registry.interrupts import DeferredInterrupt
from training.registry.mlflow_registry import Registry
from training.registry.mlflow_run import log_datasets, log_metrics, log_model, log_parameters
from training.registry.registered_version import RegistryEntry
from training.registry.run_folders import report_folder
from training.registry.run_metrics import all_metrics, headline_metrics
from training.registry.training_run import describe_run, name_run_after, open_training_run
from training.reporting.report_folder import write_report
from training.reporting.shap_plots import draw_all

_STEPS = 5
_THREADS = re.compile(r"^\[num_threads: -?\d+\]\n", re.MULTILINE)


def register(
    findings: Findings,
    inputs: TrainingInputs,
    cold_start: ColdStartStage,
    *,
    workspace: Workspace,
    registry: Registry,
    progress: Progress,
) -> TrainResult:
    """
    Save the bundle, log the run, write the report and register the version; whatever stops it before leaves neither.

    Raises:
        RegistryError: the registry cannot be read or written.
    """
    models, playbook = workspace.home.models(workspace.playbook.business.name), workspace.playbook
    progress("opening the registry", 0, 0)
    with (
        DeferredInterrupt() as interrupts,
        open_training_run(registry) as run_id,
        _new_folders(models, run_id) as folders,
    ):
        progress("opening the registry", 1, 1)
        step = _steps(progress)
        step(0)
        model = _save(findings, cold_start, folders, company=playbook.company)
        findings, fingerprint = _with_model_id(model, findings), model.id.fingerprint
        found = _evaluation(findings, inputs, cold_start, playbook=playbook, run_id=run_id, fingerprint=fingerprint)
        evaluation = found.with_version(registry.next_version())
        step(1)
        measured_on = _log(run_id, findings, inputs, evaluation)
        _write(folders.report, evaluation, findings)
        step(2)
        _log_files(folders, findings=findings, playbook=playbook, progress=progress)
        step(3)
        some = inputs.dataset.block("test")[model.catalog.names].head(3)
        model_id = log_model(folders.bundle, model.catalog, example=some)
        numbers = headline_metrics(inputs.dataset, evaluation)
        log_metrics(run_id, numbers, model_id=model_id, measured_on=measured_on)
        step(4)
        interrupts.begin()
        entry = RegistryEntry(run_id, model_id, fingerprint, evaluation.verdict, gate_tags(evaluation.gates))
        version = registry.register(entry, company=playbook.company)
        name_run_after(version, run_id, trained_at=evaluation.trained_at)
        save_scorecard_fit(models, findings.served.scorecard)
        save_standing(models, cold_start)
    step(_STEPS)
    if version != evaluation.version:  # another training was faster by a moment
        _write(folders.report, evaluation := evaluation.with_version(version), findings)
    return TrainResult(version, run_id, folders.bundle, folders.report, evaluation)


def _steps(progress: Progress) -> Callable[[int], None]:
    return lambda done: progress("registering the model", done, _STEPS)


def _evaluation(
    findings: Findings,
    inputs: TrainingInputs,
    cold_start: ColdStartStage,
    *,
    playbook: Playbook,
    run_id: str,
    fingerprint: str,
) -> Evaluation:
    found = evaluation_of(findings, cold_start, playbook, trained_at=now_us(), run_id=run_id, fingerprint=fingerprint)
    return found.with_history_breaks(each.says for each in history_breaks(inputs.warehouse, playbook.business))


class _Folders(NamedTuple):
    """Where a training puts the model that serves, the one that was judged, and its report."""

    bundle: Path
    judged: Path
    report: Path


@contextmanager
def _new_folders(models: Path, run_id: str) -> Iterator[_Folders]:
    """Name the folders of a training; if it stops in the block, nothing stays there."""
    folders = _Folders(bundle_folder(models, run_id), judged_folder(models, run_id), report_folder(models, run_id))
    own = [folder for folder in folders if not os.path.lexists(folder)]
    try:
        yield folders
    except BaseException:
        for folder in own:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _save(
    findings: Findings, cold_start: ColdStartStage, folders: _Folders, *, company: CompanyIdentity
) -> ConversionModel:
    """Save the model that was judged, and the one that serves, which names it."""
    own = company_fact(company)
    judged = _save_fitted(findings.last.fitted, folders.judged, facts=own | _data_of(findings.last.dataset))
    facts = own | _facts(findings, cold_start) | {"judged": judged.id.fingerprint}
    return _save_fitted(findings.served, folders.bundle, facts=facts)


def _save_fitted(fitted: FittedModel, folder: Path, *, facts: Mapping[str, Any]) -> ConversionModel:
    # how many threads the machine had is no part of the model: the same data give the same bundle
    text = _THREADS.sub("", fitted.booster.model_to_string())
    return save_bundle(fitted.model, folder, lightgbm_text=text, golden=fitted.golden, facts=facts)


def _with_model_id(model: ConversionModel, findings: Findings) -> Findings:
    """Return the findings whose distilled rules name the saved model, with its fingerprint."""
    learned = findings.learned
    return findings if learned is None else replace(findings, learned=replace(learned, model=model.id))


def _facts(findings: Findings, cold_start: ColdStartStage) -> dict[str, Any]:
    """Describe for the bundle what it was made of and how it did; the same data give the same words."""
    last, served = findings.last, findings.served
    return {
        **_data_of(last.dataset),
        REACH: _reach(last.dataset),
        "fitted_on": {"rows": served.fitted_rows, "until": last.dataset.manifest["mature_until"]},
        "family": findings.choice.model_dump(mode="json"),
        "parameters": {name: value for name, value in served.parameters.items() if name != "num_threads"},
        "calibration": served.calibrated.as_json(),
        "test": last.scorers[0].metrics.model_dump(mode="json"),
        "gates": [gate.model_dump(mode="json") for gate in findings.gates],
        "standing": cold_start.as_json(),
        "accepted_risk": findings.accepted_risk,
    }


def _reach(dataset: Dataset) -> dict[str, int]:
    """Measure how old and how silent the leads were whose outcomes are known."""
    columns = ("lead_id", *(feature.name for feature in BESIDE))
    return history_reach(dataset.block(*BLOCKS, PURGED, columns=columns)).as_json()


def _data_of(dataset: Dataset) -> dict[str, Any]:
    """Describe the training set of a bundle."""
    taken = ("goal", "plan", "cutoff_at", "mature_until", "blocks", "positives", "base_rate", "rows_sha256")
    return {"data": {name: dataset.manifest[name] for name in taken}}


def _write(report: Path, evaluation: Evaluation, findings: Findings) -> None:
    write_report(evaluation, report)
    if findings.learned is not None:
        yaml = findings.learned.to_yaml(scorers=findings.last.scorers)
        (report / LEARNED_RULES).write_text(yaml, encoding="utf-8")


def _log(run_id: str, findings: Findings, inputs: TrainingInputs, evaluation: Evaluation) -> LoggedDataset:
    """Write parameters, hashes, gates and the training set into the run; return the rows that metrics are of."""
    fitted, manifest = findings.served, inputs.dataset.manifest
    parameters = {
        **fitted.parameters,
        "family": fitted.family,
        "trees": len(fitted.model.trees.trees),
        "calibration": fitted.calibrated.chosen.kind,
        "steps": fitted.steps,
        "constrained_features": len(fitted.directions),
        "rung": evaluation.cold_start.stage,
        "features": manifest["features"],
        "threshold": fitted.model.bands.threshold,
        "rows_sha256": inputs.dataset.sha256,
        "catalog_fingerprint": manifest["catalog_fingerprint"],
        "history_fingerprint": inputs.warehouse.fingerprint,
    }
    log_parameters(run_id, parameters)
    describe_run(run_id, description=f"{evaluation.verdict}\n\nThe whole report: `report/report.html` below Artifacts.")
    mlflow.set_tags(gate_tags(evaluation.gates))
    if findings.accepted_risk is not None:
        mlflow.set_tag("accepted_risk", findings.accepted_risk)
    mlflow.log_dict(all_metrics(evaluation), "metrics.json")
    return log_datasets(run_id, inputs.place, manifest=manifest)


def _log_files(folders: _Folders, *, findings: Findings, playbook: Playbook, progress: Progress) -> None:
    """Write the plots, the report, the manifest and the bundle into the run."""
    last = findings.last
    with tempfile.TemporaryDirectory(prefix="leadscore-plots-") as place:
        draw_all(
            Path(place),
            findings.served.model,
            last.dataset.block("test"),
            business=playbook.business,
            progress=progress,
        )
        mlflow.log_artifacts(place, "plots")
    mlflow.log_dict(dict(last.dataset.manifest), "training_set.json")
    mlflow.log_artifacts(str(folders.report), "report")
    mlflow.log_artifacts(str(folders.bundle), "bundle")
