"""
Features computed again from copies of the history that end at each snapshot.

Deleting everything that became known later, and computing again, is the plain way to find out whether a value knew the
future. Every snapshot gets its own copies of its lead and of all leads that shared an account with it by then, under
their own ids, so that one query serves all snapshots.
"""

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.warehouse import Warehouse
from features.catalog import Catalog
from features.feature import Feature
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.reducers import DecayedCount, Mean, Sum
from features.sweep.sweep_state import DECAY_DIGITS, VALUE_DIGITS

MOST_COPIED = 2_000_000
"""Rows of colleagues that are copied at most; beyond that, snapshots are rebuilt without their colleagues."""


_NOISE = 1e-12
"""By how much another order of addition may change a sum of floats, as a share of it."""


@dataclass(frozen=True, eq=False)
class RebuiltFeatures:
    """
    Features of n snapshots, computed from nothing but what was known by then.

    Attributes:
        features: (n, k) in the order of the snapshots, under the catalog's names.
        alone: (n,) whether the colleagues were too many to copy, so that features of the account are not rebuilt.
    """

    features: pd.DataFrame
    alone: NDArray[np.bool_]


def rebuild_features(
    warehouse: Warehouse, snapshots: pd.DataFrame, catalog: Catalog, *, most_copied: int = MOST_COPIED
) -> RebuiltFeatures:
    """
    Compute a catalog's features from copies of the history without anything that became known later.

    Args:
        warehouse: the contract tables.
        snapshots: (n, 2) ``lead_id``, ``as_of`` [us since 1970 UTC]; unique rows.
        catalog: k features.
        most_copied: rows of colleagues that are copied at most; the snapshots with the fewest come first.
    """
    numbered = snapshots[["lead_id", "as_of"]].assign(number=np.arange(len(snapshots)))
    leads, activities = warehouse.leads, warehouse.activities
    alone = np.ones(len(snapshots), dtype=bool)
    if catalog.needs_account:
        table = warehouse.snapshots_table(numbered, "to_rebuild")
        alone = _too_many(_accounts(table, leads), leads, activities, snapshots=len(snapshots), most=most_copied)
    table = warehouse.snapshots_table(numbered.assign(alone=alone), "to_rebuild")
    copies = _copies(table, leads, activities)
    for name, copy in copies.items():
        warehouse.connection.create_table(f"rebuild_{name}", obj=copy, temp=True, overwrite=True)
    own = numbered.assign(lead_id=numbered["number"].astype(str) + ":" + numbered["lead_id"])
    tables = HistoryTables(warehouse.connection.con, leads="rebuild_leads", activities="rebuild_activities")
    frame = features_of(tables, own, catalog)
    return RebuiltFeatures(frame[catalog.names].set_axis(snapshots.index, axis=0), alone)


def differs(feature: Feature, served: "pd.Series[Any]", rebuilt: "pd.Series[Any]") -> NDArray[np.bool_]:
    """
    Return where two columns of a feature differ.

    Rounded sums of floats may be one step of their rounding apart: a value on the edge of a step falls to either side.

    Args:
        feature: what both columns hold.
        served: (n,) values.
        rebuilt: (n,) values in the same order.
    """
    known, also = served.notna().to_numpy(), rebuilt.notna().to_numpy()
    if feature.is_category:
        apart = served.astype(str).to_numpy() != rebuilt.astype(str).to_numpy()
    else:
        left, right = (column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (served, rebuilt))
        step = _step(feature)
        apart = np.abs(left - right) > ((1.5 * step + _NOISE * np.abs(left)) if step else 0.0)
    return np.asarray((known != also) | (known & also & apart))


def _step(feature: Feature) -> float:
    """Return one step of a feature's rounding; 0 where it is exact."""
    match feature.reduce:
        case DecayedCount():
            return 10.0**-DECAY_DIGITS
        case Sum() | Mean():
            return 10.0**-VALUE_DIGITS
        case _:
            return 0.0


def _accounts(snapshots: ir.Table, leads: ir.Table) -> ir.Table:
    """Return the accounts that each snapshot's lead belonged to by then: ``number``, ``as_of``, ``account_id``."""
    known = [snapshots.lead_id == leads.lead_id, leads.known_at < snapshots.as_of, leads.account_id.notnull()]
    joined = snapshots.inner_join(leads, known)
    return joined.select(number=snapshots.number, as_of=snapshots.as_of, account_id=leads.account_id).distinct()


def _too_many(
    accounts: ir.Table, leads: ir.Table, activities: ir.Table, *, snapshots: int, most: int
) -> NDArray[np.bool_]:
    """Return for which snapshots the colleagues' rows exceed the limit."""
    joined = accounts.inner_join(_rows_by_account(accounts, leads, activities), "account_id")
    summed = joined.group_by("number").aggregate(rows=joined["rows"].sum())
    totals: pd.DataFrame = summed.to_pyarrow().to_pandas()
    cost = np.zeros(snapshots, dtype=np.int64)
    cost[totals["number"].to_numpy()] = totals["rows"].to_numpy()
    cheapest = np.argsort(cost, kind="stable")
    alone = np.empty(snapshots, dtype=bool)
    alone[cheapest] = np.cumsum(cost[cheapest]) > most
    return alone


def _rows_by_account(accounts: ir.Table, leads: ir.Table, activities: ir.Table) -> ir.Table:
    """Return how many versions and activities the leads of each account have in total, past and future."""
    members = leads.semi_join(accounts, "account_id").select("account_id", "lead_id").distinct()
    every = leads.select("lead_id").union(activities.select("lead_id")).semi_join(members, "lead_id")
    rows = every.group_by("lead_id").aggregate(rows=every.count())
    joined = members.inner_join(rows, "lead_id")
    return joined.group_by("account_id").aggregate(rows=joined["rows"].sum())


def _copies(snapshots: ir.Table, leads: ir.Table, activities: ir.Table) -> dict[str, ir.Table]:
    """Copy for each snapshot what was known by then of its lead and of its colleagues, under separate ids."""
    members = _members(snapshots, leads)
    known = members.inner_join(leads, [members.member == leads.lead_id, leads.known_at < members.as_of])
    done = members.inner_join(activities, [members.member == activities.lead_id, activities.known_at < members.as_of])
    return {
        "leads": known.select(
            lead_id=_own(members, leads.lead_id),
            account_id=_own(members, leads.account_id),
            **{name: leads[name] for name in leads.columns if name not in {"lead_id", "account_id"}},
        ),
        "activities": done.select(
            lead_id=_own(members, activities.lead_id),
            **{name: activities[name] for name in activities.columns if name != "lead_id"},
        ),
    }


def _members(snapshots: ir.Table, leads: ir.Table) -> ir.Table:
    """Return each snapshot's lead and all that ever shared an account with it by then: ``number``, ``member``."""
    accounts = _accounts(snapshots.filter(~snapshots.alone), leads)
    other = leads.view()
    shared = accounts.inner_join(other, [accounts.account_id == other.account_id, other.known_at < accounts.as_of])
    colleagues = shared.select(number=accounts.number, as_of=accounts.as_of, member=other.lead_id)
    own = snapshots.select(number=snapshots.number, as_of=snapshots.as_of, member=snapshots.lead_id)
    return own.union(colleagues).distinct()


def _own(snapshots: ir.Table, name: ir.Value) -> ir.Value:
    """Return an id that no other snapshot's copy has; null stays null."""
    return snapshots.number.cast("string") + ":" + name
