"""
The rule that says whether a lead is open: what closes it, what closes it for good, and what opens it again.

The rule looks at the order in which things happened, and only at what is known. A lead is closed once it has reached a
final stage. Any other closing stage is undone by an activity of a reopening kind that happened after it; one that only
became known after it undoes nothing. Many exports hold the day of an outcome alone, which then begins at midnight and
is known at the day's end. So within a day of the outcome an activity is after it only if the outcome was known by then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from data.instants import DAY_US, iso

LAST_STAGE = "_stage"
"""The column of a lead's last stage where others have the names of features."""


class ReachedStage(NamedTuple):
    """A stage that a lead reached; instants in microseconds since 1970 UTC."""

    stage: str
    reached_at: int
    known_at: int

    @property
    def over_at(self) -> int:
        """
        The instant after which what a lead does is after this outcome.

        >>> ReachedStage("lost", 0, 5).over_at, ReachedStage("lost", 0, 3 * DAY_US).over_at == DAY_US
        (5, True)
        """
        return min(self.known_at, self.reached_at + DAY_US)


class LeadState(NamedTuple):
    """
    Where a lead stands.

    Attributes:
        stage: the last stage that it reached; None before any.
        closed_at: since when it is closed [us since 1970 UTC]; None while it is open.
    """

    stage: str | None
    closed_at: int | None

    def as_json(self) -> dict[str, str | None]:
        """
        Return it as every answer about a lead carries it.

        >>> LeadState("lost", 0).as_json()
        {'stage': 'lost', 'closed_at': '1970-01-01T00:00:00Z'}
        """
        return {"stage": self.stage, "closed_at": None if self.closed_at is None else iso(self.closed_at)}


NEW_LEAD = LeadState(None, None)
"""The state of a lead that reached no stage yet."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """
    What a playbook says of the end of leads.

    Attributes:
        stages: every stage, in the playbook's order.
        closing: the stages after which a lead is no longer open.
        final: those of them after which it never opens again.
        reopening: the kinds of activity that open it again after the others.
    """

    stages: tuple[str, ...]
    closing: frozenset[str]
    final: frozenset[str]
    reopening: frozenset[str]

    @property
    def reopens(self) -> bool:
        """Whether a closed lead can open again at all."""
        return bool(self.reopening and self.closing - self.final)

    def state(self, reached: Iterable[ReachedStage], opened_at: Iterable[int]) -> LeadState:
        """
        Return where a lead stands by what is known of it.

        Args:
            reached: every stage that it is known to have reached, in any order.
            opened_at: when it is known to have done what opens leads again [us since 1970 UTC], in any order.

        >>> won, both = frozenset({"won"}), frozenset({"won", "lost"})
        >>> words = Lifecycle(("met", "won", "lost"), closing=both, final=won, reopening=frozenset({"demo"}))
        >>> words.state([ReachedStage("lost", 20, 20)], opened_at=[10])
        LeadState(stage='lost', closed_at=20)
        >>> words.state([ReachedStage("lost", 20, 20)], opened_at=[10, 30])
        LeadState(stage='lost', closed_at=None)
        >>> words.state([ReachedStage("won", 20, 20)], opened_at=[30])
        LeadState(stage='won', closed_at=20)
        """
        outcomes = list(reached)
        if not outcomes:
            return NEW_LEAD
        place = {stage: number for number, stage in enumerate(self.stages)}
        last = max(outcomes, key=lambda each: (each.reached_at, place.get(each.stage, -1)))
        return LeadState(last.stage, self._closed_at(outcomes, opened_at))

    def _closed_at(self, outcomes: list[ReachedStage], opened_at: Iterable[int]) -> int | None:
        """Return since when a lead is closed, by walking through what happened."""
        endings = [each for each in outcomes if each.stage in self.closing]
        if not endings:
            return None
        # At one instant an activity comes before an outcome, which it may have led to.
        steps: list[tuple[int, int, ReachedStage | None]] = [(at, 0, None) for at in opened_at]
        steps += [(each.over_at, 1, each) for each in endings]
        closed_at: int | None = None
        is_final = False
        for _, _, ending in sorted(steps, key=lambda step: step[:2]):
            if ending is not None:
                closed_at = ending.reached_at if closed_at is None else min(closed_at, ending.reached_at)
                is_final = is_final or ending.stage in self.final
            elif not is_final:
                closed_at = None
        return closed_at


NO_LIFECYCLE = Lifecycle((), frozenset(), frozenset(), frozenset())
"""Nothing closes a lead."""
