"""
Choosing a calibration: Platt's two numbers, unless a map that bends is better beyond noise.

Maps with more freedom follow a block's noise as well as its truth. So the kinds are compared by cross-fitting: the
accounts of the block are dealt into five folds, and each fold is judged by maps that were fitted to the other four.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from models.calibration import STEEPEST, Beta, Calibration, Isotonic, Platt, calibration_from_json
from models.errors import StructureError
from training.statistics.bootstrap import Ratios, interval, spread
from training.statistics.reliability import Floats, logistic_fit, logistic_terms, logits

FOLDS = 5

FEWEST = 10
"""With fewer accounts that succeeded, or that did not, in a fold, the comparison would hang on single accounts."""

FEWEST_AT_KNOT = 5
"""Accounts of either kind behind each knot of an isotonic map; with fewer it would follow single accounts."""

MOST_KNOTS = 50

STEEPER = 10.0
"""How many times as steep as Platt's an isotonic map may be: a hair of margin must not move a heap of points."""


@dataclass(frozen=True, slots=True)
class CalibrationComparison:
    """
    How a kind of calibration did on accounts that it was not fitted to.

    Attributes:
        kind: the name of the kind.
        log_loss: weighted mean over the block's rows.
        difference: its log loss minus Platt's on the same rows, with its 95 % interval over resampled accounts.
    """

    kind: str
    log_loss: float
    difference: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Give the numbers as JSON."""
        return {"is": self.kind, "log_loss": self.log_loss, "difference": dict(self.difference)}


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """
    A calibration, and why it is this one.

    Attributes:
        chosen: fitted to the whole block.
        compared: every kind, Platt first; empty where the block is too small to compare.
        says: the choice in a sentence.
    """

    chosen: Calibration
    compared: tuple[CalibrationComparison, ...]
    says: str

    def as_json(self) -> dict[str, Any]:
        """Give the choice as JSON."""
        compared = [one.as_json() for one in self.compared]
        return {"chosen": self.chosen.kind, "compared": compared, "says": self.says}


@dataclass(frozen=True, eq=False)
class _Block:
    """The n rows to calibrate on: margins, labels 0 or 1, weights, and codes of the accounts, each (n,)."""

    margins: Floats
    label: Floats
    weight: Floats
    group: NDArray[np.int64]

    @classmethod
    def of(cls, margins: Floats, rows: pd.DataFrame) -> Self:
        label, weight = (rows[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
        return cls(margins, label, weight, pd.factorize(rows["group"])[0].astype(np.int64))

    def where(self, kept: NDArray[np.bool_]) -> "_Block":
        return _Block(self.margins[kept], self.label[kept], self.weight[kept], self.group[kept])

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1

    @property
    def rate(self) -> float:
        return float(np.average(self.label, weights=self.weight))


def calibrate(margins: Floats, rows: pd.DataFrame, *, seed: int) -> CalibrationChoice:
    """
    Choose and fit a calibration.

    Args:
        margins: (n,) of rows that the trees have never seen.
        rows: the n rows with ``label``, ``weight`` and ``group``; some of either label.
        seed: of the folds and of the intervals.

    Returns:
        Platt's map, unless the log loss of another is lower with its whole 95 % interval; then the best of those.
    """
    block = _Block.of(margins, rows)
    fold = _folds(block, seed=seed)
    fewest = _fewest(block, fold)
    if fewest < FEWEST:
        return CalibrationChoice(_platt(block), (), _says_too_few(fewest))
    compared = _compared(block, fold, seed=seed)
    fitted = {kind: fit(block) for kind, fit in _FITS.items()}
    better = [one for one in compared if one.difference["high"] < 0 and _keeps(fitted[one.kind])]
    best = min(better, key=lambda one: one.log_loss, default=compared[0])
    return CalibrationChoice(fitted[best.kind], compared, _says(best, compared))


def platt(margins: Floats, rows: pd.DataFrame) -> Platt:
    """
    Fit Platt's two numbers; a map that would reverse the order of the leads is flat.

    Args:
        margins: (n,) of rows that the trees have never seen.
        rows: the n rows with ``label``, ``weight`` and ``group``; some of either label.
    """
    return _platt(_Block.of(margins, rows))


def _platt(block: _Block) -> Platt:
    slope, offset = logistic_fit(block.margins, block.label, weight=block.weight)
    return Platt(slope, offset) if slope >= 0 else Platt(0.0, _odds(block.rate))


def _beta(block: _Block) -> Beta:
    """
    Fit beta calibration with ``a`` and ``b`` not negative.

    The likelihood has one top. Where that lies outside, the best inside is the best on an edge, where one of the two is
    0, or in the corner, where both are.
    """
    terms = np.stack([-np.logaddexp(0.0, -block.margins), np.logaddexp(0.0, block.margins)], axis=1)
    _, top = _likeliest(terms, block, free=[0, 1])
    if min(top.a, top.b) >= 0:
        return top
    edges = [_likeliest(terms, block, free=free) for free in ([0], [1], [])]
    return min((pair for pair in edges if min(pair[1].a, pair[1].b) >= 0), key=lambda pair: pair[0])[1]


def _likeliest(terms: Floats, block: _Block, *, free: list[int]) -> tuple[float, Beta]:
    """Fit the factors of some of the two terms by Newton's method, the other's being 0; give the log loss too."""
    used = terms[:, free]
    centre, scale = np.average(used, axis=0, weights=block.weight), used.std(axis=0)
    scale[scale == 0] = 1.0
    design = np.column_stack([(used - centre) / scale, np.ones(len(used))])
    ridge = np.array([1e-4] * len(free) + [0.0])  # a hair, so that separable rows and equal terms stay finite
    beta = np.array([0.0] * len(free) + [_odds(block.rate)])
    for _ in range(50):
        gradient, hessian = logistic_terms(design @ beta, design, label=block.label, weight=block.weight)
        step = np.linalg.solve(hessian + np.diag(ridge + 1e-9), gradient - ridge * beta)
        largest = float(np.abs(step).max())
        beta = beta + step * min(1.0, 5.0 / max(largest, 1e-300))
        if largest < 1e-9:  # noqa: PLR2004 - nothing moves any more
            break
    factors = np.zeros(2)
    factors[free] = beta[:-1] / scale
    offset = float(beta[-1] - factors[free] @ centre)
    loss = block.weight @ _losses(terms @ factors + offset, block.label)
    return float(loss), Beta(float(factors[0]), float(factors[1]), offset)


def _isotonic(block: _Block) -> Isotonic:
    """
    Fit isotonic calibration: lines through the steps that pooling adjacent violators gives.

    Steps are joined until each has enough accounts of both kinds, and where they would make too steep a line. A step's
    knot stands at the margin whose chance by Platt's map is the mean chance of the step's rows by Platt's map: where
    Platt's map is the truth, lines through the knots are that map, and the middle of a wide step is no other place.
    """
    line = _platt(block)
    if line.slope == 0:
        return Isotonic((0.0,), (line.offset,), 0.0, 0.0)
    steps = _steps(block, line.probabilities(block.margins))
    margins, log_odds = _knots(_joined(steps, line, steepest=min(STEEPER * line.slope, STEEPEST)), line)
    slopes = [min(line.slope, STEEPEST), *(np.diff(log_odds) / np.diff(margins)).tolist()]
    below, above = min(slopes[:2]), min(slopes[0], slopes[-1])
    return Isotonic(tuple(margins.tolist()), tuple(log_odds.tolist()), below, above)


def _steps(block: _Block, chance: Floats) -> Floats:
    """
    Pool rows, in order of their margins, into steps whose share of successes rises.

    Returns:
        (m, 5) a step's weight, weight times Platt's chance, weight of its successes, and how many accounts' successes
        and failures it holds; an account whose rows lie in several steps is shared among them.
    """
    won, lost = (_shared(side, block.group) for side in (block.label, 1 - block.label))
    columns = [block.weight, block.weight * chance, block.weight * block.label, won, lost]
    _, tie = np.unique(block.margins, return_inverse=True)
    sums = np.stack([np.bincount(tie, column) for column in columns], axis=1)
    pooled = isotonic_regression(sums[:, 2] / sums[:, 0], weights=sums[:, 0])
    return np.asarray(np.add.reduceat(sums, pooled.blocks[:-1], axis=0))


def _shared(rows: Floats, group: NDArray[np.int64]) -> Floats:
    """Give each of an account's rows that are 1 an equal share of it, (n,)."""
    return np.asarray(rows / np.maximum(np.bincount(group, rows), 1.0)[group])


def _joined(steps: Floats, line: Platt, *, steepest: float) -> Floats:
    """Join neighbours until every step has enough accounts of both kinds and no line between two is too steep."""
    fewest = np.maximum(FEWEST_AT_KNOT, steps[:, 3:].sum(axis=0) / MOST_KNOTS)
    enough: list[Floats] = []
    for step in steps:
        if enough and (enough[-1][3:] < fewest).any():
            enough[-1] = enough[-1] + step
        else:
            enough.append(step)
    if len(enough) > 1 and (enough[-1][3:] < fewest).any():
        enough[-2:] = [enough[-2] + enough[-1]]
    kept: list[Floats] = []
    for step in enough:
        kept.append(step)
        while len(kept) > 1 and _too_steep(kept, line, steepest=steepest):
            kept[-2:] = [kept[-2] + kept[-1]]
    return np.stack(kept)


def _knots(steps: Floats, line: Platt) -> tuple[Floats, Floats]:
    """Give the margin and the log-odds of each of m steps, each (m,)."""
    expected, observed = (logits(steps[:, column] / steps[:, 0]) for column in (1, 2))
    return (expected - line.offset) / line.slope, np.maximum.accumulate(observed)


def _too_steep(steps: list[Floats], line: Platt, *, steepest: float) -> bool:
    """Say whether the line between the last two steps is as steep as allowed, or has no length at all."""
    margins, log_odds = _knots(np.stack(steps[-2:]), line)
    return bool(log_odds[1] - log_odds[0] >= steepest * (margins[1] - margins[0]))


_FITS: Mapping[str, Callable[[_Block], Calibration]] = {"platt": _platt, "beta": _beta, "isotonic": _isotonic}


def _folds(block: _Block, *, seed: int) -> NDArray[np.int64]:
    """Deal the accounts into folds, those that succeeded first, so that each fold has its part of them; (n,)."""
    succeeded = np.bincount(block.group, block.label) > 0
    order = np.lexsort((np.random.default_rng(seed).permutation(block.groups), ~succeeded))
    dealt = np.empty(block.groups, dtype=np.int64)
    dealt[order] = np.arange(block.groups) % FOLDS
    return dealt[block.group]


def _fewest(block: _Block, fold: NDArray[np.int64]) -> int:
    """Count the accounts with successes, and those with failures, in each fold; give the lowest count."""
    kinds = (block.label > 0, block.label == 0)
    return min(len(np.unique(block.group[kind & (fold == at)])) for kind in kinds for at in range(FOLDS))


def _compared(block: _Block, fold: NDArray[np.int64], *, seed: int) -> tuple[CalibrationComparison, ...]:
    """Judge each kind on every row by maps fitted to the other folds; differences are to Platt's on the same rows."""
    lost = {kind: _out_of_fold(block, fold, fit) for kind, fit in _FITS.items()}
    log_loss = {kind: float(np.average(each, weights=block.weight)) for kind, each in lost.items()}
    more = {kind: (block.weight * (each - lost["platt"]), block.weight) for kind, each in lost.items()}
    spreads = spread(Ratios.of(more, block.group).at, block.groups, seed=seed)
    return tuple(
        CalibrationComparison(kind, loss, interval(spreads[:, at], loss - log_loss["platt"]))
        for at, (kind, loss) in enumerate(log_loss.items())
    )


def _out_of_fold(block: _Block, fold: NDArray[np.int64], fit: Callable[[_Block], Calibration]) -> Floats:
    """Give each row's log loss under a map that was fitted to the other folds, (n,)."""
    lost = np.empty(len(block.label))
    for at in range(FOLDS):
        here = fold == at
        log_odds = fit(block.where(~here)).logits(block.margins[here])
        lost[here] = _losses(log_odds, block.label[here])
    return lost


def _losses(log_odds: Floats, label: Floats) -> Floats:
    """Give the log loss of each row, (n,), from its log-odds."""
    return np.asarray(np.logaddexp(0.0, log_odds) - label * log_odds)


def _odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _keeps(calibration: Calibration) -> bool:
    """Say whether a bundle could hold the map: an extreme one may be steeper than receipts can bear."""
    try:
        calibration_from_json(calibration.as_json())
    except StructureError:
        return False
    return True


def _says_too_few(fewest: int) -> str:
    return (
        f"Platt's calibration, compared with no other: a fifth of the calibrate block holds {fewest} accounts that "
        f"succeeded, or that did not, and {FEWEST} are needed."
    )


def _says(best: CalibrationComparison, compared: tuple[CalibrationComparison, ...]) -> str:
    if best.kind != Platt.kind:
        told = f"on the calibrate block its log loss differs from Platt's by {_worded(best)}"
        return f"{best.kind.capitalize()} calibration: {told}."
    others = ", ".join(f"{one.kind} differs by {_worded(one)}" for one in compared if one is not best)
    return f"Platt's calibration: on the calibrate block no other's log loss is lower beyond noise; {others}."


def _worded(one: CalibrationComparison) -> str:
    value, low, high = (f"{one.difference[name]:+.5f}" for name in ("value", "low", "high"))
    return f"{value} (95 % interval {low} to {high})"
