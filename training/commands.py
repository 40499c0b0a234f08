"""The verbs ``build``, ``train``, ``compare``, ``report`` and ``scorecard``."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.home import Home
from data.instants import now_us
from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from models.champion import save_scorecard_fit
from models.conversion import ConversionModel
from models.scorecard import Scorecard
from models.standing import Standing, save_standing
from training.arena import Arena, hold_arena, line_up
from training.cold_start import standing_of
from training.comparison import Contender, compare_scorers
from training.contest import load_version
from training.dataset import SEED, Dataset
from training.errors import HistoryError, TrainingError
from training.evaluation import Judged, evaluate
from training.judgement import Findings, judgement_of_rules_alone, read_judgement
from training.judging import Tried, joined, try_origins
from training.leakage import Gate, after_fitting, before_fitting, demand
from training.learned_rules import LearnedRules, distil, read_rules
from training.material import Material, gather
from training.origins import origins
from training.quality import against_the_rules, calibration_gates
from training.registering import learned_rules_file, register, report_folder
from training.reporting import write_report
from training.results import Built, Carded, Compared, Reported, RulesAlone, Trained
from training.scorecards import calibrated_rules, fit_scorecard
from training.tracking import CHALLENGER, Registered, Registry
from training.tuning import Tuned, tune_parameters
from training.values import values_of

_NOISE_RESAMPLES = 200


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
    material = gather(folder, home, progress=progress, seed=seed)
    return Built(material.place, material.dataset.manifest)


def train(
    folder: PlaybookFolder,
    home: Home,
    *,
    tune: int = 0,
    accept_risk: str | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> Trained | RulesAlone:
    """
    Train a model, judge it at every origin beside point rules and baselines, and register it as the challenger.

    Args:
        folder: the playbook.
        home: where tables and models are kept.
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
    registry = Registry(home, folder.playbook.name)
    registry.demand_readable()
    material = gather(folder, home, progress=progress, seed=seed)
    standing = standing_of(material.dataset)
    if standing.rung == "rules only":
        return _rules_alone(material, standing, folder, home)
    findings = _find(material, folder, home, tune=tune, accept_risk=accept_risk, progress=progress, seed=seed)
    entry = register(findings, material, standing, folder=folder, home=home, registry=registry, progress=progress)
    return Trained(entry)


def compare(
    folder: PlaybookFolder, home: Home, *, version: str = CHALLENGER, progress: Progress = silent, seed: int = SEED
) -> Compared:
    """
    Put a registered model, the champion and every scorecard on the same leads of the same weeks.

    Args:
        folder: the playbook; scorecards in its folder ``scorecards`` take part.
        home: where tables and models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        progress: hears how far it has come.
        seed: as in training.

    Raises:
        RegistryError: no model was trained yet.
        HistoryError: the model was trained on another history, and may have seen these leads.
    """
    name = folder.playbook.name
    registry = Registry(home, name)
    found = registry.find(version)
    model = load_version(found, home, name)
    material = gather(folder, home, progress=progress, seed=seed)
    _demand_same_history(found, registry, material.dataset)
    scorecard = fit_scorecard(material.dataset, folder)
    learned = _learned_card(learned_rules_file(home.models(name), found.run_id), material, folder)
    arena, contenders = _arena(
        model, scorecard, learned=learned, material=material, folder=folder, home=home, progress=progress
    )
    comparison = compare_scorers(
        list(contenders),
        Judged.of(material.dataset.block("test")),
        base_rate=material.dataset.base_rate,
        capacity_per_day=folder.playbook.capacity_per_day,
        progress=progress,
    )
    return Compared(comparison, found.version, arena)


def report(folder: PlaybookFolder, home: Home, *, version: str = CHALLENGER, out: Path | None = None) -> Reported:
    """
    Find the report of a version, and copy it where it is wanted.

    Args:
        folder: the playbook.
        home: where models are kept.
        version: ``challenger`` (the newest), ``champion`` or a number.
        out: HTML file to write.

    Raises:
        RegistryError: there is no such version.
        TrainingError: its report is gone.
    """
    found = Registry(home, folder.playbook.name).find(version)
    place = report_folder(home.models(folder.playbook.name), found.run_id)
    judgement = read_judgement(place)
    if out is not None:
        _copy(place / "report.html", out)
    return Reported(found.version, place, judgement, out)


def scorecard(folder: PlaybookFolder, home: Home, *, out: Path, version: str = CHALLENGER) -> Carded:
    """
    Write the point rules that were distilled from a model, to be used where no model may be.

    Args:
        folder: the playbook.
        home: where models are kept.
        out: YAML file to write.
        version: ``challenger`` (the newest), ``champion`` or a number.

    Raises:
        RegistryError: there is no such version.
        TrainingError: no rules were distilled from it.
    """
    found = Registry(home, folder.playbook.name).find(version)
    file = learned_rules_file(home.models(folder.playbook.name), found.run_id)
    rules = read_rules(file, folder.playbook)
    _copy(file, out)
    return Carded(found.version, out, rules)


def _rules_alone(material: Material, standing: Standing, folder: PlaybookFolder, home: Home) -> RulesAlone:
    """Leave the scoring to the point rules, with what history can teach about them, and say what is missing."""
    models = home.models(folder.playbook.name)
    dataset = material.dataset
    both_known = 0 < dataset.base_rate < 1 and dataset.block("calibrate")["label"].nunique() > 1
    if both_known and len(dataset.recent):
        save_scorecard_fit(models, fit_scorecard(dataset, folder))
    save_standing(models, standing)
    judgement = judgement_of_rules_alone(dataset, standing, folder, trained_at=now_us())
    place = report_folder(models, "rules-only")
    write_report(judgement, place)
    return RulesAlone(standing, place, judgement)


def _find(
    material: Material,
    folder: PlaybookFolder,
    home: Home,
    *,
    tune: int,
    accept_risk: str | None,
    progress: Progress,
    seed: int,
) -> Findings:
    """Pass the gates, fit and judge at every origin, and hold the arena."""
    dataset, playbook = material.dataset, folder.playbook
    gates = before_fitting(dataset, material.warehouse, playbook, seed=seed, progress=progress)
    gates = demand(gates, accept_risk=accept_risk)
    tuned = _tuned(dataset, folder, home, trials=tune, progress=progress, seed=seed)
    tried = try_origins(
        origins(dataset, seed=seed),
        folder,
        parameters=None if tuned is None else tuned.parameters,
        seed=seed,
        progress=progress,
    )
    last = tried[-1]
    gates += demand(_after(last, seed=seed, progress=progress), accept_risk=accept_risk)
    gates += calibration_gates(last.scorers[0], learnt=_learnt(last, folder))
    learned = distil(last.fitted.model, dataset, folder, seed=seed)
    if learned is not None:
        theirs = _contender(learned, last)
        tried = (*tried[:-1], joined(last, theirs, capacity_per_day=playbook.capacity_per_day))
    arena, _ = _arena(
        last.fitted.model,
        last.fitted.scorecard,
        learned=None if learned is None else learned.scorecard,
        material=material,
        folder=folder,
        home=home,
        progress=progress,
    )
    gates += (against_the_rules(arena),)
    accepted = accept_risk if any(gate.accepted for gate in gates) else None
    return Findings(tried, gates, arena, learned, tuned, accepted)


def _learnt(last: Tried, folder: PlaybookFolder) -> Mapping[str, Any]:
    """Give the model's numbers on the rows that its calibration was fitted to: their noise is that of the fit."""
    rows = last.dataset.block("calibrate")
    return evaluate(
        last.fitted.model.score_many(rows).probabilities,
        Judged.of(rows),
        base_rate=last.dataset.base_rate,
        capacity_per_day=folder.playbook.capacity_per_day,
        resamples=_NOISE_RESAMPLES,
    )


def _tuned(
    dataset: Dataset, folder: PlaybookFolder, home: Home, *, trials: int, progress: Progress, seed: int
) -> Tuned | None:
    if not trials:
        return None
    place = home.models(folder.playbook.name) / "studies.db"
    return tune_parameters(dataset, folder, trials=trials, place=place, seed=seed, progress=progress)


def _contender(learned: LearnedRules, last: Tried) -> Contender:
    """Let the distilled rules score the test rows."""
    rows = last.dataset.block("test")
    values = values_of(learned.scorecard.catalog, rows, dataset=last.dataset)
    return Contender.of(learned.scorecard, learned.scorecard.score_many(values).probabilities, kind="learned rules")


def _after(last: Tried, *, seed: int, progress: Progress) -> tuple[Gate, ...]:
    return after_fitting(
        last.dataset,
        probability=last.contenders[0].probability,
        judged=Judged.of(last.dataset.block("test")),
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
    material: Material,
    folder: PlaybookFolder,
    home: Home,
    progress: Progress,
) -> tuple[Arena, tuple[Contender, ...]]:
    """Let all scorers replay the test weeks; give the arena and who took part."""
    dataset, warehouse, playbook = material.dataset, material.warehouse, folder.playbook
    lined_up = line_up(
        dataset,
        folder,
        model=model,
        scorecard=scorecard,
        champion=_champion(home, playbook.name),
        learned=learned,
        warehouse=warehouse,
        progress=progress,
    )
    arena = hold_arena(
        lined_up,
        dataset,
        capacity_per_day=playbook.capacity_per_day,
        zone=playbook.timezone,
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


def _learned_card(file: Path, material: Material, folder: PlaybookFolder) -> Scorecard | None:
    """Give the point rules distilled from a model; None where there are none."""
    if not file.exists():
        return None
    rules = read_rules(file, folder.playbook)
    return calibrated_rules(rules, material.dataset, folder=folder, warehouse=material.warehouse)


def _demand_same_history(found: Registered, registry: Registry, dataset: Dataset) -> None:
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
