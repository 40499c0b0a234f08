"""
Recency: whether the level of a calibration is taken from all rows, or from the newest half of them.

Rates drift, so that the newest rows may foretell the next ones better; where they do not drift, half of the rows know
less than all. So both are tried in the order of time: the rows are divided into four equal parts, and each part but the
first is foretold by a calibration fitted to the rows whose outcome was known when the part began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from models.calibration import Beta, Isotonic, Platt
from training.fitting.calibration_maps import CalibrationRows, fit_platt, row_losses
from training.statistics.reliability import Floats

AnyMap = TypeVar("AnyMap", bound=Platt | Beta | Isotonic)

_PARTS = 4
_STEPS = 50
_CONVERGED = 1e-12


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """
    Where the level of a calibration was taken from.

    Attributes:
        of_newest: whether from the newest half of the rows, or else from all.
        all_rows: log loss of later rows where the level was taken from all before them; None where that cannot be told.
        newest_half: the same where it was taken from the newest half.
    """

    of_newest: bool
    all_rows: float | None = None
    newest_half: float | None = None


def fit_with_level(
    fit: Callable[[CalibrationRows], AnyMap], block: CalibrationRows, as_of: NDArray[np.int64], *, horizon_us: int
) -> tuple[AnyMap, LevelChoice]:
    """
    Fit a calibration, and take its level from where it foretold later rows better.

    Args:
        fit: of the kind of calibration.
        block: the n rows to fit it to.
        as_of: (n,) instants of the rows [us since 1970 UTC].
        horizon_us: after which the outcome of a row is known [us].
    """
    losses = np.array(list(_later_losses(fit, block, as_of, horizon_us))).reshape(-1, 3)
    fitted = fit(block)
    if not len(losses):
        return fitted, LevelChoice(of_newest=False)
    of_all, of_newest = (float(losses[:, column].sum() / losses[:, 2].sum()) for column in (0, 1))
    choice = LevelChoice(of_newest < of_all, of_all, of_newest)
    newest = _newest_half(as_of, block.weight)
    return (at_level_of(fitted, block.where(newest)) if choice.of_newest else fitted), choice


def fit_line(margins: Floats, rows: pd.DataFrame, *, horizon_us: int) -> Platt:
    """
    Fit Platt's map to rows with ``label``, ``weight``, ``group`` and ``as_of``, at the level that foretells later rows.

    Args:
        margins: (n,) of the rows.
        rows: the n rows; some of either label.
        horizon_us: of the goal [us].
    """
    as_of = rows["as_of"].to_numpy(dtype=np.int64)
    return fit_with_level(fit_platt, CalibrationRows.of(margins, rows), as_of, horizon_us=horizon_us)[0]


def at_level_of(calibration: AnyMap, rows: CalibrationRows) -> AnyMap:
    """Shift a calibration until as many of the rows are expected to succeed as did; keep it where all end alike."""
    if not 0 < rows.rate < 1:
        return calibration
    log_odds, shift = calibration.logits(rows.margins), 0.0
    for _ in range(_STEPS):
        chance = expit(log_odds + shift)
        curvature = float(rows.weight @ (chance * (1 - chance)))
        step = float(rows.weight @ (rows.label - chance)) / max(curvature, 1e-300)
        shift += min(1.0, max(-1.0, step))
        if abs(step) < _CONVERGED:
            break
    return _shifted(calibration, shift)


def _shifted(calibration: AnyMap, by: float) -> AnyMap:
    match calibration:
        case Platt(offset=offset):
            return replace(calibration, offset=offset + by)
        case Beta(c=offset):
            return replace(calibration, c=offset + by)
        case Isotonic(log_odds=log_odds):
            return replace(calibration, log_odds=tuple(each + by for each in log_odds))
        case _ as never:
            assert_never(never)


def _later_losses(
    fit: Callable[[CalibrationRows], Platt | Beta | Isotonic],
    block: CalibrationRows,
    as_of: NDArray[np.int64],
    horizon_us: int,
) -> Iterator[tuple[float, float, float]]:
    """Yield for each part the weighted losses with the level of all rows and of the newest half, and the weight."""
    edges = _edges(as_of, block.weight)
    for start, end in zip(edges, [*edges[1:], as_of.max() + 1], strict=True):
        known, later = as_of < start - horizon_us, (as_of >= start) & (as_of < end)
        if not later.any() or not known.any() or not 0 < block.where(known).rate < 1:
            continue
        past, future = block.where(known), block.where(later)
        fitted = fit(past)
        newest = past.where(_newest_half(as_of[known], past.weight))
        both = (fitted, at_level_of(fitted, newest))
        of_all, of_newest = (
            float(future.weight @ row_losses(each.logits(future.margins), future.label)) for each in both
        )
        yield of_all, of_newest, float(future.weight.sum())


def _edges(as_of: NDArray[np.int64], weight: Floats) -> list[int]:
    """Return where each part but the first begins; the parts have equal weight."""
    order = np.argsort(as_of, kind="stable")
    passed = np.cumsum(weight[order])
    positions = np.searchsorted(passed, passed[-1] * np.arange(1, _PARTS) / _PARTS)
    return [int(each) for each in as_of[order][positions]]


def _newest_half(as_of: NDArray[np.int64], weight: Floats) -> NDArray[np.bool_]:
    """Return which rows are in the newer half of the weight, (n,)."""
    order = np.argsort(as_of, kind="stable")
    passed = np.cumsum(weight[order])
    return np.asarray(as_of >= as_of[order][np.searchsorted(passed, passed[-1] / 2)])
