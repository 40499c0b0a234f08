"""Outcomes: the two ways in which a feature may know what becomes of a lead."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.fitting.row_weights import one_per_code

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST_GROUPS = 20
"""Accounts, or leads without one, with and without success, below which a striking number may be luck."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    What became of the leads of n rows.

    Attributes:
        says: what a success did, such as ``reached the goal within 30 days``.
        success: (n,) 1 or 0.
        weight: (n,) 1 / (rows of the lead): each lead counts once, since a leak shows by lead.
        group: (n,) codes of the accounts.
        lead: (n,) codes of the leads.
    """

    says: str
    success: Floats
    weight: Floats
    group: Codes
    lead: Codes

    @cached_property
    def rate(self) -> float:
        """The share of success."""
        return float(np.average(self.success, weights=self.weight))

    @cached_property
    def successful_leads(self) -> int:
        """How many leads have a row of success."""
        return distinct(self.lead[self.success > 0])

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group.max()) + 1

    def enough(self, rows: NDArray[np.bool_] | None = None) -> bool:
        """Return whether there are enough groups with and without success, among all rows or some."""
        group, success = (self.group, self.success) if rows is None else (self.group[rows], self.success[rows])
        return all(distinct(group[success == value]) >= FEWEST_GROUPS for value in (0.0, 1.0))

    def of(self, rows: NDArray[np.bool_]) -> "Outcome":
        """Return the outcome of some of the rows, their groups numbered anew."""
        group = pd.factorize(self.group[rows])[0].astype(np.int64)
        return Outcome(self.says, self.success[rows], self.weight[rows], group, self.lead[rows])

    @cached_property
    def rarer(self) -> "Outcome":
        """The rarer of success and failure, as if it were the success."""
        if self.rate <= 1 / 2:
            return self
        return Outcome(f"never {self.says}", 1 - self.success, self.weight, self.group, self.lead)


def distinct(codes: Codes) -> int:
    """
    Count different codes, without sorting them.

    >>> distinct(np.array([4, 1, 4]))
    2
    """
    return int(np.count_nonzero(np.bincount(codes)))


def recoded(codes: Codes) -> Codes:
    """
    Number codes anew, without gaps.

    >>> recoded(np.array([4, 1, 4])).tolist()
    [1, 0, 1]
    """
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def outcomes_of(rows: pd.DataFrame, *, horizon_days: float) -> tuple[Outcome, ...]:
    """
    Return the label of the rows, and whether their leads reached the goal at all, be it later.

    A field that today's CRM wrote into the past knows whether the lead succeeded in the end, not when. By the label
    alone it looks less certain than it is, since early snapshots of a later success are labelled as failures.

    Args:
        rows: (n ≥ 1) mature rows with ``lead_id``, ``group``, ``label`` and ``goal_at``.
        horizon_days: of the goal.
    """
    lead, group = (pd.factorize(rows[name])[0].astype(np.int64) for name in ("lead_id", "group"))
    weight = one_per_code(lead)
    label = rows["label"].to_numpy(dtype=np.float64)
    ever = rows["goal_at"].notna().to_numpy().astype(np.float64)
    within = Outcome(f"reached the goal within {horizon_days:g} days", label, weight, group, lead)
    return within, Outcome("reached the goal at last", ever, weight, group, lead)
