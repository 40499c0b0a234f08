"""
Fitting: the mean of five boosters, each stopped and calibrated on accounts it has not seen, cut into grades.

The accounts of the train rows are dealt to five folds. Each booster grows on four of them and stops by the fifth, which
it also predicts: these predictions calibrate the model, so no row is set aside for stopping or calibration. What serves
is their mean, of all five or of as many as can be explained quickly enough: still one sum of trees, so that its reasons
add up exactly.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from data.progress import Progress, silent
from data.words.playbook import Playbook
from features.catalog import Catalog
from models.booster import trees_of
from training.dataset.dataset import RECENT_DAYS, SEED, Dataset
from training.errors import HistoryError
from training.fitting.boosting import MOST_ROUNDS, BinnedRows, cross_fit, fit_booster
from training.fitting.calibration_choice import calibrate
from training.fitting.feature_selection import select_features
from training.fitting.fitted_model import Fit, FittedModel, finished
from training.fitting.folds import deal_folds
from training.fitting.hyperparameters import MOST_STEPS, explanation_steps, parameters_for
from training.fitting.mean_booster import mean_booster
from training.fitting.minimum_data import require_enough_leads
from training.fitting.monotone import monotone_directions
from training.fitting.row_weights import sample_groups
from training.fitting.scorecard_fit import fit_scorecard

SELECTING_ROWS = 150_000
"""Train rows that features are selected on; with more the same ones earn their place."""


@dataclass(frozen=True, eq=False)
class PreparedRows:
    """
    What a booster is fitted on: rows, the features that earn their place, and the parameters that suit their number.

    Attributes:
        rows: the train rows.
        catalog: the features that are kept.
        parameters: LightGBM's, by the size of the data.
        wished: feature → direction, from the playbook.
    """

    rows: pd.DataFrame
    catalog: Catalog
    parameters: Mapping[str, Any]
    wished: Mapping[str, int]

    def binned(self) -> BinnedRows:
        """Encode the rows, each account in one fold."""
        fold = deal_folds(self.rows["group"], self.rows["label"], seed=int(self.parameters["seed"]))
        return BinnedRows.of(self.rows, fold, catalog=self.catalog, parameters=self.parameters, wished=self.wished)


def fit(
    dataset: Dataset,
    playbook: Playbook,
    *,
    parameters: Mapping[str, Any] | None = None,
    most_rows: int | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> FittedModel:
    """
    Fit the model and calibrate the point rules.

    Args:
        dataset: its train rows with their labels. Of the last weeks, for grades and threshold, only the features: no
            test label has any effect. A few train rows are the bundle's golden rows.
        playbook: capacity, routing, and the directions in which the score may move.
        parameters: of LightGBM, instead of those that the size of the data suggests; some or all of them.
        most_rows: train rows to fit on at most, drawn by group; default: all.
        progress: called with the number of trees.
        seed: of the fitting.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in the test weeks.
        HistoryError: no lead was open in the last weeks, or no feature tells one lead from another.
    """
    ready = prepare(dataset, playbook, most_rows=most_rows, progress=progress, seed=seed)
    ready = replace(ready, parameters={**ready.parameters, **(parameters or {})})
    return _fitted(ready, dataset, playbook, progress=progress)


def refit_trees(
    judged: FittedModel, dataset: Dataset, playbook: Playbook, *, progress: Progress = silent
) -> FittedModel:
    """
    Fit the recipe of trees that were judged, their features and parameters, to other train rows.

    Args:
        judged: the trees.
        dataset: its train rows, and its rows of the last weeks.
        playbook: capacity, routing, and the directions in which the score may move.
        progress: called with the number of trees.
    """
    catalog = judged.model.catalog
    wished = monotone_directions(catalog, playbook.business.features)
    parameters = {**judged.parameters, "num_threads": os.cpu_count() or 1}  # nothing else is fitted meanwhile
    ready = PreparedRows(dataset.block("train"), catalog, parameters, wished)
    return _fitted(ready, dataset, playbook, progress=progress)


def _fitted(ready: PreparedRows, dataset: Dataset, playbook: Playbook, *, progress: Progress) -> FittedModel:
    binned, parameters = ready.binned(), ready.parameters
    crossed = cross_fit(binned, parameters, rounds=MOST_ROUNDS, progress=progress)
    seed = int(parameters["seed"])
    found = Fit(
        family="trees",
        booster=mean_booster(_affordable(crossed.boosters)),
        encoding=binned.encoding,
        fitted_rows=len(ready.rows),
        rows=ready.rows,
        margins=crossed.margins,
        calibrated=calibrate(crossed.margins, ready.rows, horizon_us=dataset.horizon_us, seed=seed),
        parameters=parameters,
        wished=ready.wished,
    )
    return finished(found, dataset, playbook, scorecard=fit_scorecard(dataset, playbook))


def _affordable(boosters: Sequence[lightgbm.Booster]) -> Sequence[lightgbm.Booster]:
    """Return as many of the boosters, one or more, as can be explained together without keeping people waiting."""
    steps = np.cumsum([explanation_steps(trees_of(booster)) for booster in boosters])
    return boosters[: max(1, int((steps <= MOST_STEPS).sum()))]


def prepare(
    dataset: Dataset,
    playbook: Playbook,
    *,
    most_rows: int | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> PreparedRows:
    """
    Choose parameters by the number of leads, and the features that earn their place by a first booster on all of them.

    Args:
        dataset: its train rows.
        playbook: the directions in which the score may move.
        most_rows: train rows to fit on at most, drawn by group; default: all.
        progress: called with the number of trees.
        seed: of the fitting.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in the test weeks.
        HistoryError: no lead was open in the last weeks, or no feature tells one lead from another.
    """
    require_enough_to_fit(dataset)
    train = sample_groups(dataset.block("train"), most_rows, purpose="fitting", seed=seed)
    _require_differences(train, dataset.catalog)
    parameters = parameters_for(train, seed=seed)
    wished = monotone_directions(dataset.catalog, playbook.business.features)
    sample = sample_groups(train, SELECTING_ROWS, purpose="selecting", seed=seed)
    first = PreparedRows(sample, dataset.catalog, parameters, wished).binned()
    booster = fit_booster(first, first.fold == 0, parameters, rounds=MOST_ROUNDS, progress=progress)
    return PreparedRows(train, select_features(booster, dataset.catalog), parameters, wished)


def require_enough_to_fit(dataset: Dataset) -> None:
    """
    Refuse a training set without enough leads of both kinds, or without open leads to cut grades from.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed in the training period, or fewer than 5 in the
            test weeks.
        HistoryError: no lead was open in the last weeks, so that there is none to grade.
    """
    require_enough_leads(dataset)
    if dataset.recent.empty:
        message = (
            f"No lead was open in the last {RECENT_DAYS} days of the history, expected some to cut grades from: "
            "bring the leads and activities of those days too."
        )
        raise HistoryError(message)


def _require_differences(train: pd.DataFrame, catalog: Catalog) -> None:
    """Refuse rows of which every feature is the same."""
    if not any(_differs(train[name]) for name in catalog.names):
        message = (
            f"All {len(catalog.features)} features are missing, or the same for every lead, in the training period, "
            "expected some that differ between leads: run leadscore check and bring the activities and attributes of "
            "those days."
        )
        raise HistoryError(message)


def _differs(column: "pd.Series[Any]") -> bool:
    known = column.dropna()
    return len(known) > 0 and (len(known) < len(column) or bool((known != known.iloc[0]).any()))
