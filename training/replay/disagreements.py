"""Swap sets: whom one scorer had the team call and the other did not, with the receipts of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.warehouse import Warehouse
from features.feature import Value
from models.receipt import Receipt
from models.scorer import Scorer
from training.dataset.dataset import Dataset
from training.dataset.feature_values import values_of
from training.replay.calls import Calls
from training.replay.weeks import Floats, Weeks

EXAMPLES = 5
REASONS = 5


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
    Such a lead, to be read.

    Attributes:
        lead_id: who it is.
        called_on: date of the call.
        reached_on: date on which the goal was reached, if within the horizon from the call on.
        ours: our receipt; None where we write none.
        theirs: theirs, as of the same instant.
    """

    lead_id: str
    called_on: str
    reached_on: str | None
    ours: Receipt | None
    theirs: Receipt | None

    def as_json(self) -> dict[str, Any]:
        """Write what happened and both receipts, with the reasons that moved most."""
        return {
            "lead_id": self.lead_id,
            "called_on": self.called_on,
            "reached_goal": self.reached_on is not None,
            "reached_on": self.reached_on,
            "ours": None if self.ours is None else self.ours.as_json(reasons=REASONS),
            "theirs": None if self.theirs is None else self.theirs.as_json(reasons=REASONS),
        }


@dataclass(frozen=True, slots=True)
class SwapSet:
    """
    The leads that only one of two scorers had the team call.

    Attributes:
        leads: how many of the company's.
        rate: share of them that reached the goal within the horizon from the call on, with its interval.
        examples: the clearest disagreements, at most one an account.
    """

    leads: float
    rate: Mapping[str, Any]
    examples: tuple[DisagreementExample, ...]

    def as_json(self) -> dict[str, Any]:
        """Write counts and examples."""
        return {
            "leads": self.leads,
            "rate": dict(self.rate),
            "examples": [example.as_json() for example in self.examples],
        }


def only(ours: Calls, theirs: Calls) -> NDArray[np.bool_]:
    """Say which leads we had the team call and they did not, (m,)."""
    return ours.called & ~theirs.called


def clearest(
    swapped: NDArray[np.bool_], calls: Calls, *, places: tuple[Floats, Floats], weeks: Weeks
) -> list[SwappedLead]:
    """
    Choose the leads on which two scorers disagree most.

    What became of a lead has no say in the choice, so that the examples flatter nobody.

    Args:
        swapped: (m,) the leads to choose from.
        calls: of the scorer that had them called.
        places: (n,) of its scores among those of all rows, and of the other's.
        weeks: leads and mornings.
    """
    leads = np.flatnonzero(swapped)
    rows = calls.row[leads]
    apart = places[0][rows] - places[1][rows]
    chosen: dict[int, SwappedLead] = {}
    for at in np.lexsort((weeks.draw[leads], -apart)).tolist():
        if len(chosen) == EXAMPLES:
            break
        chosen.setdefault(int(weeks.group[leads[at]]), SwappedLead(int(leads[at]), int(rows[at])))
    return list(chosen.values())


def receipts(
    scorer: Scorer | None, rows: Sequence[int], dataset: Dataset, *, warehouse: Warehouse | None = None
) -> dict[int, Receipt]:
    """Write a scorer's receipts of test rows, by their position in the block; none where it writes none."""
    if scorer is None or not rows:
        return {}
    chosen = dataset.block("test").iloc[list(rows)]
    values = _values(values_of(scorer.catalog, chosen, dataset=dataset, warehouse=warehouse))
    return {
        row: scorer.receipt(str(lead_id), int(as_of), known)
        for row, lead_id, as_of, known in zip(rows, chosen["lead_id"], chosen["as_of"], values, strict=True)
    }


def _values(frame: pd.DataFrame) -> list[tuple[Value, ...]]:
    """Give each row's feature values in catalog order, None where missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns]
    return list(zip(*columns, strict=True))


def examples(
    chosen: Sequence[SwappedLead],
    calls: Calls,
    *,
    receipts: tuple[Mapping[int, Receipt], Mapping[int, Receipt]],
    weeks: Weeks,
) -> tuple[DisagreementExample, ...]:
    """
    Put leads, what happened, and the receipts of both scorers together.

    Args:
        chosen: the leads.
        calls: of the scorer that had them called.
        receipts: our receipts by row, and theirs.
        weeks: leads and mornings.
    """
    ours, theirs = receipts
    return tuple(
        DisagreementExample(
            lead_id=str(weeks.lead_id[one.lead]),
            called_on=weeks.day_of(weeks.mornings[calls.morning[one.lead]]),
            reached_on=weeks.day_of(weeks.goal_at[one.lead]) if calls.found[one.lead] else None,
            ours=ours.get(one.row),
            theirs=theirs.get(one.row),
        )
        for one in chosen
    )
