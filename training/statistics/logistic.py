"""Logistic regression of a few columns: fits so small that they are made thousands of times."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS, _HALVINGS, _CONVERGED, _ROUNDING = 50, 30, 1e-9, 1e-13


def newton_fit(design: Floats, target: Floats, *, weight: Floats, ridge: Floats, start: Floats) -> Floats:
    """
    Fit a logistic regression by Newton's method, each step halved until the likelihood does not fall.

    Args:
        design: (n, k) columns.
        target: (n,) outcomes, or probabilities, between 0 and 1.
        weight: (n,) of the rows.
        ridge: (k,) the penalty of each squared coefficient, halved; a hair of it keeps separable rows finite.
        start: (k,) coefficients to begin with.

    Returns:
        (k,) coefficients.

    >>> ones, half = np.ones((4, 1)), np.array([1.0, 0, 0, 0])
    >>> newton_fit(ones, half, weight=np.ones(4), ridge=np.zeros(1), start=np.array([9.0])).round(6).tolist()
    [-1.098612]
    """

    def loss(beta: Floats) -> float:
        margin = design @ beta
        return float(weight @ (np.logaddexp(0.0, margin) - target * margin) + ridge @ beta**2 / 2)

    beta = np.asarray(start, dtype=np.float64)
    current = loss(beta)
    for _ in range(_STEPS):
        gradient, hessian = logistic_terms(design @ beta, design, label=target, weight=weight)
        step = np.linalg.solve(hessian + np.diag(ridge + 1e-9), gradient - ridge * beta)
        for _ in range(_HALVINGS):
            if (found := loss(beta + step)) <= current + _ROUNDING * abs(current):
                break
            step = step / 2
        else:
            break
        beta, current = beta + step, found
        if np.abs(step).max() < _CONVERGED:
            break
    return beta


def logistic_terms(margin: Floats, design: Floats, *, label: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the gradient (k,) and the Hessian (k, k) of the log-likelihood at margins (n,)."""
    chance = np.exp(-np.logaddexp(0.0, -margin))
    gradient = design.T @ (weight * (label - chance))
    hessian = (design * (weight * chance * (1 - chance))[:, None]).T @ design
    return gradient, hessian
