"""Comparison: point rules, models and baselines on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.progress import Progress, silent
from models.scorer import Scorer
from training.statistics.bootstrap import RESAMPLES, Ratios, interval, spread
from training.statistics.scorer_kind import Kind
from training.statistics.scoring_metrics import SEED, EvaluationRows, evaluate, losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contender:
    """
    Who is judged, and what it said about the rows.

    Attributes:
        name: what readers call it; no two contenders of one comparison share it.
        kind: a learned model, point rules, point rules distilled from a model, or a baseline.
        version: of a model the registry's, of rules the beginning of their fingerprint; empty for a baseline.
        fingerprint: of all that decides its scores; empty for a baseline.
        probability: (n,) of reaching the goal within the horizon.
    """

    name: str
    kind: Kind
    version: str
    fingerprint: str
    probability: Floats

    @classmethod
    def of(cls, scorer: Scorer, probability: Floats, *, kind: Kind | None = None) -> "Contender":
        """Let a scorer take part; ``kind`` where its receipts do not tell that its rules were learned."""
        said = scorer.id
        return Contender(
            name=said.name,
            kind=kind or said.kind,
            version=said.version,
            fingerprint=said.fingerprint,
            probability=probability,
        )

    @classmethod
    def baseline(cls, name: str, probability: Floats) -> "Contender":
        """Let something take part that has no receipts: the base rate, a plain regression."""
        return Contender(name=name, kind="baseline", version="", fingerprint="", probability=probability)


@dataclass(frozen=True, slots=True)
class ScorerComparison:
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


def scored(
    contenders: Sequence[Contender],
    judged: EvaluationRows,
    *,
    base_rate: float,
    capacity_per_day: float,
    progress: Progress = silent,
) -> tuple[Mapping[str, Any], ...]:
    """
    Judge contenders on the same rows.

    Args:
        contenders: with probabilities of the same n rows.
        judged: the n rows.
        base_rate: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        progress: hears how far it has come.

    Returns:
        Of each ``name``, ``kind``, ``version``, ``fingerprint`` and the numbers of ``evaluate``.
    """
    return tuple(
        {
            "name": one.name,
            "kind": one.kind,
            "version": one.version,
            "fingerprint": one.fingerprint,
            **evaluate(
                one.probability,
                judged,
                base_rate=base_rate,
                capacity_per_day=capacity_per_day,
                tell=partial(_tell, progress, at, len(contenders)),
            ),
        }
        for at, one in enumerate(contenders)
    )


def compare_scorers(
    contenders: Sequence[Contender],
    judged: EvaluationRows,
    *,
    base_rate: float,
    capacity_per_day: float,
    progress: Progress = silent,
) -> ScorerComparison:
    """
    Judge scorers on the same rows and name the one with the lowest log loss.

    Args:
        contenders: two or more, with probabilities of the same n rows.
        judged: the n rows.
        base_rate: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        progress: hears how far it has come.
    """
    scorers = scored(contenders, judged, base_rate=base_rate, capacity_per_day=capacity_per_day, progress=progress)
    order = sorted(range(len(scorers)), key=lambda at: scorers[at]["log_loss"]["value"])
    best, next_best = order[0], order[1]
    difference = paired_difference(contenders[best].probability, contenders[next_best].probability, judged)
    decided = difference["high"] < 0
    return ScorerComparison(scorers, scorers[best]["name"], difference, decided)


def _tell(progress: Progress, at: int, contenders: int, done: int) -> None:
    progress("judging on later leads", at * RESAMPLES + done, contenders * RESAMPLES)


def paired_difference(
    ours: Floats, theirs: Floats, judged: EvaluationRows, *, resamples: int = RESAMPLES
) -> dict[str, float]:
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
