"""A linear model of log-odds over many columns, with a penalty, fitted in the precision of its columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from training.fitting.columns import Singles

Floats = NDArray[np.float64]

_MOST_STEPS = 1_000
_FLAT, _STILL = 1e-4, 64 * np.finfo(np.float64).eps
"""A gradient, and a share of the loss won by a step, below which nothing that matters is left to win."""


@dataclass(frozen=True, eq=False)
class Linear:
    """
    Log-odds as a weighted sum of columns.

    Attributes:
        slopes: (c,) one for each column.
        offset: of all rows.
    """

    slopes: Floats
    offset: float

    @classmethod
    def fitted(cls, matrix: Singles, label: Floats, *, weight: Floats, strength: float) -> Self:
        """
        Minimise the weighted mean of the log loss plus ``slopes² / (2 · strength · n)``.

        Args:
            matrix: (n, c) columns of one scale.
            label: (n,) 0 or 1.
            weight: (n,) with a mean of 1, so that the penalty does not depend on how many snapshots a lead has.
            strength: the inverse of the L2 penalty, scikit-learn's C.

        Source: Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization.
        """
        share, ridge = weight / weight.sum(), 1 / (strength * weight.sum())

        def loss_and_gradient(at: Floats) -> tuple[float, Floats]:
            margin = _margins(matrix, at[:-1], at[-1])
            surprise = np.maximum(margin, 0.0) + np.log(1 + np.exp(-np.abs(margin))) - label * margin
            loss = share @ surprise + ridge / 2 * (at[:-1] @ at[:-1])
            pull = share * (expit(margin) - label)
            return float(loss), np.append(pull.astype(np.float32) @ matrix + ridge * at[:-1], pull.sum())

        options = {"maxiter": _MOST_STEPS, "gtol": _FLAT, "ftol": _STILL}
        start = np.zeros(matrix.shape[1] + 1)
        # In single precision the last steps may find no way down any more; the hair that is missing matters nowhere.
        found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x
        return cls(found[:-1], float(found[-1]))

    def log_odds(self, matrix: Singles) -> Floats:
        """Give the log-odds of (n, c) rows, (n,)."""
        return _margins(matrix, self.slopes, self.offset)


def _margins(matrix: Singles, slopes: Floats, offset: float) -> Floats:
    return np.asarray(matrix @ slopes.astype(np.float32) + offset, dtype=np.float64)
