"""Calibration maps: Platt's, beta and isotonic, each fitted to a block of rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from models.calibration import STEEPEST, Beta, Isotonic, Platt
from training.statistics.logistic import newton_fit
from training.statistics.reliability import Floats, logistic_fit, logits

FEWEST_AT_KNOT = 5
"""Accounts of either kind behind each knot of an isotonic map; with fewer it would follow single accounts."""

MOST_KNOTS = 50

STEEPER = 10.0
"""How many times as steep as Platt's an isotonic map may be: a tiny change of margin must not move many points."""


@dataclass(frozen=True, eq=False)
class CalibrationRows:
    """The n rows to calibrate on: margins, labels 0 or 1, weights, and codes of the accounts, each (n,)."""

    margins: Floats
    label: Floats
    weight: Floats
    group: NDArray[np.int64]

    @classmethod
    def of(cls, margins: Floats, rows: pd.DataFrame) -> Self:
        """
        Take them from rows of a training set.

        Args:
            margins: (n,) of rows that the trees have never seen.
            rows: the n rows with ``label``, ``weight`` and ``group``; some of either label.
        """
        label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
        return cls(margins, label, weight, pd.factorize(rows["group"])[0].astype(np.int64))

    def where(self, kept: NDArray[np.bool_]) -> "CalibrationRows":
        """Return some of the rows."""
        return CalibrationRows(self.margins[kept], self.label[kept], self.weight[kept], self.group[kept])

    @property
    def groups(self) -> int:
        """How many accounts there are."""
        return int(self.group.max()) + 1

    @property
    def rate(self) -> float:
        """The weighted share of successes."""
        return float(np.average(self.label, weights=self.weight))


def fit_platt(block: CalibrationRows) -> Platt:
    """Fit Platt's two numbers; a map that would reverse the order of the leads is flat."""
    slope, offset = logistic_fit(block.margins, block.label, weight=block.weight)
    return Platt(slope, offset) if slope >= 0 else Platt(0.0, _odds(block.rate))


def fit_beta(block: CalibrationRows) -> Beta:
    """
    Fit beta calibration with ``a`` and ``b`` not negative.

    The likelihood is concave. Where its maximum lies outside, the best inside is the best on an edge, where one of the
    two is 0, or in the corner, where both are.
    """
    terms = np.stack([-np.logaddexp(0.0, -block.margins), np.logaddexp(0.0, block.margins)], axis=1)
    _, best = _likeliest(terms, block, free=[0, 1])
    if min(best.a, best.b) >= 0:
        return best
    edges = [_likeliest(terms, block, free=free) for free in ([0], [1], [])]
    return min((pair for pair in edges if min(pair[1].a, pair[1].b) >= 0), key=lambda pair: pair[0])[1]


def _likeliest(terms: Floats, block: CalibrationRows, *, free: list[int]) -> tuple[float, Beta]:
    """Fit the factors of some of the two terms by Newton's method, the other's being 0; return the log loss too."""
    used = terms[:, free]
    centre, scale = np.average(used, axis=0, weights=block.weight), used.std(axis=0)
    scale[scale == 0] = 1.0
    design = np.column_stack([(used - centre) / scale, np.ones(len(used))])
    ridge = np.array([1e-4] * len(free) + [0.0])  # a hair, so that separable rows and equal terms stay finite
    start = np.array([0.0] * len(free) + [_odds(block.rate)])
    beta = newton_fit(design, block.label, weight=block.weight, ridge=ridge, start=start)
    factors = np.zeros(2)
    factors[free] = beta[:-1] / scale
    offset = float(beta[-1] - factors[free] @ centre)
    loss = block.weight @ row_losses(terms @ factors + offset, block.label)
    return float(loss), Beta(float(factors[0]), float(factors[1]), offset)


def fit_isotonic(block: CalibrationRows) -> Isotonic:
    """
    Fit isotonic calibration: lines through the steps that pooling adjacent violators makes.

    Steps are joined until each has enough accounts of both kinds, and where the line between them would be too steep. A
    step's knot is at the margin whose probability by Platt's map is the mean probability of the step's rows by Platt's
    map: where Platt's map is the truth, lines through the knots are that map, however wide a step is.
    """
    line = fit_platt(block)
    if line.slope == 0:
        return Isotonic((0.0,), (line.offset,), 0.0, 0.0)
    steps = _steps(block, line.probabilities(block.margins))
    margins, log_odds = _knots(_joined(steps, line, steepest=min(STEEPER * line.slope, STEEPEST)), line)
    slopes = [min(line.slope, STEEPEST), *(np.diff(log_odds) / np.diff(margins)).tolist()]
    below, above = min(slopes[:2]), min(slopes[0], slopes[-1])
    return Isotonic(tuple(margins.tolist()), tuple(log_odds.tolist()), below, above)


def _steps(block: CalibrationRows, chance: Floats) -> Floats:
    """
    Pool rows, in order of their margins, into steps whose share of successes rises.

    Returns:
        (m, 5) a step's weight, weight times Platt's probability, weight of its successes, and how many accounts'
        successes and failures it holds; an account whose rows lie in several steps is shared among them.
    """
    won, lost = (_shared(side, block.group) for side in (block.label, 1 - block.label))
    columns = [block.weight, block.weight * chance, block.weight * block.label, won, lost]
    _, tie = np.unique(block.margins, return_inverse=True)
    sums = np.stack([np.bincount(tie, column) for column in columns], axis=1)
    pooled = isotonic_regression(sums[:, 2] / sums[:, 0], weights=sums[:, 0])
    return np.asarray(np.add.reduceat(sums, pooled.blocks[:-1], axis=0))


def _shared(rows: Floats, group: NDArray[np.int64]) -> Floats:
    """Return for each of an account's rows that are 1 an equal share of it, (n,)."""
    return np.asarray(rows / np.maximum(np.bincount(group, rows), 1.0)[group])


def _joined(steps: Floats, line: Platt, *, steepest: float) -> Floats:
    """Join neighbours until every step has enough accounts of both kinds and no line between two is too steep."""
    fewest = np.maximum(FEWEST_AT_KNOT, steps[:, 3:].sum(axis=0) / MOST_KNOTS)
    # First by size, from the left; what is left over at the right end joins its neighbour.
    enough: list[Floats] = []
    for step in steps:
        if enough and (enough[-1][3:] < fewest).any():
            enough[-1] = enough[-1] + step
        else:
            enough.append(step)
    if len(enough) > 1 and (enough[-1][3:] < fewest).any():
        enough[-2:] = [enough[-2] + enough[-1]]
    # Then by steepness; a joined step may be too steep towards the one before it, so the check goes back.
    kept: list[Floats] = []
    for step in enough:
        kept.append(step)
        while len(kept) > 1 and _too_steep(kept, line, steepest=steepest):
            kept[-2:] = [kept[-2] + kept[-1]]
    return np.stack(kept)


def _knots(steps: Floats, line: Platt) -> tuple[Floats, Floats]:
    """Return the margin and the log-odds of each of m steps, each (m,)."""
    expected, observed = (logits(steps[:, column] / steps[:, 0]) for column in (1, 2))
    return (expected - line.offset) / line.slope, np.maximum.accumulate(observed)


def _too_steep(steps: list[Floats], line: Platt, *, steepest: float) -> bool:
    """Return whether the line between the last two steps is too steep, or has no length at all."""
    margins, log_odds = _knots(np.stack(steps[-2:]), line)
    return bool(log_odds[1] - log_odds[0] >= steepest * (margins[1] - margins[0]))


def row_losses(log_odds: Floats, label: Floats) -> Floats:
    """Return the log loss of each row, (n,), from its log-odds."""
    return np.asarray(np.logaddexp(0.0, log_odds) - label * log_odds)


def _odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))
