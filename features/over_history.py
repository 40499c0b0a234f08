"""Features over history: a profile of the data, and the engine's expression run on the warehouse."""

import ibis.expr.types as ir
import pandas as pd

from data.playbook import Business
from data.warehouse import Warehouse
from features.catalog import Catalog
from features.derivation import DataProfile
from features.engine import describe
from features.feature import Value


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
    """
    table = warehouse.snapshots_table(snapshots[["lead_id", "as_of"]])
    expression = describe(table, warehouse.leads, warehouse.activities, catalog)
    frame: pd.DataFrame = expression.to_pyarrow().to_pandas()  # Arrow is several times faster than rows
    return snapshots[["lead_id", "as_of"]].merge(frame, on=["lead_id", "as_of"], how="left", validate="one_to_one")


def known_values(frame: pd.DataFrame) -> list[tuple[Value, ...]]:
    """Return the feature values of each row of a frame, in the order of its columns; None where one is missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns]
    return list(zip(*columns, strict=True))
