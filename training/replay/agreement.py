"""Agreement: how much two scorers say the same."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from training.replay.calls import Calls
from training.replay.weeks import Floats, Weeks
from training.statistics.scoring_metrics import EvaluationRows, best_share

TOP = 0.1


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    How much two scorers agree.

    Attributes:
        rank_correlation: Spearman's, of their scores of all rows, each row once; None where one of them gives every
            row the same score.
        calls_in_common: share of our calls that they had the team make too, on whatever morning; None without calls.
        top_tenth_in_common: share of our best tenth of rows that is in theirs too.
    """

    rank_correlation: float | None
    calls_in_common: float | None
    top_tenth_in_common: float

    def as_json(self) -> dict[str, float | None]:
        """Write the three numbers."""
        return asdict(self)


def places(score: Floats) -> Floats:
    """
    Give the place of each score among all, from the lowest, between 0 and 1; equal scores share one.

    >>> places(np.array([5.0, 1.0, 5.0, 9.0])).tolist()
    [0.625, 0.25, 0.625, 1.0]
    """
    return np.asarray(pd.Series(score).rank(pct=True), dtype=np.float64)


def rank_correlation(ours: Floats, theirs: Floats) -> float | None:
    """
    Correlate the places of scores, (n,) each: Spearman's rank correlation.

    >>> rank_correlation(places(np.array([1.0, 2, 3])), places(np.array([10.0, 30, 20])))
    0.5
    """
    one, other = ours - ours.mean(), theirs - theirs.mean()
    spread = np.sqrt((one @ one) * (other @ other))
    return round(float(one @ other / spread), 12) if spread > 0 else None


def agreement(
    scores: tuple[Floats, Floats],
    standing: tuple[Floats, Floats],
    *,
    calls: tuple[Calls, Calls],
    weeks: Weeks,
    judged: EvaluationRows,
) -> Agreement:
    """
    Measure how much two scorers agree, ours first.

    Args:
        scores: (n,) of the rows, each.
        standing: (n,) places of these scores, each.
        calls: what each had the team call.
        weeks: leads and mornings.
        judged: the n rows.
    """
    ours, theirs = calls
    made = float(weeks.weight[ours.called].sum())
    both = float(weeks.weight[ours.called & theirs.called].sum())
    tops = [best_share(score, judged, share=TOP) for score in scores]
    return Agreement(
        rank_correlation=rank_correlation(*standing),
        calls_in_common=both / made if made else None,
        top_tenth_in_common=float(np.minimum(*tops).sum() / tops[0].sum()),
    )
