"""
Tuning: a search for parameters that suit this history better than those that suit its size.

Each trial fits the trees that training would fit, and is judged by their log loss on the stop block alone; no row of
the calibrate block or the test block is looked at. The first trial has the parameters that training would take without
a search, so that the best is never worse than they are. Trials whose model would be too slow to explain do not count.

The trials are kept in a SQLite file. Each draws from a seed of its own and looks at the finished ones alone, so that a
search that was stopped and taken up again tries what it would have tried.

Source: Bergstra et al. 2011, Algorithms for hyper-parameter optimization (TPE); Akiba et al. 2019, Optuna.
"""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from data.playbook import Playbook
from data.progress import Progress, silent
from models.booster import trees_of
from training.dataset.dataset import SEED, Dataset
from training.errors import RegistryError
from training.fitting.boosting import MOST_ROUNDS, BinnedRows, fit_booster
from training.fitting.fit import PreparedRows, prepare
from training.fitting.hyperparameters import MOST_DEPTH, MOST_STEPS, explanation_steps

SPACE: Mapping[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(0.02, 0.2, log=True),
    "num_leaves": IntDistribution(4, 31, log=True),
    "max_depth": IntDistribution(2, MOST_DEPTH),
    "min_data_in_leaf": IntDistribution(20, 500, log=True),
    "feature_fraction": FloatDistribution(0.1, 1.0),
    "bagging_fraction": FloatDistribution(0.5, 1.0),
    "lambda_l2": FloatDistribution(0.1, 100.0, log=True),
    "path_smooth": FloatDistribution(0.1, 100.0, log=True),
}
"""What is searched; the parameters that are not here stay as the size of the data suggests."""

PATIENCE_S = 10.0
"""How long to wait for another process that writes into the same file."""

_LOSS = "binary_logloss"


@dataclass(frozen=True, slots=True)
class TuningResult:
    """
    What a search found.

    Attributes:
        parameters: the best ones, of those that were searched.
        trials: how many were tried.
        best: log loss on the stop block with them, each lead once.
        default: the same with the parameters that the size of the data suggests.
        steps: conditions that explaining one row asks for, with the best.
    """

    parameters: Mapping[str, Any]
    trials: int
    best: float
    default: float
    steps: int

    def as_json(self) -> dict[str, Any]:
        """Write how many were tried, and how much better the best is."""
        return {"trials": self.trials, "best": self.best, "default": self.default}


def tune_parameters(
    dataset: Dataset,
    playbook: Playbook,
    *,
    trials: int,
    place: Path,
    seed: int = SEED,
    progress: Progress = silent,
) -> TuningResult:
    """
    Search for the parameters with the lowest log loss on the stop block.

    Args:
        dataset: its blocks train and stop; of the others only whether they hold enough leads.
        playbook: what the score may only rise or fall with.
        trials: how many parameters to try, 1 or more, those of earlier searches on the same training set included.
        place: SQLite file of all searches; made where there is none. Ctrl-C leaves the trials that are finished.
        seed: of the fitting and of the search.
        progress: hears how many trials are done.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in one of the blocks.
        HistoryError: no lead was open in the last 90 days, or no feature tells one lead from another.
        RegistryError: the file is damaged, or cannot be written.
    """
    ready = prepare(dataset, playbook, progress=progress, seed=seed)
    with _told(place), _opened(place, _name(dataset, ready, seed)) as study:
        tried = _finished(study)
        binned = ready.binned() if len(tried) < trials else None
        progress("tuning", min(len(tried), trials), trials)
        while binned is not None and len(tried) < trials:
            _try(study, binned, ready.parameters, seed=seed + len(tried))
            tried = _finished(study)
            progress("tuning", min(len(tried), trials), trials)
    return _best(tried[:trials])


def _name(dataset: Dataset, ready: PreparedRows, seed: int) -> str:
    """Name the study by all that decides what its trials find; another training set starts a study of its own."""
    parameters = {name: value for name, value in ready.parameters.items() if name != "num_threads"}
    space = {name: str(distribution) for name, distribution in SPACE.items()}
    said = [ready.catalog.fingerprint, ready.wished, parameters, space, MOST_ROUNDS, seed]
    told = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{dataset.sha256}-{told[:16]}"


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """Turn whatever the file or the disk refuses in the block into one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError, optuna.exceptions.StorageInternalError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        message = (
            f"The parameters that were tried cannot be kept in {place} ({why}): allow writing there and make room, or "
            "move the file away and search anew."
        )
        raise RegistryError(message) from None


@contextmanager
def _opened(place: Path, name: str) -> Iterator[optuna.Study]:
    """Open the study of this name, or begin it; Optuna would say less clearly what is wrong with a file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(place, timeout=PATIENCE_S)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    waiting = {"connect_args": {"timeout": PATIENCE_S}}
    storage = optuna.storages.RDBStorage(f"sqlite:///{place.resolve()}", engine_kwargs=waiting)
    try:
        yield optuna.create_study(storage=storage, study_name=name, direction="minimize", load_if_exists=True)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """Give the trials that are done, in the order in which they began."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _try(study: optuna.Study, binned: BinnedRows, parameters: Mapping[str, Any], *, seed: int) -> None:
    """Try one more set of parameters; whatever stops it leaves no half trial that a later one would learn from."""
    study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
    if not _finished(study) and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial({name: parameters[name] for name in SPACE})
    trial = study.ask(dict(SPACE))
    try:
        loss = _measured(trial, binned, {**parameters, **trial.params})
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    study.tell(trial, loss)


def _measured(trial: Trial, binned: BinnedRows, parameters: Mapping[str, Any]) -> float:
    """Fit as training would; give the loss, and write down what an explanation would cost."""
    booster = fit_booster(binned, parameters)
    steps = explanation_steps(trees_of(booster))
    trial.set_user_attr("steps", steps)
    trial.set_constraint("steps", float(steps - MOST_STEPS))
    (losses,) = booster.best_score.values()
    return float(losses[_LOSS])


def _best(tried: list[FrozenTrial]) -> TuningResult:
    """Choose the lowest loss among the trials whose explanations are cheap enough; the earliest of equal ones."""
    losses = {trial.number: float(trial.values[0]) for trial in tried}
    steps = {trial.number: int(trial.user_attrs["steps"]) for trial in tried}
    best = min(tried, key=lambda one: (steps[one.number] > MOST_STEPS, losses[one.number], one.number))
    return TuningResult(best.params, len(tried), losses[best.number], losses[tried[0].number], steps[best.number])
