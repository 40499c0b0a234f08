"""Assembly: a training set built from history once, kept on disk, and reused while nothing has changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.importing.history_period import HistoryPeriod, days_in_mass
from data.importing.warehouse import Warehouse, import_history
from data.instants import DAY_US, iso
from data.progress import Progress, silent
from data.table_caches import TRAINING_SETS
from data.words.playbook import Business, Playbook
from data.workspace import Workspace
from features.catalog import Catalog
from features.derivation import derive_catalog
from features.feature import Feature
from features.history.over_history import compute_features, profile_data
from models.scorecard import Scorecard, compile_scorecard
from training.dataset.dataset import RECENT_DAYS, RULES, SEED, SEGMENT, Dataset, segment_features
from training.dataset.groups import group_leads, largest_group
from training.dataset.labels import Labels, goal_times_and_amounts, horizon_us, label_snapshots
from training.dataset.maturity import estimate_maturity
from training.dataset.snapshots import closed_at, take_snapshots
from training.dataset.split import Plan, Split, plan_blocks, split
from training.dataset.storage import FORMAT, load_dataset, save_dataset


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """What every verb starts from: the history, its training set, and the folder that holds the training set."""

    warehouse: Warehouse
    dataset: Dataset
    place: Path


def load_training_inputs(workspace: Workspace, *, progress: Progress, seed: int) -> TrainingInputs:
    """
    Import a playbook's history and build its training set, or reuse both where nothing has changed.

    Raises:
        DataError: the history cannot be read.
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    warehouse = import_history(workspace, progress=progress)
    dataset, place = build_dataset(warehouse, workspace, progress=progress, seed=seed)
    return TrainingInputs(warehouse, dataset, place)


def build_dataset(
    warehouse: Warehouse, workspace: Workspace, *, progress: Progress = silent, seed: int = SEED
) -> tuple[Dataset, Path]:
    """
    Build the training set, or reuse it where neither history nor playbook has changed.

    Args:
        warehouse: the history.
        workspace: the playbook, and where tables and models are kept.
        progress: called with the step and how much of it is done.
        seed: of every random draw.

    Returns:
        The training set, and the folder that holds it.

    Raises:
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    business = workspace.playbook.business
    key = _key(warehouse, workspace.playbook, seed)
    place = workspace.home.tables(business.name) / TRAINING_SETS / key[:16]
    scorecard = compile_scorecard(workspace.playbook.scorecard, business)
    company = workspace.playbook.company
    if (stored := load_dataset(place)) is not None and stored.is_of(company):
        return Dataset(stored.rows, stored.catalog, scorecard, stored.manifest), place
    dataset = assemble(warehouse, business, scorecard=scorecard, progress=progress, seed=seed)
    dataset = replace(dataset, manifest={**dataset.manifest, "key": key, "company": company.as_json()})
    save_dataset(place, dataset.rows, catalog=dataset.catalog, manifest=dataset.manifest)
    return dataset, place


def assemble(
    warehouse: Warehouse, business: Business, *, scorecard: Scorecard, progress: Progress = silent, seed: int = SEED
) -> Dataset:
    """Build the training set in memory."""
    progress("taking snapshots", 0, 3)
    history = {name: warehouse.frame(name) for name in ("leads", "activities", "outcomes")}
    period = usable_period(history, business)
    leads, outcomes = history["leads"], history["outcomes"]
    progress("taking snapshots", 1, 3)
    rows = take_snapshots(leads, history["activities"], outcomes=outcomes, business=business, period=period, seed=seed)
    labels = label_snapshots(rows, outcomes, business=business, period=period)
    groups = group_leads(leads)
    rows = _with_outcomes(rows, outcomes, labels=labels, groups=groups, business=business)
    progress("taking snapshots", 2, 3)
    rows, plan, parts = _divided(rows, labels, business=business, seed=seed)
    progress("taking snapshots", 3, 3)
    manifest = {
        **_manifest(rows, labels, plan=plan, parts=parts, business=business, period=period),
        "largest_group": asdict(largest_group(rows, leads)),
        "horizon": estimate_maturity(
            leads, outcomes, groups=groups, business=business, period=period, lag_us=labels.lag_us
        ).model_dump(mode="json"),
    }
    # A young row, whose outcome is not known yet, is kept only where grades and threshold are cut from it.
    needed = rows[labels.mature | (rows["as_of"] > manifest["recent_from_us"])].reset_index(drop=True)
    catalog = derive_catalog(business, profile_data(warehouse, business, known_before=plan.train.end))
    beside = {RULES: scorecard.catalog.features, SEGMENT: segment_features(business)}
    full = _with_features(warehouse, needed, catalog=catalog, beside=beside, progress=progress)
    return Dataset(full, catalog, scorecard, {**manifest, **_hashes(full, catalog)})


def usable_period(history: Mapping[str, pd.DataFrame], business: Business) -> HistoryPeriod:
    """
    Return the period in which the facts that may be used lie in mass; others neither lengthen nor shorten it.

    Args:
        history: the three tables.
        business: which kinds of activities may not be used.
    """
    activities = history["activities"]
    usable = activities[~activities["kind"].isin(business.never_use)]
    known = np.concatenate([table["known_at"] for table in (history["leads"], usable, history["outcomes"])])
    day = known // DAY_US
    facts = np.bincount(day - day.min())
    inside = days_in_mass(np.flatnonzero(facts) + day.min(), facts[facts > 0])
    known = known[(day >= inside.first) & (day <= inside.last)]
    return HistoryPeriod(int(known.min()), int(known.max()))


def _with_outcomes(
    rows: pd.DataFrame, outcomes: pd.DataFrame, *, labels: Labels, groups: "pd.Series[str]", business: Business
) -> pd.DataFrame:
    """Add each row's group, label, and what became of its lead."""
    goal_at, amount = goal_times_and_amounts(rows["lead_id"], outcomes, business=business)
    closed = closed_at(rows["lead_id"], outcomes, business=business)
    return rows.assign(
        group=groups.reindex(rows["lead_id"]).to_numpy(),
        label=labels.reached,
        goal_at=goal_at,
        amount=amount,
        closed_at=np.where(closed == np.iinfo(np.int64).max, np.nan, closed.astype(np.float64)),
    )


def _divided(rows: pd.DataFrame, labels: Labels, *, business: Business, seed: int) -> tuple[pd.DataFrame, Plan, Split]:
    """Add block and weight; a row whose outcome is not known yet has the block ``young``."""
    mature = labels.mature
    as_of = rows["as_of"].to_numpy()[mature]
    first, last = (int(as_of.min()), int(as_of.max())) if len(as_of) else (0, -1)
    plan = plan_blocks(first, last, horizon=horizon_us(business))
    parts = split(as_of, rows["group"][mature], plan, seed=seed)
    block, weight = np.full(len(rows), "young", dtype=object), np.ones(len(rows))
    block[mature], weight[mature] = parts.block, parts.weight
    return rows.assign(block=block, weight=weight), plan, parts


def _with_features(
    warehouse: Warehouse,
    rows: pd.DataFrame,
    *,
    catalog: Catalog,
    beside: Mapping[str, tuple[Feature, ...]],
    progress: Progress,
) -> pd.DataFrame:
    """
    Compute the catalog's features and those beside it, under their prefixes, in one pass over the history.

    The progress of one query is not known, so the bar only moves; four queries for the same took half as long again.
    """
    progress("computing features", 0, 0)
    prefixed = tuple(
        replace(feature, name=prefix + feature.name) for prefix, features in beside.items() for feature in features
    )
    both = replace(catalog, features=catalog.features + prefixed)
    values = compute_features(warehouse, rows, both).drop(columns=["lead_id", "as_of"])
    progress("computing features", len(rows), len(rows))
    return pd.concat([rows, values], axis=1)


def _manifest(
    rows: pd.DataFrame, labels: Labels, *, plan: Plan, parts: Split, business: Business, period: HistoryPeriod
) -> dict[str, Any]:
    """Describe what the training set holds and where it comes from."""
    mature = labels.mature
    in_training = mature & plan.train.holds(rows["as_of"].to_numpy())
    return {
        "format": FORMAT,
        "playbook": business.name,
        "goal": business.goal.model_dump(mode="json"),
        "begin_at": iso(period.begin_us),
        "cutoff_at": iso(period.end_us),
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
        "recent_from_us": period.end_us - RECENT_DAYS * DAY_US,
        "cutoff_us": period.end_us,
    }


def _hashes(rows: pd.DataFrame, catalog: Catalog) -> dict[str, Any]:
    """Hash the rows column by column, in their order."""
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
    business = playbook.business.model_dump(
        mode="json", exclude={"sources", "folder", "capacity_per_day", "company", "formerly"}
    )
    rules = playbook.scorecard.model_dump(mode="json", by_alias=True)
    content = json.dumps([FORMAT, warehouse.fingerprint, business, rules, seed], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
