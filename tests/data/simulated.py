"""A simulation's files as tables, read the way the demo playbook says."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pandas as pd

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
SMALL = 700


def _web(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def _mail(path: Path) -> pd.DataFrame:
    return pd.read_json(path, lines=True, dtype=False)


def _sales(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


ACTIVITY_FILES = {"web.csv.gz": _web, "email.jsonl": _mail, "sales.csv": _sales}
_NAMES = {
    "web.csv.gz": ["activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject", "value"],
    "email.jsonl": ["activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject"],
    "sales.csv": ["activity_id", "lead_id", "kind", "occurred_at", "known_at", "value"],
}


@cache
def activities(folder: Path) -> pd.DataFrame:
    """Read every activity row, copies included, with instants in UTC."""
    tables = [read(folder / name).set_axis(_NAMES[name], axis=1) for name, read in ACTIVITY_FILES.items()]
    for column in ("occurred_at", "known_at"):
        for table in tables[:2]:
            table[column] = pd.to_datetime(table[column], utc=True, format="ISO8601")
        local = pd.to_datetime(tables[2][column], format="ISO8601")
        tables[2][column] = local.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC")
    return pd.concat(tables, ignore_index=True)


@cache
def outcomes(folder: Path) -> pd.DataFrame:
    """Read every outcome."""
    return pd.read_csv(folder / "outcomes.csv", parse_dates=["reached_at", "known_at"])


@cache
def lead_versions(folder: Path) -> pd.DataFrame:
    """Read every version of every lead."""
    return pd.read_parquet(folder / "leads.parquet")


@cache
def chances(folder: Path) -> pd.DataFrame:
    """Read the true chances, each with type, fit and whether the goal was truly reached within 30 days."""
    truth = pd.read_parquet(folder / "truth" / "chances.parquet")
    leads = pd.read_parquet(folder / "truth" / "leads.parquet")
    table = truth.merge(leads, on="lead_id")
    horizon = table.as_of + pd.Timedelta(days=30)
    table["mature"] = horizon <= UNTIL
    table["reached"] = (table.goal_reached_at >= table.as_of) & (table.goal_reached_at < horizon)
    return table
