"""The replay: any number of scorers on the same leads, over the same weeks, at the same capacity."""

from data.importing.warehouse import Warehouse
from data.instants import iso
from data.progress import Progress, silent, tracked
from training.dataset.dataset import Dataset
from training.replay.conclusion import conclude
from training.replay.pairwise import compare_pairwise
from training.replay.participants import Participants
from training.replay.policy import Policy
from training.replay.replay_evaluation import ReplayEvaluation
from training.replay.results import replay_results
from training.replay.weeks import Weeks


def run_replay(
    participants: Participants,
    dataset: Dataset,
    *,
    capacity_per_day: float,
    zone: str = "UTC",
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> ReplayEvaluation:
    """
    Replay the test weeks for every participant, and compare the first with each other.

    Args:
        participants: with scores of the listings of the test weeks.
        dataset: its listings and plan.
        capacity_per_day: how many leads the team can call in a day.
        zone: IANA name of the playbook's zone, which decides when a morning is.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: called with the number of participants whose weeks are replayed.
    """
    weeks = Weeks.of(dataset.listed, dataset.plan.test, zone=zone, horizon_us=dataset.horizon_us)
    policies = [
        Policy.of(participant, weeks, capacity_per_day=capacity_per_day)
        for participant in tracked(participants.participants, "replaying the test weeks", progress)
    ]
    results, differences = replay_results(policies, weeks)
    pairwise = compare_pairwise(
        policies, differences, weeks=weeks, dataset=dataset, warehouse=warehouse, progress=progress
    )
    days, period = len(weeks.mornings), dataset.plan.test
    leads = float(weeks.weight[weeks.listed].sum())
    conclusion = conclude(results, pairwise, leads=leads, days=days, capacity_per_day=capacity_per_day)
    return ReplayEvaluation(
        start=iso(period.start),
        end=iso(period.end),
        days=days,
        capacity_per_day=capacity_per_day,
        leads=round(leads),
        conversions=float(weeks.weight[weeks.findable].sum()),
        participants=results,
        pairwise=pairwise,
        **conclusion._asdict(),
    )
