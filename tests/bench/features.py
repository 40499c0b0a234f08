"""
Features over history and live, against pandas and hand-written SQL of the same features.

5 M activities of 250,000 leads in six kinds, one snapshot a lead, 56 features: for each kind seven counts in
windows, the days since the last one and a decayed count; days since the first and the last of any kind.
"""

import json
import math
import multiprocessing
import resource
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.history.sorted_facts import SortedActivities
from features.live.live_features import compile_live
from features.reducers import Count, DaysSinceFirst, DaysSinceLast, DecayedCount
from serving.scorers.live_facts import read_facts

KINDS = ("page_view", "email_open", "email_click", "webinar", "call", "demo_request")
WINDOWS = (1, 3, 7, 14, 30, 60, 90)
HALF_LIFE = 14
ACTIVITIES, LEADS = 5_000_000, 250_000
END = 20_000 * DAY_US
RUNS = 3


def catalog() -> Catalog:
    """Give the 56 features."""
    features = []
    for kind in KINDS:
        features += [Feature(f"{kind}_{days}d", Count(kind, None, days), 0, kind) for days in WINDOWS]
        features.append(Feature(f"{kind}_since", DaysSinceLast(kind), None, kind))
        features.append(Feature(f"{kind}_fading", DecayedCount(kind, HALF_LIFE), 0, kind))
    features.append(Feature("any_since", DaysSinceLast(None), None, "any"))
    features.append(Feature("any_first", DaysSinceFirst(None), None, "any"))
    return Catalog(tuple(features))


def write_world(folder: Path, *, activities: int = ACTIVITIES, leads: int = LEADS) -> None:
    """Write activities sorted by lead and time, as the warehouse keeps them, and one snapshot a lead."""
    rng = np.random.default_rng(1)
    lead = np.sort(rng.integers(0, leads, activities))
    occurred = END - rng.integers(0, 180 * DAY_US, activities)
    order = np.lexsort((occurred, lead))
    names = pa.array([f"lead-{number:06d}" for number in range(leads)])
    table = {
        "lead_id": names.take(pa.array(lead[order])),
        "kind": pa.array(KINDS).take(pa.array(rng.integers(0, len(KINDS), activities))),
        "occurred_at": pa.array(occurred[order]),
        "known_at": pa.array(occurred[order] + rng.integers(0, DAY_US, activities)),
        "subject": pa.nulls(activities, pa.string()),
        "value": pa.nulls(activities, pa.float64()),
    }
    pq.write_table(pa.table(table), folder / "activities.parquet")
    as_of = END - rng.integers(0, 60 * DAY_US, leads)
    pq.write_table(pa.table({"lead_id": names, "as_of": pa.array(as_of)}), folder / "snapshots.parquet")


def with_sweep(folder: Path) -> pd.DataFrame:
    """Compute the features with one sweep."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE VIEW activities AS SELECT * FROM '{folder}/activities.parquet'")
        connection.execute(
            "CREATE TABLE leads (lead_id VARCHAR, account_id VARCHAR, created_at BIGINT, known_at BIGINT)"
        )
        tables = HistoryTables(connection, sorted_activities=SortedActivities(folder / "activities.parquet"))
        return features_of(tables, pd.read_parquet(folder / "snapshots.parquet"), catalog())


def with_sql(folder: Path) -> pd.DataFrame:
    """Compute them with SQL as a good hand writes it for DuckDB."""
    parts = []
    for kind in KINDS:
        mine = f"kind = '{kind}'"
        parts += [f"count(*) FILTER ({mine} AND age <= {days * DAY_US})::DOUBLE AS {kind}_{days}d" for days in WINDOWS]
        parts.append(f"(as_of - max(occurred_at) FILTER ({mine})) / {DAY_US}.0 AS {kind}_since")
        weight = f"exp(age * {-math.log(2) / (HALF_LIFE * DAY_US)!r})"
        parts.append(f"coalesce(sum({weight}) FILTER ({mine}), 0) AS {kind}_fading")
    parts.append(f"(as_of - max(occurred_at)) / {DAY_US}.0 AS any_since")
    parts.append(f"(as_of - min(occurred_at)) / {DAY_US}.0 AS any_first")
    pairs = (
        "SELECT s.lead_id, s.as_of, a.kind, a.occurred_at, s.as_of - a.occurred_at AS age "
        f"FROM '{folder}/snapshots.parquet' s LEFT JOIN '{folder}/activities.parquet' a "
        "ON a.lead_id = s.lead_id AND a.known_at < s.as_of"
    )
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        return connection.sql(f"SELECT lead_id, as_of, {', '.join(parts)} FROM ({pairs}) GROUP BY lead_id, as_of").df()


def with_pandas(folder: Path) -> pd.DataFrame:
    """Compute them as someone who knows pandas well would: one join, then one grouped pass a window."""
    snapshots = pd.read_parquet(folder / "snapshots.parquet")
    activities = pd.read_parquet(folder / "activities.parquet", columns=["lead_id", "kind", "occurred_at", "known_at"])
    activities["kind"] = activities["kind"].astype("category")
    pairs = activities.merge(snapshots.assign(row=np.arange(len(snapshots))), on="lead_id")
    pairs = pairs[pairs["known_at"] < pairs["as_of"]]
    pairs["age"] = pairs["as_of"] - pairs["occurred_at"]
    pairs["weight"] = np.exp(pairs["age"] * (-np.log(2) / (HALF_LIFE * DAY_US)))
    keys, columns = ["row", "kind"], {}
    for days in WINDOWS:
        counts = pairs[pairs["age"] <= days * DAY_US].groupby(keys, observed=False, sort=False).size().unstack()  # noqa: PD010 - faster
        columns |= {f"{kind}_{days}d": counts[kind] for kind in KINDS}
    by_kind = pairs.groupby(keys, observed=True, sort=False).agg(age=("age", "min"), weight=("weight", "sum")).unstack()  # noqa: PD010
    for kind in KINDS:
        columns[f"{kind}_since"] = by_kind["age"][kind] / DAY_US
        columns[f"{kind}_fading"] = by_kind["weight"][kind]
    ages = pairs.groupby("row")["age"].agg(["min", "max"])
    columns |= {"any_since": ages["min"] / DAY_US, "any_first": ages["max"] / DAY_US}
    frame = pd.DataFrame(columns).reindex(np.arange(len(snapshots)))
    filled = [name for name in frame.columns if not name.endswith(("_since", "_first"))]
    frame[filled] = frame[filled].fillna(0)
    return pd.concat([snapshots, frame], axis=1)


def _measured(way: str, folder: str) -> tuple[float, float, dict[str, float]]:
    """
    Run one way and give its seconds, the peak memory of its process [GB] and the sum of each feature.

    A tiny world goes first, so that what libraries load when they are first used counts for none of the ways.
    """
    ways = {"sweep": with_sweep, "sql": with_sql, "pandas": with_pandas}
    ways[way](Path(folder) / "tiny")
    started = time.perf_counter()
    frame = ways[way](Path(folder))
    took = time.perf_counter() - started
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    frame = frame.sort_values("lead_id")
    total = {name: float(frame[name].sum()) for name in catalog().names}
    return took, peak_gb, total


def _race(other: str) -> tuple[float, float, float]:
    """Give the median seconds of the sweep and of another way, in turn, and the sweep's peak memory [GB]."""
    spawn = multiprocessing.get_context("spawn")
    seconds: dict[str, list[float]] = {"sweep": [], other: []}
    peak, totals = 0.0, {}
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder))
        (Path(folder) / "tiny").mkdir()
        write_world(Path(folder) / "tiny", activities=5_000, leads=250)
        for way in ["sweep", other] * RUNS:
            with ProcessPoolExecutor(1, mp_context=spawn) as alone:
                took, peak_gb, totals[way] = alone.submit(_measured, way, folder).result()
            seconds[way].append(took)
            peak = max(peak, peak_gb) if way == "sweep" else peak
    for name, total in totals["sweep"].items():
        np.testing.assert_allclose(totals[other][name], total, rtol=1e-9, err_msg=name)
    return statistics.median(seconds["sweep"]), statistics.median(seconds[other]), peak


def _throughput(bench: str, other: str, against: str) -> dict[str, object]:
    ours, theirs, peak_gb = _race(other)
    return {
        "bench": bench,
        "unit": "M activities/s",
        "ours": ACTIVITIES / ours / 1e6,
        "against": f"{against}; our peak {peak_gb:.1f} GB",
        "theirs": ACTIVITIES / theirs / 1e6,
        "ratio": theirs / ours,
    }


def features_vs_pandas() -> dict[str, object]:
    """Race the sweep against pandas."""
    return _throughput("features_vs_pandas", "pandas", "pandas, one join and one grouped pass a window")


def features_vs_sql() -> dict[str, object]:
    """Race the sweep against SQL written by hand."""
    return _throughput("features_vs_sql", "sql", "DuckDB SQL written by hand")


def live_features_ms() -> dict[str, object]:
    """Time one lead with 20 activities on SQLite, against the sweep over DuckDB."""
    rng, rows, kinds = np.random.default_rng(1), 20, len(KINDS)
    facts = [
        (f"lead-{lead}", KINDS[rng.integers(kinds)], None, None, int(at), int(at) + 5)
        for lead in range(5_000)
        for at in END - rng.integers(1, 180 * DAY_US, rows)
    ]
    ours, theirs = _one_lead_on_sqlite(facts), _one_lead_on_duckdb(facts)
    return {
        "bench": "live_features_ms",
        "unit": "ms a lead",
        "ours": ours,
        "against": "the same features of one lead by the sweep over DuckDB",
        "theirs": theirs,
        "ratio": theirs / ours,
    }


def _one_lead_on_sqlite(facts: list[tuple[object, ...]]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = sqlite3.connect(Path(folder) / "store.db")
        store.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE lead_versions (lead_id TEXT, account_id TEXT, created_at INTEGER, known_at INTEGER,"
            " attributes TEXT, PRIMARY KEY (lead_id, known_at)) WITHOUT ROWID;"
            "CREATE TABLE activities (lead_id TEXT, kind TEXT, subject TEXT, value REAL, occurred_at INTEGER,"
            " known_at INTEGER);"
            "CREATE TABLE merges (lead_id TEXT, merged_at INTEGER, into_lead_id TEXT);"
            "CREATE TABLE outcomes (lead_id TEXT, stage TEXT, reached_at INTEGER, known_at INTEGER);"
        )
        versions = [(lead_id, None, 0, 1, "{}") for lead_id in dict.fromkeys(fact[0] for fact in facts)]
        store.executemany("INSERT INTO lead_versions VALUES (?, ?, ?, ?, ?)", versions)
        store.executemany("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?)", facts)
        store.execute("CREATE INDEX by_lead ON activities (lead_id, known_at)")
        store.commit()
        wanted = catalog()
        features = compile_live(wanted)

        def ask(lead: str) -> list[object]:
            facts = read_facts(store, "sqlite", [(lead, END)], wanted)
            return list(features.values(facts.leads))

        took = _median_ms(ask, runs=2_000)
        store.close()
        return took


def _one_lead_on_duckdb(facts: list[tuple[object, ...]]) -> float:
    columns = ("lead_id", "kind", "subject", "value", "occurred_at", "known_at")
    frame = pd.DataFrame(facts, columns=list(columns)).astype({"subject": "string", "value": "float64"})
    with duckdb.connect() as connection:
        connection.register("given", frame)
        connection.execute("CREATE TABLE activities AS SELECT * FROM given ORDER BY lead_id, occurred_at")
        connection.execute(
            "CREATE TABLE leads (lead_id VARCHAR, account_id VARCHAR, created_at BIGINT, known_at BIGINT)"
        )
        tables, wanted = HistoryTables(connection), catalog()
        return _median_ms(lambda lead: features_of(tables, _one(lead), wanted), runs=50)


def _one(lead: str) -> pd.DataFrame:
    return pd.DataFrame({"lead_id": [lead], "as_of": [END]})


def _median_ms(ask, *, runs: int) -> float:
    seconds = []
    for run in range(runs):
        started = time.perf_counter()
        answer = ask(f"lead-{run * 7 % 5_000}")
        seconds.append(time.perf_counter() - started)
        assert len(answer) == 1, json.dumps(answer)
    return statistics.median(seconds) * 1000
