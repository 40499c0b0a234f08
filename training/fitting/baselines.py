"""
Baselines: what a model must beat to be worth its trees, fitted beside it every time.

The base rate is the same for every lead. The logistic regression is what a careful analyst would build in an
afternoon from the very features that the model may use: medians and flags where something is missing, logarithms of
skewed counts, one column per category, and a penalty chosen on the stop block.
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
from training.fitting.calibration_maps import CalibrationRows, fit_platt
from training.fitting.row_weights import sample_groups, weigh_leads_equally
from training.statistics.scoring_metrics import losses

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MOST_ROWS = 100_000
"""Rows that the regression is fitted on, drawn by group; a few hundred coefficients need no more."""

STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty, strongest first."""

CHOOSING_ROWS = 20_000
"""Rows that each candidate is tried on."""

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

    The regression sees at most 100,000 rows of the blocks train and stop, drawn by group, weighted as those of the
    trees are, and is calibrated by Platt's map on the calibrate block, as the model is.

    Args:
        dataset: its blocks train, stop and calibrate with their labels.
        seed: of the draw.
    """
    rate = dataset.base_rate
    return (
        Baseline(BASE_RATE, lambda rows: np.full(len(rows), rate)),
        Baseline("logistic regression", _calibrated_regression(dataset, seed=seed)),
    )


def _calibrated_regression(dataset: Dataset, *, seed: int) -> Callable[[pd.DataFrame], Floats]:
    """Choose the penalty on the stop block, fit on both blocks, calibrate on the third."""
    early, late = (weigh_leads_equally(dataset.block(name)) for name in ("train", "stop"))
    share = len(early) / (len(early) + len(late))
    train = sample_groups(early, round(MOST_ROWS * share), purpose="baselines", seed=seed)
    stop = sample_groups(late, round(MOST_ROWS * (1 - share)), purpose="baselines", seed=seed)
    both = pd.concat([train, stop])
    columns = design(dataset.catalog)
    # One thread adds in one order: the same data give the same numbers, whatever the machine.
    with threadpool_limits(1, user_api="blas"):
        matrix = columns.fit_transform(both)
        regression = fit_regression(matrix, both, strength=_strength(matrix, both, learnt=len(train)))

    def log_odds(rows: pd.DataFrame) -> Floats:
        with threadpool_limits(1, user_api="blas"):
            return np.asarray(regression.decision_function(columns.transform(rows)), dtype=np.float64)

    block = dataset.block("calibrate")
    calibration = fit_platt(CalibrationRows.of(log_odds(block), block))
    return lambda rows: calibration.probabilities(log_odds(rows))


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


def _strength(matrix: Singles, rows: pd.DataFrame, *, learnt: int) -> float:
    """Choose the penalty whose regression on the first rows, which are learnt from, has the least loss on the rest."""
    first, rest = slice(0, learnt, max(1, learnt // CHOOSING_ROWS)), slice(learnt, None)
    label, weight = (rows[name].to_numpy(dtype=np.float64)[rest] for name in ("label", "weight"))

    def loss(strength: float) -> float:
        regression = fit_regression(matrix[first], rows.iloc[first], strength=strength)
        margins = np.asarray(regression.decision_function(matrix[rest]), dtype=np.float64)
        return float(np.average(losses(expit(margins), label), weights=weight))

    return min(STRENGTHS, key=loss)


def fit_regression(matrix: Singles, rows: pd.DataFrame, *, strength: float) -> Any:
    """Fit scikit-learn's logistic regression; weights have a mean of 1, so that the penalty does not depend on them."""
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    return LogisticRegression(C=strength, max_iter=1_000).fit(matrix, label, sample_weight=weight / weight.mean())
