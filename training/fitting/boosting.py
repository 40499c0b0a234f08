"""Boosting: rows of a training set into LightGBM, trees out of it, and their margins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np
import pandas as pd
from lightgbm.callback import CallbackEnv
from numpy.typing import NDArray

from data.progress import Progress, silent
from features.catalog import Catalog
from models.conversion import MOST_CATEGORIES, Encoding
from training.fitting.monotone import constrained, enforce_order

MOST_ROUNDS = 1_000
_PATIENCE = 40
_BINNED = ("max_bin", "num_threads", "verbosity")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BinnedRows:
    """
    Rows that boosters are fitted on, binned once for any number of boosters.

    Attributes:
        encoding: from feature values to columns.
        train: the rows that trees grow on.
        stop: the rows that decide when to stop.
        signs: for each column 1 where the margin may only rise with it, -1 where it may only fall, else 0.
    """

    encoding: Encoding
    train: lightgbm.Dataset
    stop: lightgbm.Dataset
    signs: list[int]

    @classmethod
    def of(
        cls,
        train: pd.DataFrame,
        stop: pd.DataFrame,
        *,
        catalog: Catalog,
        parameters: Mapping[str, Any],
        wished: Mapping[str, int] | None = None,
    ) -> Self:
        """
        Encode rows.

        Args:
            train: (n) rows with ``label``, ``weight`` and the catalog's features.
            stop: (m) rows with the same.
            catalog: k features, the columns.
            parameters: of LightGBM; they decide how many bins there are.
            wished: feature → 1 where the margin may only rise with it, -1 where it may only fall.
        """
        encoding = Encoding(catalog, categories_of(train, catalog))
        fitting = _lightgbm_rows(encoding, train, parameters=parameters)
        stopping = _lightgbm_rows(encoding, stop, parameters=parameters, like=fitting)
        return cls(encoding, fitting, stopping, [(wished or {}).get(name, 0) for name in catalog.names])


def categories_of(train: pd.DataFrame, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the most frequent values of each category feature, at most 62; ties by name."""
    categories = {}
    for feature in catalog.features:
        if feature.is_category:
            counts = train[feature.name].dropna().astype(str).value_counts()
            ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            categories[feature.name] = tuple(str(value) for value, _ in ordered[:MOST_CATEGORIES])
    return categories


def fit_booster(
    binned: BinnedRows, parameters: Mapping[str, Any], *, rounds: int = MOST_ROUNDS, progress: Progress = silent
) -> lightgbm.Booster:
    """
    Fit trees on the train rows until the log loss on the stop rows has not fallen for 40 rounds.

    Args:
        binned: the rows.
        parameters: of LightGBM.
        rounds: how many trees there may be.
        progress: called with the number of trees; few fits need all of them.

    Returns:
        Trees up to the best round, every one of them in the order that the signs ask for.
    """
    stopping = lightgbm.early_stopping(_PATIENCE, verbose=False)
    booster = lightgbm.train(
        constrained(parameters, binned.signs),
        binned.train,
        num_boost_round=rounds,
        valid_sets=[binned.stop],
        callbacks=[stopping, _progress_callback(progress, rounds)],
    )
    enforce_order(booster, binned.signs)
    return booster


def margins(booster: lightgbm.Booster, encoding: Encoding, rows: pd.DataFrame) -> Floats:
    """Return the raw scores of rows, (n,)."""
    return np.asarray(booster.predict(encoding.frame(rows), raw_score=True), dtype=np.float64)


def _lightgbm_rows(
    encoding: Encoding, rows: pd.DataFrame, *, parameters: Mapping[str, Any], like: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    features = encoding.catalog.features
    dataset = lightgbm.Dataset(
        encoding.frame(rows),
        label=rows["label"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        feature_name=[f"f{index}" for index in range(len(features))],
        categorical_feature=[index for index, feature in enumerate(features) if feature.is_category],
        reference=like,
        free_raw_data=True,
        params={
            # Which columns can be split at all depends on min_data_in_leaf, which differs between boosters.
            "feature_pre_filter": False,
            **{name: parameters[name] for name in _BINNED if name in parameters},
        },
    )
    return dataset.construct()


def _progress_callback(progress: Progress, rounds: int) -> Any:
    """Return a LightGBM callback that reports the number of rounds."""

    def report(env: CallbackEnv) -> None:
        progress("fitting trees", env.iteration + 1, rounds)

    return report
