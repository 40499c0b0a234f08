"""A policy: calling by one entrant's scores, and whom that had the team call."""

from dataclasses import dataclass

from training.replay.agreement import places
from training.replay.calls import Calls, replay
from training.replay.participants import Participant
from training.replay.weeks import Floats, Weeks


@dataclass(frozen=True, eq=False)
class Policy:
    """
    Calling by one entrant's scores.

    Attributes:
        entrant: whose scores.
        calls: whom the team called by them.
        places: (n,) the place of each row's score among all.
    """

    entrant: Participant
    calls: Calls
    places: Floats

    @classmethod
    def of(cls, entrant: Participant, weeks: Weeks, *, capacity_per_day: float) -> "Policy":
        """Replay the weeks."""
        calls = replay(entrant.score, weeks, capacity_per_day=capacity_per_day)
        return cls(entrant, calls, places(entrant.score))
