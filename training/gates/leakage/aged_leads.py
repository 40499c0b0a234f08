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
from training.gates.leakage.outcome_arrays import Codes, Floats, Outcome

MOST_LEADS = 100_000
"""More leads than these tell nothing more, and ranking them takes seconds."""


@dataclass(frozen=True, eq=False)
class AgedLeads:
    """
    Leads of the history's period at its end.

    Attributes:
        rows: (n) ``lead_id``, ``created_at``, ``group``, and the attributes as of each lead's first version.
        later: (n, k) how many activities of each kind a lead had after its first day; of all kinds under ``any``.
        versioned: the share of leads with a later version, or one that was not known within a day of the creation.
        business: the goal, and the playbook's words.
        end_us: the end of the period [us since 1970 UTC].
        reached: (n,) whether the goal was reached by then.
        closed: (n,) whether the lead was closed then, by the goal or otherwise.
    """

    rows: pd.DataFrame
    later: pd.DataFrame
    versioned: float
    business: Business
    end_us: int
    reached: Flags
    closed: Flags

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
            _later_activities(warehouse, rows["lead_id"]),
            versioned,
            business,
            warehouse.cutoff_us,
            _reached(warehouse, rows["lead_id"], business.goal.stage),
            _closed(warehouse, rows["lead_id"], business),
        )

    @cached_property
    def age_days(self) -> Floats:
        """How old each lead is at the end of the period, (n,)."""
        return ((self.end_us - self.rows["created_at"]) / DAY_US).to_numpy(dtype=np.float64)

    @cached_property
    def group(self) -> Codes:
        """The account of each lead by number, (n,)."""
        return pd.factorize(self.rows["group"])[0].astype(np.int64)

    def outcomes(self, rows: Flags) -> list[Outcome]:
        """Return what became of some of the leads: the goal, and any other end."""
        group = pd.factorize(self.group[rows])[0].astype(np.int64)
        ends = {"reached the goal": self.reached, "were closed without it": self.closed & ~self.reached}
        each, lead = np.ones(rows.sum()), np.arange(rows.sum())
        found = [Outcome(says, success[rows].astype(np.float64), each, group, lead) for says, success in ends.items()]
        return [outcome for outcome in found if len(group) and outcome.enough()]


def _later_activities(warehouse: Warehouse, lead_ids: "pd.Series[str]") -> pd.DataFrame:
    """Count each lead's activities after its first day; what it did on that day may be known at its creation."""
    leads, activities = warehouse.leads, warehouse.activities
    created = leads.group_by("lead_id").agg(created_at=leads.created_at.min())
    joined = activities.inner_join(created, "lead_id")
    later = joined.filter(joined.occurred_at > joined.created_at + DAY_US, joined.known_at <= warehouse.cutoff_us)
    counts = later.group_by(["lead_id", "kind"]).agg(n=later.count()).execute()
    table = counts.pivot_table(index="lead_id", columns="kind", values="n", fill_value=0, observed=True)
    counted: pd.DataFrame = table.reindex(lead_ids, fill_value=0)
    return counted.assign(any=counted.sum(axis=1))


def _reached(warehouse: Warehouse, lead_ids: "pd.Series[str]", stage: str) -> Flags:
    outcomes = warehouse.outcomes
    known = outcomes.filter(outcomes.stage == stage, outcomes.known_at <= warehouse.cutoff_us)
    return np.asarray(lead_ids.isin(known.lead_id.as_table().execute()["lead_id"]))


def _closed(warehouse: Warehouse, lead_ids: "pd.Series[str]", business: Business) -> Flags:
    end = warehouse.cutoff_us + 1
    closed = closed_leads(warehouse.activities, warehouse.outcomes, lifecycle=business.lifecycle, as_of=end)
    return np.asarray(lead_ids.isin(closed.execute()["lead_id"]))
