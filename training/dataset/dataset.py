"""
The training set: every row with its block, label, weight and features, built once and kept.

One table serves all that follows: fitting reads ``train`` and ``stop``, calibration reads ``calibrate``, judging reads
``test``, and grades and threshold read the rows of the last weeks, whose outcome nobody needs to know.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.instants import DAY_US, iso
from data.playbook import Business, Playbook
from data.progress import Progress, silent
from data.warehouse import Warehouse
from data.workspace import Workspace
from features.catalog import Catalog
from features.derivation import attribute_feature, derive_catalog
from features.feature import Feature
from features.over_history import compute_features, profile_data
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.groups import LargestGroup, group_leads, largest_group
from training.dataset.labels import Labels, horizon_us, label, worth
from training.dataset.maturity import maturity
from training.dataset.snapshots import closed_at, take_snapshots
from training.dataset.split import Plan, Split, plan_blocks, split
from training.dataset.storage import FORMAT, load_kept, store

SEED = 20_260_101
RECENT_DAYS = 90
RULES, SEGMENT = "rules.", "segment."


@dataclass(frozen=True, eq=False)
class Dataset:
    """
    A training set.

    Attributes:
        rows: one per snapshot: ``lead_id``, ``as_of``, ``group``, ``block``, ``weight``, ``label`` (NaN where it is
            too early to say), ``goal_at`` (when the lead reached the goal [us since 1970 UTC], NaN where it never did),
            ``amount`` (what that was worth, NaN where nobody wrote it), ``closed_at`` (when it was no longer open, by
            the goal or otherwise, NaN where it still is), the catalog's features, the scorecard's under
            ``rules.``, and the playbook's segments under ``segment.``.
        catalog: the features derived for the model.
        scorecard: the playbook's point rules, not calibrated.
        manifest: counts, maturity, plan and hashes; JSON.
    """

    rows: pd.DataFrame
    catalog: Catalog
    scorecard: Scorecard
    manifest: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Give the hash of the rows: equal rows, equal hash, wherever they were built."""
        return str(self.manifest["rows_sha256"])

    @property
    def base_rate(self) -> float:
        """Give the share that reached the goal, over all mature rows of the training period."""
        return float(self.manifest["base_rate"])

    @property
    def largest_group(self) -> LargestGroup:
        """Give the group with the most rows."""
        return LargestGroup(**self.manifest["largest_group"])

    @property
    def horizon_us(self) -> int:
        """Give the goal's horizon in microseconds."""
        return round(float(self.manifest["goal"]["horizon_days"]) * DAY_US)

    @property
    def plan(self) -> Plan:
        """Give the period of each block."""
        return Plan.from_json(self.manifest["plan"])

    @property
    def knows_amounts(self) -> bool:
        """Say whether any lead that reached the goal has an amount."""
        return bool(self.rows["amount"].notna().any())

    def block(self, *names: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Give the rows of one or more blocks; of a few columns where no more are asked for, which copies less."""
        rows = self.rows if columns is None else self.rows[list(columns)]
        return rows[self.rows["block"].isin(names)]

    @cached_property
    def recent(self) -> pd.DataFrame:
        """Give all rows of the last 90 days, whatever their block."""
        as_of, said = self.rows["as_of"], self.manifest
        return self.rows[(as_of > int(said["recent_from_us"])) & (as_of <= int(said["cutoff_us"]))]

    @property
    def columns(self) -> dict[str, Feature]:
        """Give the feature that each column of features holds: the model's, then those of the rules."""
        own = {feature.name: feature for feature in self.catalog.features}
        return own | {RULES + feature.name: feature for feature in self.scorecard.catalog.features}

    def rules_frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Give the scorecard's features of rows under the names the scorecard knows."""
        return rows_of_rules(rows, self.scorecard.catalog)


def rows_of_rules(rows: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Give a scorecard's features of rows under the names the scorecard knows."""
    return rows[[RULES + name for name in catalog.names]].rename(columns=lambda name: name.removeprefix(RULES))


def build(
    warehouse: Warehouse, workspace: Workspace, *, progress: Progress = silent, seed: int = SEED
) -> tuple[Dataset, Path]:
    """
    Build the training set, or reuse it where neither history nor playbook has changed.

    Args:
        warehouse: the history.
        workspace: the playbook, and where tables and models are kept.
        progress: hears how far it has come.
        seed: of every draw.

    Returns:
        The training set, and the folder that holds it.

    Raises:
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    key = _key(warehouse, workspace.playbook, seed)
    place = workspace.home.tables(workspace.playbook.business.name) / "training" / key[:16]
    scorecard = compile_scorecard(workspace.playbook.scorecard, workspace.playbook.business)
    kept = load_kept(place)
    if kept is not None:
        rows, catalog, manifest = kept
        return Dataset(rows, catalog, scorecard, manifest), place
    dataset = assemble(warehouse, workspace.playbook.business, scorecard=scorecard, progress=progress, seed=seed)
    dataset = replace(dataset, manifest={**dataset.manifest, "key": key})
    store(place, dataset.rows, catalog=dataset.catalog, manifest=dataset.manifest)
    return dataset, place


def assemble(
    warehouse: Warehouse, business: Business, *, scorecard: Scorecard, progress: Progress = silent, seed: int = SEED
) -> Dataset:
    """Build the training set in memory."""
    progress("taking snapshots", 0, 3)
    history = {name: warehouse.frame(name) for name in ("leads", "activities", "outcomes")}
    cutoff_us = cutoff(history, business)
    leads, outcomes = history["leads"], history["outcomes"]
    progress("taking snapshots", 1, 3)
    rows = take_snapshots(
        leads, history["activities"], outcomes=outcomes, business=business, cutoff_us=cutoff_us, seed=seed
    )
    labels = label(rows, outcomes, business=business, cutoff_us=cutoff_us)
    groups = group_leads(leads)
    rows["group"] = groups.reindex(rows["lead_id"]).to_numpy()
    rows["label"] = labels.reached
    rows["goal_at"], rows["amount"] = worth(rows["lead_id"], outcomes, business=business)
    closed = closed_at(rows["lead_id"], outcomes, business=business)
    rows["closed_at"] = np.where(closed == np.iinfo(np.int64).max, np.nan, closed.astype(np.float64))
    progress("taking snapshots", 2, 3)
    plan, parts = _placed(rows, labels, business=business, seed=seed)
    progress("taking snapshots", 3, 3)
    manifest = {
        **_manifest(rows, labels, plan=plan, parts=parts, business=business, cutoff_us=cutoff_us),
        "largest_group": asdict(largest_group(rows, leads)),
        "horizon": maturity(
            leads, outcomes, groups=groups, business=business, cutoff_us=cutoff_us, lag_us=labels.lag_us
        ).as_json(),
    }
    needed = rows[labels.mature | (rows["as_of"] > manifest["recent_from_us"])].reset_index(drop=True)
    catalog = derive_catalog(business, profile_data(warehouse, business, known_before=plan.train.end))
    beside = {RULES: scorecard.catalog.features, SEGMENT: segment_features(business)}
    full = _described(warehouse, needed, catalog=catalog, beside=beside, progress=progress)
    return Dataset(full, catalog, scorecard, {**manifest, **_hashes(full, catalog)})


def cutoff(history: Mapping[str, pd.DataFrame], business: Business) -> int:
    """Give the last instant at which anything that may be used became known [us since 1970 UTC]."""
    activities = history["activities"]
    usable = activities[~activities["kind"].isin(business.never_use)]
    known = [table["known_at"].max() for table in (history["leads"], usable, history["outcomes"]) if len(table)]
    return int(max(known))


def _placed(rows: pd.DataFrame, labels: Labels, *, business: Business, seed: int) -> tuple[Plan, Split]:
    """Write block and weight into the rows; a young row, whose outcome is not known yet, has the block ``young``."""
    mature = labels.mature
    as_of = rows["as_of"].to_numpy()[mature]
    first, last = (int(as_of.min()), int(as_of.max())) if len(as_of) else (0, -1)
    plan = plan_blocks(first, last, horizon=horizon_us(business))
    parts = split(as_of, rows["group"][mature], plan, seed=seed)
    block, weight = np.full(len(rows), "young", dtype=object), np.ones(len(rows))
    block[mature], weight[mature] = parts.block, parts.weight
    rows["block"], rows["weight"] = block, weight
    return plan, parts


def segment_features(business: Business) -> tuple[Feature, ...]:
    """Give the attributes by which the playbook wants numbers told apart, as features."""
    return tuple(attribute_feature(name, business.attributes[name]) for name in business.segments)


def _described(
    warehouse: Warehouse,
    rows: pd.DataFrame,
    *,
    catalog: Catalog,
    beside: Mapping[str, tuple[Feature, ...]],
    progress: Progress,
) -> pd.DataFrame:
    """
    Compute the catalog's features and those beside it, under their prefixes, in one pass over the history.

    How far a query has come nobody knows, so the bar only moves; the same in four parts took half as long again.
    """
    progress("computing features", 0, 0)
    renamed = tuple(
        replace(feature, name=prefix + feature.name) for prefix, features in beside.items() for feature in features
    )
    every = Catalog(catalog.features + renamed, catalog.never_use)
    found = compute_features(warehouse, rows, every).drop(columns=["lead_id", "as_of"])
    progress("computing features", len(rows), len(rows))
    return pd.concat([rows, found], axis=1)


def _manifest(
    rows: pd.DataFrame, labels: Labels, *, plan: Plan, parts: Split, business: Business, cutoff_us: int
) -> dict[str, Any]:
    """Say what the training set holds and where it comes from."""
    mature = labels.mature
    in_training = mature & plan.train.holds(rows["as_of"].to_numpy())
    return {
        "format": FORMAT,
        "playbook": business.name,
        "goal": business.goal.model_dump(mode="json"),
        "cutoff_at": iso(cutoff_us),
        "mature_until": iso(labels.mature_until),
        "outcome_lag_days": labels.lag_us / DAY_US,
        "plan": plan.as_json(),
        "snapshots": len(rows),
        "mature": int(mature.sum()),
        "young": int((~mature).sum()),
        "blocks": parts.counts,
        "positives": {name: int(rows["label"][rows["block"] == name].sum()) for name in parts.counts},
        "leads": int(rows["lead_id"].nunique()),
        "groups": int(rows["group"].nunique()),
        "base_rate": float(rows["label"][in_training].mean()),
        "mature_span_us": [int(rows["as_of"][mature].min()), int(rows["as_of"][mature].max())],
        "recent_from_us": cutoff_us - RECENT_DAYS * DAY_US,
        "cutoff_us": cutoff_us,
    }


def _hashes(rows: pd.DataFrame, catalog: Catalog) -> dict[str, Any]:
    """Hash the rows column by column, in the order they stand."""
    digest = hashlib.sha256()
    for name in rows.columns:
        digest.update(name.encode())
        digest.update(pd.util.hash_pandas_object(rows[name], index=False).to_numpy().tobytes())
    return {
        "rows": len(rows),
        "features": len(catalog.features),
        "catalog_fingerprint": catalog.fingerprint,
        "rows_sha256": digest.hexdigest(),
    }


def _key(warehouse: Warehouse, playbook: Playbook, seed: int) -> str:
    """Hash all that decides what the training set holds."""
    business = playbook.business.model_dump(mode="json", exclude={"sources", "folder", "capacity_per_day"})
    rules = playbook.scorecard.model_dump(mode="json", by_alias=True)
    said = json.dumps([FORMAT, warehouse.fingerprint, business, rules, seed], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
