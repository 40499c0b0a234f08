"""
The logistic regression: what a careful analyst would build in an afternoon, and the rival of the trees.

It uses the very features that the trees may use: numbers in steps, as their logarithms, with medians and flags where
something is missing; one column per category; and a penalty chosen by the loss on accounts that it has not seen. What
it says is a sum of one number per feature. So it becomes a model as the trees do, with the same exact reasons, and
serves where the trees are not better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from features.catalog import Catalog
from training.fitting.boosting import categories_of
from training.fitting.folds import FOLDS, deal_folds
from training.fitting.row_weights import sample_with_successes
from training.fitting.step_means import MOST_STEPS, StepMeans
from training.statistics.scoring_metrics import losses

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty, strongest first."""

CHOOSING_ROWS = 20_000
"""Rows on which the penalty is chosen, each predicted by those of the other folds."""

RARE = 0.01
"""Categories with a smaller share of the rows share one column."""

MOST_LEVELS = 30_000
"""Of all features together, missing ones among them: a bundle has room for some 32,000 leaves."""

OTHER = "\x00 other"
"""Stands for every category that is not told apart."""


@dataclass(frozen=True, eq=False)
class Regression:
    """
    A fitted logistic regression.

    Attributes:
        catalog: its k features.
        columns: the way from rows to its columns.
        coefficients: of the columns.
        intercept: of the margin.
        strength: scikit-learn's C, the inverse of the penalty.
        categories: feature → the categories that are told apart; all others are one.
        margins: (n,) of the rows it was fitted to, each by a regression fitted to other accounts.
    """

    catalog: Catalog
    columns: Pipeline
    coefficients: Floats
    intercept: float
    strength: float
    categories: Mapping[str, tuple[str, ...]]
    margins: Floats

    def margin(self, rows: pd.DataFrame) -> Floats:
        """Return the log-odds of rows before calibration, (n,)."""
        columns: Floats = self.columns.transform(rows).astype(np.float64)
        return columns @ self.coefficients + self.intercept

    def cuts(self, feature: str) -> Floats:
        """Return where one step of a number ends and the next begins, rising."""
        numbers = _numbers_of(self.catalog)
        steps: StepMeans = self.columns[0].named_transformers_["numbers"][1]
        return steps.cuts_[numbers.index(feature)]


def fit_regression(rows: pd.DataFrame, catalog: Catalog, *, directions: Mapping[str, int], seed: int) -> Regression:
    """
    Choose the penalty on accounts that the regression has not seen, and fit it to all rows.

    Args:
        rows: train rows with ``label``, ``weight``, ``group`` and the catalog's features.
        catalog: the features.
        directions: feature → 1 where the margin may only rise with it, -1 where it may only fall.
        seed: of the draw of the rows that the penalty is chosen on, and of the folds.
    """
    levels = max(4, min(MOST_STEPS, MOST_LEVELS // len(catalog.features)))
    categories = {name: known[: levels - 2] for name, known in categories_of(rows, catalog).items()}
    columns = design(catalog, categories, most_steps=levels - 1)
    # One thread adds in one order: the same data give the same numbers, however many cores there are.
    with threadpool_limits(1, user_api="blas"):
        matrix = columns.fit_transform(rows)
        numbers = _numbers_of(catalog)
        signs = np.zeros(matrix.shape[1])
        signs[: len(numbers)] = [directions.get(name, 0) for name in numbers]
        few = sample_with_successes(rows, CHOOSING_ROWS, purpose="choosing the penalty", seed=seed)
        strength = _strength(columns.transform(few), few, signs=signs, seed=seed)
        fold = deal_folds(rows["group"], rows["label"], seed=seed)
        margins = _out_of_fold(matrix, rows, fold, signs=signs, strength=strength)
        coefficients, intercept = _fitted(matrix, rows, signs=signs, strength=strength)
    return Regression(catalog, columns, coefficients, intercept, strength, categories, margins)


def design(
    catalog: Catalog, categories: Mapping[str, tuple[str, ...]] | None = None, *, most_steps: int = MOST_STEPS
) -> Pipeline:
    """
    Return the way from a catalog's features to columns of one scale, not fitted yet.

    Numbers: the mean logarithm of their step; missing ones get the median, and a flag where any was missing.
    Categories: a column each, the rare ones in one together; missing is a category.

    Args:
        catalog: the features.
        categories: feature → the categories that are told apart; default: all.
        most_steps: of one number.
    """
    numbers = _numbers_of(catalog)
    names = [feature.name for feature in catalog.features if feature.is_category]
    imputed = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(
        min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False, dtype=np.float32
    )
    texts = FunctionTransformer(_texts, kw_args={"categories": categories})
    return make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(FunctionTransformer(_numbers), StepMeans(most_steps), imputed), numbers),
                ("categories", make_pipeline(texts, one_hot), names),
            ]
        ),
        StandardScaler(),
    )


def _numbers_of(catalog: Catalog) -> list[str]:
    return [feature.name for feature in catalog.features if not feature.is_category]


def _numbers(rows: pd.DataFrame) -> Floats:
    return rows.to_numpy(dtype=np.float64, na_value=np.nan)


def _texts(rows: pd.DataFrame, *, categories: Mapping[str, tuple[str, ...]] | None) -> NDArray[np.object_]:
    """Return categories as text; no category is empty, so that the empty text can stand for a missing one."""
    texts = rows.astype("str").where(rows.notna(), "")
    if categories is not None:
        texts = texts.apply(lambda column: column.where(column.isin([*categories[str(column.name)], ""]), OTHER))
    return texts.to_numpy(dtype=object)


def _strength(matrix: Singles, rows: pd.DataFrame, *, signs: Floats, seed: int) -> float:
    """Return the penalty with the least loss on rows of accounts it has not seen."""
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    fold = deal_folds(rows["group"], rows["label"], seed=seed)
    margins = {strength: _out_of_fold(matrix, rows, fold, signs=signs, strength=strength) for strength in STRENGTHS}

    def loss(strength: float) -> float:
        return float(np.average(losses(expit(margins[strength]), label), weights=weight))

    return min(STRENGTHS, key=loss)


def _out_of_fold(
    matrix: Singles, rows: pd.DataFrame, fold: NDArray[np.int64], *, signs: Floats, strength: float
) -> Floats:
    margins = np.empty(len(rows))
    for number in range(FOLDS):
        held_out = fold == number
        coefficients, intercept = _fitted(matrix[~held_out], rows[~held_out], signs=signs, strength=strength)
        margins[held_out] = matrix[held_out].astype(np.float64) @ coefficients + intercept
    return margins


def _fitted(matrix: Singles, rows: pd.DataFrame, *, signs: Floats, strength: float) -> tuple[Floats, float]:
    """
    Return the coefficients and the intercept of scikit-learn's logistic regression.

    Columns whose coefficient would have the wrong sign are left out, and it is fitted again, until none has. Weights
    have a mean of 1, so that the penalty does not depend on them.
    """
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    kept = np.ones(matrix.shape[1], dtype=bool)
    while True:
        columns = matrix if kept.all() else matrix[:, kept]
        found: Any = LogisticRegression(C=strength, max_iter=1_000).fit(
            columns, label, sample_weight=weight / weight.mean()
        )
        coefficients = np.zeros(len(kept))
        coefficients[kept] = found.coef_[0]
        wrong = coefficients * signs < 0
        if not wrong.any():
            return coefficients, float(found.intercept_[0])
        kept &= ~wrong
        if not kept.any():
            return np.zeros(len(kept)), float(logit(np.average(label, weights=weight)))
