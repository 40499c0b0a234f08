"""Comparison: point rules, models and baselines on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.progress import Progress, silent
from models.scorer import Scorer
from training.statistics.bootstrap import RESAMPLES, Ratios, interval, spread
from training.statistics.estimate import NO_ESTIMATE, Estimate
from training.statistics.scorer_metrics import Kind, ScorerEvaluation, ScorerIdentity
from training.statistics.scoring_metrics import SEED, EvaluationRows, evaluate, losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contender:
    """
    A scorer in a comparison, with its probabilities of the rows.

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
        """Enter a scorer; ``kind`` for learned rules, which its own id does not distinguish from written ones."""
        identity = scorer.id
        return Contender(
            name=identity.name,
            kind=kind or identity.kind,
            version=identity.version,
            fingerprint=identity.fingerprint,
            probability=probability,
        )

    @classmethod
    def baseline(cls, name: str, probability: Floats) -> "Contender":
        """Enter a baseline, which writes no receipts: the base rate, a logistic regression."""
        return Contender(name=name, kind="baseline", version="", fingerprint="", probability=probability)

    @property
    def identity(self) -> ScorerIdentity:
        """Which scorer it is."""
        return ScorerIdentity(name=self.name, kind=self.kind, version=self.version, fingerprint=self.fingerprint)


class ScorerComparison(NamedTuple):
    """
    The scorers' numbers, and which of them won.

    Attributes:
        scorers: each with its metrics.
        winner: name of the scorer with the lowest log loss.
        difference: its log loss minus that of the next best, with its interval.
        decided: whether that interval excludes 0.
    """

    scorers: tuple[ScorerEvaluation, ...]
    winner: str
    difference: Estimate
    decided: bool


def evaluate_scorers(
    contenders: Sequence[Contender],
    judged: EvaluationRows,
    *,
    base_rate: float,
    capacity_per_day: float,
    progress: Progress = silent,
) -> tuple[ScorerEvaluation, ...]:
    """
    Evaluate contenders on the same rows.

    Args:
        contenders: with probabilities of the same n rows.
        judged: the n rows.
        base_rate: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        progress: called with the number of resamples measured so far.
    """
    evaluations = []
    for index, contender in enumerate(contenders):
        metrics = evaluate(
            contender.probability,
            judged,
            base_rate=base_rate,
            capacity_per_day=capacity_per_day,
            on_measured=partial(_report, progress, index, len(contenders)),
        )
        evaluations.append(ScorerEvaluation(**dict(contender.identity), **dict(metrics)))
    return tuple(evaluations)


def compare_scorers(
    contenders: Sequence[Contender],
    judged: EvaluationRows,
    *,
    base_rate: float,
    capacity_per_day: float,
    progress: Progress = silent,
) -> ScorerComparison:
    """Evaluate two or more scorers as `evaluate_scorers` does, and name the one with the lowest log loss."""
    scorers = evaluate_scorers(
        contenders, judged, base_rate=base_rate, capacity_per_day=capacity_per_day, progress=progress
    )
    best, next_best, *_ = sorted(range(len(scorers)), key=lambda index: _log_loss(scorers[index]))
    difference = paired_difference(contenders[best].probability, contenders[next_best].probability, judged)
    decided = difference.high is not None and difference.high < 0
    return ScorerComparison(scorers, scorers[best].name, difference, decided)


def _log_loss(scorer: ScorerEvaluation) -> float:
    value = (scorer.log_loss or NO_ESTIMATE).value
    return np.inf if value is None else value


def _report(progress: Progress, index: int, contenders: int, done: int) -> None:
    progress("judging on later leads", index * RESAMPLES + done, contenders * RESAMPLES)


def paired_difference(first: Floats, second: Floats, judged: EvaluationRows, *, resamples: int = RESAMPLES) -> Estimate:
    """
    Return the first scorer's log loss minus the second's on the same rows, with its interval over resampled accounts.

    Args:
        first: (n,) probabilities.
        second: (n,) probabilities.
        judged: the n rows.
        resamples: of the accounts.
    """
    each = judged.weight * (losses(first, judged.label) - losses(second, judged.label))
    ratios = Ratios.of({"difference": (each, judged.weight)}, judged.group)
    return interval(spread(ratios.at, judged.groups, times=resamples, seed=SEED)[:, 0], float(ratios.values[0]))
