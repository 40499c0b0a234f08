"""Curves: whether chances come true, and how much success is found by calling from the top of the list."""

from collections.abc import Sequence

import numpy as np

from training.evaluation.scorer_evaluation import (
    Curves,
    GainCurve,
    GainPoint,
    LiftCurve,
    LiftPoint,
    ReliabilityCurve,
    ReliabilityPoint,
)
from training.statistics.bootstrap import RESAMPLES, Floats, Ratios, interval, spread
from training.statistics.comparison import Contender
from training.statistics.reliability import curve
from training.statistics.scoring_metrics import SEED, EvaluationRows, best_shares, found_by_shares

CALLED = tuple(percent / 100 for percent in range(101))
"""Shares of the list at which the gain is measured."""

LIFTS = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50)
"""Shares of the list at which the lift is measured, with its interval."""


def curves(contenders: Sequence[Contender], rows: EvaluationRows, *, resamples: int = RESAMPLES) -> Curves:
    """
    Measure the curves of every contender.

    Where a curve and ``training.statistics.scoring_metrics.evaluate`` measure the same thing, the number is the same:
    the lift of the best tenth, the share of all successes in the best quarter, the error of the calibration.

    Args:
        contenders: with probabilities of the same n rows.
        rows: the n rows.
        resamples: of the accounts, for the intervals of the lift.
    """
    return Curves(
        reliability=tuple(_reliability(contender, rows) for contender in contenders),
        gain=tuple(GainCurve(name=each.name, kind=each.kind, points=tuple(_gain(each, rows))) for each in contenders),
        lift=tuple(
            LiftCurve(name=each.name, kind=each.kind, points=tuple(_lift(each, rows, resamples=resamples)))
            for each in contenders
        ),
    )


def _reliability(contender: Contender, rows: EvaluationRows) -> ReliabilityCurve:
    bins = curve(contender.probability, rows.label, weight=rows.weight, group=rows.group, seed=SEED)
    columns = (bins.predicted, bins.observed, bins.share, bins.low, bins.high)
    points = tuple(
        ReliabilityPoint(predicted=predicted, observed=observed, share=share, low=low, high=high)
        for predicted, observed, share, low, high in zip(*(column.tolist() for column in columns), strict=True)
    )
    return ReliabilityCurve(
        name=contender.name, kind=contender.kind, points=points, error=bins.error, noise_95=bins.noise_95
    )


def _gain(contender: Contender, rows: EvaluationRows) -> list[GainPoint]:
    shares = found_by_shares(contender.probability, rows, shares=CALLED).tolist()
    return [GainPoint(called=called, found=share) for called, share in zip(CALLED, shares, strict=True)]


def _lift(contender: Contender, rows: EvaluationRows, *, resamples: int) -> list[LiftPoint]:
    tops = best_shares(contender.probability, rows, shares=LIFTS)
    parts = {str(share): (top * rows.label, top) for share, top in zip(LIFTS, tops, strict=True)}
    ratios = Ratios.of({**parts, "every": (rows.weight * rows.label, rows.weight)}, rows.group)
    spreads = spread(lambda counts: _lifted(ratios.at(counts)), rows.groups, times=resamples, seed=SEED)
    values = _lifted(ratios.values[None])[0]
    estimates = [interval(spreads[:, index], float(value)) for index, value in enumerate(values)]
    return [
        LiftPoint(share=share, lift=estimate.value, low=estimate.low, high=estimate.high)
        for share, estimate in zip(LIFTS, estimates, strict=True)
    ]


def _lifted(rates: Floats) -> Floats:
    """Divide the rates of the best, (b, m), by the rate of all, which comes last."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rates[:, :-1] / rates[:, -1:])
