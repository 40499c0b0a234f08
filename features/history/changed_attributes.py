# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""How attributes of leads changed, over the versions that a history holds of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from data.contract import AttributeType
from data.sql import quoted
from features.history.history_facts import HistoryTables, SortedSnapshots, id_range
from features.sweep.version_sweep import ChangePlan, VersionColumns, sweep_versions


def changes_over(tables: HistoryTables, plan: ChangePlan, snapshots: pd.DataFrame) -> dict[str, "pd.Series[Any]"]:
    """
    Compute how the attributes of leads changed, each as of its own instant.

    Args:
        tables: the history.
        plan: what to compute.
        snapshots: (n, 2) ``lead_id``, ``as_of``.

    Returns:
        Feature → (n,) in the order of the snapshots.
    """
    entity, leads = pd.factorize(snapshots["lead_id"], sort=True)
    versions, texts = _versions(tables, plan, leads)
    of_snapshots = SortedSnapshots.of(entity, snapshots["as_of"].to_numpy(), np.arange(len(snapshots)), None)
    out = np.empty((len(plan.names), len(snapshots)))
    sweep_versions(plan, versions, of_snapshots.part(0, len(leads)), out)
    columns = {name: pd.Series(row) for name, row in zip(plan.names, out, strict=True)}
    for name, at in plan.texts.items():
        known = np.array([*texts[at], None], dtype=object)
        columns[name] = pd.Series(known[columns[name].fillna(len(texts[at])).to_numpy(np.int64)], dtype="str")
    return columns


def leads_that_changed(
    tables: HistoryTables, attributes: Sequence[str], *, known_before: int | None = None
) -> dict[str, int]:
    """
    Count for each attribute the leads in which it changed.

    Args:
        tables: the history.
        attributes: which.
        known_before: only what was known before this instant [us since 1970 UTC] is looked at; default: everything.
    """
    if not attributes:
        return {}
    known = "TRUE" if known_before is None else f"known_at < {known_before:d}"
    differs = (f"{quoted(name)} IS DISTINCT FROM lag({quoted(name)}) OVER by_lead" for name in attributes)
    columns = ", ".join(f"{each} AS changed_{number}" for number, each in enumerate(differs))
    counts = ", ".join(
        f"count(DISTINCT lead_id) FILTER (changed_{number})::BIGINT" for number in range(len(attributes))
    )
    (row,) = tables.connection.sql(
        f"SELECT {counts} FROM (SELECT lead_id, {columns} FROM {tables.leads} WHERE {known}"
        " WINDOW by_lead AS (PARTITION BY lead_id ORDER BY known_at) QUALIFY row_number() OVER by_lead > 1)"
    ).fetchall()
    return dict(zip(attributes, row, strict=True))


def _versions(tables: HistoryTables, plan: ChangePlan, leads: pd.Index) -> tuple[VersionColumns, list[list[str]]]:
    """Return the versions of leads, and of each attribute the texts that its numbers stand for."""
    columns = ", ".join(f"l.{quoted(name)}" for name in plan.attributes)
    rows = tables.frame(
        f"SELECT w.entity, l.known_at, {columns} FROM {tables.leads} AS l JOIN wanted AS w USING (lead_id)"
        f" WHERE {id_range('l.lead_id', leads)} ORDER BY w.entity, l.known_at",
        wanted=pd.DataFrame({"lead_id": leads, "entity": np.arange(len(leads))}),
    )
    values, texts = np.empty((len(plan.attributes), len(rows))), []
    for own, (name, type_) in zip(values, plan.attributes.items(), strict=True):
        known: list[str] = []
        if type_ is AttributeType.CATEGORY:
            numbers, distinct = pd.factorize(rows[name])
            own[:], known = np.where(numbers < 0, np.nan, numbers), [str(text) for text in distinct]
        else:
            own[:] = rows[name].to_numpy(np.float64, na_value=np.nan)
        texts.append(known)
    start = np.searchsorted(rows["entity"].to_numpy(), np.arange(len(leads) + 1)).astype(np.int64)
    return VersionColumns(start, rows["known_at"].to_numpy(np.int64), values), texts
