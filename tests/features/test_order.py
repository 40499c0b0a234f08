"""The order of a lead's activities: the last of them, gaps and sequences, however late each becomes known."""

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US
from features.catalog import Catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducers import (
    ActiveDays,
    Count,
    DaysSinceNthLast,
    FirstValue,
    KindOfLast,
    LastValue,
    LongestGap,
    MeanGap,
    SequenceCount,
    ShareOfAll,
)
from tests.features.by_hand import by_hand
from tests.features.test_engine import assert_same
from tests.features.test_sweep import MANY
from tests.features.worlds import NOON, Activity, World, on_duckdb, worlds

_KINDS = ("call", "page_view/pricing", "page_view")
_REDUCERS = {
    "last": (KindOfLast(_KINDS), None),
    "second_last": (KindOfLast(_KINDS, nth=2), None),
    "third_last_call_or_not": (KindOfLast(("call",), nth=3), None),
    "days_since_second": (DaysSinceNthLast(None, 2), None),
    "days_since_third_view": (DaysSinceNthLast("page_view", 3), None),
    "days_since_last_docs": (DaysSinceNthLast("call", 1, subject="docs"), None),
    "longest_gap": (LongestGap(None), None),
    "longest_gap_30d": (LongestGap("call", days=30), None),
    "longest_gap_7d": (LongestGap("call", days=7), 99.0),
    "mean_gap_30d": (MeanGap(None, days=30), None),
    "first_minutes": (FirstValue("call"), None),
    "last_minutes": (LastValue("call"), None),
    "last_minutes_of_docs": (LastValue("call", subject="docs"), -1.0),
    "calls_after_views": (SequenceCount("call", "page_view", within_days=5), 0.0),
    "calls_long_after_pricing": (SequenceCount("call", "page_view", 20, after_subject="pricing"), 0.0),
    "pricing_after_views": (SequenceCount("page_view", "page_view", 2, subject="pricing"), 0.0),
    "docs_after_calls": (SequenceCount("page_view", "call", 5, subject="docs"), 0.0),
    "calls_7d": (Count("call", days=7), 0.0),
}
_GAPS = (LongestGap, MeanGap, lambda kind, subject, days: ActiveDays(kind, "Asia/Tokyo", subject, days), ShareOfAll)
ORDER = Catalog(
    tuple(Feature(name, reduce, missing, name) for name, (reduce, missing) in _REDUCERS.items()),
    never_use=("forbidden",),
)


@settings(max_examples=40)
@given(world=worlds())
def test_each_of_them_equals_its_obvious_definition(world):
    expected = {(lead, as_of): by_hand(world, lead, as_of, ORDER) for lead, as_of in MANY}
    assert_same(on_duckdb(world, MANY, ORDER), expected)


@st.composite
def crowded_worlds(draw):
    """Draw a world of one lead: few instants, so that many are equal, and facts that become known in any order."""
    days = st.integers(1, 12).map(lambda ago: NOON - ago * DAY_US)
    values = st.sampled_from([None, 0.0, -0.0, 1.5, -3.0])
    subjects = st.sampled_from([None, "pricing", "docs"])

    def known(occurred, late, kind, subject, value):
        return Activity("ann", kind, occurred, occurred + late * DAY_US, subject, value)

    rows = st.builds(known, days, st.integers(0, 11), st.sampled_from(["call", "page_view", "other"]), subjects, values)
    return World(activities=draw(st.lists(rows, max_size=40)))


_DAILY = [("ann", NOON - ago * DAY_US + 1) for ago in range(10, -1, -1)]


@settings(max_examples=40)
@given(world=crowded_worlds())
def test_equal_instants_and_late_facts_are_in_the_order_that_the_definitions_say(world):
    expected = {(lead, as_of): by_hand(world, lead, as_of, ORDER) for lead, as_of in _DAILY}
    found = on_duckdb(world, _DAILY, ORDER)
    assert_same(found, expected)
    assert on_duckdb(World(activities=world.activities[::-1]), _DAILY[::-1], ORDER) == found


@settings(max_examples=10)
@given(past=worlds(known_before=NOON), later=worlds(known_from=NOON))
def test_what_becomes_known_later_changes_none_of_them(past, later):
    at_noon = [(lead, NOON) for lead in ("ann", "bob", "cy")]
    assert on_duckdb(past + later, at_noon, ORDER) == on_duckdb(past, at_noon, ORDER)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_sequence_is_counted_once_in_whatever_order_it_becomes_known(order):
    """Two calls, each within five days of a page view before it; a view after the calls is before none."""
    done = [("page_view", 20), ("call", 18), ("page_view", 17), ("call", 15)]
    activities = [
        Activity("ann", kind, NOON - ago * DAY_US, NOON - 10 * DAY_US + place * DAY_US)
        for place, (kind, ago) in zip(order, done, strict=True)
    ]
    found = on_duckdb(World(activities=activities), [("ann", NOON)], ORDER)
    assert found["ann", NOON]["calls_after_views"] == 2


def test_a_view_that_becomes_known_late_closes_a_gap_and_makes_a_call_follow_it():
    call, view = NOON - 6 * DAY_US, NOON - 9 * DAY_US
    activities = [
        Activity("ann", "call", NOON - 20 * DAY_US, NOON - 20 * DAY_US),
        Activity("ann", "call", call, call),
        Activity("ann", "page_view", view, NOON - DAY_US),
    ]
    asked = [("ann", NOON - 2 * DAY_US), ("ann", NOON)]
    found = on_duckdb(World(activities=activities), asked, ORDER)
    assert [found[each]["calls_after_views"] for each in asked] == [0, 1]
    assert [found[each]["longest_gap"] for each in asked] == [14, 11]
    assert [found[each]["second_last"] for each in asked] == ["call", "page_view"]


def test_thousands_of_facts_at_one_instant_are_sorted_and_counted():
    """Page views and calls of one import, all dated at midnight."""
    rows = [
        Activity("ann", ("call", "page_view")[at % 2], NOON - 9, NOON - 8, None, at * 7 % 5003) for at in range(5000)
    ]
    found = on_duckdb(World(activities=rows), [("ann", NOON)], ORDER)["ann", NOON]
    calls = [row.value for row in rows if row.kind == "call"]
    assert (found["first_minutes"], found["last_minutes"]) == (min(calls), max(calls))
    assert (found["last"], found["calls_after_views"], found["longest_gap"]) == ("page_view", 0, 0)


def test_the_next_lead_begins_with_nothing():
    busy = [
        Activity("ann", kind, NOON - at, NOON - at, "docs", 1.0)
        for at in range(2, 40)
        for kind in ("call", "page_view")
    ]
    alone = [Activity("bob", "call", NOON - 9, NOON - 8, None, None)]
    found = on_duckdb(World(activities=busy + alone), [("ann", NOON), ("bob", NOON)], ORDER)["bob", NOON]
    assert found == on_duckdb(World(activities=alone), [("bob", NOON)], ORDER)["bob", NOON]
    assert (found["calls_after_views"], found["last"], found["last_minutes"]) == (0, "call", None)


def test_three_thousand_features_of_the_order_are_one_plan():
    topics = list(product(("call", "page_view", "webinar", "form", "chat"), (None, "pricing", "docs", "blog", "jobs")))
    reducers = [reducer(kind, subject, days) for kind, subject in topics for days in range(1, 31) for reducer in _GAPS]
    reducers += [DaysSinceNthLast(kind, nth, subject) for kind, subject in topics for nth in range(1, 31)]
    reducers += [SequenceCount(*pair, days) for pair in permutations(("call", "page_view"), 2) for days in range(1, 26)]
    catalog = Catalog(tuple(Feature(f"{reduce}", reduce, None, "some") for reduce in reducers), ("forbidden",))
    assert len(catalog.features) >= 3_000
    kinds, subjects = ("call", "page_view", "chat"), ("pricing", None, "docs", "jobs")
    rows = [Activity("ann", kinds[at % 3], NOON - at * DAY_US, NOON - at % 7, subjects[at % 4]) for at in range(1, 40)]
    world = World(activities=rows)
    expected = {("ann", NOON): by_hand(world, "ann", NOON, catalog)}
    assert_same(on_duckdb(world, [("ann", NOON)], catalog), expected)


@pytest.mark.parametrize(
    ("reduce", "over", "words"),
    [
        (KindOfLast(("call",)), "account", "set over to lead"),
        (DaysSinceNthLast(None, 2), "account", "set over to lead"),
        (LongestGap(None), "account", "set over to lead"),
        (MeanGap(None, days=7), "account", "set over to lead"),
        (FirstValue("call"), "account", "set over to lead"),
        (LastValue("call"), "account", "set over to lead"),
        (SequenceCount("call", "page_view", 7), "account", "set over to lead"),
        (SequenceCount("call", "call", 7), "lead", "compares call with itself"),
        (DaysSinceNthLast(None, 0), "lead", "expected 1, the last"),
        (KindOfLast(("call", "call")), "lead", "list each kind once"),
        (KindOfLast(()), "lead", "list each kind once"),
    ],
)
def test_what_cannot_be_computed_is_refused(reduce, over, words):
    with pytest.raises(CatalogError, match=words):
        Catalog((Feature("odd", reduce, None, "odd", over=over),))


def test_json_gives_back_the_same_catalog_of_order():
    assert Catalog.from_json(ORDER.to_json()) == ORDER


def test_the_kind_of_the_last_activity_is_said_in_words():
    last = Feature(
        "last", KindOfLast(("call",)), None, "last activity: {value}", "never active", words=(("call", "phone call"),)
    )
    assert last.is_category
    assert (last.worded("call"), last.worded(None)) == ("last activity: phone call", "never active")
