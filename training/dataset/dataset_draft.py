"""A training set before its features: its rows with blocks and labels, its catalog, and the features part by part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from data.importing.history_period import HistoryPeriod, days_in_mass
from data.importing.warehouse import Warehouse
from data.instants import DAY_US, iso
from data.lifecycle.open_times import NEVER, OpenTimes
from data.progress import Progress, silent
from data.words.playbook import Business
from features.age_and_silence import BESIDE
from features.catalog import Catalog
from features.derivation import derive_catalog
from features.feature import Feature
from features.history.over_history import features_in_parts, profile_data
from models.scorecard import Scorecard
from training.dataset.dataset import LISTED, RECENT, RECENT_DAYS, RULES, SEED, SEGMENT, segment_features
from training.dataset.groups import group_leads, largest_group
from training.dataset.labels import Labels, goal_times_and_amounts, horizon_us, label_snapshots
from training.dataset.listings import list_weeks, take_news
from training.dataset.maturity import estimate_maturity
from training.dataset.moments import Moments
from training.dataset.snapshots import take_snapshots
from training.dataset.split import BLOCKS, PURGED, Plan, Span, plan_blocks
from training.dataset.storage import FORMAT

_READ: Mapping[str, Sequence[str] | None] = {
    "leads": ("lead_id", "account_id", "known_at"),
    "activities": ("lead_id", "kind", "known_at"),
    "outcomes": None,
}
"""The columns that are read of each table; None is all."""


@dataclass(frozen=True, eq=False)
class DatasetDraft:
    """
    A training set without its features.

    Attributes:
        rows: one per snapshot or listing, sorted by lead and instant, with everything but features.
        catalog: the features derived for the model.
        columns: those, age and silence, and the ones that stand beside them under a prefix.
        manifest: counts, maturity and plan; JSON.
    """

    rows: pd.DataFrame
    catalog: Catalog
    columns: Catalog
    manifest: dict[str, Any]

    def parts(
        self, warehouse: Warehouse, *, progress: Progress = silent, at_once: int | None = None
    ) -> Iterator[pd.DataFrame]:
        """
        Yield the rows with their features, part by part.

        Args:
            warehouse: the history.
            progress: called with how many rows are done.
            at_once: rows of a part; default: as many as fit into memory.
        """
        progress("computing features", 0, len(self.rows))
        done = 0
        for values in features_in_parts(warehouse, self.rows, self.columns, rows=at_once):
            own = self.rows.iloc[done : done + len(values)].reset_index(drop=True)
            done += len(values)
            yield pd.concat([own, values], axis=1)
            progress("computing features", done, len(self.rows))


def draft_dataset(
    warehouse: Warehouse, business: Business, *, scorecard: Scorecard, progress: Progress = silent, seed: int = SEED
) -> DatasetDraft:
    """
    Take the snapshots of a history, label and divide them, and derive the catalog.

    Raises:
        TrainingError: the history is too short, or the goal is never seen in it.
    """
    progress("taking snapshots", 0, 3)
    history = {name: warehouse.frame(name, columns) for name, columns in _READ.items()}
    period = usable_period(history, business)
    leads, outcomes = history["leads"], history["outcomes"]
    progress("taking snapshots", 1, 3)
    times = OpenTimes.of(_reopening(warehouse, business), outcomes, business.lifecycle)
    moments = Moments.of(leads, history.pop("activities"), times=times, business=business)
    drawn = take_snapshots(moments, period=period, seed=seed)
    labels = label_snapshots(drawn, outcomes, business=business, period=period)
    progress("taking snapshots", 2, 3)
    mature = drawn[labels.mature]
    plan = plan_blocks(mature["as_of"].to_numpy(), labels.reached[labels.mature], horizon=horizon_us(business))
    rows = _together(mature, _listings(moments, plan, period, business=business, seed=seed), plan=plan)
    progress("taking snapshots", 3, 3)
    groups = group_leads(leads)
    rows = _with_outcomes(rows, outcomes, times=times, groups=groups, business=business, period=period)
    manifest = {
        **_manifest(rows, labels, plan=plan, business=business, period=period),
        "largest_group": asdict(largest_group(rows, leads)),
        "horizon": estimate_maturity(
            leads, outcomes, groups=groups, business=business, period=period, lag_us=labels.lag_us
        ).model_dump(mode="json"),
    }
    catalog = derive_catalog(business, profile_data(warehouse, business, known_before=plan.train.end))
    beside = {"": BESIDE, RULES: scorecard.catalog.features, SEGMENT: segment_features(business)}
    manifest |= {"features": len(catalog.features), "catalog_fingerprint": catalog.fingerprint}
    return DatasetDraft(rows, catalog, _with_columns(catalog, beside), manifest)


def _listings(
    moments: Moments, plan: Plan, period: HistoryPeriod, *, business: Business, seed: int
) -> Mapping[str, pd.DataFrame]:
    """Return the listings of the test weeks, and the news of the last weeks, whose outcome need not be known."""
    last_weeks = Span(max(period.end_us - RECENT_DAYS * DAY_US, period.begin_us), period.end_us)
    return {
        LISTED: list_weeks(moments, plan.test, zone=business.timezone, seed=seed),
        RECENT: take_news(moments, last_weeks, seed=seed),
    }


def _together(drawn: pd.DataFrame, listings: Mapping[str, pd.DataFrame], *, plan: Plan) -> pd.DataFrame:
    """Put rows of all blocks into one table, sorted by lead and instant."""
    blocks = [drawn.assign(block=plan.blocks(drawn["as_of"].to_numpy()), whole_list=False)]
    blocks += [rows.assign(block=name) for name, rows in listings.items()]
    blocks = [rows.drop(columns=["arrived_at", "moment_at"]) for rows in blocks]  # features say how long that was ago
    return pd.concat(blocks).sort_values(["lead_id", "as_of"], kind="stable", ignore_index=True)


def _reopening(warehouse: Warehouse, business: Business) -> pd.DataFrame:
    """Return the activities that may open closed leads again."""
    activities = warehouse.activities
    opening = activities.filter(activities.kind.isin(sorted(business.reopening_kinds)))
    frame: pd.DataFrame = opening.select("lead_id", "kind", "occurred_at", "known_at").execute()
    return frame


def _with_columns(catalog: Catalog, beside: Mapping[str, tuple[Feature, ...]]) -> Catalog:
    """Return a catalog with the features that stand beside it, under their prefixes: all come from one pass."""
    prefixed = tuple(
        replace(feature, name=prefix + feature.name) for prefix, features in beside.items() for feature in features
    )
    return replace(catalog, features=catalog.features + prefixed)


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
    rows: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    times: OpenTimes,
    groups: "pd.Series[str]",
    business: Business,
    period: HistoryPeriod,
) -> pd.DataFrame:
    """Add each row's group, label, and what became of its lead."""
    goal_at, amount = goal_times_and_amounts(rows["lead_id"], outcomes, business=business)
    closed_at = times.closing_after(rows["lead_id"], rows["as_of"].to_numpy())
    return rows.assign(
        group=groups.reindex(rows["lead_id"]).to_numpy(),
        label=label_snapshots(rows, outcomes, business=business, period=period).reached,
        goal_at=goal_at,
        amount=amount,
        closed_at=np.where(closed_at == NEVER, np.nan, closed_at.astype(np.float64)),
    )


def _manifest(
    rows: pd.DataFrame, labels: Labels, *, plan: Plan, business: Business, period: HistoryPeriod
) -> dict[str, Any]:
    """Describe what the training set holds and where it comes from."""
    snapshots = rows[rows["block"].isin((*BLOCKS, PURGED))]
    return {
        "format": FORMAT,
        "playbook": business.name,
        "goal": business.goal.model_dump(mode="json"),
        "begin_at": iso(period.begin_us),
        "cutoff_at": iso(period.end_us),
        "mature_until": iso(labels.mature_until),
        "outcome_lag_days": labels.lag_us / DAY_US,
        "plan": plan.as_json(),
        "snapshots": len(labels.reached),
        "mature": len(snapshots),
        "young": len(labels.reached) - len(snapshots),
        "listings": len(rows) - len(snapshots),
        **block_counts(snapshots),
        "leads": int(snapshots["lead_id"].nunique()),
        "groups": int(snapshots["group"].nunique()),
        "base_rate": training_rate(snapshots),
        "cutoff_us": period.end_us,
    }


def block_counts(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the rows of each block, and those of them that reached the goal."""
    of_block = {name: rows.loc[rows["block"] == name, "label"] for name in (*BLOCKS, PURGED)}
    return {
        "blocks": {name: len(label) for name, label in of_block.items()},
        "positives": {name: int(label.sum()) for name, label in of_block.items()},
    }


def training_rate(rows: pd.DataFrame) -> float:
    """Return the weighted share of the train rows that reached the goal; NaN where there are none."""
    train = rows[rows["block"] == "train"]
    return float(np.average(train["label"], weights=train["weight"])) if len(train) else float("nan")
