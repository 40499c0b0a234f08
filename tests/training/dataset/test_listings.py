"""Listings follow each open lead from morning to morning, and know nothing that came after."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US, HOUR_US, to_us
from data.lifecycle.open_times import OpenTimes
from tests.training.small import START, activities, day, leads, outcomes, playbook
from training.dataset.listings import list_weeks, mornings_of, take_listings, take_news
from training.dataset.moments import Moments
from training.dataset.split import Span

days = st.floats(0, 90, allow_nan=False)
names = st.sampled_from("abcd")
visits = st.lists(st.tuples(names, days, st.just("visit")), max_size=25)
closings = st.lists(st.tuples(names, days, st.sampled_from(["won", "lost", "met"])), max_size=4)
arrivals = st.fixed_dictionaries(dict.fromkeys("abcd", days))
BEGIN, DAYS = 30, 40
MORNINGS = mornings_of(Span(day(BEGIN), day(BEGIN + DAYS)), "UTC")


def listed(known, did, reached, **options):
    times = OpenTimes.of(activities(*did), outcomes(*reached), playbook().lifecycle)
    found = Moments.of(leads(*known.items()), activities(*did), times=times, business=playbook())
    return take_listings(found, MORNINGS, seed=1, **options)


def by_hand(known, did, reached, *, whole):
    """Walk the mornings lead by lead: (lead, morning) → (its latest moment, whether the list is whole)."""
    rows = {}
    for lead, arrived in known.items():
        news = sorted({day(arrived)} | {day(at) for one, at, _ in did if one == lead and at >= arrived})
        closed = min((day(at) for one, at, stage in reached if one == lead and stage != "met"), default=np.inf)
        waiting = 0
        for number, morning in enumerate(MORNINGS.tolist()):
            before = [at for at in news if at < morning]
            if not before or morning >= closed or before[-1] >= closed:
                continue
            is_new = number > 0 and before[-1] >= MORNINGS[number - 1]
            waiting = 0 if is_new else waiting + 1
            came_here = before[-1] >= MORNINGS[0]
            follows = is_new or (came_here and waiting & (waiting - 1) == 0)
            if number in whole or follows:
                rows[lead, morning] = (before[-1], number in whole)
    return rows


@settings(max_examples=200)
@given(arrivals, visits, closings)
def test_listings_are_those_that_a_walk_through_the_mornings_finds(known, did, reached):
    found = listed(known, did, reached, lists=3)
    expected = by_hand(known, did, reached, whole={0, 20, DAYS - 1})
    rows = {(row.lead_id, row.as_of): (row.moment_at, row.whole_list) for row in found.itertuples()}
    assert rows == expected
    assert list(rows) == sorted(rows)
    assert (found["weight"] == 1).all()


@settings(max_examples=40)
@given(arrivals, visits, closings, days)
def test_what_comes_later_changes_no_earlier_listing(known, did, reached, now):
    before = [[one for one in facts if one[1] < now] for facts in (did, reached)]
    early = {lead: at for lead, at in known.items() if at < now}
    full = listed(known, did, reached)
    expected = listed(early, *before) if early else full.head(0)
    assert (
        full[full["as_of"] <= day(now)]
        .reset_index(drop=True)
        .equals(expected[expected["as_of"] <= day(now)].reset_index(drop=True))
    )


def test_leads_are_drawn_where_there_would_be_too_many_rows():
    known = {f"lead {number}": number % 60 for number in range(4_000)}
    every, some = listed(known, [], []), listed(known, [], [], most=5_000)
    kept = every[every["lead_id"].isin(some["lead_id"])]
    assert some.drop(columns="weight").equals(kept.drop(columns="weight").reset_index(drop=True)), "leads stay whole"
    for whole in (True, False):
        weight = some["weight"][some["whole_list"] == whole].sum()
        assert abs(weight / (every["whole_list"] == whole).sum() - 1) < 0.15, whole
    assert 4_000 < len(some) < 6_000


def test_a_morning_is_at_eight_where_the_team_is():
    span = Span(to_us(datetime(2026, 10, 24, tzinfo=UTC)), to_us(datetime(2026, 10, 26, 12, tzinfo=UTC)))
    found = mornings_of(span, "America/New_York")
    assert [(at - span.start) / HOUR_US for at in found.tolist()] == [12, 36]
    assert START % DAY_US == 0


@settings(max_examples=100)
@given(arrivals, visits, closings)
def test_the_last_weeks_show_each_lead_after_each_news_and_everybody_at_both_ends(known, did, reached):
    times = OpenTimes.of(activities(*did), outcomes(*reached), playbook().lifecycle)
    found = Moments.of(leads(*known.items()), activities(*did), times=times, business=playbook())
    begin, end = day(30), day(60)
    rows = take_news(found, Span(begin, end), seed=1)
    expected = set()
    for lead, arrived in known.items():
        closed = min((day(at) for one, at, stage in reached if one == lead and stage != "met"), default=np.inf)
        news = {day(arrived)} | {day(at) for one, at, _ in did if one == lead and at >= arrived}
        expected |= {(lead, at + 1) for at in news if begin <= at < end - 1 and at + 1 < closed}
        expected |= {(lead, at) for at in (begin, end) if min(news) < at < closed}
    assert set(zip(rows["lead_id"], rows["as_of"], strict=True)) == expected
    assert rows["whole_list"].tolist() == rows["as_of"].isin([begin, end]).tolist()


def test_leads_that_are_never_open_on_a_morning_are_listed_just_after_their_news():
    known = {name: 31.5 + number for number, name in enumerate("abcd")}
    reached = [(name, at + 0.1, "won") for name, at in known.items()]
    times = OpenTimes.of(activities(), outcomes(*reached), playbook().lifecycle)
    found = Moments.of(leads(*known.items()), activities(), times=times, business=playbook())
    weeks = Span(day(30), day(40))
    assert take_listings(found, mornings_of(weeks, "UTC"), seed=1).empty
    rows = list_weeks(found, weeks, zone="UTC", seed=1)
    assert rows["as_of"].tolist() == [day(at) + 1 for at in known.values()]
    assert list_weeks(found, Span(day(31.4), day(31.7)), zone="UTC", seed=1)["lead_id"].tolist() == ["a"]
