"""
Choosing a calibration: Platt's two numbers, unless a more flexible map is better beyond noise.

Maps with more freedom follow a block's noise as well as its truth. So the kinds are compared by cross-fitting: the
accounts of the block are divided into five folds, and each fold is evaluated by maps that were fitted to the other
four.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calibration import Calibration, Platt, calibration_from_json
from models.errors import StructureError
from training.fitting.calibration_comparison import CalibrationComparison
from training.fitting.calibration_maps import CalibrationRows, fit_beta, fit_isotonic, fit_platt, row_losses
from training.statistics.bootstrap import Ratios, interval, spread
from training.statistics.estimate import Estimate
from training.statistics.reliability import Floats

FOLDS = 5

FEWEST = 10
"""With fewer accounts that succeeded, or that did not, in a fold, the comparison would hang on single accounts."""

_FITS: Mapping[str, Callable[[CalibrationRows], Calibration]] = {
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """
    A calibration, and why it is this one.

    Attributes:
        chosen: fitted to the whole block.
        compared: every kind, Platt first; empty where the block is too small to compare.
        says: the choice in one sentence.
    """

    chosen: Calibration
    compared: tuple[CalibrationComparison, ...]
    says: str

    def as_json(self) -> dict[str, Any]:
        """Return the choice as JSON."""
        compared = [{"is": each.kind, **each.model_dump(mode="json", exclude={"kind"})} for each in self.compared]
        return {"chosen": self.chosen.kind, "compared": compared, "says": self.says}


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
    block = CalibrationRows.of(margins, rows)
    fold = _folds(block, seed=seed)
    fewest = _fewest(block, fold)
    if fewest < FEWEST:
        return CalibrationChoice(fit_platt(block), (), _says_too_few(fewest))
    compared = _compared(block, fold, seed=seed)
    fitted = {kind: fit(block) for kind, fit in _FITS.items()}
    better = [each for each in compared if each.is_better and _fits_in_bundle(fitted[each.kind])]
    best = min(better, key=lambda comparison: comparison.log_loss, default=compared[0])
    return CalibrationChoice(fitted[best.kind], compared, _says(best, compared))


def _folds(block: CalibrationRows, *, seed: int) -> NDArray[np.int64]:
    """Divide the accounts into folds, those that succeeded first, so that each fold has its part of them; (n,)."""
    succeeded = np.bincount(block.group, block.label) > 0
    order = np.lexsort((np.random.default_rng(seed).permutation(block.groups), ~succeeded))
    dealt = np.empty(block.groups, dtype=np.int64)
    dealt[order] = np.arange(block.groups) % FOLDS
    return dealt[block.group]


def _fewest(block: CalibrationRows, fold: NDArray[np.int64]) -> int:
    """Count the accounts with successes, and those with failures, in each fold; return the lowest count."""
    kinds = (block.label > 0, block.label == 0)
    return min(len(np.unique(block.group[kind & (fold == number)])) for kind in kinds for number in range(FOLDS))


def _compared(block: CalibrationRows, fold: NDArray[np.int64], *, seed: int) -> tuple[CalibrationComparison, ...]:
    """Evaluate each kind on every row by maps fitted to the other folds, and compare it with Platt's on these rows."""
    losses = {kind: _out_of_fold(block, fold, fit) for kind, fit in _FITS.items()}
    log_loss = {kind: float(np.average(each, weights=block.weight)) for kind, each in losses.items()}
    more = {kind: (block.weight * (each - losses["platt"]), block.weight) for kind, each in losses.items()}
    spreads = spread(Ratios.of(more, block.group).at, block.groups, seed=seed)
    return tuple(
        CalibrationComparison(
            kind=kind, log_loss=loss, difference=interval(spreads[:, column], loss - log_loss["platt"])
        )
        for column, (kind, loss) in enumerate(log_loss.items())
    )


def _out_of_fold(
    block: CalibrationRows, fold: NDArray[np.int64], fit: Callable[[CalibrationRows], Calibration]
) -> Floats:
    """Return each row's log loss under a map that was fitted to the other folds, (n,)."""
    losses = np.empty(len(block.label))
    for number in range(FOLDS):
        held_out = fold == number
        log_odds = fit(block.where(~held_out)).logits(block.margins[held_out])
        losses[held_out] = row_losses(log_odds, block.label[held_out])
    return losses


def _fits_in_bundle(calibration: Calibration) -> bool:
    """Return whether a bundle accepts the map: an extreme one may be steeper than receipts can bear."""
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
        reason = f"on the calibrate block its log loss differs from Platt's by {_worded(best.difference)}"
        return f"{best.kind.capitalize()} calibration: {reason}."
    others = ", ".join(f"{each.kind} differs by {_worded(each.difference)}" for each in compared if each is not best)
    return f"Platt's calibration: on the calibrate block no other's log loss is lower beyond noise; {others}."


def _worded(difference: Estimate) -> str:
    value, low, high = (f"{number:+.5f}" for number in (difference.value, difference.low, difference.high))
    return f"{value} (95 % interval {low} to {high})"
