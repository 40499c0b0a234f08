"""A policy: calling by one participant's scores, and which leads the team called by them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.replay.calls import Calls, call_leads
from training.replay.participants import Participant
from training.replay.weeks import Floats, Weeks


@dataclass(frozen=True, eq=False)
class Policy:
    """
    Calling by one participant's scores.

    Attributes:
        participant: whose scores.
        calls: the calls the team made by them.
        ranks: (n,) the rank of each row's score among all, between 0 and 1.
    """

    participant: Participant
    calls: Calls
    ranks: Floats

    @classmethod
    def of(cls, participant: Participant, weeks: Weeks, *, capacity_per_day: float) -> "Policy":
        """Replay the weeks."""
        calls = call_leads(participant.score, weeks, capacity_per_day=capacity_per_day)
        return cls(participant, calls, score_ranks(participant.score))


def score_ranks(score: Floats) -> Floats:
    """
    Return the rank of each score among all, from the lowest, between 0 and 1; equal scores share one.

    >>> score_ranks(np.array([5.0, 1.0, 5.0, 9.0])).tolist()
    [0.625, 0.25, 0.625, 1.0]
    """
    return np.asarray(pd.Series(score).rank(pct=True), dtype=np.float64)
