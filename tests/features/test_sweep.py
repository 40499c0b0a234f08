"""The sweep: every reducer over accounts, the same bits however it is cut, and no step outside its arrays."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.history import history_facts, over_history
from features.reducers import Count, DaysSinceFirst, DecayedCount, Distinct, HourOfLast, Mean, Sum, Trend
from features.sweep.plan import compile_plan
from tests.features.by_hand import by_hand
from tests.features.test_engine import SNAPSHOTS, assert_same
from tests.features.worlds import (
    CATALOG,
    KINDS,
    NOON,
    SUBJECTS,
    Activity,
    Version,
    World,
    on_duckdb,
    on_sqlite,
    on_sqlite_at_once,
    worlds,
)

_MATES = {
    "mates_subjects_30d": (Distinct("page_view", days=30), 0.0),
    "mates_subjects_7d": (Distinct(None, days=7), 0.0),
    "mates_minutes_30d": (Sum("call", days=30), 0.0),
    "mates_minutes": (Mean("call"), None),
    "mates_trend": (Trend(None, days=7, long_days=30), None),
    "mates_first": (DaysSinceFirst("call"), None),
    "mates_hour": (HourOfLast(None), None),
    "mates_pricing": (Count(None, subject="pricing"), 0.0),
    "mates_fading_calls": (DecayedCount("call", half_life_days=2), 0.0),
}
WIDE = Catalog(
    (
        *CATALOG.features,
        *(Feature(name, reduce, missing, name, over="account") for name, (reduce, missing) in _MATES.items()),
        Feature("pricing_30d", Count(None, subject="pricing", days=30), 0.0, "pricing"),
    ),
    never_use=("forbidden",),
)
MANY = [*SNAPSHOTS, ("bob", NOON - 7 * DAY_US), ("cy", NOON - 30 * DAY_US), ("ann", NOON - 1), ("ann", NOON + DAY_US)]


@settings(max_examples=60)
@given(world=worlds())
def test_every_reducer_over_the_account_equals_its_obvious_definition(world):
    """Leads join and leave accounts, and come back, between the snapshots of their colleagues."""
    expected = {(lead, as_of): by_hand(world, lead, as_of, WIDE) for lead, as_of in MANY}
    assert_same(on_duckdb(world, MANY, WIDE), expected)


@settings(max_examples=20)
@given(world=worlds())
def test_threads_chunks_and_the_order_of_rows_change_not_one_bit(world):
    whole = on_duckdb(world, MANY, WIDE)
    assert on_duckdb(World(world.versions[::-1], world.activities[::-1]), MANY[::-1], WIDE) == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(over_history, "THREADS", 3)
        patch.setattr(history_facts, "FACTS_AT_ONCE", 4)
        assert on_duckdb(world, MANY, WIDE) == whole


def test_a_lead_that_leaves_takes_its_latest_fact_along_and_brings_it_back():
    """Of three colleagues, the most active one leaves and returns."""
    versions = [Version(lead, 1, "acme") for lead in ("ann", "bob", "cy")]
    moved = [Version("bob", NOON - 6 * DAY_US, "zen"), Version("bob", NOON - 2 * DAY_US, "acme")]
    calls = [Activity("bob", "call", NOON - 8 * DAY_US, NOON - 8 * DAY_US)]
    calls += [Activity("cy", "call", NOON - 9 * DAY_US, NOON - 9 * DAY_US)]
    asked = [("ann", NOON - 7 * DAY_US), ("ann", NOON - 4 * DAY_US), ("ann", NOON)]
    found = on_duckdb(World(versions + moved, calls), asked)
    assert [found[each]["mates_last"] for each in asked] == [1, 5, 8]


def test_a_giant_account_beside_small_ones_is_described_alike():
    """Five hundred leads of one account, called once each; the small account is not disturbed by its size."""
    leads = [f"lead {number}" for number in range(500)]
    versions = [Version(lead, 1, "unknown") for lead in leads] + [Version("ann", 1, "acme"), Version("bob", 1, "acme")]
    calls = [Activity(lead, "call", NOON - (at % 5 + 1) * DAY_US, NOON - DAY_US) for at, lead in enumerate(leads)]
    calls.append(Activity("bob", "call", NOON - DAY_US, NOON - DAY_US))
    world, asked = World(versions, calls), [("lead 7", NOON), ("ann", NOON), ("bob", NOON)]
    unbounded = replace(CATALOG, most_colleagues=None)
    for engine in (on_duckdb, on_sqlite, on_sqlite_at_once):
        found = engine(world, asked, unbounded)
        assert [found[who, NOON]["mates_calls_7d"] for who in ("lead 7", "ann", "bob")] == [499, 1, 0]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_an_account_with_more_colleagues_than_the_catalog_allows_is_none(most):
    """An account fills up, and empties again: it counts while a lead has at most so many colleagues there."""
    days = {"ann": 9, "bob": 7, "cy": 5, "dee": 3}
    versions = [Version(lead, NOON - days[lead] * DAY_US, "acme") for lead in days]
    versions += [Version(lead, NOON - DAY_US * at, None) for lead, at in (("dee", 2), ("cy", 1))]
    calls = [Activity(lead, "call", NOON - 9 * DAY_US, NOON - 9 * DAY_US) for lead in days]
    catalog = replace(CATALOG, most_colleagues=most)
    world, asked = World(versions, calls), [("ann", NOON - DAY_US * day + more) for day in range(9) for more in (0, 1)]
    expected = {each: by_hand(world, *each, catalog) for each in asked}
    assert {values["mates_last"] is None for values in expected.values()} == {True, False}
    for engine in (on_duckdb, on_sqlite, on_sqlite_at_once):
        assert_same(engine(world, asked, catalog), expected)


@settings(max_examples=25)
@given(world=worlds())
def test_accounts_that_are_too_large_for_a_catalog_are_told_apart_at_every_instant(world):
    crowded = replace(WIDE, most_colleagues=1)
    expected = {(lead, as_of): by_hand(world, lead, as_of, crowded) for lead, as_of in MANY}
    assert_same(on_duckdb(world, MANY, crowded), expected)


def test_three_thousand_features_are_one_plan():
    days = [1 + number / 10 for number in range(100)]
    topics = list(product((*KINDS, "webinar", "form", None), (*SUBJECTS, "blog", "jobs", "news")))
    features = tuple(
        Feature(f"{kind} {subject} {window}", Count(kind, subject, window), 0.0, "some")
        for (kind, subject), window in product(topics, days)
    )
    catalog = Catalog(features)
    assert len(catalog.features) == 3_000
    plan = compile_plan(catalog, "lead")
    assert len(plan.arrays.groups) == len(topics)
    world = World(activities=[Activity("ann", "call", NOON - d * DAY_US, NOON - DAY_US, "blog") for d in (1, 3, 9)])
    found = on_duckdb(world, [("ann", NOON)], catalog)["ann", NOON]
    assert [found["call blog 1.0"], found["call None 5.0"], found["None blog 9.0"], found["None jobs 9.0"]] == [
        1,
        2,
        3,
        0,
    ]


def test_values_of_any_size_add_up_as_people_write_them():
    """Whole numbers and billionths: a cent is a cent, and neither order nor what left the window can show."""
    values = [0.1, 0.2, -0.3, 1e12, -1e12, 987_654_321_098.123457, 0.01]
    for order in (values, values[::-1]):
        calls = [Activity("ann", "call", NOON - 9 - at, NOON - 8, None, value) for at, value in enumerate(order)]
        assert on_duckdb(World(activities=calls), [("ann", NOON)])["ann", NOON]["minutes_30d"] == 987_654_321_098.133457


@pytest.mark.slow
def test_no_step_reaches_outside_its_array(tmp_path):
    """The same random worlds once more, in a process in which every index is checked."""
    code = (
        "from hypothesis import given, settings\n"
        "from tests.features.test_changes import CHANGES\n"
        "from tests.features.test_order import ORDER, crowded_worlds\n"
        "from tests.features.test_rhythms import RHYTHMS\n"
        "from tests.features.test_sweep import MANY, WIDE, on_duckdb, worlds\n"
        "@settings(max_examples=30, deadline=None, database=None)\n"
        "@given(world=worlds() | crowded_worlds())\n"
        "def walk(world):\n"
        "    for catalog in (WIDE, RHYTHMS, ORDER, CHANGES): on_duckdb(world, MANY, catalog)\n"
        "walk()"
    )
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_a_plan_without_windows_still_says_when_something_was_last():
    catalog = replace(CATALOG, features=tuple(f for f in CATALOG.features if f.name in {"days_since_call", "hour"}))
    found = on_duckdb(
        World(activities=[Activity("ann", "call", NOON - DAY_US, NOON - DAY_US)]), [("ann", NOON)], catalog
    )
    assert found["ann", NOON] == {"days_since_call": 1.0, "hour": 12.0}
