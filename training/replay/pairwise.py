"""Ours against each other entrant: the difference, how much both agree, and whom only one of them had called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.progress import Progress, silent
from data.warehouse import Warehouse
from models.receipt import Receipt
from training.dataset.dataset import Dataset
from training.replay.agreement import Agreement, agreement
from training.replay.disagreements import SwappedLead, SwapSet, clearest, examples, only, receipts
from training.replay.participants import Participant
from training.replay.policy import Policy
from training.replay.results import CallDifference
from training.replay.weeks import Weeks
from training.statistics.scoring_metrics import EvaluationRows

Receipts = Mapping[int, Receipt]


@dataclass(frozen=True, slots=True)
class PairwiseResult:
    """
    Ours against one other.

    Attributes:
        entrant: the other.
        difference: the numbers, paired.
        agreement: how much both say the same.
        only_ours: the leads that only we had the team call.
        only_theirs: those that only they did.
    """

    entrant: Participant
    difference: CallDifference
    agreement: Agreement
    only_ours: SwapSet
    only_theirs: SwapSet

    def as_json(self) -> dict[str, Any]:
        """Write who the other is and all that tells the two apart."""
        return {
            "name": self.entrant.name,
            "kind": self.entrant.kind,
            "conversions_more": self.difference.conversions_more,
            "days_earlier": self.difference.days_earlier,
            "value_more": self.difference.value_more,
            "agreement": self.agreement.as_json(),
            "only_ours": self.only_ours.as_json(),
            "only_theirs": self.only_theirs.as_json(),
        }


@dataclass(frozen=True, slots=True)
class ExclusiveLeads:
    """The leads that show how two policies differ: those that only ours had called, and those that only theirs had."""

    ours: tuple[SwappedLead, ...]
    theirs: tuple[SwappedLead, ...]

    @classmethod
    def of(cls, ours: Policy, theirs: Policy, weeks: Weeks) -> "ExclusiveLeads":
        """Choose the clearest of each."""
        return cls(*(_clearest(*pair, weeks=weeks) for pair in ((ours, theirs), (theirs, ours))))

    @property
    def rows(self) -> set[int]:
        """Give the rows that receipts are wanted of."""
        return {one.row for one in (*self.ours, *self.theirs)}


def _clearest(caller: Policy, other: Policy, *, weeks: Weeks) -> tuple[SwappedLead, ...]:
    swapped = only(caller.calls, other.calls)
    return tuple(clearest(swapped, caller.calls, places=(caller.places, other.places), weeks=weeks))


def against_each(
    policies: Sequence[Policy],
    differences: Sequence[CallDifference],
    *,
    weeks: Weeks,
    dataset: Dataset,
    warehouse: Warehouse | None = None,
    progress: Progress = silent,
) -> tuple[PairwiseResult, ...]:
    """
    Hold the first policy against each other one.

    Args:
        policies: ours first.
        differences: ours to each other, in the same order.
        weeks: leads and mornings.
        dataset: its test block.
        warehouse: the history, for receipts that need features the training set does not hold.
        progress: hears how many entrants have written their receipts.
    """
    ours, *others = policies
    chosen = [ExclusiveLeads.of(ours, theirs, weeks) for theirs in others]
    wanted = [set[int]().union(*(one.rows for one in chosen)), *(one.rows for one in chosen)]
    written = []
    for at, (policy, rows) in enumerate(zip(policies, wanted, strict=True)):
        progress("writing receipts", at, len(policies))
        written.append(receipts(policy.entrant.scorer, sorted(rows), dataset=dataset, warehouse=warehouse))
    progress("writing receipts", len(policies), len(policies))
    judged = EvaluationRows.of(dataset.block("test"))
    return tuple(
        _against(ours, theirs, difference, chosen=one, receipts=(written[0], said), weeks=weeks, judged=judged)
        for theirs, difference, one, said in zip(others, differences, chosen, written[1:], strict=True)
    )


def _against(
    ours: Policy,
    theirs: Policy,
    difference: CallDifference,
    *,
    chosen: ExclusiveLeads,
    receipts: tuple[Receipts, Receipts],
    weeks: Weeks,
    judged: EvaluationRows,
) -> PairwiseResult:
    only_ours, only_theirs = (
        float(weeks.weight[only(*pair)].sum()) for pair in ((ours.calls, theirs.calls), (theirs.calls, ours.calls))
    )
    return PairwiseResult(
        entrant=theirs.entrant,
        difference=difference,
        agreement=_agreement(ours, theirs, weeks=weeks, judged=judged),
        only_ours=SwapSet(
            only_ours, difference.rate_only_ours, examples(chosen.ours, ours.calls, receipts=receipts, weeks=weeks)
        ),
        only_theirs=SwapSet(
            only_theirs,
            difference.rate_only_theirs,
            examples(chosen.theirs, theirs.calls, receipts=receipts, weeks=weeks),
        ),
    )


def _agreement(ours: Policy, theirs: Policy, *, weeks: Weeks, judged: EvaluationRows) -> Agreement:
    return agreement(
        (ours.entrant.score, theirs.entrant.score),
        (ours.places, theirs.places),
        calls=(ours.calls, theirs.calls),
        weeks=weeks,
        judged=judged,
    )
