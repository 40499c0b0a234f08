"""Fitting: LightGBM with early stopping on log loss, calibrated on a block of its own, cut into grades."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from lightgbm.callback import CallbackEnv
from numpy.typing import NDArray

from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from features.catalog import Catalog
from features.feature import Value
from models.bands import Bands
from models.booster import trees_of
from models.bundle import GoldenRow
from models.calibration import Platt
from models.conversion import MOST_CATEGORIES, ConversionModel, Encoding
from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT
from models.scorecard import Scorecard
from training.dataset import RECENT_DAYS, SEED, Dataset
from training.errors import FewLeadsError, HistoryError
from training.reliability import logistic_fit
from training.selection import earning
from training.thresholds import solve_bands

FEWEST = 40
"""Below so many leads with, or without, success only the rules score. Source: Dynamics 365 asks for 40 and 40."""

FEWEST_IN_BLOCK = 5
"""Below so many in any one block, stopping, calibration or judging would rest on single leads."""

_BLOCKS = {
    "train": "train block",
    "stop": "stop block (for early stopping)",
    "calibrate": "calibrate block",
    "test": "test block",
}

MODERATE_POSITIVES = 500
MOST_ROUNDS = 1_000
_PATIENCE = 40
_GOLDEN = 16

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """
    What fitting made.

    Attributes:
        model: calibrated, with grades and threshold; its bundle has not been saved yet.
        scorecard: the point rules with what history taught about them.
        booster: what the model's trees were read from.
        parameters: what the booster was fitted with.
        golden: rows whose receipts the bundle keeps.
    """

    model: ConversionModel
    scorecard: Scorecard
    booster: lightgbm.Booster
    parameters: Mapping[str, Any]
    golden: tuple[GoldenRow, ...]


def fit(dataset: Dataset, folder: PlaybookFolder, *, progress: Progress = silent, seed: int = SEED) -> Fitted:
    """
    Fit the model and calibrate the point rules.

    Args:
        dataset: its blocks train, stop and calibrate with their labels. Of the last 90 days, for grades and threshold,
            and of a few test rows, kept in the bundle to be replayed, the features alone: no test label moves anything.
        folder: capacity and routing.
        progress: hears how many rounds of trees there are.
        seed: of the fitting.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed, or fewer than 5 in one of the blocks.
        HistoryError: no lead was open in the last 90 days.
    """
    demand_enough(dataset)
    train, stop = (_each_lead_once(dataset.block(name)) for name in ("train", "stop"))
    parameters = parameters_for(train, seed=seed)
    every = Encoding(dataset.catalog, categories_of(train, dataset.catalog))
    first = fit_booster(every, train, stop=stop, parameters=parameters, progress=progress)
    catalog = earning(first, dataset.catalog)
    encoding = Encoding(catalog, categories_of(train, catalog))
    booster = fit_booster(encoding, train, stop=stop, parameters=parameters, progress=progress)
    calibration = platt(_margins(booster, encoding, dataset.block("calibrate")), dataset.block("calibrate"))
    base_odds = dataset.base_rate / (1 - dataset.base_rate)
    points = _points(calibration, _margins(booster, encoding, dataset.recent), base_odds)
    bands = _bands(dataset, points, folder, average=AVERAGE_POINTS)
    name = f"leadscore-{folder.playbook.name}"
    model = ConversionModel(name, encoding, trees_of(booster), calibration, base_odds, bands)
    return Fitted(model, fit_scorecard(dataset, folder), booster, parameters, golden_rows(dataset, catalog))


def demand_enough(dataset: Dataset) -> None:
    """
    Demand leads of both kinds to learn from, and some of both in every block.

    Raises:
        FewLeadsError: fewer than 40 leads succeeded or failed in the training period, or fewer than 5 in a block.
        HistoryError: no lead was open in the last 90 days, so that nobody is left to grade.
    """
    why = dataset.largest_group.says
    _demand(dataset.block("train", "stop"), FEWEST, block="training period", why=why)
    for name, words in _BLOCKS.items():
        _demand(dataset.block(name), FEWEST_IN_BLOCK, block=words, why=why)
    if dataset.recent.empty:
        message = (
            f"No lead was open in the last {RECENT_DAYS} days of the history, expected some to cut grades from: "
            "bring the leads and activities of those days too."
        )
        raise HistoryError(message)


def _demand(rows: pd.DataFrame, needed: int, *, block: str, why: str) -> None:
    positives, negatives = leads_by_outcome(rows)
    if min(positives, negatives) < needed:
        raise FewLeadsError(block=block, positives=positives, negatives=negatives, needed=needed, why=why)


def leads_by_outcome(rows: pd.DataFrame) -> tuple[int, int]:
    """Count the leads that reached the goal and those that did not; leads, not rows, for these repeat one story."""
    succeeded = rows.groupby("lead_id")["label"].max()
    positives = int(succeeded.sum())
    return positives, len(succeeded) - positives


def _each_lead_once(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Weigh the rows that trees are fitted on 1 / (snapshots of their lead), so that no long story drowns the others.

    How long a story is depends on how it ends, so these weights spoil probabilities; calibration, which has none of
    them, sets that right. Measured against true chances in docs/decisions/005-snapshot-weights.md.
    """
    return rows.assign(weight=1 / rows.groupby("lead_id")["lead_id"].transform("size"))


def categories_of(train: pd.DataFrame, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Give each category feature its most frequent values, at most 62; ties by name."""
    found = {}
    for feature in catalog.features:
        if feature.is_category:
            counts = train[feature.name].dropna().astype(str).value_counts()
            ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            found[feature.name] = tuple(str(value) for value, _ in ordered[:MOST_CATEGORIES])
    return found


def parameters_for(train: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """
    Choose LightGBM's parameters by the size of the data.

    Few successes want small, strongly regularised trees; depth stays within 6 for exact reasons. There are no class
    weights: they spoil probabilities.
    """
    small = leads_by_outcome(train)[0] < MODERATE_POSITIVES
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": 0.03 if small else 0.08,
        "num_leaves": 7 if small else 15,
        "max_depth": 3 if small else 6,
        "min_data_in_leaf": 50 if small else 100,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 20.0 if small else 10.0,
        "path_smooth": 10.0,
        "max_bin": 127,
        "max_cat_threshold": 16,
        "cat_smooth": 30.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": os.cpu_count() or 1,
        "verbosity": -1,
    }


def fit_booster(
    encoding: Encoding,
    train: pd.DataFrame,
    *,
    stop: pd.DataFrame,
    parameters: Mapping[str, Any],
    progress: Progress = silent,
) -> lightgbm.Booster:
    """Fit trees on the train rows until the log loss on the stop rows has not fallen for 40 rounds."""
    categorical = [at for at, feature in enumerate(encoding.catalog.features) if feature.is_category]
    fitting = _lightgbm_rows(encoding, train, categorical)
    stopping = lightgbm.early_stopping(_PATIENCE, verbose=False)
    return lightgbm.train(
        {**parameters},
        fitting,
        num_boost_round=MOST_ROUNDS,
        valid_sets=[_lightgbm_rows(encoding, stop, categorical, like=fitting)],
        callbacks=[stopping, _telling(progress)],
    )


def _lightgbm_rows(
    encoding: Encoding, rows: pd.DataFrame, categorical: list[int], *, like: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        encoding.frame(rows),
        label=rows["label"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        feature_name=[f"f{at}" for at in range(len(encoding.catalog.features))],
        categorical_feature=categorical,
        reference=like,
        free_raw_data=True,
    )


def _telling(progress: Progress) -> Any:
    """Make the callback that tells how many rounds there are; few fits need all of them."""

    def tell(env: CallbackEnv) -> None:
        progress("fitting trees", env.iteration + 1, MOST_ROUNDS)

    return tell


def _margins(booster: lightgbm.Booster, encoding: Encoding, rows: pd.DataFrame) -> Floats:
    """Give the raw scores of rows, (n,)."""
    return np.asarray(booster.predict(encoding.frame(rows), raw_score=True), dtype=np.float64)


def platt(margins: Floats, rows: pd.DataFrame) -> Platt:
    """Fit the calibration on rows that the trees have never seen; one that would reverse the order is flat."""
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    slope, offset = logistic_fit(margins, label, weight=weight)
    if slope >= 0:
        return Platt(slope, offset)
    rate = float(np.average(label, weights=weight))
    return Platt(0.0, float(np.log(rate / (1 - rate))))


def _points(calibration: Platt, margins: Floats, base_odds: float) -> Floats:
    logit = calibration.slope * margins + calibration.offset
    return np.asarray(AVERAGE_POINTS + POINTS_PER_LOGIT * (logit - np.log(base_odds)))


def _bands(dataset: Dataset, points: Floats, folder: PlaybookFolder, *, average: float) -> Bands:
    capacity = folder.playbook.capacity_per_day
    return solve_bands(dataset.recent, points, routing=folder.routing, capacity_per_day=capacity, average=average)


def fit_scorecard(dataset: Dataset, folder: PlaybookFolder) -> Scorecard:
    """Give the point rules a probability, grades and a threshold, from the very rows that calibrate the model."""
    card, rows = dataset.scorecard, dataset.block("calibrate")
    calibration = platt(card.score_many(dataset.rules_frame(rows)).points, rows)
    points = card.score_many(dataset.rules_frame(dataset.recent)).points
    even = float(np.log(dataset.base_rate / (1 - dataset.base_rate)))
    average = (even - calibration.offset) / calibration.slope if calibration.slope > 0 else float(np.mean(points))
    return card.calibrated(calibration, _bands(dataset, points, folder, average=average))


def golden_rows(dataset: Dataset, catalog: Catalog) -> tuple[GoldenRow, ...]:
    """Choose rows spread evenly over the test block, with their values in catalog order."""
    test = dataset.block("test")
    chosen = test.iloc[np.unique(np.linspace(0, len(test) - 1, _GOLDEN).round().astype(int))]
    names = catalog.names
    return tuple(
        GoldenRow(str(row["lead_id"]), int(row["as_of"]), tuple(_value(row[name]) for name in names))
        for row in chosen.to_dict(orient="records")
    )


def _value(value: Any) -> Value:
    """Give a value as bundles keep it: None where it is missing."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return value if isinstance(value, str) else float(value)
