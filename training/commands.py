"""The verbs ``build``, ``train`` and ``compare``."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow

from data.home import Home
from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from data.warehouse import Warehouse, import_history
from models.bundle import save_bundle
from models.champion import bundle_folder, save_scorecard_fit
from models.conversion import ConversionModel
from training.comparison import Comparison, Contender, compare_scorers
from training.contest import load_version
from training.dataset import SEED, Dataset
from training.dataset import build as build_dataset
from training.errors import HistoryError
from training.evaluation import Judged
from training.fitting import Fitted, fit, fit_scorecard, leads_by_outcome
from training.patience import Patience
from training.plots import draw_all
from training.results import Built, Compared, Trained
from training.runs import log_dataset, log_facts, log_model
from training.tracking import CHALLENGER, Registered, Registry


@dataclass(frozen=True, eq=False)
class _Material:
    """What every verb starts from."""

    warehouse: Warehouse
    dataset: Dataset
    place: Path


def build(folder: PlaybookFolder, home: Home, *, progress: Progress = silent, seed: int = SEED) -> Built:
    """
    Make the training set of a playbook's history, or find the one that was made of it before.

    Args:
        folder: the playbook.
        home: where tables are kept.
        progress: hears how far it has come.
        seed: of every draw.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    material = _material(folder, home, progress=progress, seed=seed)
    return Built(material.place, material.dataset.manifest)


def train(folder: PlaybookFolder, home: Home, *, progress: Progress = silent, seed: int = SEED) -> Trained:
    """
    Train a model, judge it on later leads beside the point rules, and register it as the challenger.

    Args:
        folder: the playbook.
        home: where tables and models are kept.
        progress: hears how far it has come.
        seed: of every draw.

    Raises:
        DataError: the history cannot be read.
        TrainingError: too short a history, too few leads, or a damaged registry.
    """
    registry = Registry(home, folder.playbook.name)
    registry.demand_readable()
    material = _material(folder, home, progress=progress, seed=seed)
    dataset = material.dataset
    fitted = fit(dataset, folder, progress=progress, seed=seed)
    contenders = _contenders(fitted.model, fitted.scorecard, dataset)
    comparison = _judge(contenders, dataset, folder, progress=progress)
    progress("opening the registry", 0, 0)
    with Patience() as patience, registry.run() as run_id, _bundle(home, folder, run_id) as bundle:
        progress("opening the registry", 1, 1)
        progress("registering the model", 0, 4)
        facts = _facts(dataset, fitted, comparison.scorers[0])
        text = fitted.booster.model_to_string()
        saved = save_bundle(fitted.model, bundle, lightgbm_text=text, golden=fitted.golden, facts=facts)
        progress("registering the model", 1, 4)
        _log(run_id, material, fitted=fitted, comparison=comparison)
        _log_files(bundle, material, fitted=fitted, contenders=contenders, folder=folder, progress=progress)
        progress("registering the model", 2, 4)
        example = dataset.block("test")[fitted.model.catalog.names].head(3)
        model_id = log_model(bundle, fitted.model.catalog, example=example)
        progress("registering the model", 3, 4)
        patience.begin()
        version = registry.register(run_id, model_id=model_id, fingerprint=saved.id.fingerprint)
        save_scorecard_fit(home.models(folder.playbook.name), fitted.scorecard)
    progress("registering the model", 4, 4)
    return Trained(
        version=version,
        run_id=run_id,
        bundle=bundle,
        fingerprint=saved.id.fingerprint,
        manifest=dataset.manifest,
        test=_metrics(comparison.scorers[0]),
        rules=_metrics(comparison.scorers[1]),
        trees=len(fitted.model.trees.trees),
        features=len(fitted.model.catalog.features),
        threshold=fitted.model.bands.threshold,
    )


def compare(
    folder: PlaybookFolder, home: Home, *, version: str = CHALLENGER, progress: Progress = silent, seed: int = SEED
) -> Compared:
    """
    Judge the point rules and a registered model on the same leads.

    Args:
        folder: the playbook.
        home: where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        progress: hears how far it has come.
        seed: as in training.

    Raises:
        RegistryError: no model was trained yet.
        HistoryError: the model was trained on another history, and may have seen these leads.
    """
    registry = Registry(home, folder.playbook.name)
    found = registry.find(version)
    model = load_version(found, home, folder.playbook.name)
    dataset = _material(folder, home, progress=progress, seed=seed).dataset
    _demand_same_history(found, registry, dataset)
    contenders = _contenders(model, fit_scorecard(dataset, folder), dataset)
    return Compared(_judge(contenders, dataset, folder, progress=progress), found.version)


def _material(folder: PlaybookFolder, home: Home, *, progress: Progress, seed: int) -> _Material:
    warehouse = import_history(folder, home, progress=progress)
    dataset, place = build_dataset(warehouse, folder, home, progress=progress, seed=seed)
    return _Material(warehouse, dataset, place)


def _contenders(model: ConversionModel, scorecard: Any, dataset: Dataset) -> list[Contender]:
    """Let the model and the rules score the test rows."""
    test = dataset.block("test")
    rules = scorecard.score_many(dataset.rules_frame(test)).probabilities
    return [Contender.of(model, model.score_many(test).probabilities), Contender.of(scorecard, rules)]


def _judge(contenders: list[Contender], dataset: Dataset, folder: PlaybookFolder, *, progress: Progress) -> Comparison:
    judged = Judged.of(dataset.block("test"))
    capacity = folder.playbook.capacity_per_day
    return compare_scorers(
        contenders, judged, base_rate=dataset.base_rate, capacity_per_day=capacity, progress=progress
    )


@contextmanager
def _bundle(home: Home, folder: PlaybookFolder, run_id: str) -> Iterator[Path]:
    """Give the bundle's place; if the training stops in the block, nothing stays there."""
    place = bundle_folder(home.models(folder.playbook.name), run_id)
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _facts(dataset: Dataset, fitted: Fitted, scorer: Mapping[str, Any]) -> dict[str, Any]:
    """Say in the bundle what it was made of and how it did; the same data give the same words."""
    manifest = dataset.manifest
    taken = ("goal", "plan", "cutoff_at", "mature_until", "blocks", "positives", "base_rate", "rows_sha256")
    return {
        "data": {name: manifest[name] for name in taken},
        "parameters": {name: value for name, value in fitted.parameters.items() if name != "num_threads"},
        "test": _metrics(scorer),
    }


def _metrics(scorer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scorer.items() if name not in {"name", "kind", "version", "fingerprint"}}


def _log(run_id: str, material: _Material, *, fitted: Fitted, comparison: Comparison) -> None:
    """Write parameters, hashes, metrics and the training set into the run."""
    manifest = material.dataset.manifest
    parameters = {
        **fitted.parameters,
        "trees": len(fitted.model.trees.trees),
        "plan": manifest["plan"]["name"],
        "features": manifest["features"],
        "threshold": fitted.model.bands.threshold,
        "rows_sha256": material.dataset.sha256,
        "catalog_fingerprint": manifest["catalog_fingerprint"],
        "history_fingerprint": material.warehouse.fingerprint,
    }
    counts = {f"rows_{name}": float(count) for name, count in manifest["blocks"].items()}
    metrics = {
        f"{prefix}{name}": value
        for prefix, scorer in zip(("test_", "rules_test_"), comparison.scorers, strict=True)
        for name, value in _flat(_metrics(scorer)).items()
    }
    learnt = {"leads_reached_goal": float(leads_by_outcome(material.dataset.block("train", "stop"))[0])}
    log_facts(run_id, parameters=parameters, metrics={**counts, **learnt, **metrics})
    log_dataset(run_id, material.place, manifest=manifest)


def _flat(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Give each number a name of its own: ``auc``, ``auc_low``, ``auc_high``."""
    return {
        name if part == "value" else f"{name}_{part}": float(number)
        for name, value in metrics.items()
        for part, number in (value.items() if isinstance(value, dict) else (("value", value),))
    }


def _log_files(
    bundle: Path,
    material: _Material,
    *,
    fitted: Fitted,
    contenders: list[Contender],
    folder: PlaybookFolder,
    progress: Progress,
) -> None:
    """Write the plots, the manifest and the bundle into the run."""
    test = material.dataset.block("test")
    with tempfile.TemporaryDirectory(prefix="leadscore-plots-") as place:
        draw_all(
            Path(place),
            fitted.model,
            test,
            contenders=contenders,
            judged=Judged.of(test),
            playbook=folder.playbook,
            progress=progress,
        )
        mlflow.log_artifacts(place, "plots")
    mlflow.log_dict(dict(material.dataset.manifest), "training_set.json")
    mlflow.log_artifacts(str(bundle), "bundle")


def _demand_same_history(found: Registered, registry: Registry, dataset: Dataset) -> None:
    trained_on = registry.parameters(found.run_id).get("rows_sha256")
    version = found.version
    if trained_on != dataset.sha256:
        message = (
            f"Version {version} was trained on another history or playbook than there is now, so it may have seen "
            "these leads: run leadscore train, then compare."
        )
        raise HistoryError(message)
