"""Reliability: whether of the leads with a probability of one in ten, one in ten reaches the goal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.statistics.bootstrap_kernel import LANES, simulate_outcomes
from training.statistics.logistic import newton_fit

Floats = NDArray[np.float64]
BINS = 10
_DRAWS = 400
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """
    Predicted against observed, bin by bin.

    Attributes:
        predicted: (b,) mean probability of each bin.
        observed: (b,) share that reached the goal.
        share: (b,) of all rows.
        low: (b,) lower end of the range in which 95 % of perfectly calibrated models would be observed.
        high: (b,) upper end.
        error: expected calibration error, the mean distance of the two weighted by share.
        noise_95: what a perfectly calibrated model stays below 95 times in 100.
    """

    predicted: Floats
    observed: Floats
    share: Floats
    low: Floats
    high: Floats
    error: float
    noise_95: float


def curve(probability: Floats, label: Floats, *, weight: Floats, group: NDArray[np.int64], seed: int) -> Curve:
    """
    Compute the reliability curve with the noise that perfect calibration would show.

    The noise is a parametric bootstrap: outcomes are simulated from the probabilities themselves. The rows of one group
    share one draw (a row succeeds where the draw is below its probability), since the snapshots of one lead, and often
    the leads of one account, succeed or fail together; independent draws would promise a calmer curve than there is.

    Args:
        probability: (n,) predicted.
        label: (n,) 1 where the goal was reached, else 0.
        weight: (n,) of each row.
        group: (n,) codes from 0.
        seed: of the draws.

    Source: Bröcker and Smith 2007, Increasing the reliability of reliability diagrams (consistency bars).
    """
    bins = _bins(probability, weight)
    mass = np.bincount(bins, weights=weight, minlength=bins.max() + 1)
    predicted = np.bincount(bins, weights=weight * probability) / mass
    observed = np.bincount(bins, weights=weight * label) / mass
    share = mass / mass.sum()
    simulated = _simulated(probability, weight, group, bins=bins, seed=seed) / mass
    low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    noise = np.abs(simulated - predicted) @ share
    error = float(np.abs(observed - predicted) @ share)
    return Curve(predicted, observed, share, low, high, error, float(np.quantile(noise, 0.95)))


def _simulated(
    probability: Floats, weight: Floats, group: NDArray[np.int64], *, bins: NDArray[np.int64], seed: int
) -> Floats:
    """Simulate outcomes from the probabilities and return the weight that succeeds in each bin, (draws, b)."""
    generator = np.random.default_rng(seed)
    codes = group.astype(np.int32), bins.astype(np.int32)
    parts = []
    for _ in range(_DRAWS // LANES):
        luck = generator.random((int(group.max()) + 1, LANES), dtype=np.float32)
        sums = np.empty((int(bins.max()) + 1, LANES))
        simulate_outcomes(luck, np.ascontiguousarray(probability), np.ascontiguousarray(weight), *codes, sums)
        parts.append(sums.T)
    return np.concatenate(parts)


def _bins(probability: Floats, weight: Floats) -> NDArray[np.int64]:
    """Put the rows into at most 10 bins of equal weight; equal probabilities share a bin."""
    order = np.argsort(probability, kind="stable")
    ordered, passed = probability[order], np.cumsum(weight[order])
    edges = ordered[np.searchsorted(passed, passed[-1] * np.arange(1, BINS) / BINS)]
    codes = np.searchsorted(np.unique(edges), probability, side="right")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def logits(probability: Floats) -> Floats:
    """Return log-odds; probabilities are kept a hair away from 0 and 1."""
    safe = np.clip(probability, _TINY, 1 - _TINY)
    return np.asarray(np.log(safe) - np.log1p(-safe))


def logistic_fit(x: Floats, label: Floats, *, weight: Floats) -> tuple[float, float]:
    """
    Fit ``logit p = slope * x + offset``.

    Args:
        x: (n,) one number per row.
        label: (n,) 0 or 1.
        weight: (n,).

    Returns:
        Slope and offset of the highest likelihood, with a hair of ridge so that separable rows stay finite.

    >>> slope, offset = logistic_fit(np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1]), weight=np.ones(4))
    >>> abs(round(slope, 6)), abs(round(offset, 6))
    (0.0, 0.0)
    """
    centre, scale = float(np.average(x, weights=weight)), float(x.std()) or 1.0
    design = np.stack([(x - centre) / scale, np.ones_like(x)], axis=1)
    start = np.array([0.0, float(logits(np.array([np.average(label, weights=weight)]))[0])])
    beta = newton_fit(design, label, weight=weight, ridge=np.array([1e-4, 0.0]), start=start)
    slope = float(beta[0] / scale)
    return slope, float(beta[1] - slope * centre)
