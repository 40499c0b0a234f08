"""The replay: any number of scorers on the same leads, over the same weeks, at the same capacity."""

from dataclasses import dataclass

from data.progress import Progress, silent
from data.warehouse import Warehouse
from training.dataset.dataset import Dataset
from training.dataset.split import Span
from training.replay.conclusion import Conclusion, conclude
from training.replay.pairwise import PairwiseResult, compare_pairwise
from training.replay.participants import Participants
from training.replay.policy import Policy
from training.replay.results import ReplayResult, replay_results
from training.replay.weeks import Weeks


@dataclass(frozen=True, slots=True)
class Replay:
    """
    The outcome of a replay of the test weeks.

    Attributes:
        period: the test weeks.
        days: how many mornings they have.
        capacity_per_day: how many leads the team could call in a day.
        leads: how many leads of the company were on the list.
        conversions: how many of them some calls could have found.
        results: of each participant, the model's first.
        pairwise: the model compared with each other participant, in the same order.
        conclusion: which found more, the model or the point rules.
        absent: a sentence on each scorer that should have taken part and could not.
    """

    period: Span
    days: int
    capacity_per_day: float
    leads: int
    conversions: float
    results: tuple[ReplayResult, ...]
    pairwise: tuple[PairwiseResult, ...]
    conclusion: Conclusion
    absent: tuple[str, ...] = ()


def run_replay(
    participants: Participants,
    dataset: Dataset,
    *,
    capacity_per_day: float,
    zone: str = "UTC",
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> Replay:
    """
    Replay the test weeks for every participant, and compare the first with each other.

    Args:
        participants: with scores of the rows of the test block.
        dataset: its test block and plan.
        capacity_per_day: how many leads the team can call in a day.
        zone: IANA name of the playbook's zone, which decides when a morning is.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: called with the number of participants whose weeks are replayed.
    """
    weeks = Weeks.of(dataset.block("test"), dataset.plan.test, zone=zone, horizon_us=dataset.horizon_us)
    policies = _policies(participants, weeks, capacity_per_day=capacity_per_day, progress=progress)
    results, differences = replay_results(policies, weeks)
    return Replay(
        period=dataset.plan.test,
        days=len(weeks.mornings),
        capacity_per_day=capacity_per_day,
        leads=round(float(weeks.weight[weeks.listed].sum())),
        conversions=float(weeks.weight[weeks.findable].sum()),
        results=results,
        pairwise=compare_pairwise(
            policies, differences, weeks=weeks, dataset=dataset, warehouse=warehouse, progress=progress
        ),
        conclusion=conclude(results, differences, weeks=weeks, capacity_per_day=capacity_per_day),
        absent=participants.absent,
    )


def _policies(entered: Participants, weeks: Weeks, *, capacity_per_day: float, progress: Progress) -> list[Policy]:
    """Replay the weeks once for each participant."""
    policies, count = [], len(entered.participants)
    for number, participant in enumerate(entered.participants):
        progress("replaying the test weeks", number, count)
        policies.append(Policy.of(participant, weeks, capacity_per_day=capacity_per_day))
    progress("replaying the test weeks", count, count)
    return policies
