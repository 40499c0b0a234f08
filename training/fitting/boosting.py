"""Boosting: rows of a training set into LightGBM, trees out of it, and the margins they give."""

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
from training.fitting.monotone import constrained, straighten
from training.statistics.lead_weights import equal_lead_weights
from training.statistics.sampling import uniforms

MOST_ROUNDS = 1_000
_PATIENCE = 40
_BINNED = ("max_bin", "num_threads", "verbosity")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BinnedRows:
    """
    Rows that boosters are fitted on, put into bins once and used as often as there are boosters to try.

    Attributes:
        encoding: from feature values to columns.
        train: what trees grow on.
        stop: what tells when to stop.
        signs: for each column 1 where the margin may only rise with it, -1 where only fall, else 0.
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
            parameters: of LightGBM; how many bins there are.
            wished: feature → 1 where the margin may only rise with it, -1 where only fall.
        """
        encoding = Encoding(catalog, categories_of(train, catalog))
        fitting = _lightgbm_rows(encoding, train, parameters=parameters)
        stopping = _lightgbm_rows(encoding, stop, parameters=parameters, like=fitting)
        return cls(encoding, fitting, stopping, [(wished or {}).get(name, 0) for name in catalog.names])


def each_lead_once(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Weigh the rows that trees are fitted on 1 / (snapshots of their lead), so that no long story drowns the others.

    How long a story is depends on how it ends, so these weights spoil probabilities; calibration, which has none of
    them, sets that right. Measured against true chances in docs/decisions/005-snapshot-weights.md.
    """
    return rows.assign(weight=equal_lead_weights(rows["lead_id"]))


def at_most(rows: pd.DataFrame, most: int | None, *, purpose: str, seed: int) -> pd.DataFrame:
    """
    Keep so many rows, about, by drawing groups; all of them where there are no more, or no limit.

    Args:
        rows: (n) with ``group``.
        most: how many are wanted.
        purpose: what the draw is for; draws for different purposes are independent.
        seed: of the draw.
    """
    if most is None or len(rows) <= most:
        return rows
    code, names = pd.factorize(rows["group"])
    drawn = uniforms(names.astype(str), purpose, seed=seed) < most / len(rows)
    return rows[drawn[code]]


def categories_of(train: pd.DataFrame, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Give each category feature its most frequent values, at most 62; ties by name."""
    found = {}
    for feature in catalog.features:
        if feature.is_category:
            counts = train[feature.name].dropna().astype(str).value_counts()
            ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            found[feature.name] = tuple(str(value) for value, _ in ordered[:MOST_CATEGORIES])
    return found


def fit_booster(
    binned: BinnedRows, parameters: Mapping[str, Any], *, rounds: int = MOST_ROUNDS, progress: Progress = silent
) -> lightgbm.Booster:
    """
    Fit trees on the train rows until the log loss on the stop rows has not fallen for 40 rounds.

    Args:
        binned: the rows.
        parameters: of LightGBM.
        rounds: how many trees there may be.
        progress: hears how many there are; few fits need all of them.

    Returns:
        Trees up to the best round, every one of them in the order that the signs ask for.
    """
    stopping = lightgbm.early_stopping(_PATIENCE, verbose=False)
    booster = lightgbm.train(
        constrained(parameters, binned.signs),
        binned.train,
        num_boost_round=rounds,
        valid_sets=[binned.stop],
        callbacks=[stopping, _telling(progress, rounds)],
    )
    straighten(booster, binned.signs)
    return booster


def margins(booster: lightgbm.Booster, encoding: Encoding, rows: pd.DataFrame) -> Floats:
    """Give the raw scores of rows, (n,)."""
    return np.asarray(booster.predict(encoding.frame(rows), raw_score=True), dtype=np.float64)


def _lightgbm_rows(
    encoding: Encoding, rows: pd.DataFrame, *, parameters: Mapping[str, Any], like: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    features = encoding.catalog.features
    made = lightgbm.Dataset(
        encoding.frame(rows),
        label=rows["label"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        feature_name=[f"f{at}" for at in range(len(features))],
        categorical_feature=[at for at, feature in enumerate(features) if feature.is_category],
        reference=like,
        free_raw_data=True,
        params={
            # Which columns can be split at all depends on min_data_in_leaf, which is another for each booster.
            "feature_pre_filter": False,
            **{name: parameters[name] for name in _BINNED if name in parameters},
        },
    )
    return made.construct()


def _telling(progress: Progress, rounds: int) -> Any:
    """Make the callback that tells how many rounds there are."""

    def tell(env: CallbackEnv) -> None:
        progress("fitting trees", env.iteration + 1, rounds)

    return tell
