"""Numbers in steps: every value is replaced by the mean of its neighbours, so that a sum over them is one of trees."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

Floats = NDArray[np.float64]

MOST_STEPS = 64
"""Of one number; with more no log loss changed in the third digit on the histories tried."""


class StepMeans(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """
    Replace the numbers of each column by the mean of the logarithms of those in the same step.

    Steps hold about equally many rows; where there are few different values each has its own. The logarithm is signed,
    ``sign(x) * log(1 + abs(x))``, since counts and days have long tails. Missing stays missing.

    Args:
        most: steps of one column.

    >>> StepMeans(most=2).fit_transform([[0.0], [0.0], [1.0], [9.0], [np.nan]]).round(2).ravel().tolist()
    [0.0, 0.0, 1.5, 1.5, nan]
    """

    def __init__(self, most: int = MOST_STEPS) -> None:
        """Keep the setting, as scikit-learn asks."""
        self.most = most

    def fit(self, values: ArrayLike, _: Any = None) -> Self:
        """Find the steps of (n, k) numbers, and their means."""
        matrix = np.asarray(values, dtype=np.float64)
        self.cuts_ = tuple(_cuts(column[~np.isnan(column)], self.most) for column in matrix.T)
        self.means_ = tuple(
            _means(column[~np.isnan(column)], cuts) for column, cuts in zip(matrix.T, self.cuts_, strict=True)
        )
        return self

    def transform(self, values: ArrayLike) -> NDArray[np.float32]:
        """Return the means of (n, k) numbers, each that of its step."""
        matrix = np.asarray(values, dtype=np.float64)
        replaced = np.full(matrix.shape, np.nan, dtype=np.float32)
        for index, (cuts, means) in enumerate(zip(self.cuts_, self.means_, strict=True)):
            known = ~np.isnan(matrix[:, index])
            replaced[known, index] = means[np.searchsorted(cuts, matrix[known, index])]
        return replaced


def _cuts(known: Floats, most: int) -> Floats:
    """
    Return where one step ends and the next begins, rising: halfway between two values that were seen.

    A cut at a value itself would divide what is the same but for the last digit of a float.
    """
    values = np.unique(known)
    ends = np.arange(len(values) - 1)
    if len(values) > most:
        largest = np.quantile(known, np.linspace(0, 1, most + 1)[1:-1], method="lower")
        ends = np.unique(np.searchsorted(values, largest))
        ends = ends[ends < len(values) - 1]
    low, high = values[ends], values[ends + 1]
    middle: Floats = low / 2 + high / 2
    return np.where((low <= middle) & (middle < high), middle, low)  # neighbours have nothing between them


def _means(known: Floats, cuts: Floats) -> Floats:
    step, steps = np.searchsorted(cuts, known), len(cuts) + 1
    logs = np.copysign(np.log1p(np.abs(known)), known)
    sums, counts = np.bincount(step, logs, minlength=steps), np.bincount(step, minlength=steps)
    means: Floats = sums / np.maximum(counts, 1)
    return means
