"""
How the cost of features grows: the same facts in few long histories or many short ones, in small accounts or in one.

The alternative is the cost in the cheapest shape; a ratio of 0.5 means that the dearest shape costs twice as much.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.history.sorted_facts import SortedActivities
from features.live.live_features import compile_live
from features.live.live_sweep import Activity, Members
from features.reducers import Count, DaysSinceLast, DecayedCount
from tests.bench.features import END, KINDS, catalog, write_world

ACTIVITIES, SNAPSHOTS, RUNS = 1_000_000, 50_000, 3
_LONG_AGO = END - 400 * DAY_US


def of_accounts() -> Catalog:
    """Return features of the other leads of an account, of which there may be a hundred."""
    features = [Feature("mates_since", DaysSinceLast(None), None, "any", over="account")]
    for kind in KINDS:
        features += [Feature(f"mates_{kind}_{d}d", Count(kind, None, d), 0, kind, over="account") for d in (7, 30)]
        features.append(Feature(f"mates_{kind}_fading", DecayedCount(kind, 14), 0, kind, over="account"))
    return Catalog(tuple(features))


def sweep_by_history() -> dict[str, object]:
    """Spread a million activities and 50,000 snapshots over 50,000, 5,000, 500 and 100 leads."""
    seconds = {leads: _seconds(leads, accounts=leads, wanted=catalog()) for leads in (50_000, 5_000, 500, 100)}
    return _growth("sweep_by_history", "leads", seconds)


def sweep_by_account() -> dict[str, object]:
    """Put 10,000 leads with a million activities into accounts of 1, 100 and 10,000 leads; the last are none."""
    seconds = {10_000 // accounts: _seconds(10_000, accounts, of_accounts()) for accounts in (10_000, 100, 1)}
    return _growth("sweep_by_account", "leads an account", seconds)


def live_by_account_ms() -> dict[str, object]:
    """Describe one lead of an account of 100 others, which is the most that counts, against one that is alone."""
    wanted = replace(of_accounts(), features=(*catalog().features, *of_accounts().features))
    live, rng = compile_live(wanted), np.random.default_rng(1)
    facts = [_activities(rng, f"L{number}", 20) for number in range(101)]

    def ask(members: int) -> Callable[[], object]:
        account = Members(END, facts[:members], [(0, 0)])
        return lambda: live.account and live.account.of_colleagues([account], 1)

    ours, alone = (_median(ask(members), runs=300) * 1000 for members in (101, 1))
    return _row("live_by_account_ms", "ms a lead", ours, "a lead that is alone in its account", alone, alone / ours)


def _activities(rng: np.random.Generator, lead_id: str, count: int) -> list[Activity]:
    at = END - rng.integers(1, 180 * DAY_US, count)
    kinds = rng.integers(0, len(KINDS), count)
    return [
        Activity(lead_id, KINDS[kind], None, None, int(when), int(when) + 5)
        for kind, when in zip(kinds, at, strict=True)
    ]


def _seconds(leads: int, accounts: int, wanted: Catalog) -> float:
    """Return the median time for the features of a world of so many leads in so many accounts."""
    rng = np.random.default_rng(1)
    names = pa.array([f"lead-{number:06d}" for number in range(leads)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activities.parquet"
        write_world(Path(folder), activities=ACTIVITIES, leads=leads)
        lead = rng.integers(0, leads, SNAPSHOTS)
        asked = pd.DataFrame(
            {"lead_id": names.take(pa.array(lead)).to_pandas(), "as_of": END - rng.integers(0, 60 * DAY_US, SNAPSHOTS)}
        )
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"CREATE VIEW activities AS SELECT * FROM read_parquet('{path}')")
            versions = {"lead_id": names, "account_id": [f"account-{number % accounts}" for number in range(leads)]}
            versions |= {name: np.full(leads, _LONG_AGO) for name in ("created_at", "known_at")}
            connection.register("leads", pa.table(versions))
            tables = HistoryTables(connection, sorted_activities=SortedActivities(path))
            return _median(lambda: features_of(tables, asked, wanted), runs=RUNS)


def _median(work: Callable[[], object], *, runs: int) -> float:
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _growth(bench: str, what: str, seconds: dict[int, float]) -> dict[str, object]:
    dearest, cheapest = max(seconds.values()), min(seconds.values())
    told = ", ".join(f"{count:,}: {took:.2f} s" for count, took in seconds.items())
    return _row(bench, "s", dearest, f"the cheapest of {what} ({told})", cheapest, cheapest / dearest)


def _row(bench: str, unit: str, ours: float, against: str, theirs: float, ratio: float) -> dict[str, object]:
    return {"bench": bench, "unit": unit, "ours": ours, "against": against, "theirs": theirs, "ratio": ratio}
