"""The model and each other participant in pairs: the difference, the agreement, and which leads only one called."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.progress import Progress, silent
from data.warehouse import Warehouse
from training.dataset.dataset import Dataset
from training.replay.agreement import Agreement, agreement
from training.replay.disagreements import Receipts, SwappedLead, SwapSet, clearest, examples, receipts
from training.replay.participants import Participant
from training.replay.policy import Policy
from training.replay.results import CallDifference, only_called_by
from training.replay.weeks import Weeks
from training.statistics.scoring_metrics import EvaluationRows


@dataclass(frozen=True, slots=True)
class PairwiseResult:
    """
    The first participant compared with one other.

    Attributes:
        other: the other participant.
        difference: the numbers, paired.
        agreement: how much both agree.
        only_first: the leads that only the first had the team call.
        only_other: those that only the other did.
    """

    other: Participant
    difference: CallDifference
    agreement: Agreement
    only_first: SwapSet
    only_other: SwapSet


@dataclass(frozen=True, slots=True)
class ExclusiveLeads:
    """The leads that show best how two policies differ: those that only the first called, and only the other."""

    first: tuple[SwappedLead, ...]
    other: tuple[SwappedLead, ...]

    @classmethod
    def of(cls, first: Policy, other: Policy, weeks: Weeks) -> "ExclusiveLeads":
        """Choose the clearest of each."""
        return cls(clearest(first, other, weeks=weeks), clearest(other, first, weeks=weeks))

    @property
    def rows(self) -> set[int]:
        """The rows that need receipts."""
        return {swapped.row for swapped in (*self.first, *self.other)}


def compare_pairwise(
    policies: Sequence[Policy],
    differences: Sequence[CallDifference],
    *,
    weeks: Weeks,
    dataset: Dataset,
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> tuple[PairwiseResult, ...]:
    """
    Compare the first policy with each other one.

    Args:
        policies: the model's first.
        differences: of the first from each other, in the same order.
        weeks: leads and mornings.
        dataset: its test block.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: called with the number of participants whose receipts are written.
    """
    first, *others = policies
    exclusive = [ExclusiveLeads.of(first, other, weeks) for other in others]
    rows = [set[int]().union(*(leads.rows for leads in exclusive)), *(leads.rows for leads in exclusive)]
    written = []
    for number, (policy, wanted) in enumerate(zip(policies, rows, strict=True)):
        progress("writing receipts", number, len(policies))
        written.append(receipts(policy.participant.scorer, sorted(wanted), dataset=dataset, warehouse=warehouse))
    progress("writing receipts", len(policies), len(policies))
    judged = EvaluationRows.of(dataset.block("test"))
    return tuple(
        PairwiseResult(
            other=other.participant,
            difference=difference,
            agreement=agreement(first, other, weeks=weeks, judged=judged),
            **_swap_sets(first, other, difference, leads=leads, receipts=(written[0], others_receipts), weeks=weeks),
        )
        for other, difference, leads, others_receipts in zip(others, differences, exclusive, written[1:], strict=True)
    )


def _swap_sets(
    first: Policy,
    other: Policy,
    difference: CallDifference,
    *,
    leads: ExclusiveLeads,
    receipts: tuple[Receipts, Receipts],
    weeks: Weeks,
) -> dict[str, SwapSet]:
    """Return the leads that only one of the two called: ``only_first`` and ``only_other``."""
    sides = {
        "only_first": (first, other, leads.first, difference.rate_only_first),
        "only_other": (other, first, leads.other, difference.rate_only_other),
    }
    return {
        name: SwapSet(
            float(weeks.weight[only_called_by(caller.calls, passing.calls)].sum()),
            rate,
            examples(chosen, caller.calls, receipts=receipts, weeks=weeks),
        )
        for name, (caller, passing, chosen, rate) in sides.items()
    }
