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

    As many of them reached the goal as of all such leads, so that the examples favour neither scorer; and one at least
    of each outcome that occurs. Within an outcome, ranks alone decide.

    Args:
        caller: had the leads called.
        other: did not.
        weeks: leads and mornings.

    Returns:
        Their positions in the weeks, those furthest apart first.
    """
    leads = np.flatnonzero(only_called_by(caller.calls, other.calls))
    rows = caller.calls.row[leads]
    apart = caller.ranks[rows] - other.ranks[rows]
    ordered = leads[np.lexsort((weeks.draw[leads], -apart))]
    won = caller.calls.converted[ordered]
    share = float(weeks.weight[ordered] @ won / weeks.weight[ordered].sum()) if len(ordered) else 0.0
    hits, misses = _outcome_counts(share, hits=int(won.sum()), misses=int((~won).sum()))
    taken: set[int] = set()
    chosen: set[int] = set()
    for lead, is_hit in zip(ordered.tolist(), won.tolist(), strict=True):
        account, left = int(weeks.group[lead]), hits if is_hit else misses
        if left and account not in taken:
            taken.add(account)
            chosen.add(lead)
            hits, misses = hits - is_hit, misses - (not is_hit)
    return tuple(lead for lead in ordered.tolist() if lead in chosen)


def _outcome_counts(share: float, *, hits: int, misses: int) -> tuple[int, int]:
    """
    Return how many examples reach the goal and how many do not, so that both are seen where both occur.

    >>> _outcome_counts(0.12, hits=30, misses=220), _outcome_counts(0.05, hits=1, misses=19)
    ((1, 4), (1, 4))
    >>> _outcome_counts(0.97, hits=65, misses=2), _outcome_counts(0.0, hits=0, misses=40)
    ((4, 1), (0, 5))
    """
    if not hits or not misses:
        return (EXAMPLES, 0) if hits else (0, EXAMPLES)
    reached = min(max(round(EXAMPLES * share), 1), EXAMPLES - 1)
    return reached, EXAMPLES - reached


def receipts(
    scorer: Scorer | None, rows: Sequence[int], dataset: Dataset, *, warehouse: Warehouse | None = None
) -> Receipts:
    """Write a scorer's receipts of listings, by their position among them; none for a scorer without receipts."""
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
