"""What leads did on their first day and after it, kind by kind, as tables with a row for each lead."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.importing.warehouse import Warehouse
from data.instants import DAY_US


@dataclass(frozen=True, eq=False)
class LeadActivities:
    """
    The activities of n leads until the end of a history.

    What a lead did on its first day may be known when it is created; what it did after that is not.

    Attributes:
        earlier: (n, k) how many of each kind a lead had until the end of its first day; of all kinds under ``any``.
        later: (n, k) the same after its first day.
        sums: (n, v) the sum of the values of its later activities, for each kind that carries values; 0 without one.
        newest: (n, v) the value of the last of them.
    """

    earlier: pd.DataFrame
    later: pd.DataFrame
    sums: pd.DataFrame
    newest: pd.DataFrame

    @classmethod
    def of(cls, warehouse: Warehouse, lead_ids: "pd.Series[str]") -> "LeadActivities":
        """
        Read them from a history.

        Args:
            warehouse: the history.
            lead_ids: (n) unique ids; each row of the tables belongs to one of them, in their order.
        """
        leads, activities = warehouse.leads, warehouse.activities
        created = leads.group_by("lead_id").agg(created_at=leads.created_at.min())
        known = activities.filter(activities.known_at <= warehouse.cutoff_us).inner_join(created, "lead_id")
        is_later = known.occurred_at > known.created_at + DAY_US
        later = known.filter(is_later)
        worth = later.filter(later.value.notnull())  # noqa: PD004 - a column of Ibis, which has no other name for it
        counted = [_by_kind(part, part.count(), lead_ids) for part in (known.filter(~is_later), later)]
        earlier, after = (table.assign(any=table.sum(axis=1)) for table in counted)
        sums = _by_kind(worth, worth.value.sum(), lead_ids)
        newest = worth.value.last(order_by=[worth.occurred_at, worth.activity_id])  # of one instant, always the same
        return cls(earlier, after, sums, _by_kind(worth, newest, lead_ids))


def _by_kind(part: Any, what: Any, lead_ids: "pd.Series[str]") -> pd.DataFrame:
    """Aggregate activities by lead and kind; 0 where a lead has none."""
    found = part.group_by(["lead_id", "kind"]).agg(n=what).execute()
    found = found[found["lead_id"].isin(lead_ids)]
    table = found.pivot_table(index="lead_id", columns="kind", values="n", fill_value=0, observed=True)
    counted: pd.DataFrame = table.reindex(lead_ids, fill_value=0)
    return counted
