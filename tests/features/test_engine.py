"""The engine computes what each reducer says, sees no future, and gives the same on every database."""

import math
from functools import partial

import pytest
from hypothesis import Phase, given, settings

from data.contract import AttributeType
from data.instants import DAY_US
from features.catalog import Catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducers import AttributeValue, Count, DaysSinceLast, DecayedCount, Sum
from tests.features.by_hand import by_hand
from tests.features.worlds import (
    CATALOG,
    NOON,
    Activity,
    Version,
    World,
    on_duckdb,
    on_postgres,
    on_postgres_at_once,
    on_sqlite,
    on_sqlite_at_once,
    worlds,
)

# Without the search for the smallest world a failing run ends at once; the worlds are small as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SNAPSHOTS = [("ann", NOON), ("bob", NOON), ("cy", NOON), ("nobody", NOON), ("ann", NOON - 9 * DAY_US)]


def assert_same(found, expected):
    """Floats may differ by rounding; everything else must be equal."""
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        for name, value in values.items():
            computed = found[key][name]
            if isinstance(value, float | int) and not isinstance(value, bool):
                assert computed is not None, (key, name)
                assert math.isclose(computed, value, rel_tol=1e-9, abs_tol=2e-9), (key, name, computed, value)
            else:
                assert computed == value, (key, name)


@settings(max_examples=40, phases=PHASES)
@given(world=worlds())
def test_each_reducer_equals_its_obvious_definition(world):
    expected = {(lead, as_of): by_hand(world, lead, as_of, CATALOG) for lead, as_of in SNAPSHOTS}
    assert_same(on_duckdb(world, SNAPSHOTS), expected)


@settings(max_examples=40, phases=PHASES)
@given(world=worlds())
def test_history_and_live_databases_agree(live, world):
    """A live store answers only about leads that it has heard of."""
    known = {(row.lead_id, row.known_at) for row in world.versions}
    expected = {
        (lead, as_of): values
        for (lead, as_of), values in on_duckdb(world, SNAPSHOTS).items()
        if any(each == lead and known_at < as_of for each, known_at in known)
    }
    assert_same(on_sqlite(world, SNAPSHOTS), expected)
    assert_same(on_sqlite_at_once(world, SNAPSHOTS), expected)
    assert_same(on_postgres(live, world, SNAPSHOTS), expected)
    assert_same(on_postgres_at_once(live, world, SNAPSHOTS), expected)


@settings(max_examples=40, phases=PHASES)
@given(past=worlds(known_before=NOON), later=worlds(known_from=NOON))
def test_the_future_changes_nothing(live, past, later):
    """What becomes known at the snapshot instant or after it never moves a feature, not by one bit."""
    at_noon = [snapshot for snapshot in SNAPSHOTS if snapshot[1] == NOON]
    assert on_duckdb(past + later, at_noon) == on_duckdb(past, at_noon)
    assert on_sqlite(past + later, at_noon) == on_sqlite(past, at_noon)
    assert on_postgres(live, past + later, at_noon) == on_postgres(live, past, at_noon)


def test_a_fact_known_at_the_very_instant_does_not_count():
    at_noon = World(activities=[Activity("ann", "call", NOON - 5, NOON)])
    a_moment_before = World(activities=[Activity("ann", "call", NOON - 5, NOON - 1)])
    assert on_duckdb(at_noon, [("ann", NOON)])["ann", NOON]["any_ever"] == 0
    assert on_duckdb(a_moment_before, [("ann", NOON)])["ann", NOON]["any_ever"] == 1


def test_a_window_holds_its_first_instant_and_not_the_one_before():
    first, before = NOON - 7 * DAY_US, NOON - 7 * DAY_US - 1
    world = World(activities=[Activity("ann", "call", first, first), Activity("ann", "call", before, before)])
    assert on_duckdb(world, [("ann", NOON)])["ann", NOON]["calls_7d"] == 1


def test_what_is_never_used_moves_no_feature():
    world = World([Version("ann", 1, "acme"), Version("bob", 1, "acme")], [Activity("bob", "call", NOON - 9, NOON - 8)])
    planted = World(activities=[Activity(who, "forbidden", NOON - 9, NOON - 8) for who in ("ann", "bob")])
    assert on_duckdb(world + planted, SNAPSHOTS) == on_duckdb(world, SNAPSHOTS)
    assert on_sqlite(world + planted, SNAPSHOTS) == on_sqlite(world, SNAPSHOTS)


def test_colleagues_are_those_of_the_account_known_at_the_instant():
    """Bob left the account before noon, so what he did is no longer what colleagues did."""
    stayed = World(
        [Version("ann", 1, "acme"), Version("bob", 1, "acme")], [Activity("bob", "call", NOON - 9, NOON - 8)]
    )
    left = World(versions=[Version("bob", NOON - 5, "zen")])
    assert on_duckdb(stayed, [("ann", NOON)])["ann", NOON]["mates_calls_7d"] == 1
    assert on_duckdb(stayed + left, [("ann", NOON)])["ann", NOON]["mates_calls_7d"] == 0
    assert on_sqlite(stayed + left, [("ann", NOON)])["ann", NOON]["mates_calls_7d"] == 0


def test_an_attribute_that_the_leads_lack_is_named():
    lacking = Catalog((Feature("shoe_size", AttributeValue("shoe_size", AttributeType.NUMERIC), None, "shoe {value}"),))
    with pytest.raises(CatalogError, match="shoe_size"):
        on_duckdb(World(), [("ann", NOON)], lacking)


NASTY = ("o'hara\"; DROP TABLE activities; --", "50% off, %s, %(x)s", "C:\\docs\\n", "{name} ? :name $1", "E'\\''")


@pytest.mark.parametrize("nasty", NASTY)
def test_a_subject_with_quotes_or_signs_of_sql_is_only_text(live, nasty):
    """Beside it lies a subject that it would be, were it understood as a pattern or an escape."""
    catalog = Catalog((Feature("nasty", Count("call", subject=nasty), 0, "nasty"),))
    beside = nasty.replace("%", "%%").replace("\\", "\\\\") + " "
    calls = [Activity("ann", "call", NOON - 9, NOON - 8, text) for text in (nasty, beside)]
    world = World([Version("ann", 1)], calls)
    live_engines = [partial(on_postgres, live), partial(on_postgres_at_once, live), on_sqlite, on_sqlite_at_once]
    for engine in (on_duckdb, *live_engines):
        assert engine(world, [("ann", NOON)], catalog)["ann", NOON]["nasty"] == 1


def test_names_that_begin_alike_stay_apart_however_long(live):
    long = "é" * 100
    reducers = {
        end: (Count, DaysSinceLast, partial(Sum, days=30), partial(DecayedCount, half_life_days=7)) for end in "ab"
    }
    catalog = Catalog(
        tuple(
            Feature(f"{long}{number}{end}", reducer("call", subject=f"{long}{end}"), 0, "some")
            for end, made in reducers.items()
            for number, reducer in enumerate(made)
        )
    )
    done = [("a", 1, 1.5), ("b", 2, 4.25), ("b", 3, 8.0)]
    calls = [Activity("ann", "call", NOON - d * DAY_US, NOON - 8, long + e, v) for e, d, v in done]
    world = World([Version("ann", 1)], calls)
    for engine in (on_postgres, on_postgres_at_once):
        computed = engine(live, world, [("ann", NOON)], catalog)
        assert_same(computed, on_duckdb(world, [("ann", NOON)], catalog))
        assert computed["ann", NOON][f"{long}2b"] == 12.25


def test_what_happened_decades_ago_has_faded_to_nothing(live):
    world = World([Version("ann", 1)], [Activity("ann", "page_view", DAY_US, NOON - 8)])
    computed = on_postgres(live, world, [("ann", NOON)])
    assert computed["ann", NOON]["fading"] == 0
    assert_same(computed, on_duckdb(world, [("ann", NOON)]))


@pytest.mark.parametrize("values", [[0.01] + [0.0] * 31, [-0.01] + [0.0] * 31, [987_654_321_098.123457], [-1e15, 0.7]])
def test_live_rounds_to_the_bit_as_history_does(live, values):
    """Half away from zero, and without losing digits of large amounts."""
    calls = [Activity("ann", "call", NOON - 9, NOON - 8, None, value) for value in values]
    world = World([Version("ann", 1)], calls)
    assert on_postgres(live, world, [("ann", NOON)]) == on_duckdb(world, [("ann", NOON)])


def test_an_attribute_that_was_text_before_it_became_a_number_is_unknown(live):
    """What the playbook allowed earlier must not stop a query of a thousand leads."""
    world = World([Version("ann", 1, employees="many", business="yes"), Version("bob", 1, employees=True)])
    computed = on_postgres_at_once(live, world, SNAPSHOTS)
    assert computed["ann", NOON]["employees"] is None
    assert computed["ann", NOON]["business"] is None
    assert computed["bob", NOON]["employees"] == 1.0
