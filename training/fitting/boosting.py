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
from training.fitting.folds import FOLDS
from training.fitting.monotone import constrained, enforce_order

MOST_ROUNDS = 400
"""Of one booster: the five of a mean together make no more trees than a bundle holds."""

_PATIENCE = 40
_BINNED = ("max_bin", "num_threads", "verbosity")

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BinnedRows:
    """
    Rows that boosters are fitted on, binned once for any number of boosters.

    Attributes:
        encoding: from feature values to columns.
        matrix: (n, k) the encoded rows.
        binned: the same for LightGBM, with labels and weights.
        label: (n,) 1 where the goal was reached, else 0.
        weight: (n,) of the rows.
        fold: (n,) the fold of each row.
        signs: for each column 1 where the margin may only rise with it, -1 where it may only fall, else 0.
    """

    encoding: Encoding
    matrix: Floats
    binned: lightgbm.Dataset
    label: Floats
    weight: Floats
    fold: Codes
    signs: list[int]

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        fold: Codes,
        *,
        catalog: Catalog,
        parameters: Mapping[str, Any],
        wished: Mapping[str, int] | None = None,
    ) -> Self:
        """
        Encode rows.

        Args:
            rows: (n) rows with ``label``, ``weight`` and the catalog's features.
            fold: (n,) the fold of each.
            catalog: k features, the columns.
            parameters: of LightGBM; they decide how many bins there are.
            wished: feature → 1 where the margin may only rise with it, -1 where it may only fall.
        """
        encoding = Encoding(catalog, categories_of(rows, catalog))
        matrix = encoding.frame(rows)
        label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
        binned = _lightgbm_rows(encoding, matrix, (label, weight / weight.mean()), parameters=parameters)
        signs = [(wished or {}).get(name, 0) for name in catalog.names]
        return cls(encoding, matrix, binned, label, weight, fold, signs)

    def part(self, chosen: NDArray[np.bool_]) -> lightgbm.Dataset:
        """Return some of the rows, in the same bins."""
        return self.binned.subset(np.flatnonzero(chosen).tolist()).construct()


@dataclass(frozen=True, eq=False)
class CrossFit:
    """
    A booster for each fold, fitted to the rows of the others.

    Attributes:
        boosters: one per fold, each with the trees up to its best round.
        margins: (n,) of each row, by the booster that has not seen its account.
    """

    boosters: tuple[lightgbm.Booster, ...]
    margins: Floats


def categories_of(train: pd.DataFrame, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the most frequent values of each category feature, at most 62; ties by name."""
    categories = {}
    for feature in catalog.features:
        if feature.is_category:
            counts = train[feature.name].dropna().astype(str).value_counts()
            ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            categories[feature.name] = tuple(str(value) for value, _ in ordered[:MOST_CATEGORIES])
    return categories


def cross_fit(
    rows: BinnedRows, parameters: Mapping[str, Any], *, rounds: int = MOST_ROUNDS, progress: Progress = silent
) -> CrossFit:
    """
    Fit one booster to all folds but one, for each fold, and predict the rows of that fold by it.

    Args:
        rows: with their folds.
        parameters: of LightGBM.
        rounds: how many trees a booster may have.
        progress: called with the number of trees; few fits need all of them.
    """
    boosters, margins = [], np.empty(len(rows.fold))
    for number in range(FOLDS):
        step = _fold_progress(progress, number, rounds)
        booster = fit_booster(rows, rows.fold == number, parameters, rounds=rounds, progress=step)
        margins[rows.fold == number] = raw_scores(booster, rows.matrix[rows.fold == number])
        boosters.append(booster)
    return CrossFit(tuple(boosters), margins)


def fit_booster(
    rows: BinnedRows,
    held_out: NDArray[np.bool_],
    parameters: Mapping[str, Any],
    *,
    rounds: int = MOST_ROUNDS,
    progress: Progress = silent,
) -> lightgbm.Booster:
    """
    Fit trees until the log loss of the rows held out has not fallen for 40 rounds.

    Args:
        rows: all of them.
        held_out: (n,) which ones only decide when to stop.
        parameters: of LightGBM.
        rounds: how many trees there may be.
        progress: called with the number of trees.

    Returns:
        Trees up to the best round, every one of them in the order that the signs ask for.
    """
    booster = lightgbm.train(
        constrained(parameters, rows.signs),
        rows.part(~held_out),
        num_boost_round=rounds,
        valid_sets=[rows.part(held_out)],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False), _progress_callback(progress, rounds)],
    )
    enforce_order(booster, rows.signs)
    return booster


def raw_scores(booster: lightgbm.Booster, matrix: Floats) -> Floats:
    """
    Return the raw scores of encoded rows, (n,), by as many threads as fitted the trees.

    LightGBM keeps one number of threads for the whole process, and every call sets it. A prediction that sets another
    beside a fit in a second thread writes past the end of LightGBM's buffers: the process dies.

    Args:
        booster: fitted by ``num_threads`` threads.
        matrix: (n, k) from ``Encoding.frame``.
    """
    scores = booster.predict(matrix, raw_score=True, num_threads=int(booster.params.get("num_threads", 0)))
    return np.asarray(scores, dtype=np.float64)


def margins_of(booster: lightgbm.Booster, encoding: Encoding, rows: pd.DataFrame) -> Floats:
    """Return the raw scores of rows, (n,)."""
    return raw_scores(booster, encoding.frame(rows))


def _lightgbm_rows(
    encoding: Encoding, matrix: Floats, labels: tuple[Floats, Floats], *, parameters: Mapping[str, Any]
) -> lightgbm.Dataset:
    features = encoding.catalog.features
    dataset = lightgbm.Dataset(
        matrix,
        label=labels[0],
        weight=labels[1],
        feature_name=[f"f{index}" for index in range(len(features))],
        categorical_feature=[index for index, feature in enumerate(features) if feature.is_category],
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


def _fold_progress(progress: Progress, fold: int, rounds: int) -> Progress:
    """Return a progress that counts the trees of the folds before this one too."""
    return lambda what, done, _: progress(what, fold * rounds + done, FOLDS * rounds)
