"""Curves of the judgement: is a chance what it says, and what is found by calling from the top of the list."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.statistics.bootstrap import RESAMPLES, Floats, Ratios, interval, spread
from training.statistics.comparison import Contender
from training.statistics.reliability import curve
from training.statistics.scoring_metrics import SEED, EvaluationRows, best_shares, found_by_shares

CALLED = tuple(at / 100 for at in range(101))
"""Shares of the list at which the gain is told."""

LIFTS = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50)
"""Shares of the list at which the lift is told, with its interval."""


def curves(
    contenders: Sequence[Contender], judged: EvaluationRows, *, resamples: int = RESAMPLES
) -> dict[str, list[dict[str, Any]]]:
    """
    Draw the curves of every contender as numbers.

    Whatever a curve and ``training.statistics.scoring_metrics.evaluate`` both tell is the same number: the lift of the best tenth, the
    share of all successes in the best quarter, the error of the calibration.

    Args:
        contenders: with probabilities of the same n rows.
        judged: the n rows.
        resamples: of the accounts, for the intervals of the lift.

    Returns:
        JSON of three lists, with one entry a contender, ``name``, ``kind`` and ``points``: ``reliability`` (bins of
        equal weight: ``predicted``, ``observed``, ``share`` of the rows, and ``low`` to ``high``, where a perfectly
        calibrated scorer is observed 95 times in 100; beside the points ``error`` and ``noise_95``), ``gain`` (share
        ``called`` of the rows, best first, and share ``found`` of all successes) and ``lift`` (``share`` of the rows,
        their ``lift`` with ``low`` and ``high``). A number that does not exist is None.
    """
    return {
        "reliability": [{**_named(one), **_reliability(one, judged)} for one in contenders],
        "gain": [{**_named(one), "points": _gain(one, judged)} for one in contenders],
        "lift": [{**_named(one), "points": _lift(one, judged, resamples=resamples)} for one in contenders],
    }


def _named(contender: Contender) -> dict[str, str]:
    return {"name": contender.name, "kind": contender.kind}


def _reliability(contender: Contender, judged: EvaluationRows) -> dict[str, Any]:
    told = curve(contender.probability, judged.label, weight=judged.weight, group=judged.group, seed=SEED)
    columns = (told.predicted, told.observed, told.share, told.low, told.high)
    names = ("predicted", "observed", "share", "low", "high")
    points = [dict(zip(names, map(float, row), strict=True)) for row in zip(*columns, strict=True)]
    return {"points": points, "error": told.error, "noise_95": told.noise_95}


def _gain(contender: Contender, judged: EvaluationRows) -> list[dict[str, float | None]]:
    found = found_by_shares(contender.probability, judged, shares=CALLED)
    return [
        {"called": called, "found": None if np.isnan(share) else float(share)}
        for called, share in zip(CALLED, found, strict=True)
    ]


def _lift(contender: Contender, judged: EvaluationRows, *, resamples: int) -> list[dict[str, Any]]:
    tops = best_shares(contender.probability, judged, shares=LIFTS)
    parts = {str(share): (top * judged.label, top) for share, top in zip(LIFTS, tops, strict=True)}
    ratios = Ratios.of({**parts, "every": (judged.weight * judged.label, judged.weight)}, judged.group)
    spreads = spread(lambda counts: _lifted(ratios.at(counts)), judged.groups, times=resamples, seed=SEED)
    values = _lifted(ratios.values[None])[0]
    told = [interval(spreads[:, at], float(value)) for at, value in enumerate(values)]
    return [
        {"share": share, "lift": one.value, "low": one.low, "high": one.high}
        for share, one in zip(LIFTS, told, strict=True)
    ]


def _lifted(rates: Floats) -> Floats:
    """Divide the rates of the best, (b, m), by the rate of all, which comes last."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rates[:, :-1] / rates[:, -1:])
