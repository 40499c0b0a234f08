"""Days, gaps, clocks, shares and pairs of activities: each equals its obvious definition, however facts arrive."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US, from_us, to_us
from features.catalog import Catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducers import (
    ActiveDays,
    ActivePeople,
    Count,
    DaysBetweenFirsts,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    MeanGap,
    RelativeSilence,
    ShareOfAll,
)
from features.zone_offsets import zone_offsets
from tests.features.by_hand import by_hand
from tests.features.test_engine import assert_same
from tests.features.test_sweep import MANY
from tests.features.worlds import NOON, Activity, Version, World, on_duckdb, worlds

ZONE = "America/Asuncion"
"""Its clocks went forward at midnight of 2024-10-06, in the middle of the worlds."""

_EITHER = {
    "hour": (LocalHourOfLast(None, ZONE), None),
    "weekday": (LocalWeekdayOfLast("call", ZONE), None),
    "calls_of_all": (ShareOfAll("call"), None),
    "pricing_of_all_30d": (ShareOfAll("page_view", subject="pricing", days=30), None),
    "from_view_to_call": (DaysBetweenFirsts("call", after="page_view"), None),
    "from_call_to_pricing": (DaysBetweenFirsts("page_view", "call", subject="pricing"), None),
    "gap": (MeanGap(None), None),
    "gap_of_calls": (MeanGap("call", subject="docs"), None),
    "silence": (RelativeSilence(None), None),
    "silence_of_views": (RelativeSilence("page_view"), None),
}
_OF_LEAD = {
    "days": (ActiveDays(None, ZONE), 0.0),
    "days_7d": (ActiveDays("call", ZONE, days=7), 0.0),
    "days_30d": (ActiveDays("call", ZONE, days=30), 0.0),
    "days_of_pricing_7d": (ActiveDays(None, ZONE, subject="pricing", days=7), 0.0),
}
_OF_ACCOUNT = {
    "people": (ActivePeople(None), 0.0),
    "people_7d": (ActivePeople("call", days=7), 0.0),
    "people_30d": (ActivePeople(None, subject="docs", days=30), 0.0),
    "calls_7d": (Count("call", days=7), 0.0),
}


def catalog_of(of_lead, of_account):
    """Return a catalog of reducers over the lead and over its account."""
    named = [*((*item, "lead") for item in of_lead.items()), *((*item, "account") for item in of_account.items())]
    features = [Feature(f"{over}_{name}", reduce, missing, name, over=over) for name, (reduce, missing), over in named]
    return Catalog(tuple(features), never_use=("forbidden",))


RHYTHMS = catalog_of(_EITHER | _OF_LEAD, _EITHER | _OF_ACCOUNT)


@settings(max_examples=40)
@given(world=worlds())
def test_each_of_them_equals_its_obvious_definition(world):
    expected = {(lead, as_of): by_hand(world, lead, as_of, RHYTHMS) for lead, as_of in MANY}
    assert_same(on_duckdb(world, MANY, RHYTHMS), expected)


@settings(max_examples=10)
@given(world=worlds())
def test_the_order_of_rows_changes_not_one_bit(world):
    turned = World(world.versions[::-1], world.activities[::-1])
    assert on_duckdb(turned, MANY[::-1], RHYTHMS) == on_duckdb(world, MANY, RHYTHMS)


@settings(max_examples=10)
@given(past=worlds(known_before=NOON), later=worlds(known_from=NOON))
def test_what_becomes_known_later_changes_none_of_them(past, later):
    at_noon = [(lead, NOON) for lead in ("ann", "bob", "cy")]
    assert on_duckdb(past + later, at_noon, RHYTHMS) == on_duckdb(past, at_noon, RHYTHMS)


def _done(*when, kind="call", lead="ann"):
    return [Activity(lead, kind, at, at) for at in when]


def test_a_lead_without_the_kind_does_not_see_that_of_the_lead_before_it():
    """Ann called, Bob only looked at a page: his share of calls is none, and no days lie between."""
    world = World(activities=_done(NOON - 9, NOON - 8) + _done(NOON - 7, kind="page_view", lead="bob"))
    bob = on_duckdb(world, [("ann", NOON), ("bob", NOON)], RHYTHMS)["bob", NOON]
    assert (bob["lead_calls_of_all"], bob["lead_from_view_to_call"]) == (0.0, None)


def test_silence_needs_two_gaps_that_are_some_time():
    """Two activities are one gap, which is no rhythm; three at one instant have none either."""
    for times in ((NOON - 2, NOON - 1), (NOON - 1,) * 3):
        found = on_duckdb(World(activities=_done(*times)), [("ann", NOON)], RHYTHMS)
        assert found["ann", NOON]["lead_silence"] is None
    weekly = _done(*(NOON - DAY_US * days for days in (24, 17, 10)))
    assert on_duckdb(World(activities=weekly), [("ann", NOON)], RHYTHMS)["ann", NOON]["lead_silence"] == 10 / 7


@given(st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", ZONE]), st.data())
def test_the_offsets_of_a_zone_are_those_of_its_clocks(zone, data):
    instant = data.draw(st.integers(0, to_us(datetime(2099, 12, 31, tzinfo=UTC))))
    ahead = max((since, ahead) for since, ahead in zone_offsets(zone) if since <= instant)[1]
    assert timedelta(microseconds=ahead) == from_us(instant).astimezone(ZoneInfo(zone)).utcoffset()


def _clocks(zone):
    return catalog_of(
        {
            "days": (ActiveDays(None, zone), 0),
            "hour": (LocalHourOfLast(None, zone), None),
            "weekday": (LocalWeekdayOfLast(None, zone), None),
        },
        {},
    )


def test_a_day_whose_clocks_are_set_back_over_midnight_is_counted_once():
    """St. John's set its clocks back from 0:01 to 23:01: Saturday, Sunday, Saturday again, Sunday again."""
    zone = ZoneInfo("America/St_Johns")
    back = to_us(datetime(2010, 11, 7, 0, 0, 59, tzinfo=zone)) + 1_000_000
    times = [back - 90_000_000, back - 30_000_000, back + 1, back + 7_200_000_000]
    days = [from_us(at).astimezone(zone).day for at in times]
    assert days == [6, 7, 6, 7]
    as_of = times[-1] + 1
    found = on_duckdb(World(activities=_done(*times)), [("ann", as_of)], _clocks("America/St_Johns"))
    assert found["ann", as_of]["lead_days"] == 2


@pytest.mark.parametrize(("utc", "hour"), [("2026-03-29T00:59:00", 1 + 59 / 60), ("2026-03-29T01:00:00", 3.0)])
def test_the_hour_is_what_clocks_showed_when_summer_began(utc, hour):
    at = to_us(datetime.fromisoformat(utc).replace(tzinfo=UTC))
    found = on_duckdb(World(activities=_done(at)), [("ann", at + 1)], _clocks("Europe/Berlin"))["ann", at + 1]
    assert (found["lead_hour"], found["lead_weekday"]) == (hour, 6.0)


def test_people_are_counted_once_and_the_lead_itself_is_not():
    versions = [Version(lead, 1, "acme") for lead in ("ann", "bob", "cy")]
    calls = [*_done(NOON - 9, NOON - 8), *_done(NOON - 7, NOON - 6, lead="bob"), *_done(NOON - 8 * DAY_US, lead="cy")]
    found = on_duckdb(World(versions, calls), [("ann", NOON), ("cy", NOON)], RHYTHMS)
    assert [found[who, NOON]["account_people_7d"] for who in ("ann", "cy")] == [1, 2]
    assert [found[who, NOON]["account_people"] for who in ("ann", "cy")] == [2, 2]


@pytest.mark.parametrize(
    ("reduce", "over", "words"),
    [
        (ActiveDays(None, ZONE), "account", "set over to lead"),
        (ActivePeople(None), "lead", "set over to account"),
        (DaysBetweenFirsts("call", after="call"), "lead", "compares call with itself"),
        (LocalHourOfLast(None, "Mars/Olympus"), "lead", "not a time zone"),
    ],
)
def test_what_cannot_be_computed_is_refused(reduce, over, words):
    with pytest.raises(CatalogError, match=words):
        Catalog((Feature("odd", reduce, None, "odd", over=over),))


def test_a_catalog_has_one_time_zone():
    zones = [Feature(zone, LocalHourOfLast(None, zone), None, zone) for zone in ("Europe/Berlin", ZONE)]
    with pytest.raises(CatalogError, match="it can have one"):
        Catalog(tuple(zones))


def test_json_gives_back_the_same_rhythms():
    assert Catalog.from_json(RHYTHMS.to_json()) == RHYTHMS
