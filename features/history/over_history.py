"""Features over history: a profile of the data, and the sweep over the warehouse."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.warehouse import Warehouse
from data.instants import DAY_US
from data.memory_share import memory_bytes
from data.words.playbook import Business
from features.catalog import Catalog
from features.derivation import DataProfile
from features.errors import CatalogError
from features.feature import Value
from features.history.changed_attributes import changes_over, leads_that_changed
from features.history.history_facts import HistoryPart, HistoryTables, account_parts, lead_parts, newest_versions
from features.reducers import AttributeValue, LeadAge
from features.sweep.kernel import sweep
from features.sweep.plan import SweepPlan, compile_plan
from features.sweep.version_sweep import compile_changes

THREADS = os.cpu_count() or 1
"""How many leads or accounts are swept at once, unless told otherwise."""
_COPIES = 16  # rows are copied a few times on their way, and DuckDB and the facts need room too
_FEWEST_ROWS = 10_000


def profile_data(warehouse: Warehouse, business: Business, *, known_before: int | None = None) -> DataProfile:
    """
    Profile the data: which kinds, subjects, values and attributes it shows, and for how many leads.

    Args:
        warehouse: the contract tables.
        business: its attributes.
        known_before: only what was known before this instant [us since 1970 UTC] is looked at; default: everything.
    """
    activities, leads = (_known(table, known_before) for table in (warehouse.activities, warehouse.leads))
    kinds = _leads_by(activities, "kind")
    subjects = _leads_by(activities.filter(activities.subject.notnull()), "kind", "subject")
    valued = activities.filter(activities.value.notnull()).select("kind").distinct().execute()
    known = (
        leads.aggregate(**{name: leads[name].count() for name in business.attributes}).execute()
        if business.attributes
        else None
    )
    attributes = [] if known is None else [name for name in business.attributes if known[name].iloc[0] > 0]
    return DataProfile(
        kinds=dict(zip(kinds["kind"], kinds["leads"], strict=True)),
        subjects=dict(zip(zip(subjects["kind"], subjects["subject"], strict=True), subjects["leads"], strict=True)),
        free_subjects=frozenset(subjects["kind"]),
        values=frozenset(valued["kind"]),
        attributes=frozenset(attributes),
        changes=leads_that_changed(HistoryTables.of(warehouse), attributes, known_before=known_before),
        peers=_has_peers(leads),
    )


def _known(table: ir.Table, before: int | None) -> ir.Table:
    return table if before is None else table.filter(table.known_at < before)


def _leads_by(activities: ir.Table, *columns: str) -> pd.DataFrame:
    counted = activities.group_by(list(columns)).aggregate(leads=activities.lead_id.nunique())
    frame: pd.DataFrame = counted.execute()
    return frame


def _has_peers(leads: ir.Table) -> bool:
    sizes = leads.filter(leads.account_id.notnull()).group_by("account_id").aggregate(size=leads.lead_id.nunique())
    return bool(sizes.filter(sizes["size"] > 1).count().execute() > 0)


def compute_features(warehouse: Warehouse, snapshots: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """
    Compute a catalog's features for snapshots of history.

    Args:
        warehouse: the contract tables.
        snapshots: (n, 2) ``lead_id``, ``as_of`` [us since 1970 UTC]; unique rows.
        catalog: k features.

    Returns:
        (n, 2 + k) in the order of ``snapshots``.

    Raises:
        CatalogError: a feature names an attribute that the leads lack.
    """
    return features_of(HistoryTables.of(warehouse), snapshots, catalog)


def features_in_parts(
    warehouse: Warehouse, snapshots: pd.DataFrame, catalog: Catalog, *, rows: int | None = None
) -> Iterator[pd.DataFrame]:
    """
    Yield a catalog's features for snapshots of history part by part, so that memory does not grow with the history.

    Args:
        warehouse: the contract tables.
        snapshots: (n, 2) ``lead_id``, ``as_of`` [us since 1970 UTC]; those of one lead lie together.
        catalog: k features.
        rows: snapshots of a part; default: as many as fit.

    Yields:
        (rows, k), one part behind the other in the order of ``snapshots``; at least one part.

    Raises:
        CatalogError: a feature names an attribute that the leads lack.
    """
    tables, at_once = HistoryTables.of(warehouse), rows or rows_at_once(len(catalog.features))
    for start in range(0, max(len(snapshots), 1), at_once):
        yield features_of(tables, snapshots.iloc[start : start + at_once], catalog)[catalog.names]


def rows_at_once(features: int) -> int:
    """Return how many rows of so many features may be held in memory at once, beside what they are computed from."""
    return max(_FEWEST_ROWS, memory_bytes() // (_COPIES * 8 * max(features, 1)))


def features_of(
    tables: HistoryTables, snapshots: pd.DataFrame, catalog: Catalog, *, threads: int | None = None
) -> pd.DataFrame:
    """
    Compute a catalog's features for snapshots of any tables of leads and activities.

    Args:
        tables: where they are.
        snapshots: (n, 2) ``lead_id``, ``as_of`` [us since 1970 UTC].
        catalog: k features.
        threads: how many leads or accounts are swept at once; default: `THREADS`.

    Returns:
        (n, 2 + k) in the order of ``snapshots``.

    Raises:
        CatalogError: a feature names an attribute that the leads lack.
    """
    require_attributes(catalog, tables.columns_of_leads())
    keys = snapshots[["lead_id", "as_of"]].reset_index(drop=True)
    versions = newest_versions(tables, keys, catalog.attribute_names)
    columns: dict[str, pd.Series[Any] | NDArray[np.float64]] = {}
    columns |= _of_the_lead(catalog, keys, versions)
    changes = compile_changes(catalog)
    columns |= changes_over(tables, changes, keys) if changes.names else {}
    for over in ("lead", "account"):
        plan = compile_plan(catalog, over)
        if plan.names:
            parts = (
                lead_parts(tables, plan, keys)
                if over == "lead"
                else account_parts(tables, plan, keys, versions["account_id"], most_colleagues=catalog.most_colleagues)
            )
            columns |= _columns(plan, _swept(plan, parts, len(keys), threads or THREADS))
    return pd.concat([keys, pd.DataFrame({name: columns[name] for name in catalog.names})], axis=1)


def require_attributes(catalog: Catalog, columns: Iterable[str]) -> None:
    """
    Check that leads have the attributes that a catalog uses.

    Raises:
        CatalogError: some are missing.
    """
    lacking = sorted(set(catalog.attribute_names) - set(columns))
    if lacking:
        message = f"the catalog uses the attributes {', '.join(lacking)}, which the leads do not have: import them."
        raise CatalogError(message)


def _of_the_lead(catalog: Catalog, keys: pd.DataFrame, versions: pd.DataFrame) -> dict[str, "pd.Series[Any]"]:
    """Return the features that are read from the newest version of each lead."""
    columns: dict[str, pd.Series[Any]] = {}
    for feature in catalog.features:
        match feature.reduce:
            case LeadAge():
                age = (keys["as_of"] - versions["created_at"]).astype("float64") / DAY_US
                columns[feature.name] = age if feature.missing is None else age.fillna(feature.missing)
            case AttributeValue(name=name):
                value = versions[name]
                if not feature.is_category:
                    value = value.astype("float64")
                    value = value if feature.missing is None else value.fillna(feature.missing)
                columns[feature.name] = value
            case _:
                continue
    return columns


def _swept(plan: SweepPlan, parts: Iterator[HistoryPart], rows: int, threads: int) -> NDArray[np.float64]:
    """Return the features of a plan: (k, rows)."""
    out = np.empty((len(plan.names), rows))
    untouched = np.ones(rows, dtype=bool)
    for part in parts:
        untouched[part.snapshots.row] = False
        sweep(plan.arrays, part.facts, part.snapshots, part.moves, out, threads=threads)
    out[:, untouched] = plan.arrays.missing[:, None]
    return out


def _columns(plan: SweepPlan, swept: NDArray[np.float64]) -> dict[str, "pd.Series[Any] | NDArray[np.float64]"]:
    """Return the features of a plan by name, with the texts of those that are categories."""
    columns: dict[str, pd.Series[Any] | NDArray[np.float64]] = dict(zip(plan.names, swept, strict=True))
    for name, texts in plan.texts.items():
        known = np.array([*texts, None], dtype=object)
        columns[name] = pd.Series(known[np.nan_to_num(columns[name], nan=len(texts)).astype(np.int64)], dtype="str")
    return columns


def known_values(frame: pd.DataFrame) -> list[tuple[Value, ...]]:
    """Return the feature values of each row of a frame, in the order of its columns; None where one is missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns]
    return list(zip(*columns, strict=True))
