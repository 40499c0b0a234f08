"""The arena: any number of scorers on the same leads, over the same weeks, at the same capacity."""

from dataclasses import dataclass
from typing import Any

from data.instants import iso
from data.progress import Progress, silent
from data.warehouse import Warehouse
from training.dataset.dataset import Dataset
from training.dataset.split import Span
from training.replay.conclusion import Conclusion, verdict
from training.replay.pairwise import PairwiseResult, against_each
from training.replay.participants import Participants
from training.replay.policy import Policy
from training.replay.results import ReplayResult, standings
from training.replay.weeks import Weeks


@dataclass(frozen=True, slots=True)
class Replay:
    """
    What a replay of the test weeks found.

    Attributes:
        period: the test weeks.
        days: how many mornings they have.
        capacity_per_day: how many leads the team could call in a day.
        leads: how many leads of the company were on the list.
        conversions: how many of them some calls could have found.
        standings: of each entrant, ours first.
        against: ours against each other, in the same order.
        verdict: who found more, ours or the point rules.
        absent: a sentence on each who should have taken part and could not.
    """

    period: Span
    days: int
    capacity_per_day: float
    leads: int
    conversions: float
    standings: tuple[ReplayResult, ...]
    against: tuple[PairwiseResult, ...]
    verdict: Conclusion
    absent: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Write the arena as judgements hold it."""
        return {
            "from": iso(self.period.start),
            "to": iso(self.period.end),
            "days": self.days,
            "capacity_per_day": self.capacity_per_day,
            "leads": self.leads,
            "conversions": self.conversions,
            "entrants": [one.as_json() for one in self.standings],
            "against": [one.as_json() for one in self.against],
            "winner": self.verdict.winner,
            "decided": self.verdict.decided,
            "says": " ".join([self.verdict.says, *self.absent]),
        }


def hold_arena(
    line_up: Participants,
    dataset: Dataset,
    *,
    capacity_per_day: float,
    zone: str = "UTC",
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> Replay:
    """
    Replay the test weeks for every entrant, and hold the first against each other.

    Args:
        line_up: who takes part, with scores of the rows of the test block.
        dataset: its test block and plan.
        capacity_per_day: how many leads the team can call in a day.
        zone: IANA name of the playbook's zone, in which a morning is a morning.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: hears how many entrants have had their weeks.
    """
    weeks = Weeks.of(dataset.block("test"), dataset.plan.test, zone=zone, horizon_us=dataset.horizon_us)
    policies = _replayed(line_up, weeks, capacity_per_day=capacity_per_day, progress=progress)
    alone, differences = standings(policies, weeks)
    against = against_each(policies, differences, weeks=weeks, dataset=dataset, warehouse=warehouse, progress=progress)
    return Replay(
        period=dataset.plan.test,
        days=len(weeks.mornings),
        capacity_per_day=capacity_per_day,
        leads=round(float(weeks.weight[weeks.listed].sum())),
        conversions=float(weeks.weight[weeks.findable].sum()),
        standings=alone,
        against=against,
        verdict=verdict(alone, differences, weeks=weeks, capacity_per_day=capacity_per_day),
        absent=line_up.absent,
    )


def _replayed(line_up: Participants, weeks: Weeks, *, capacity_per_day: float, progress: Progress) -> list[Policy]:
    """Let the team live the weeks once by each entrant."""
    policies = []
    for at, entrant in enumerate(line_up.entrants):
        progress("replaying the test weeks", at, len(line_up.entrants))
        policies.append(Policy.of(entrant, weeks, capacity_per_day=capacity_per_day))
    progress("replaying the test weeks", len(line_up.entrants), len(line_up.entrants))
    return policies
