"""
Tuning: a search for parameters that suit this history better than those chosen by its size.

Each trial fits the trees that training would fit, and is measured by the log loss of the train rows, each predicted by
trees that have not seen its account; no test row is looked at. The first trial has the parameters that training would
use without a search, so that the best is never worse than they are. Trials whose model would be too slow to explain
do not count.

The trials are saved in a SQLite file. Each has a seed of its own and looks at the finished ones alone, so that a search
that was interrupted and resumed makes the same trials as one that was not.

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

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from data.progress import Progress, silent
from data.words.playbook import Playbook
from models.booster import trees_of
from training.dataset.dataset import SEED, Dataset
from training.errors import RegistryError
from training.fitting.boosting import MOST_ROUNDS, BinnedRows, cross_fit
from training.fitting.calibration_maps import row_losses
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
"""The parameters that are searched; the others stay as the size of the data suggests."""

LOCK_TIMEOUT_S = 10.0
"""How long to wait for another process that writes into the same file."""


@dataclass(frozen=True, slots=True)
class TuningResult:
    """
    The result of a search.

    Attributes:
        parameters: the best ones, of those that were searched.
        trials: how many were tried.
        best: log loss of the train rows with them, out of fold.
        default: the same with the parameters that the size of the data suggests.
        steps: conditions that an explanation of one row evaluates, with the best.
    """

    parameters: Mapping[str, Any]
    trials: int
    best: float
    default: float
    steps: int


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
    Search for the parameters with the lowest log loss out of fold.

    Args:
        dataset: its train rows; of the test rows only whether there are enough leads.
        playbook: the directions in which the score may move.
        trials: how many sets of parameters to try, 1 or more, including those of earlier searches on the same training
            set.
        place: SQLite file of all searches; made where there is none. Ctrl-C keeps the trials that are finished.
        seed: of the fitting and of the search.
        progress: called with the number of trials that are done.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in the test weeks.
        HistoryError: no lead was open in the last weeks, or no feature tells one lead from another.
        RegistryError: the file is damaged, or cannot be written.
    """
    ready = prepare(dataset, playbook, progress=progress, seed=seed)
    with _as_registry_error(place), _open_study(place, _study_name(dataset, ready, seed)) as study:
        finished = _finished(study)
        binned = ready.binned() if len(finished) < trials else None
        progress("tuning", min(len(finished), trials), trials)
        while binned is not None and len(finished) < trials:
            _run_trial(study, binned, ready.parameters, seed=seed + len(finished))
            finished = _finished(study)
            progress("tuning", min(len(finished), trials), trials)
    return _best(finished[:trials])


def _study_name(dataset: Dataset, ready: PreparedRows, seed: int) -> str:
    """Name the study by all that decides its results; another training set starts a study of its own."""
    parameters = {name: value for name, value in ready.parameters.items() if name != "num_threads"}
    space = {name: str(distribution) for name, distribution in SPACE.items()}
    content = [ready.catalog.fingerprint, ready.wished, parameters, space, MOST_ROUNDS, seed]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{dataset.sha256}-{digest[:16]}"


@contextmanager
def _as_registry_error(place: Path) -> Iterator[None]:
    """Turn any failure of the file or the disk inside the block into one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError, optuna.exceptions.StorageInternalError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        message = (
            f"The trials of the search cannot be saved in {place} ({why}): allow writing there and make room, or move "
            "the file away and search again."
        )
        raise RegistryError(message) from None


@contextmanager
def _open_study(place: Path, name: str) -> Iterator[optuna.Study]:
    """Open the study of this name, or begin it; a damaged file is found here, as Optuna's own message is less clear."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(place, timeout=LOCK_TIMEOUT_S)) as connection:
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise sqlite3.DatabaseError(result)
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    engine = {"connect_args": {"timeout": LOCK_TIMEOUT_S}}
    storage = optuna.storages.RDBStorage(f"sqlite:///{place.resolve()}", engine_kwargs=engine)
    try:
        yield optuna.create_study(storage=storage, study_name=name, direction="minimize", load_if_exists=True)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that are done, in the order in which they began."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _run_trial(study: optuna.Study, binned: BinnedRows, parameters: Mapping[str, Any], *, seed: int) -> None:
    """Try one more set of parameters; an interruption leaves no half trial that a later one would learn from."""
    study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
    if not _finished(study) and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial({name: parameters[name] for name in SPACE})
    trial = study.ask(dict(SPACE))
    try:
        loss = _measure(trial, binned, {**parameters, **trial.params})
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    study.tell(trial, loss)


def _measure(trial: Trial, binned: BinnedRows, parameters: Mapping[str, Any]) -> float:
    """Fit as training would; return the loss, and record what an explanation would cost."""
    crossed = cross_fit(binned, parameters)
    steps = sum(explanation_steps(trees_of(booster)) for booster in crossed.boosters)
    trial.set_user_attr("steps", steps)
    trial.set_constraint("steps", float(steps - MOST_STEPS))
    return float(np.average(row_losses(crossed.margins, binned.label), weights=binned.weight))


def _best(trials: list[FrozenTrial]) -> TuningResult:
    """Choose the lowest loss among the trials whose explanations are cheap enough; the earliest of equal ones."""
    losses = {trial.number: float(trial.values[0]) for trial in trials}
    steps = {trial.number: int(trial.user_attrs["steps"]) for trial in trials}
    best = min(trials, key=lambda trial: (steps[trial.number] > MOST_STEPS, losses[trial.number], trial.number))
    return TuningResult(best.params, len(trials), losses[best.number], losses[trials[0].number], steps[best.number])
