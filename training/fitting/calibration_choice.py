"""
Choosing a calibration: Platt's two numbers, unless a more flexible map is better beyond noise.

Maps with more freedom follow the noise of rows as well as their truth. So the kinds are compared by cross-fitting: the
accounts are divided into five folds, and each fold is evaluated by maps that were fitted to the other four. Then the
level of the map is taken from all rows or from the newest half, whichever foretold later rows better.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calibration import Beta, Calibration, Isotonic, Platt, calibration_from_json
from models.errors import StructureError
from training.fitting.calibration_comparison import CalibrationComparison
from training.fitting.calibration_maps import CalibrationRows, fit_beta, fit_isotonic, fit_platt, row_losses
from training.fitting.folds import FOLDS, deal_folds
from training.fitting.recency import LevelChoice, fit_with_level
from training.statistics.bootstrap import Ratios, interval, spread
from training.statistics.estimate import Estimate
from training.statistics.reliability import Floats

FEWEST = 10
"""With fewer accounts that succeeded, or that did not, in a fold, the comparison would hang on single accounts."""

_Fit = Callable[[CalibrationRows], Platt | Beta | Isotonic]

_FITS: Mapping[str, _Fit] = {
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """
    A calibration, and why it is this one.

    Attributes:
        chosen: fitted to all rows.
        compared: every kind, Platt first; empty where there are too few accounts to compare.
        level: whether its level is that of all rows or of the newest half.
        says: the choice in words.
    """

    chosen: Calibration
    compared: tuple[CalibrationComparison, ...]
    level: LevelChoice
    says: str

    def as_json(self) -> dict[str, Any]:
        """Return the choice as JSON."""
        compared = [{"is": each.kind, **each.model_dump(mode="json", exclude={"kind"})} for each in self.compared]
        return {
            "chosen": self.chosen.kind,
            "compared": compared,
            "level_of_newest_half": self.level.of_newest,
            "says": self.says,
        }


def calibrate(margins: Floats, rows: pd.DataFrame, *, horizon_us: int, seed: int) -> CalibrationChoice:
    """
    Choose and fit a calibration.

    Args:
        margins: (n,) of rows, each by a fit that has not seen its account.
        rows: the n rows with ``label``, ``weight``, ``group`` and ``as_of``; some of either label.
        horizon_us: of the goal [us].
        seed: of the folds and of the intervals.

    Returns:
        Platt's map, unless the log loss of another is lower with its whole 95 % interval; then the best of those.
    """
    block, as_of = CalibrationRows.of(margins, rows), rows["as_of"].to_numpy(dtype=np.int64)
    fold = deal_folds(rows["group"], rows["label"], seed=seed)
    fewest = _fewest(block, fold)
    if fewest < FEWEST:
        platt, level = fit_with_level(fit_platt, block, as_of, horizon_us=horizon_us)
        return CalibrationChoice(platt, (), level, _says_too_few(fewest) + _level_in_words(level))
    compared = _compared(block, fold, seed=seed)
    better = [each for each in compared if each.is_better and _fits_in_bundle(_FITS[each.kind](block))]
    best = min(better, key=lambda comparison: comparison.log_loss, default=compared[0])
    chosen, level = fit_with_level(_FITS[best.kind], block, as_of, horizon_us=horizon_us)
    return CalibrationChoice(chosen, compared, level, _says(best, compared) + _level_in_words(level))


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


def _out_of_fold(block: CalibrationRows, fold: NDArray[np.int64], fit: _Fit) -> Floats:
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
        f"Platt's calibration, compared with no other: a fifth of the train rows holds {fewest} accounts that "
        f"succeeded, or that did not, and {FEWEST} are needed."
    )


def _says(best: CalibrationComparison, compared: tuple[CalibrationComparison, ...]) -> str:
    if best.kind != Platt.kind:
        reason = f"on accounts unseen by it, its log loss differs from Platt's by {_worded(best.difference)}"
        return f"{best.kind.capitalize()} calibration: {reason}."
    others = ", ".join(f"{each.kind} differs by {_worded(each.difference)}" for each in compared if each is not best)
    return f"Platt's calibration: on accounts unseen, no other's log loss is lower beyond noise; {others}."


def _level_in_words(level: LevelChoice) -> str:
    """Describe where the level was taken from; empty where there was nothing to choose from."""
    if level.all_rows is None or level.newest_half is None:
        return ""
    chosen, other = ("the newest half of the rows", "all") if level.of_newest else ("all rows", "their newest half")
    losses = sorted((level.all_rows, level.newest_half))
    return (
        f" Its level is that of {chosen}, which foretold later rows better than {other} "
        f"(log loss {losses[0]:.4f} against {losses[1]:.4f})."
    )


def _worded(difference: Estimate) -> str:
    value, low, high = (f"{number:+.5f}" for number in (difference.value, difference.low, difference.high))
    return f"{value} (95 % interval {low} to {high})"
