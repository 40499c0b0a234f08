"""The families of models that compete for serving: boosted trees, and a logistic regression written as trees."""

from collections.abc import Mapping
from typing import Any

from data.progress import Progress, silent
from data.words.playbook import Playbook
from models.scorecard import Scorecard
from training.dataset.dataset import SEED, Dataset
from training.fitting.additive_trees import additive_trees
from training.fitting.booster_text import booster_of
from training.fitting.calibration_choice import calibrate
from training.fitting.fit import fit, refit_trees
from training.fitting.fitted_model import Family, Fit, FittedModel, finished
from training.fitting.monotone import monotone_directions
from training.fitting.regression import fit_regression
from training.fitting.row_weights import sample_with_successes
from training.fitting.scorecard_fit import fit_scorecard
from training.fitting.step_means import MOST_STEPS

NAMES: Mapping[Family, str] = {"trees": "boosted trees", "regression": "logistic regression"}
"""As a comparison calls them."""

MOST_ROWS = 100_000
"""Rows that a regression is fitted on, accounts with a success first; a few hundred coefficients need no more."""


def fit_families(
    dataset: Dataset,
    playbook: Playbook,
    *,
    parameters: Mapping[str, Any] | None = None,
    most_rows: int | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> dict[Family, FittedModel]:
    """
    Fit a model of each family to the same training set.

    Args:
        dataset: its train rows with their labels.
        playbook: capacity, routing, and the directions in which the score may move.
        parameters: of the trees, instead of those that the size of the data suggests.
        most_rows: train rows that trees are fitted on at most.
        progress: called with the number of trees.
        seed: of the fitting.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in the test weeks.
        HistoryError: no lead was open in the last weeks, or no feature tells one lead from another.
    """
    trees = fit(dataset, playbook, parameters=parameters, most_rows=most_rows, progress=progress, seed=seed)
    regression = regression_model(
        dataset, playbook, scorecard=trees.scorecard, most_rows=MOST_ROWS, like=trees.parameters
    )
    return {"trees": trees, "regression": regression}


def refit(judged: FittedModel, dataset: Dataset, playbook: Playbook, *, progress: Progress = silent) -> FittedModel:
    """
    Fit the recipe of a model that was judged to other train rows.

    Args:
        judged: the model.
        dataset: its train rows, and its rows of the last weeks.
        playbook: capacity, routing, and the directions in which the score may move.
        progress: called with the number of trees.
    """
    if judged.family == "trees":
        return refit_trees(judged, dataset, playbook, progress=progress)
    scorecard = fit_scorecard(dataset, playbook)
    return regression_model(dataset, playbook, scorecard=scorecard, most_rows=MOST_ROWS, like=judged.parameters)


def regression_model(
    dataset: Dataset, playbook: Playbook, *, scorecard: Scorecard, most_rows: int | None, like: Mapping[str, Any]
) -> FittedModel:
    """
    Fit a regression, and write it as trees.

    Args:
        dataset: its train rows, and its rows of the last weeks.
        playbook: capacity, routing, and the directions in which the score may move.
        scorecard: the point rules, fitted to the same rows.
        most_rows: train rows to fit on at most, drawn by group; None for all.
        like: parameters of another fit: the seed and the number of threads are taken from there.
    """
    seed, num_threads = int(like["seed"]), int(like["num_threads"])
    rows = sample_with_successes(dataset.block("train"), most_rows, purpose="regression", seed=seed)
    wished = monotone_directions(dataset.catalog, playbook.business.features)
    found = fit_regression(rows, dataset.catalog, directions=wished, seed=seed)
    encoding, trees = additive_trees(found, rows)
    written = Fit(
        family="regression",
        booster=booster_of(trees, num_threads=num_threads),
        encoding=encoding,
        fitted_rows=len(rows),
        rows=rows,
        margins=found.margins,
        calibrated=calibrate(found.margins, rows, horizon_us=dataset.horizon_us, seed=seed),
        parameters={
            "C": found.strength,
            "most_steps": MOST_STEPS,
            "seed": seed,
            "num_threads": num_threads,
        },
        wished=wished,
    )
    return finished(written, dataset, playbook, scorecard=scorecard)
