"""
Future shift: delete all that became known at a snapshot or after it, build again, and compare.

Which snapshots are looked at is drawn, but not blindly: a feature of which a hundredth of all leads has anything would
be looked at in two or three rows of 200. So some rows are those of successes, and of every feature some are rows that
have something of it.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.playbook import Business
from data.warehouse import Warehouse
from features.captions import caption
from features.catalog import Catalog
from features.feature import Feature
from features.rebuild import RebuiltFeatures, differs, rebuild_features
from training.dataset.dataset import SEGMENT, Dataset, segment_features
from training.gates.gate import GateResult, named
from training.gates.leakage.feature_sources import remedy
from training.statistics.sampling import uniforms_by_time

NAME = "future shift"
DRAWN, SUCCESSES, OF_EACH = 300, 200, 10
"""Snapshots that are drawn from all, from those with success, and for each feature from those that have any of it."""


def future_shift(dataset: Dataset, warehouse: Warehouse, business: Business, *, seed: int) -> GateResult:
    """
    Rebuild some snapshots from what was known by then alone, and compare each feature with the training set's.

    Args:
        dataset: whose features are looked at: the model's, those of the rules, and the segments.
        warehouse: the history they were built from.
        business: words and segments.
        seed: of the draw of snapshots.
    """
    features = _features(dataset, business)
    rows = _drawn(dataset.rows, features, seed=seed)
    renamed = tuple(Feature(name, one.reduce, one.missing, one.says, over=one.over) for name, one in features.items())
    again = rebuild_features(warehouse, rows, Catalog(renamed, dataset.catalog.never_use))
    moved = {name: count for name, one in features.items() if (count := _moved(name, one, rows=rows, again=again)) > 0}
    alone = int(again.alone.sum()) if any(one.over == "account" for one in features.values()) else 0
    numbers = {
        "snapshots": len(rows),
        "features": len(features),
        "features_moved": len(moved),
        "without_colleagues": alone,
    }
    if moved:
        says = _found(moved, features, rows=len(rows), business=business)
        return GateResult(NAME, passed=False, says=says, numbers=numbers)
    aside = f", though in {alone:,} of them the colleagues are too many to copy" if alone else ""
    says = (
        f"{len(features):,} features of {len(rows):,} snapshots were rebuilt without anything known later: "
        f"all the same{aside}."
    )
    return GateResult(NAME, passed=True, says=says, numbers=numbers)


def _features(dataset: Dataset, business: Business) -> dict[str, Feature]:
    """Give the feature that each column holds."""
    return {**dataset.columns, **{SEGMENT + one.name: one for one in segment_features(business)}}


def _drawn(rows: pd.DataFrame, features: Mapping[str, Feature], *, seed: int) -> pd.DataFrame:
    """Draw the snapshots; the same rows whatever order they stand in."""
    drawn = uniforms_by_time(rows["lead_id"], rows["as_of"].to_numpy(), "future shift", seed=seed)
    order = np.argsort(drawn, kind="stable")
    taken = np.zeros(len(rows), dtype=bool)
    taken[order[:DRAWN]] = True
    taken[order[(rows["label"] > 0).to_numpy()[order]][:SUCCESSES]] = True
    for name, feature in features.items():
        taken[order[_has(rows[name], feature)[order]][:OF_EACH]] = True
    return rows[taken]


def _has(column: "pd.Series[float]", feature: Feature) -> NDArray[np.bool_]:
    """Say which rows have anything of a feature."""
    known = column.notna().to_numpy()
    return known if feature.missing is None else known & (column != feature.missing).to_numpy()


def _moved(name: str, feature: Feature, *, rows: pd.DataFrame, again: RebuiltFeatures) -> int:
    """Count the snapshots in which a feature came out otherwise."""
    apart = differs(feature, rows[name], again.features[name])
    return int((apart & ~again.alone).sum() if feature.over == "account" else apart.sum())


def _found(moved: Mapping[str, int], features: Mapping[str, Feature], *, rows: int, business: Business) -> str:
    names = sorted(moved, key=lambda name: -moved[name])
    first = names[0]
    others = f"; so did {named(names[1:])}" if names[1:] else ""
    return (
        f"{first} ({caption(features[first], business)}) came out otherwise in {moved[first]:,} of {rows:,} snapshots "
        f"when all that became known later was deleted{others}: build the training set again, and if it stays so, "
        f"{remedy(features[name] for name in names)}."
    )
