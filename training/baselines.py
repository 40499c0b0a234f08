"""
Baselines: what a model must beat to be worth its trees, fitted beside it every time.

The base rate says the same of every lead. The logistic regression is what a careful analyst would build in an
afternoon from the very features that the model may use: medians and flags where something is missing, logarithms of
skewed counts, one column per category, and a penalty chosen on the stop block.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from features.catalog import Catalog
from training.boosting import at_most, each_lead_once
from training.calibrating import platt
from training.dataset import SEED, Dataset
from training.evaluation import losses

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MOST_ROWS = 100_000
"""Rows that the regression is fitted on, drawn by group; a few hundred coefficients need no more."""

STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty, strongest first."""

CHOOSING_ROWS = 20_000
"""Rows that each candidate is tried on."""

_RARE = 0.01
_MOST_STEPS = 1_000

BASE_RATE = "base rate"


@dataclass(frozen=True, eq=False)
class Baseline:
    """
    A scorer to compare the model with.

    Attributes:
        name: ``base rate`` or ``logistic regression``.
        probabilities: from n rows of the training set to (n,) chances of reaching the goal.
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
        Baseline("logistic regression", _regression(dataset, seed=seed)),
    )


def _regression(dataset: Dataset, *, seed: int) -> Callable[[pd.DataFrame], Floats]:
    """Choose the penalty on the stop block, fit on both blocks, calibrate on the third."""
    early, late = (each_lead_once(dataset.block(name)) for name in ("train", "stop"))
    share = len(early) / (len(early) + len(late))
    train = at_most(early, round(MOST_ROWS * share), purpose="baselines", seed=seed)
    stop = at_most(late, round(MOST_ROWS * (1 - share)), purpose="baselines", seed=seed)
    both = pd.concat([train, stop])
    # One thread adds in one order: the same data give the same numbers, whatever the machine.
    with threadpool_limits(1):
        columns = columns_of(dataset.catalog)
        matrix = columns.fit_transform(both)
        strength = _strength(matrix, both, learnt=len(train))
        regression = Pipeline([("columns", columns), ("regression", _fitted(matrix, both, strength=strength))])
    block = dataset.block("calibrate")
    calibration = platt(regression.decision_function(block), block)
    return lambda rows: calibration.probabilities(regression.decision_function(rows))


def columns_of(catalog: Catalog) -> Pipeline:
    """
    Give the way from features to columns of one scale.

    Numbers: missing ones get the median and a flag of their own, then signed logarithms, since counts and days have
    long tails. Categories: a column each, those with fewer than 1 % of the rows in one, and missing is a category.
    """
    categories = [feature.name for feature in catalog.features if feature.is_category]
    numbers = [feature.name for feature in catalog.features if not feature.is_category]
    filled = make_pipeline(
        FunctionTransformer(_numbers), SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    )
    of_numbers = make_pipeline(filled, FunctionTransformer(_signed_log))
    rare = OneHotEncoder(min_frequency=_RARE, handle_unknown="infrequent_if_exist", sparse_output=False)
    of_categories = make_pipeline(FunctionTransformer(_texts), rare)
    both = ColumnTransformer([("numbers", of_numbers, numbers), ("categories", of_categories, categories)])
    return make_pipeline(both, VarianceThreshold(), StandardScaler(copy=False))


def _numbers(frame: pd.DataFrame) -> Singles:
    return frame.to_numpy(dtype=np.float32, na_value=np.nan)


def _texts(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Give categories as text; no category is empty, so that the empty text can stand for a missing one."""
    return np.asarray(frame.astype(object).where(frame.notna(), "").astype(str).to_numpy(dtype=object))


def _signed_log(matrix: Singles) -> Singles:
    size = np.abs(matrix)
    return np.asarray(np.copysign(np.log1p(size, out=size), matrix))


def _strength(matrix: Singles, rows: pd.DataFrame, *, learnt: int) -> float:
    """Choose the penalty whose regression on the first rows, which are learnt from, has the least loss on the rest."""
    first, rest = slice(0, learnt, max(1, learnt // CHOOSING_ROWS)), slice(learnt, None)
    label, weight = (rows[name].to_numpy(dtype=np.float64)[rest] for name in ("label", "weight"))

    def loss(strength: float) -> float:
        chances = _fitted(matrix[first], rows.iloc[first], strength=strength).predict_proba(matrix[rest])[:, 1]
        return float(np.average(losses(chances.astype(np.float64), label), weights=weight))

    return min(STRENGTHS, key=loss)


def _fitted(matrix: Singles, rows: pd.DataFrame, *, strength: float) -> LogisticRegression:
    label, weight = rows["label"].to_numpy(dtype=np.int64), rows["weight"].to_numpy(dtype=np.float32)
    # The mean weight is 1, so that the penalty does not depend on how many snapshots a lead has.
    weight /= weight.mean(dtype=np.float64)
    with warnings.catch_warnings():
        # In single precision the last steps may find no way down any more; the hair that is missing matters nowhere.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression = LogisticRegression(C=strength, max_iter=_MOST_STEPS)
        return regression.fit(matrix, label, sample_weight=weight)
