"""Tiny worlds for the engine: tables as lists of rows, put into a real DuckDB, SQLite and PostgreSQL."""

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import pandas as pd
import psycopg
import pyarrow as pa
from hypothesis import strategies as st

from data.contract import AttributeType
from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.history.history_facts import HistoryTables
from features.history.over_history import features_of
from features.live.live_features import compile_live
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    Mean,
    Sum,
    Trend,
    WeekdayOfLast,
)
from serving.scorers.live_facts import read_facts

NOON = 20_000 * DAY_US + DAY_US // 2
KINDS = ("page_view", "call")
SUBJECTS = (None, "pricing", "docs")

_REDUCERS = {
    "calls_7d": (Count("call", days=7), 0.0),
    "pricing_7d": (Count("page_view", subject="pricing", days=7), 0.0),
    "any_ever": (Count(None), 0.0),
    "days_since_call": (DaysSinceLast("call"), None),
    "days_since_first": (DaysSinceFirst(None), None),
    "fading": (DecayedCount("page_view", half_life_days=7), 0.0),
    "subjects_30d": (Distinct("page_view", days=30), 0.0),
    "minutes_30d": (Sum("call", days=30), 0.0),
    "minutes": (Mean("call"), None),
    "trend": (Trend(None, days=7, long_days=30), None),
    "hour": (HourOfLast(None), None),
    "weekday": (WeekdayOfLast(None), None),
}
CATALOG = Catalog(
    (
        *(Feature(name, reduce, missing, name) for name, (reduce, missing) in _REDUCERS.items()),
        Feature("age", LeadAge(), None, "age"),
        Feature("industry", AttributeValue("industry", AttributeType.CATEGORY), None, "in {value}"),
        Feature("employees", AttributeValue("employees", AttributeType.NUMERIC), None, "{value} employees"),
        Feature("business", AttributeValue("business", AttributeType.BOOLEAN), None, "business"),
        Feature("mates_calls_7d", Count("call", days=7), 0.0, "calls of colleagues", over="account"),
        Feature("mates_last", DaysSinceLast(None), None, "colleagues were active", over="account"),
        Feature("mates_fading", DecayedCount(None, half_life_days=7), 0.0, "fading", over="account"),
    ),
    never_use=("forbidden",),
)


@dataclass(frozen=True)
class Activity:
    """One row of the activity table; instants in microseconds."""

    lead_id: str
    kind: str
    occurred_at: int
    known_at: int
    subject: str | None = None
    value: float | None = None


@dataclass(frozen=True)
class Version:
    """One version of a lead."""

    lead_id: str
    known_at: int
    account_id: str | None = None
    created_at: int = 0
    industry: str | None = None
    employees: float | None = None
    business: bool | None = None


@dataclass(frozen=True)
class World:
    """Leads and what they did."""

    versions: list[Version] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)

    def __add__(self, other):
        return World(self.versions + other.versions, self.activities + other.activities)


def instants(low=NOON - 60 * DAY_US, high=NOON + 10 * DAY_US):
    """Draw instants; some exactly at the edges where windows open and close."""
    edges = [NOON, NOON - 1, NOON + 1, NOON - 7 * DAY_US, NOON - 7 * DAY_US - 1, NOON - 30 * DAY_US]
    return st.one_of(st.sampled_from([edge for edge in edges if low <= edge <= high]), st.integers(low, high))


@st.composite
def worlds(draw, known_from=None, known_before=None):
    """Draw a world of three leads in two accounts; what becomes known may be bounded."""
    low = NOON - 60 * DAY_US if known_from is None else known_from
    high = NOON + 10 * DAY_US if known_before is None else known_before - 1
    leads, accounts = st.sampled_from(["ann", "bob", "cy"]), st.sampled_from([None, "acme", "zen"])

    def activity():
        lag = st.integers(0, 3 * DAY_US)
        value = st.one_of(st.none(), st.integers(-100_000, 100_000).map(lambda cents: cents / 100))
        made = st.tuples(leads, st.sampled_from([*KINDS, "forbidden"]), instants(low, high), lag)
        return st.builds(
            lambda key, subject, value: Activity(key[0], key[1], key[2] - key[3], key[2], subject, value),
            made,
            st.sampled_from(SUBJECTS),
            value,
        )

    def version():
        numbers = st.one_of(st.none(), st.floats(0, 1e5))
        industry, business = st.sampled_from([None, "software", "it's"]), st.sampled_from([None, True, False])
        created = st.integers(0, 30 * DAY_US).map(lambda ago: low - ago)
        return st.builds(Version, leads, instants(low, high), accounts, created, industry, numbers, business)

    versions = draw(st.lists(version(), max_size=6, unique_by=lambda row: (row.lead_id, row.known_at)))
    return World(versions, draw(st.lists(activity(), max_size=25)))


def on_duckdb(world, snapshots, catalog=CATALOG):
    """Compute the catalog with the sweep over DuckDB; give {(lead_id, as_of): {feature: value}}."""
    with duckdb.connect() as connection:
        for name, table in tables_of(world, snapshots).items():
            connection.register(name, table)
        frame = features_of(HistoryTables(connection), pd.DataFrame(snapshots, columns=["lead_id", "as_of"]), catalog)
    frame = frame.astype(object).where(frame.notna(), None)
    return _keyed(frame.to_dict("records"))


SCHEMAS = {
    "snapshots": pa.schema({"lead_id": pa.string(), "as_of": pa.int64()}),
    "leads": pa.schema(
        {
            "lead_id": pa.string(),
            "account_id": pa.string(),
            "created_at": pa.int64(),
            "known_at": pa.int64(),
            "industry": pa.string(),
            "employees": pa.float64(),
            "business": pa.float64(),
        }
    ),
    "activities": pa.schema(
        {
            "lead_id": pa.string(),
            "kind": pa.string(),
            "occurred_at": pa.int64(),
            "known_at": pa.int64(),
            "subject": pa.string(),
            "value": pa.float64(),
        }
    ),
}


def tables_of(world, snapshots):
    """Return a world as Arrow tables."""
    rows = {
        "snapshots": [{"lead_id": lead_id, "as_of": as_of} for lead_id, as_of in snapshots],
        "leads": [
            vars(row) | {"business": None if row.business is None else float(row.business)} for row in world.versions
        ],
        "activities": [vars(row) for row in world.activities],
    }
    return {name: pa.Table.from_pylist(rows[name], schema) for name, schema in SCHEMAS.items()}


def sqlite_store(world):
    """Put a world into an SQLite database as the service keeps it."""
    store = sqlite3.connect(":memory:")
    store.executescript(
        """
        CREATE TABLE lead_versions (lead_id TEXT, account_id TEXT, created_at INTEGER, known_at INTEGER,
            attributes TEXT, PRIMARY KEY (lead_id, known_at)) WITHOUT ROWID;
        CREATE INDEX by_account ON lead_versions (account_id);
        CREATE TABLE activities (lead_id TEXT, kind TEXT, subject TEXT, value REAL, occurred_at INTEGER,
            known_at INTEGER);
        CREATE INDEX by_lead ON activities (lead_id, known_at);
        CREATE TABLE merges (lead_id TEXT, merged_at INTEGER, into_lead_id TEXT);
        CREATE TABLE outcomes (lead_id TEXT, stage TEXT, reached_at INTEGER, known_at INTEGER);
        """
    )
    store.executemany("INSERT INTO lead_versions VALUES (?, ?, ?, ?, ?)", _versions_told(world))
    store.executemany("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?)", _activities_told(world))
    return store


def _versions_told(world):
    for row in world.versions:
        known = {"industry": row.industry, "employees": row.employees, "business": row.business}
        attributes = json.dumps({name: value for name, value in known.items() if value is not None})
        yield row.lead_id, row.account_id, row.created_at, row.known_at, attributes


def _activities_told(world):
    return [(row.lead_id, row.kind, row.subject, row.value, row.occurred_at, row.known_at) for row in world.activities]


def on_store(store, dialect, snapshots, catalog):
    """Compute the catalog from the facts of a store, all snapshots together."""
    features = compile_live(catalog)
    facts = read_facts(store, dialect, list(snapshots), catalog)
    told = zip(facts.versions, features.values(facts.leads, facts.accounts), strict=True)
    return {question: dict(zip(catalog.names, values, strict=True)) for question, values in told}


def _one_by_one(store, dialect, snapshots, catalog):
    found = {}
    for snapshot in snapshots:
        found |= on_store(store, dialect, [snapshot], catalog)
    return found


def on_sqlite(world, snapshots, catalog=CATALOG):
    """Compute the catalog on SQLite, each snapshot by itself."""
    return _one_by_one(sqlite_store(world), "sqlite", snapshots, catalog)


def on_sqlite_at_once(world, snapshots, catalog=CATALOG):
    """Compute the catalog on SQLite for all snapshots together."""
    return on_store(sqlite_store(world), "sqlite", snapshots, catalog)


def postgres_store(url):
    """Connect to an empty PostgreSQL database and make the tables as the service has them."""
    store = psycopg.connect(url)
    store.execute(
        """
        CREATE TABLE lead_versions (lead_id text, account_id text, created_at bigint, known_at bigint,
            attributes text, PRIMARY KEY (lead_id, known_at));
        CREATE INDEX ON lead_versions (account_id);
        CREATE TABLE activities (lead_id text, kind text, subject text, value double precision, occurred_at bigint,
            known_at bigint);
        CREATE INDEX ON activities (lead_id, known_at);
        CREATE TABLE merges (lead_id text, merged_at bigint, into_lead_id text);
        CREATE TABLE outcomes (lead_id text, stage text, reached_at bigint, known_at bigint);
        SET plan_cache_mode = force_generic_plan;
        """
    )
    store.commit()
    return store


@contextmanager
def _filled(store, world):
    """Load a world into a PostgreSQL database for as long as the block takes."""
    with store.transaction(force_rollback=True), store.cursor() as cursor:
        cursor.executemany("INSERT INTO lead_versions VALUES (%s, %s, %s, %s, %s)", list(_versions_told(world)))
        cursor.executemany("INSERT INTO activities VALUES (%s, %s, %s, %s, %s, %s)", _activities_told(world))
        yield cursor


def on_postgres(store, world, snapshots, catalog=CATALOG):
    """Compute the catalog on PostgreSQL, each snapshot by itself."""
    with _filled(store, world) as cursor:
        return _one_by_one(cursor, "postgres", snapshots, catalog)


def on_postgres_at_once(store, world, snapshots, catalog=CATALOG):
    """Compute the catalog on PostgreSQL for all snapshots together."""
    with _filled(store, world) as cursor:
        return on_store(cursor, "postgres", snapshots, catalog)


def _keyed(rows):
    return {(row.pop("lead_id"), row.pop("as_of")): row for row in rows}
