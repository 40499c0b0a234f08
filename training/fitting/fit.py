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
from features.history.over_history import known_values
from models.bands import Bands
from models.booster import trees_of
from models.bundle import GoldenRow
from models.conversion import ConversionModel
from models.receipt import AVERAGE_POINTS, points_of
from models.scorecard import Scorecard
from training.dataset.dataset import RECENT_DAYS, SEED, Dataset
from training.errors import HistoryError
from training.fitting.boosting import MOST_ROUNDS, BinnedRows, Floats, cross_fit, fit_booster, margins_of
from training.fitting.calibration_choice import CalibrationChoice, calibrate
from training.fitting.feature_selection import select_features
from training.fitting.folds import deal_folds
from training.fitting.hyperparameters import MOST_STEPS, explanation_steps, parameters_for
from training.fitting.mean_booster import mean_booster
from training.fitting.minimum_data import require_enough_leads
from training.fitting.monotone import monotone_directions
from training.fitting.row_weights import sample_groups
from training.fitting.scorecard_fit import fit_scorecard
from training.fitting.thresholds import solve_bands

SELECTING_ROWS = 150_000
"""Train rows that features are selected on; with more the same ones earn their place."""

_GOLDEN = 16


@dataclass(frozen=True, eq=False)
class FittedModel:
    """
    The result of fitting.

    Attributes:
        model: calibrated, with grades and threshold; its bundle has not been saved yet.
        scorecard: the point rules with probability, grades and threshold from history.
        booster: the mean of the folds' boosters; the model's trees were read from it.
        rows: the train rows it was fitted on.
        out_of_fold: (n,) the probability of each of them by trees that have not seen its account.
        parameters: of the booster's fitting.
        golden: rows whose receipts are saved in the bundle.
        calibrated: which calibration was chosen, and why.
        directions: feature of the model → 1 where the score may only rise with it, -1 where it may only fall.
        features_tried: how many features there were before those that do not earn their place were left out.
        steps: conditions that an explanation of one row evaluates.
    """

    model: ConversionModel
    scorecard: Scorecard
    booster: lightgbm.Booster
    rows: pd.DataFrame
    out_of_fold: Floats
    parameters: Mapping[str, Any]
    golden: tuple[GoldenRow, ...]
    calibrated: CalibrationChoice
    directions: Mapping[str, int]
    features_tried: int
    steps: int


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
    return _fitted(ready, dataset, playbook, progress=progress, seed=seed)


def refit(
    judged: FittedModel, dataset: Dataset, playbook: Playbook, *, progress: Progress = silent, seed: int = SEED
) -> FittedModel:
    """
    Fit the recipe of a model that was judged, its features and parameters, to other train rows.

    Args:
        judged: the model.
        dataset: its train rows, and its rows of the last weeks.
        playbook: capacity, routing, and the directions in which the score may move.
        progress: called with the number of trees.
        seed: of the fitting.
    """
    catalog = judged.model.catalog
    wished = monotone_directions(catalog, playbook.business.features)
    parameters = {**judged.parameters, "num_threads": os.cpu_count() or 1}  # nothing else is fitted meanwhile
    ready = PreparedRows(dataset.block("train"), catalog, parameters, wished)
    return _fitted(ready, dataset, playbook, progress=progress, seed=seed)


def _fitted(ready: PreparedRows, dataset: Dataset, playbook: Playbook, *, progress: Progress, seed: int) -> FittedModel:
    binned, chosen = ready.binned(), ready.parameters
    crossed = cross_fit(binned, chosen, rounds=MOST_ROUNDS, progress=progress)
    booster = mean_booster(_affordable(crossed.boosters))
    encoding, trees = binned.encoding, trees_of(booster)
    calibrated = calibrate(crossed.margins, ready.rows, horizon_us=dataset.horizon_us, seed=seed)
    base_odds = dataset.base_rate / (1 - dataset.base_rate)
    log_odds = calibrated.chosen.logits(margins_of(booster, encoding, dataset.recent))
    bands = _bands(dataset, playbook, points_of(log_odds, base_odds=base_odds))
    name = f"leadscore-{playbook.business.name}"
    return FittedModel(
        model=ConversionModel(name, encoding, trees, calibrated.chosen, base_odds, bands),
        scorecard=fit_scorecard(dataset, playbook),
        booster=booster,
        rows=ready.rows,
        out_of_fold=calibrated.chosen.probabilities(crossed.margins),
        parameters=chosen,
        golden=golden_rows(dataset, ready.catalog),
        calibrated=calibrated,
        directions={name: sign for name, sign in ready.wished.items() if name in ready.catalog.names},
        features_tried=len(dataset.catalog.features),
        steps=explanation_steps(trees),
    )


def _affordable(boosters: Sequence[lightgbm.Booster]) -> Sequence[lightgbm.Booster]:
    """Return as many of the boosters, one or more, as can be explained together without keeping people waiting."""
    steps = np.cumsum([explanation_steps(trees_of(booster)) for booster in boosters])
    return boosters[: max(1, int((steps <= MOST_STEPS).sum()))]


def _bands(dataset: Dataset, playbook: Playbook, points: Floats) -> Bands:
    """Cut grades and threshold from the points of the rows of the last weeks."""
    capacity, routing = playbook.business.capacity_per_day, playbook.routing
    return solve_bands(dataset.recent, points, routing=routing, capacity_per_day=capacity, average=AVERAGE_POINTS)


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


def golden_rows(dataset: Dataset, catalog: Catalog) -> tuple[GoldenRow, ...]:
    """Return rows spread evenly over those that trees grew on, with their values in catalog order."""
    train = dataset.block("train")
    chosen = train.iloc[np.unique(np.linspace(0, len(train) - 1, _GOLDEN).round().astype(int))]
    values = known_values(chosen[catalog.names])
    return tuple(map(GoldenRow, chosen["lead_id"].tolist(), chosen["as_of"].tolist(), values))
