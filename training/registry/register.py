"""Registering: the bundle, the run, the report and the version of a training, or none of them."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlflow

from data.instants import now_us
from data.playbook import Playbook
from data.progress import Progress
from data.workspace import Workspace
from models.bundle import save_bundle
from models.champion import bundle_folder, save_scorecard_fit
from models.cold_start import ColdStartStage, save_standing
from models.conversion import ConversionModel
from training.dataset.assembly import TrainingInputs
from training.dataset.dataset import Dataset
from training.evaluation.evaluation_document import Findings, judgement_of, labelled
from training.fitting.minimum_data import leads_of_blocks
from training.registry.interrupts import DeferredInterrupt
from training.registry.mlflow_registry import Registry
from training.registry.mlflow_run import log_dataset, log_metrics, log_model, log_parameters
from training.reporting import write_report
from training.reporting.shap_plots import draw_all
from training.statistics.estimates import ScorerEvaluation

_STEPS = 5


@dataclass(frozen=True, slots=True)
class RegisteredTraining:
    """A registered training: its version, its run, its bundle, its report, and all it found."""

    version: str
    run_id: str
    bundle: Path
    report: Path
    judgement: Mapping[str, Any]


def report_folder(models: Path, run_id: str) -> Path:
    """Give the folder of the report, the model card and the judgement of a training run."""
    return models / "reports" / run_id


def learned_rules_file(models: Path, run_id: str) -> Path:
    """Give the place of the scorecard that was distilled from a run's model."""
    return report_folder(models, run_id) / "scorecard.yaml"


def register(
    findings: Findings,
    material: TrainingInputs,
    standing: ColdStartStage,
    *,
    workspace: Workspace,
    registry: Registry,
    progress: Progress,
) -> RegisteredTraining:
    """
    Save the bundle, log the run, write the report and register the version; whatever stops it before leaves neither.

    Raises:
        RegistryError: the registry cannot be read or written.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    progress("opening the registry", 0, 0)
    with DeferredInterrupt() as patience, registry.run() as run_id, _places(models, run_id) as (bundle, report):
        progress("opening the registry", 1, 1)
        tell = _telling(progress)
        tell(0)
        model = _save(findings, standing, bundle)
        findings = _of(model, findings)
        judgement = judgement_of(
            findings, standing, workspace.playbook, trained_at=now_us(), run_id=run_id, fingerprint=model.id.fingerprint
        )
        judgement = labelled(judgement, version=registry.next_version())
        tell(1)
        _log(run_id, findings, material, judgement)
        _write(report, judgement, findings)
        tell(2)
        _log_files(bundle, report, findings=findings, playbook=workspace.playbook, progress=progress)
        tell(3)
        test = material.dataset.block("test")
        model_id = log_model(bundle, model.catalog, example=test[model.catalog.names].head(3))
        log_metrics(run_id, {**_counts(material.dataset), **_metrics(findings)}, model_id=model_id)
        tell(4)
        patience.begin()
        version = registry.register(run_id, model_id=model_id, fingerprint=model.id.fingerprint)
        save_scorecard_fit(models, findings.last.fitted.scorecard)
        save_standing(models, standing)
    tell(_STEPS)
    if version != judgement["version"]:  # another training was faster by a moment
        judgement = labelled(judgement, version=version)
        _write(report, judgement, findings)
    return RegisteredTraining(version, run_id, bundle, report, judgement)


def _telling(progress: Progress) -> Any:
    return lambda done: progress("registering the model", done, _STEPS)


@contextmanager
def _places(models: Path, run_id: str) -> Iterator[tuple[Path, Path]]:
    """Give the places of bundle and report; if the training stops in the block, nothing stays there."""
    bundle, report = bundle_folder(models, run_id), report_folder(models, run_id)
    try:
        yield bundle, report
    except BaseException:
        shutil.rmtree(bundle, ignore_errors=True)
        shutil.rmtree(report, ignore_errors=True)
        raise


def _save(findings: Findings, standing: ColdStartStage, bundle: Path) -> ConversionModel:
    fitted = findings.last.fitted
    text = fitted.booster.model_to_string()
    facts = _facts(findings, standing)
    return save_bundle(fitted.model, bundle, lightgbm_text=text, golden=fitted.golden, facts=facts)


def _of(model: ConversionModel, findings: Findings) -> Findings:
    """Let the distilled rules say by its fingerprint whom they were learned from."""
    learned = findings.learned
    return findings if learned is None else replace(findings, learned=replace(learned, model=model.id))


def _facts(findings: Findings, standing: ColdStartStage) -> dict[str, Any]:
    """Say in the bundle what it was made of and how it did; the same data give the same words."""
    last = findings.last
    manifest = last.dataset.manifest
    taken = ("goal", "plan", "cutoff_at", "mature_until", "blocks", "positives", "base_rate", "rows_sha256")
    return {
        "data": {name: manifest[name] for name in taken},
        "parameters": {name: value for name, value in last.fitted.parameters.items() if name != "num_threads"},
        "calibration": last.fitted.calibrated.as_json(),
        "test": last.scorers[0].metrics.as_json(),
        "gates": [gate.as_json() for gate in findings.gates],
        "standing": standing.as_json(),
        "accepted_risk": findings.accepted_risk,
    }



def metrics_of(scorer: Mapping[str, Any]) -> dict[str, Any]:
    """Give a scorer's numbers without saying who it is."""
    return {name: value for name, value in scorer.items() if name not in {"name", "kind", "version", "fingerprint"}}


def _write(report: Path, judgement: Mapping[str, Any], findings: Findings) -> None:
    write_report(judgement, report)
    if findings.learned is not None:
        yaml = findings.learned.to_yaml(scorers=findings.last.scorers)
        (report / "scorecard.yaml").write_text(yaml, encoding="utf-8")


def _log(run_id: str, findings: Findings, material: TrainingInputs, judgement: Mapping[str, Any]) -> None:
    """Write parameters, hashes and the training set into the run."""
    last, manifest = findings.last, material.dataset.manifest
    fitted = last.fitted
    parameters = {
        **fitted.parameters,
        "trees": len(fitted.model.trees.trees),
        "calibration": fitted.calibrated.chosen.kind,
        "steps": fitted.steps,
        "constrained_features": len(fitted.directions),
        "plan": manifest["plan"]["name"],
        "rung": judgement["standing"]["rung"],
        "features": manifest["features"],
        "threshold": fitted.model.bands.threshold,
        "rows_sha256": material.dataset.sha256,
        "catalog_fingerprint": manifest["catalog_fingerprint"],
        "history_fingerprint": material.warehouse.fingerprint,
    }
    log_parameters(run_id, parameters)
    log_dataset(run_id, material.place, manifest=manifest)
    for gate in findings.gates:
        mlflow.set_tag(f"gate: {gate.name}", gate.says)
    if findings.accepted_risk is not None:
        mlflow.set_tag("accepted_risk", findings.accepted_risk)


def _counts(dataset: Dataset) -> dict[str, float]:
    counts = {f"rows_{name}": float(count) for name, count in dataset.manifest["blocks"].items()}
    return {**counts, "leads_reached_goal": float(leads_of_blocks(dataset, "train", "stop")[0])}


def _metrics(findings: Findings) -> dict[str, float]:
    """Name every number of every origin: the last one's model and rules as test_ and rules_test_."""
    found: dict[str, float] = {}
    for number, origin in enumerate(findings.tried, 1):
        for scorer in origin.scorers:
            prefix = _prefix(scorer, number)
            found |= {f"{prefix}{name}": value for name, value in _flat(scorer.metrics.as_json()).items()}
    for scorer in findings.last.scorers:
        if scorer.kind in {"model", "rules"}:
            prefix = "test_" if scorer.kind == "model" else "rules_test_"
            found |= {f"{prefix}{name}": value for name, value in _flat(scorer.metrics.as_json()).items()}
    return found


def _prefix(scorer: ScorerEvaluation, number: int) -> str:
    who = scorer.name if scorer.kind == "baseline" else scorer.kind
    return f"origin_{number}_{who}_".replace(" ", "_")


def _flat(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Give each number a name of its own: ``auc``, ``auc_low``, ``auc_high``; what is not known has none."""
    pairs = {
        name if part == "value" else f"{name}_{part}": number
        for name, value in metrics.items()
        for part, number in (value.items() if isinstance(value, dict) else (("value", value),))
    }
    return {name: float(number) for name, number in pairs.items() if number is not None}


def _log_files(bundle: Path, report: Path, *, findings: Findings, playbook: Playbook, progress: Progress) -> None:
    """Write the plots, the report, the manifest and the bundle into the run."""
    last = findings.last
    with tempfile.TemporaryDirectory(prefix="leadscore-plots-") as place:
        draw_all(
            Path(place), last.fitted.model, last.dataset.block("test"), business=playbook.business, progress=progress
        )
        mlflow.log_artifacts(place, "plots")
    mlflow.log_dict(dict(last.dataset.manifest), "training_set.json")
    mlflow.log_artifacts(str(report), "report")
    mlflow.log_artifacts(str(bundle), "bundle")
