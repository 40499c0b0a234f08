"""
Baselines: what a model must beat to be worth its trees, fitted beside it every time.

The base rate is the same for every lead. The logistic regression is what a careful analyst would build in an
afternoon from the very features that the model may use: medians and flags where something is missing, logarithms of
skewed counts, one column per category, and a penalty chosen by the loss on accounts that it has not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from features.catalog import Catalog
from training.dataset.dataset import SEED, Dataset
from training.fitting.folds import FOLDS, deal_folds
from training.fitting.recency import fit_line
from training.fitting.row_weights import sample_groups
from training.statistics.scoring_metrics import losses

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MOST_ROWS = 100_000
"""Rows that the regression is fitted on, drawn by group; a few hundred coefficients need no more."""

STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty, strongest first."""

CHOOSING_ROWS = 20_000
"""Rows on which the penalty is chosen and the regression calibrated, each predicted by those of the other folds."""

RARE = 0.01
"""Categories with a smaller share of the rows share one column."""

BASE_RATE = "base rate"


@dataclass(frozen=True, eq=False)
class Baseline:
    """
    A scorer to compare the model with.

    Attributes:
        name: ``base rate`` or ``logistic regression``.
        probabilities: from n rows of the training set to their (n,) probabilities of reaching the goal.
    """

    name: str
    probabilities: Callable[[pd.DataFrame], Floats] = field(repr=False)


def fit_baselines(dataset: Dataset, *, seed: int = SEED) -> tuple[Baseline, ...]:
    """
    Fit the base rate and a logistic regression.

    The regression sees at most 100,000 of the train rows, drawn by group, and is calibrated as the model is: by
    predictions of accounts that it has not seen.

    Args:
        dataset: its train rows with their labels.
        seed: of the draws.
    """
    rate = dataset.base_rate
    return (
        Baseline(BASE_RATE, lambda rows: np.full(len(rows), rate)),
        Baseline("logistic regression", _calibrated_regression(dataset, seed=seed)),
    )


def _calibrated_regression(dataset: Dataset, *, seed: int) -> Callable[[pd.DataFrame], Floats]:
    """Choose the penalty and calibrate out of fold, and fit on all rows."""
    rows = sample_groups(dataset.block("train"), MOST_ROWS, purpose="baselines", seed=seed)
    few = sample_groups(rows, CHOOSING_ROWS, purpose="choosing the penalty", seed=seed)
    columns = design(dataset.catalog)
    # One thread adds in one order: the same data give the same numbers, whatever the machine.
    with threadpool_limits(1, user_api="blas"):
        matrix = columns.fit_transform(rows)
        strength, margins = _strength(columns.transform(few), few, seed=seed)
        regression = fit_regression(matrix, rows, strength=strength)
    calibration = fit_line(margins, few, horizon_us=dataset.horizon_us)

    def probabilities(later: pd.DataFrame) -> Floats:
        with threadpool_limits(1, user_api="blas"):
            log_odds = np.asarray(regression.decision_function(columns.transform(later)), dtype=np.float64)
        return calibration.probabilities(log_odds)

    return probabilities


def design(catalog: Catalog) -> Pipeline:
    """
    Return the way from a catalog's features to columns of one scale, not fitted yet.

    Numbers: missing ones get the median, and a flag where any was missing; then signed logarithms, since counts and
    days have long tails. Categories: a column each, the rare ones in one together; missing is a category.
    """
    numbers = [feature.name for feature in catalog.features if not feature.is_category]
    categories = [feature.name for feature in catalog.features if feature.is_category]
    imputed = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(
        min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False, dtype=np.float32
    )
    return make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(FunctionTransformer(_numbers), imputed, FunctionTransformer(_log)), numbers),
                ("categories", make_pipeline(FunctionTransformer(_texts), one_hot), categories),
            ]
        ),
        StandardScaler(),
    )


def _numbers(rows: pd.DataFrame) -> Singles:
    return rows.to_numpy(dtype=np.float32, na_value=np.nan)


def _log(values: Singles) -> Singles:
    """Return signed logarithms; a flag stays one of two values, which is all that the scale looks at."""
    return np.copysign(np.log1p(np.abs(values)), values)


def _texts(rows: pd.DataFrame) -> NDArray[np.object_]:
    """Return categories as text; no category is empty, so that the empty text can stand for a missing one."""
    return rows.astype("str").where(rows.notna(), "").to_numpy(dtype=object)


def _strength(matrix: Singles, rows: pd.DataFrame, *, seed: int) -> tuple[float, Floats]:
    """Return the penalty with the least loss on rows of accounts it has not seen, and the margins of these rows."""
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    fold = deal_folds(rows["group"], rows["label"], seed=seed)
    margins = {strength: _out_of_fold(matrix, rows, fold, strength=strength) for strength in STRENGTHS}

    def loss(strength: float) -> float:
        return float(np.average(losses(expit(margins[strength]), label), weights=weight))

    best = min(STRENGTHS, key=loss)
    return best, margins[best]


def _out_of_fold(matrix: Singles, rows: pd.DataFrame, fold: NDArray[np.int64], *, strength: float) -> Floats:
    margins = np.empty(len(rows))
    for number in range(FOLDS):
        held_out = fold == number
        regression = fit_regression(matrix[~held_out], rows[~held_out], strength=strength)
        margins[held_out] = regression.decision_function(matrix[held_out])
    return margins


def fit_regression(matrix: Singles, rows: pd.DataFrame, *, strength: float) -> Any:
    """Fit scikit-learn's logistic regression; weights have a mean of 1, so that the penalty does not depend on them."""
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    return LogisticRegression(C=strength, max_iter=1_000).fit(matrix, label, sample_weight=weight / weight.mean())
