"""Agreement: how similarly two scorers rank and call leads."""

from dataclasses import dataclass

import numpy as np

from training.replay.policy import Policy
from training.replay.weeks import Floats, Weeks
from training.statistics.scoring_metrics import EvaluationRows, best_share

TOP = 0.1


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    How much two scorers agree.

    Attributes:
        rank_correlation: Spearman's, of their scores of all rows, each row once; None where one of them scores every
            row the same.
        calls_in_common: share of the first scorer's calls that the other made too, on whatever morning; None without
            calls.
        top_tenth_in_common: share of the first scorer's best tenth of rows that is in the other's too.
    """

    rank_correlation: float | None
    calls_in_common: float | None
    top_tenth_in_common: float


def rank_correlation(first: Floats, second: Floats) -> float | None:
    """
    Return Spearman's rank correlation from the ranks of two sets of scores, (n,) each; None where all of one are equal.

    >>> rank_correlation(np.array([1.0, 2, 3]), np.array([1.0, 3, 2]))
    0.5
    """
    x, y = first - first.mean(), second - second.mean()
    spread = np.sqrt((x @ x) * (y @ y))
    return round(float(x @ y / spread), 12) if spread > 0 else None


def agreement(first: Policy, second: Policy, *, weeks: Weeks, judged: EvaluationRows) -> Agreement:
    """
    Measure how much two scorers agree.

    Args:
        first: the policy that the shares are of.
        second: the policy to compare it with.
        weeks: leads and mornings.
        judged: the n rows.
    """
    made = float(weeks.weight[first.calls.called].sum())
    both = float(weeks.weight[first.calls.called & second.calls.called].sum())
    tops = [best_share(policy.participant.score, judged, share=TOP) for policy in (first, second)]
    return Agreement(
        rank_correlation=rank_correlation(first.ranks, second.ranks),
        calls_in_common=both / made if made else None,
        top_tenth_in_common=float(np.minimum(*tops).sum() / tops[0].sum()),
    )
