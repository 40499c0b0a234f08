"""The model and each other participant in pairs: the difference, the agreement, and which leads only one called."""

from collections.abc import Sequence
from dataclasses import asdict

from data.importing.warehouse import Warehouse
from data.progress import Progress, silent, tracked
from training.dataset.dataset import Dataset
from training.replay.agreement import agreement
from training.replay.disagreements import Receipts, clearest, examples, receipts
from training.replay.policy import Policy
from training.replay.replay_evaluation import ExclusiveCalls, PairwiseEvaluation
from training.replay.results import CallDifference, only_called_by
from training.replay.weeks import Weeks
from training.statistics.estimate import Estimate
from training.statistics.scoring_metrics import EvaluationRows


def compare_pairwise(
    policies: Sequence[Policy],
    differences: Sequence[CallDifference],
    *,
    weeks: Weeks,
    dataset: Dataset,
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> tuple[PairwiseEvaluation, ...]:
    """
    Compare the first policy with each other one.

    Args:
        policies: the model's first.
        differences: of the first from each other, in the same order.
        weeks: leads and mornings.
        dataset: its listings.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: called with the number of participants whose receipts are written.
    """
    first, *others = policies
    rows = [_rows_of_examples(first, other, weeks) for other in others]
    wanted = list(zip(policies, [set[int]().union(*rows), *rows], strict=True))
    written = [
        receipts(policy.participant.scorer, sorted(own_rows), dataset=dataset, warehouse=warehouse)
        for policy, own_rows in tracked(wanted, "writing receipts", progress)
    ]
    both_receipts = [(written[0], each) for each in written[1:]]
    judged = EvaluationRows.of(dataset.listed)
    return tuple(
        PairwiseEvaluation(
            name=other.participant.name,
            kind=other.participant.kind,
            conversions_more=difference.conversions_more,
            days_earlier=difference.days_earlier,
            value_more=difference.value_more,
            **asdict(agreement(first, other, weeks=weeks, judged=judged)),
            only_first=_exclusive(first, other, difference.rate_only_first, receipts=both, weeks=weeks),
            only_other=_exclusive(other, first, difference.rate_only_other, receipts=both, weeks=weeks),
        )
        for other, difference, both in zip(others, differences, both_receipts, strict=True)
    )


def _rows_of_examples(first: Policy, other: Policy, weeks: Weeks) -> set[int]:
    """Return the rows that need receipts."""
    sides = ((first, other), (other, first))
    return {int(caller.calls.row[lead]) for caller, passing in sides for lead in clearest(caller, passing, weeks=weeks)}


def _exclusive(
    caller: Policy, passing: Policy, rate: Estimate, *, receipts: tuple[Receipts, Receipts], weeks: Weeks
) -> ExclusiveCalls:
    """Return the leads that only one of two called; its receipts are the first's and the other's."""
    chosen = clearest(caller, passing, weeks=weeks)
    return ExclusiveCalls(
        leads=float(weeks.weight[only_called_by(caller.calls, passing.calls)].sum()),
        rate=rate,
        examples=tuple(examples(chosen, caller.calls, receipts=receipts, weeks=weeks)),
    )
