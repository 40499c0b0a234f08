"""Segments: how good each scorer is for each kind of lead that the playbook tells apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.words.playbook import Business
from training.dataset.segment_values import segment_values
from training.evaluation.scorer_evaluation import SegmentEvaluation, SegmentMetrics
from training.statistics.bootstrap import RESAMPLES, Floats, Ranking, Ratios, interval, spread
from training.statistics.comparison import Contender
from training.statistics.estimate import Estimate
from training.statistics.scoring_metrics import SEED, EvaluationRows, best_share, losses

FEWEST = 10
"""A segment with fewer leads of either kind has no numbers: their intervals would hold almost any value."""

METRICS = ("log_loss", "auc", "precision_at_10", "lift_at_10", "observed_over_expected", "base_rate")
_BEST = 0.10


def segments(
    contenders: Sequence[Contender], rows: pd.DataFrame, *, business: Business, resamples: int = RESAMPLES
) -> tuple[SegmentEvaluation, ...]:
    """
    Evaluate contenders on each segment of the rows by itself.

    Args:
        contenders: with probabilities of the n rows.
        rows: (n) rows of a training set with ``segment.<name>`` for every attribute in ``playbook.segments``.
        business: names the segments and knows their words.
        resamples: of the accounts of each segment, for the intervals.

    Returns:
        One for each value of each attribute, the largest first and those beyond 12 as one. The best 10 % are those of
        the segment. A segment with fewer than 10 leads of either kind has no numbers, and its note says so.
    """
    evaluated = []
    for name in business.segments:
        for words, inside in segment_values(rows, name, business=business):
            note = _note(rows[inside], business.goal.stage)
            evaluated.append(
                SegmentEvaluation(
                    **words,
                    rows=int(inside.sum()),
                    positives=int(rows["label"][inside].sum()),
                    leads=int(rows["lead_id"][inside].nunique()),
                    scorers=_scorers(contenders, rows, inside=inside, known=not note, resamples=resamples),
                    note=note,
                )
            )
    return tuple(evaluated)


def _scorers(
    contenders: Sequence[Contender], rows: pd.DataFrame, *, inside: NDArray[np.bool_], known: bool, resamples: int
) -> tuple[SegmentMetrics, ...]:
    """Evaluate the contenders on one segment, where it has enough leads."""
    if not known:
        return tuple(SegmentMetrics(name=each.name, kind=each.kind) for each in contenders)
    segment = EvaluationRows.of(rows[inside])
    return tuple(
        SegmentMetrics(
            name=each.name, kind=each.kind, **_metrics(each.probability[inside], segment, resamples=resamples)
        )
        for each in contenders
    )


def _note(rows: pd.DataFrame, stage: str) -> str:
    """Return that there are too few leads to judge; empty where there are enough."""
    reached = rows.groupby("lead_id")["label"].max()
    succeeded = int(reached.sum())
    failed = len(reached) - succeeded
    if min(succeeded, failed) >= FEWEST:
        return ""
    few, what = (succeeded, "reached") if succeeded < FEWEST else (failed, "did not reach")
    return f"too few to judge: {few} lead{'' if few == 1 else 's'} that {what} {stage}"


def _metrics(probability: Floats, rows: EvaluationRows, *, resamples: int) -> dict[str, Estimate]:
    """Measure the numbers that a segment can carry."""
    label, weight = rows.label, rows.weight
    hits, top = weight * label, best_share(probability, rows, share=_BEST)
    parts = {
        "log_loss": (weight * losses(probability, label), weight),
        "precision_at_10": (top * label, top),
        "observed_over_expected": (hits, weight * probability),
        "base_rate": (hits, weight),
    }
    ratios = Ratios.of(parts, rows.group)
    ranking = Ranking.of(probability, label, weight=weight, group=rows.group)

    def measure(counts: Floats) -> Floats:
        numbers = dict(zip(parts, ratios.at(counts).T, strict=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            numbers["lift_at_10"] = numbers["precision_at_10"] / numbers["base_rate"]
        numbers["auc"] = ranking.at(counts)[:, 0]
        return np.stack([numbers[name] for name in METRICS], axis=1)

    values = measure(np.ones((1, rows.groups)))[0]
    spreads = spread(measure, rows.groups, times=resamples, seed=SEED)
    return {name: interval(spreads[:, index], float(values[index])) for index, name in enumerate(METRICS)}
