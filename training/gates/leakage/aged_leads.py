"""Leads as they stand at the export, to find attributes that hold today's values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from data.importing.warehouse import Warehouse
from data.instants import DAY_US
from data.lifecycle.closed_leads import closed_leads
from data.words.playbook import Business
from training.dataset.groups import group_leads
from training.fitting.row_weights import sample_groups
from training.gates.leakage.association import Flags
from training.gates.leakage.lead_activities import LeadActivities
from training.gates.leakage.outcome_arrays import Codes, Floats, Outcome

_REACHED = "reached the goal"
MOST_LEADS = 100_000
"""More leads than these tell nothing more, and ranking them takes seconds."""


@dataclass(frozen=True, eq=False)
class AgedLeads:
    """
    Leads of the history's period at its end.

    Attributes:
        rows: (n) ``lead_id``, ``created_at``, ``group``, and the attributes as of each lead's first version.
        activities: of each lead, on its first day and after it.
        versioned: the share of leads with a later version, or one that was not known within a day of the creation.
        business: the goal, and the playbook's words.
        end_us: the end of the period [us since 1970 UTC].
        reached: (n,) whether the goal was reached by then.
        closed: (n,) whether the lead was closed then, by the goal or otherwise.
        over_at_once: (n,) whether a stage that closes it was reached on the lead's first day.
    """

    rows: pd.DataFrame
    activities: LeadActivities
    versioned: float
    business: Business
    end_us: int
    reached: Flags
    closed: Flags
    over_at_once: Flags

    @classmethod
    def of(cls, warehouse: Warehouse, business: Business, *, seed: int) -> "AgedLeads":
        """
        Read them from a history.

        Args:
            warehouse: the history.
            business: its goal and the stages that close a lead.
            seed: of the draw of accounts where there are more than 100,000 leads.
        """
        versions = warehouse.frame("leads")
        is_later = versions.duplicated("lead_id") | (versions["known_at"] - versions["created_at"] > DAY_US)
        versioned = versions.loc[is_later, "lead_id"].nunique() / versions["lead_id"].nunique()
        rows = versions.drop_duplicates("lead_id")
        rows = rows[rows["created_at"].between(warehouse.begin_us - DAY_US, warehouse.cutoff_us)]
        rows = rows.assign(group=group_leads(versions).reindex(rows["lead_id"]).to_numpy())
        rows = sample_groups(rows, MOST_LEADS, purpose="values of today", seed=seed).reset_index(drop=True)
        return cls(
            rows,
            LeadActivities.of(warehouse, rows["lead_id"]),
            versioned,
            business,
            warehouse.cutoff_us,
            _reached(warehouse, rows["lead_id"], business.goal.stage),
            _closed(warehouse, rows["lead_id"], business),
            _over_at_once(warehouse, rows, business),
        )

    @cached_property
    def age_days(self) -> Floats:
        """How old each lead is at the end of the period, (n,)."""
        return ((self.end_us - self.rows["created_at"]) / DAY_US).to_numpy(dtype=np.float64)

    @property
    def later(self) -> pd.DataFrame:
        """How many activities of each kind a lead had after its first day, of all kinds under ``any``; (n, k)."""
        return self.activities.later

    @cached_property
    def told_at_creation(self) -> Flags:
        """Whether each lead's first version was known within a day of its creation, (n,)."""
        return np.asarray(self.rows["known_at"] - self.rows["created_at"] <= DAY_US)

    @cached_property
    def group(self) -> Codes:
        """The account of each lead by number, (n,)."""
        return pd.factorize(self.rows["group"])[0].astype(np.int64)

    def outcome_of_goal(self, rows: Flags) -> Outcome | None:
        """Return which of some leads reached the goal; None where too few did, or too few did not."""
        return next((found for found in self.outcomes(rows) if found.says == _REACHED), None)

    def outcomes(self, rows: Flags) -> list[Outcome]:
        """Return what became of some of the leads: the goal, and any other end."""
        group = pd.factorize(self.group[rows])[0].astype(np.int64)
        ends = {_REACHED: self.reached, "were closed without it": self.closed & ~self.reached}
        each, lead = np.ones(rows.sum()), np.arange(rows.sum())
        found = [Outcome(says, success[rows].astype(np.float64), each, group, lead) for says, success in ends.items()]
        return [outcome for outcome in found if len(group) and outcome.enough()]


def _reached(warehouse: Warehouse, lead_ids: "pd.Series[str]", stage: str) -> Flags:
    outcomes = warehouse.outcomes
    known = outcomes.filter(outcomes.stage == stage, outcomes.known_at <= warehouse.cutoff_us)
    return np.asarray(lead_ids.isin(known.lead_id.as_table().execute()["lead_id"]))


def _closed(warehouse: Warehouse, lead_ids: "pd.Series[str]", business: Business) -> Flags:
    end = warehouse.cutoff_us + 1
    closed = closed_leads(warehouse.activities, warehouse.outcomes, lifecycle=business.lifecycle, as_of=end)
    return np.asarray(lead_ids.isin(closed.execute()["lead_id"]))


def _over_at_once(warehouse: Warehouse, rows: pd.DataFrame, business: Business) -> Flags:
    outcomes = warehouse.outcomes
    closing = outcomes.filter(outcomes.stage.isin(sorted(business.closing_stages)))
    first = closing.group_by("lead_id").agg(at=closing.reached_at.min()).execute().set_index("lead_id")["at"]
    return np.asarray(rows["lead_id"].map(first) - rows["created_at"] <= DAY_US)
