"""Disagreements: leads that one scorer had the team call and the other did not, with the receipts of both."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from data.importing.warehouse import Warehouse
from features.history.over_history import known_values
from models.scorer import Scorer
from training.dataset.dataset import Dataset
from training.dataset.feature_values import values_of
from training.replay.calls import Calls
from training.replay.policy import Policy
from training.replay.replay_evaluation import CalledLead, ReceiptSummary
from training.replay.results import only_called_by
from training.replay.weeks import Weeks

EXAMPLES = 5

Receipts = Mapping[int, ReceiptSummary]


def clearest(caller: Policy, other: Policy, *, weeks: Weeks) -> tuple[int, ...]:
    """
    Choose the leads on which two scorers disagree most, among those that only the first had called.

    The outcomes have no influence on the choice, so that the examples favour neither scorer.

    Args:
        caller: had the leads called.
        other: did not.
        weeks: leads and mornings.

    Returns:
        Their positions in the weeks.
    """
    leads = np.flatnonzero(only_called_by(caller.calls, other.calls))
    rows = caller.calls.row[leads]
    apart = caller.ranks[rows] - other.ranks[rows]
    chosen: dict[int, int] = {}
    for lead in leads[np.lexsort((weeks.draw[leads], -apart))].tolist():
        chosen.setdefault(int(weeks.group[lead]), lead)
        if len(chosen) == EXAMPLES:
            break
    return tuple(chosen.values())


def receipts(
    scorer: Scorer | None, rows: Sequence[int], dataset: Dataset, *, warehouse: Warehouse | None = None
) -> Receipts:
    """Write a scorer's receipts of test rows, by their position in the block; none for a scorer without receipts."""
    if scorer is None or not rows:
        return {}
    chosen = dataset.listed.iloc[list(rows)]
    values = known_values(values_of(scorer.catalog, chosen, dataset=dataset, warehouse=warehouse))
    return {
        row: ReceiptSummary.of(scorer.receipt(str(lead_id), int(as_of), known))
        for row, lead_id, as_of, known in zip(rows, chosen["lead_id"], chosen["as_of"], values, strict=True)
    }


def examples(
    chosen: Sequence[int], calls: Calls, *, receipts: tuple[Receipts, Receipts], weeks: Weeks
) -> Iterator[CalledLead]:
    """
    Combine leads with their outcomes and the receipts of both scorers.

    Args:
        chosen: the leads.
        calls: of the scorer that had them called.
        receipts: by row, the first scorer's and the other's.
        weeks: leads and mornings.
    """
    first, other = receipts
    for lead in chosen:
        row = int(calls.row[lead])
        yield CalledLead(
            lead_id=str(weeks.lead_id[lead]),
            called_on=weeks.day_of(weeks.mornings[calls.morning[lead]]),
            reached_on=weeks.day_of(weeks.goal_at[lead]) if calls.converted[lead] else None,
            first_receipt=first.get(row),
            other_receipt=other.get(row),
        )
