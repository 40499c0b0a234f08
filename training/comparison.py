"""Comparison: point rules and the learned model on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.progress import Progress, silent
from models.receipt import ScorerId
from training.bootstrap import RESAMPLES, Ratios, interval, spread
from training.evaluation import SEED, Judged, evaluate, losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contender:
    """A scorer and what it said about the rows: (n,) probabilities."""

    id: ScorerId
    probability: Floats


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    The scorers' numbers, and who won.

    Attributes:
        scorers: name, kind, version and the metrics of each.
        winner: name of the scorer with the lowest log loss.
        difference: its log loss minus that of the next best, with its interval.
        decided: whether that interval excludes 0.
    """

    scorers: tuple[Mapping[str, Any], ...]
    winner: str
    difference: Mapping[str, float]
    decided: bool


def compare_scorers(
    contenders: list[Contender],
    judged: Judged,
    *,
    base_rate: float,
    capacity_per_day: float,
    progress: Progress = silent,
) -> Comparison:
    """
    Judge scorers on the same rows and name the one with the lowest log loss.

    Args:
        contenders: two or more, with probabilities of the same n rows.
        judged: the n rows.
        base_rate: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        progress: hears how far it has come.
    """
    scorers = [
        {
            "name": one.id.name,
            "kind": one.id.kind,
            "version": one.id.version,
            "fingerprint": one.id.fingerprint,
            **evaluate(
                one.probability,
                judged,
                base_rate=base_rate,
                capacity_per_day=capacity_per_day,
                tell=partial(_tell, progress, at, len(contenders)),
            ),
        }
        for at, one in enumerate(contenders)
    ]
    order = sorted(range(len(scorers)), key=lambda at: scorers[at]["log_loss"]["value"])
    best, next_best = order[0], order[1]
    difference = paired_difference(contenders[best].probability, contenders[next_best].probability, judged)
    decided = difference["high"] < 0
    return Comparison(tuple(scorers), scorers[best]["name"], difference, decided)


def _tell(progress: Progress, at: int, contenders: int, done: int) -> None:
    progress("judging on later leads", at * RESAMPLES + done, contenders * RESAMPLES)


def paired_difference(ours: Floats, theirs: Floats, judged: Judged, *, resamples: int = RESAMPLES) -> dict[str, float]:
    """
    Give our log loss minus theirs on the same rows, with its 95 % interval over resampled accounts.

    Args:
        ours: (n,) probabilities.
        theirs: (n,) probabilities.
        judged: the n rows.
        resamples: of the accounts.
    """
    each = judged.weight * (losses(ours, judged.label) - losses(theirs, judged.label))
    ratios = Ratios.of({"difference": (each, judged.weight)}, judged.group)
    return interval(spread(ratios.at, judged.groups, times=resamples, seed=SEED)[:, 0], float(ratios.values[0]))
