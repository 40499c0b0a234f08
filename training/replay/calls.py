"""
The policy replay: each morning the team calls the best leads on its list, as far as its time goes.

The outcome of a lead is the one in history, whichever scorer has it called: the replay asks which scorer would have
called the right leads in time, not what a call brings about. A lead is called once. Its score is that of its latest
listing: this morning's where it has one, as it does after anything new, and otherwise an earlier one.

A lead that stands for w leads of the company takes w calls. The last one of a morning may take more than is left; the
next mornings then have less, so that over the weeks the team never calls more than its capacity and one lead's weight.
Time left over because the list was empty is lost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.instants import DAY_US
from training.replay.weeks import Codes, Floats, Weeks

NEVER = -1
_LEFT = 1e-9
"""Less than this is no time left; sums of weights are rounded."""


@dataclass(frozen=True, eq=False)
class Calls:
    """
    The calls that one scorer had the team make.

    Attributes:
        morning: (m,) on which morning each lead was called; -1 for never.
        row: (m,) the row whose score decided it; -1 for never.
        converted: (m,) whether it reached the goal within the horizon from the call on.
        eventually: (m,) whether it reached the goal at any time from the call on, as far as the history goes.
        days_before: (m,) how many days before the goal it was called; NaN where it did not convert.
    """

    morning: Codes
    row: Codes
    converted: NDArray[np.bool_]
    eventually: NDArray[np.bool_]
    days_before: Floats

    @property
    def called(self) -> NDArray[np.bool_]:
        """Which leads were called, (m,)."""
        return np.asarray(self.morning != NEVER)


def call_leads(score: Floats, weeks: Weeks, *, capacity_per_day: float) -> Calls:
    """
    Replay the weeks with the team calling by one scorer.

    Args:
        score: (n,) of the rows that the weeks were read from; higher is called first.
        weeks: leads and mornings.
        capacity_per_day: how many leads the team can call in a day.
    """
    leads = len(weeks.lead_id)
    rank = _ranks(score, weeks)
    current, morning, row = (np.full(leads, NEVER, dtype=np.int64) for _ in range(3))
    lightest = float(weeks.weight.min())
    left, known = 0.0, 0
    for day, arrived in enumerate(weeks.known.tolist()):
        new = weeks.arrivals[known:arrived]
        current[weeks.lead[new]] = new  # of several rows of a lead the latest stays
        known = arrived
        left = min(left, 0.0) + capacity_per_day  # time left over is lost, time overdrawn is owed
        if left > _LEFT:
            waiting = np.flatnonzero((weeks.first <= day) & (weeks.last >= day) & (morning == NEVER))
            # No more leads than these fit, even the lightest: so many of the best are sorted, not the whole list.
            most = int(left / lightest) + 1
            best = waiting[_lowest(rank[current[waiting]], most)]
            spent = np.cumsum(weeks.weight[best])
            # A lead is called while any time is left before it, so that the last one may overdraw.
            called = best[left - (spent - weeks.weight[best]) > _LEFT]
            morning[called], row[called] = day, current[called]
            left -= spent[len(called) - 1] if len(called) else 0.0
    return _outcome(morning, row, weeks)


def _ranks(score: Floats, weeks: Weeks) -> Codes:
    """Rank the rows from the best; equal scores in the randomly drawn order of their leads."""
    rank = np.empty(len(score), dtype=np.int64)
    # Rules tie often. In the order of the rows, or of their names, ties would favour one scorer by accident.
    rank[np.lexsort((weeks.draw[weeks.lead], -score))] = np.arange(len(score))
    return rank


def _lowest(ranks: Codes, most: int) -> Codes:
    """Return the positions of the lowest ranks in rising order, at most so many."""
    if most >= len(ranks):
        return np.argsort(ranks)
    some = np.argpartition(ranks, most)[:most]
    return np.asarray(some[np.argsort(ranks[some])])


def _outcome(morning: Codes, row: Codes, weeks: Weeks) -> Calls:
    """Look up which of the called leads converted, and how long after the call."""
    called = morning != NEVER
    ahead = np.full(len(morning), np.nan)
    ahead[called] = weeks.goal_at[called] - weeks.mornings[morning[called]]
    # The same half-open window as the labels', but from the call on, not from the snapshot.
    converted = (ahead >= 0) & (ahead < weeks.horizon_us)
    return Calls(morning, row, converted, ahead >= 0, np.where(converted, ahead / DAY_US, np.nan))
