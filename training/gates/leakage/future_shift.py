"""
Future shift: delete all that became known at a snapshot or after it, build again, and compare.

The snapshots are drawn at random, but not from all alike: a feature that a hundredth of all leads has would be checked
in two or three rows of 200. So some rows are those of successes, and of every feature some are rows that have it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.warehouse import Warehouse
from data.words.playbook import Business
from features.feature import Feature
from features.feature_labels import feature_label
from features.history.rebuild import RebuiltFeatures, differs, rebuild_features
from training.dataset.dataset import SEGMENT, Dataset, segment_features
from training.gates.gate import GateResult, named
from training.gates.leakage.feature_sources import remedy
from training.statistics.sampling import uniforms_by_time

NAME = "future shift"
DRAWN, SUCCESSES, OF_EACH = 300, 200, 10
"""Snapshots that are drawn from all, from those with success, and for each feature from those that have it."""


def future_shift(dataset: Dataset, warehouse: Warehouse, business: Business, *, seed: int) -> GateResult:
    """
    Rebuild some snapshots from what was known by then alone, and compare each feature with the training set's.

    Args:
        dataset: whose features are checked: the model's, those of the rules, and the segments.
        warehouse: the history they were built from.
        business: the playbook's words and segments.
        seed: of the draw of snapshots.
    """
    features = _features(dataset, business)
    rows = _drawn(dataset.rows, features, seed=seed)
    renamed = tuple(
        Feature(name, feature.reduce, feature.missing, feature.says, over=feature.over)
        for name, feature in features.items()
    )
    again = rebuild_features(warehouse, rows, replace(dataset.catalog, features=renamed))
    counts = {name: _count_changed(name, feature, rows=rows, again=again) for name, feature in features.items()}
    changed = {name: count for name, count in counts.items() if count > 0}
    alone = int(again.alone.sum()) if any(feature.over == "account" for feature in features.values()) else 0
    numbers = {
        "snapshots": len(rows),
        "features": len(features),
        "features_moved": len(changed),
        "without_colleagues": alone,
    }
    if changed:
        says = _describe(changed, features, rows=len(rows), business=business)
        return GateResult(name=NAME, passed=False, says=says, numbers=numbers)
    aside = f", though {alone:,} of them have too many colleagues to copy" if alone else ""
    says = (
        f"{len(features):,} features of {len(rows):,} snapshots were rebuilt without anything known later: "
        f"all the same{aside}."
    )
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers)


def _features(dataset: Dataset, business: Business) -> dict[str, Feature]:
    """Return the feature that each column holds, segments included."""
    return {**dataset.columns, **{SEGMENT + feature.name: feature for feature in segment_features(business)}}


def _drawn(rows: pd.DataFrame, features: Mapping[str, Feature], *, seed: int) -> pd.DataFrame:
    """Draw the snapshots; the same ones whatever the order of the rows."""
    drawn = uniforms_by_time(rows["lead_id"], rows["as_of"].to_numpy(), "future shift", seed=seed)
    order = np.argsort(drawn, kind="stable")
    taken = np.zeros(len(rows), dtype=bool)
    taken[order[:DRAWN]] = True
    taken[order[(rows["label"] > 0).to_numpy()[order]][:SUCCESSES]] = True
    for name, feature in features.items():
        taken[order[_has(rows[name], feature)[order]][:OF_EACH]] = True
    return rows[taken]


def _has(column: "pd.Series[float]", feature: Feature) -> NDArray[np.bool_]:
    """Return which rows have a feature."""
    known = column.notna().to_numpy()
    return known if feature.missing is None else known & (column != feature.missing).to_numpy()


def _count_changed(name: str, feature: Feature, *, rows: pd.DataFrame, again: RebuiltFeatures) -> int:
    """Count the snapshots in which a feature came out differently."""
    apart = differs(feature, rows[name], again.features[name])
    return int((apart & ~again.alone).sum() if feature.over == "account" else apart.sum())


def _describe(changed: Mapping[str, int], features: Mapping[str, Feature], *, rows: int, business: Business) -> str:
    names = sorted(changed, key=lambda name: -changed[name])
    first = names[0]
    others = f"; so did {named(names[1:])}" if names[1:] else ""
    return (
        f"{first} ({feature_label(features[first], business)}) came out differently in {changed[first]:,} of {rows:,} "
        f"snapshots when all that became known later was deleted{others}: build the training set again, and if it "
        f"stays so, {remedy(features[name] for name in names)}."
    )
