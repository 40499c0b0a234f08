"""Disagreements: leads that one scorer had the team call and the other did not, with the receipts of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.warehouse import Warehouse
from features.feature import Value
from models.receipt import Receipt
from models.scorer import Scorer
from training.dataset.dataset import Dataset
from training.dataset.feature_values import values_of
from training.replay.calls import Calls
from training.replay.policy import Policy
from training.replay.results import only_called_by
from training.replay.weeks import Weeks
from training.statistics.estimate import Estimate

EXAMPLES = 5

Receipts = Mapping[int, Receipt]


@dataclass(frozen=True, slots=True)
class SwappedLead:
    """
    A lead that one scorer had the team call and the other did not.

    Attributes:
        lead: its position in the weeks.
        row: the test row on whose scores the call was decided; both receipts are of it.
    """

    lead: int
    row: int


@dataclass(frozen=True, slots=True)
class DisagreementExample:
    """
    Such a lead, as readers see it.

    Attributes:
        lead_id: the lead.
        called_on: date of the call.
        reached_on: date on which the goal was reached, if within the horizon from the call on.
        first: the first scorer's receipt; None where it writes none.
        other: the other's, as of the same instant.
    """

    lead_id: str
    called_on: str
    reached_on: str | None
    first: Receipt | None
    other: Receipt | None


@dataclass(frozen=True, slots=True)
class SwapSet:
    """
    The leads that only one of two scorers had the team call.

    Attributes:
        leads: how many of the company's.
        rate: share of them that reached the goal within the horizon from the call on.
        examples: the clearest disagreements, at most one per account.
    """

    leads: float
    rate: Estimate
    examples: tuple[DisagreementExample, ...]


def clearest(caller: Policy, other: Policy, *, weeks: Weeks) -> tuple[SwappedLead, ...]:
    """
    Choose the leads on which two scorers disagree most, among those that only the first had called.

    The outcomes have no influence on the choice, so that the examples favour neither scorer.

    Args:
        caller: had the leads called.
        other: did not.
        weeks: leads and mornings.
    """
    leads = np.flatnonzero(only_called_by(caller.calls, other.calls))
    rows = caller.calls.row[leads]
    apart = caller.ranks[rows] - other.ranks[rows]
    chosen: dict[int, SwappedLead] = {}
    for index in np.lexsort((weeks.draw[leads], -apart)).tolist():
        if len(chosen) == EXAMPLES:
            break
        chosen.setdefault(int(weeks.group[leads[index]]), SwappedLead(int(leads[index]), int(rows[index])))
    return tuple(chosen.values())


def receipts(
    scorer: Scorer | None, rows: Sequence[int], dataset: Dataset, *, warehouse: Warehouse | None = None
) -> dict[int, Receipt]:
    """Write a scorer's receipts of test rows, by their position in the block; none for a scorer without receipts."""
    if scorer is None or not rows:
        return {}
    chosen = dataset.block("test").iloc[list(rows)]
    values = _values(values_of(scorer.catalog, chosen, dataset=dataset, warehouse=warehouse))
    return {
        row: scorer.receipt(str(lead_id), int(as_of), known)
        for row, lead_id, as_of, known in zip(rows, chosen["lead_id"], chosen["as_of"], values, strict=True)
    }


def _values(frame: pd.DataFrame) -> list[tuple[Value, ...]]:
    """Return each row's feature values in catalog order, None where missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns]
    return list(zip(*columns, strict=True))


def examples(
    chosen: Sequence[SwappedLead], calls: Calls, *, receipts: tuple[Receipts, Receipts], weeks: Weeks
) -> tuple[DisagreementExample, ...]:
    """
    Combine leads with their outcomes and the receipts of both scorers.

    Args:
        chosen: the leads.
        calls: of the scorer that had them called.
        receipts: by row, the first scorer's and the other's.
        weeks: leads and mornings.
    """
    first, other = receipts
    return tuple(
        DisagreementExample(
            lead_id=str(weeks.lead_id[swapped.lead]),
            called_on=weeks.day_of(weeks.mornings[calls.morning[swapped.lead]]),
            reached_on=weeks.day_of(weeks.goal_at[swapped.lead]) if calls.converted[swapped.lead] else None,
            first=first.get(swapped.row),
            other=other.get(swapped.row),
        )
        for swapped in chosen
    )
