"""
Baselines: what a model must beat to be worth its trees, fitted beside it every time.

The base rate is the same for every lead. The logistic regression is what a careful analyst would build in an
afternoon from the very features that the model may use: medians and flags where something is missing, logarithms of
skewed counts, one column per category, and a penalty chosen on the stop block.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from training.dataset.dataset import SEED, Dataset
from training.fitting.calibration_maps import CalibrationRows, fit_platt
from training.fitting.columns import Columns, Singles
from training.fitting.linear import Linear
from training.fitting.row_weights import sample_groups, weigh_leads_equally
from training.statistics.scoring_metrics import losses

Floats = NDArray[np.float64]

MOST_ROWS = 100_000
"""Rows that the regression is fitted on, drawn by group; a few hundred coefficients need no more."""

STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty, strongest first."""

CHOOSING_ROWS = 20_000
"""Rows that each candidate is tried on."""

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
    early, late = (weigh_leads_equally(dataset.block(name)) for name in ("train", "stop"))
    share = len(early) / (len(early) + len(late))
    train = sample_groups(early, round(MOST_ROWS * share), purpose="baselines", seed=seed)
    stop = sample_groups(late, round(MOST_ROWS * (1 - share)), purpose="baselines", seed=seed)
    both = pd.concat([train, stop])
    columns, matrix = Columns.learnt(both, dataset.catalog)
    # One thread adds in one order: the same data give the same numbers, whatever the machine.
    with threadpool_limits(1, user_api="blas"):
        regression = _fitted(matrix, both, strength=_strength(matrix, both, learnt=len(train)))

    def score(rows: pd.DataFrame) -> Floats:
        with threadpool_limits(1, user_api="blas"):
            return regression.log_odds(columns.matrix(rows))

    block = dataset.block("calibrate")
    calibration = fit_platt(CalibrationRows.of(score(block), block))
    return lambda rows: calibration.probabilities(score(rows))


def _strength(matrix: Singles, rows: pd.DataFrame, *, learnt: int) -> float:
    """Choose the penalty whose regression on the first rows, which are learnt from, has the least loss on the rest."""
    first, rest = slice(0, learnt, max(1, learnt // CHOOSING_ROWS)), slice(learnt, None)
    some, others = (np.ascontiguousarray(matrix[part]) for part in (first, rest))  # else each product copies it again
    label, weight = (rows[name].to_numpy(dtype=np.float64)[rest] for name in ("label", "weight"))

    def loss(strength: float) -> float:
        margins = _fitted(some, rows.iloc[first], strength=strength).log_odds(others)
        return float(np.average(losses(expit(margins), label), weights=weight))

    return min(STRENGTHS, key=loss)


def _fitted(matrix: Singles, rows: pd.DataFrame, *, strength: float) -> Linear:
    label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    return Linear.fitted(matrix, label, weight=weight / weight.mean(), strength=strength)
