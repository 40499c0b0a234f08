"""The threshold hands over as many leads as the team can call, and each lead once."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from data.words.point_rules import RoutingRules
from tests.training.small import day
from training.fitting.thresholds import crossings, solve_bands, threshold_of


def one_by_one(leads, points, *, threshold, hysteresis):
    """The rule as one would write it down."""
    above, found = {}, []
    for lead, point in zip(leads, points, strict=True):
        was = above.get(lead, False)
        if point >= threshold:
            above[lead] = True
        elif point < threshold - hysteresis:
            above[lead] = False
        found.append(above.get(lead, False) and not was)
    return found


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(40, 80)), min_size=1, max_size=40), st.sampled_from([0, 5, 12])
)
def test_crossings_equal_the_rule_written_down(pairs, hysteresis):
    pairs = sorted(pairs, key=lambda pair: pair[0])
    leads, points = (np.array(part) for part in zip(*pairs, strict=True))
    fast = crossings(leads, points.astype(float), threshold=60, hysteresis=hysteresis)
    assert fast.tolist() == one_by_one(leads.tolist(), points.tolist(), threshold=60, hysteresis=hysteresis)


DAYS = 29


def population(leads=2_000, each=20, weight=1.0):
    """Leads as they were listed over four weeks: all of them on the first and the last morning."""
    generator = np.random.default_rng(1)
    who = np.repeat([f"lead {number:05}" for number in range(leads)], each)
    at = np.sort(generator.uniform(0, DAYS, (leads, each)), axis=1)
    at[:, 0], at[:, -1] = 0, DAYS
    points = (50 + generator.normal(0, 12, leads)[:, None] + generator.normal(0, 6, (leads, each))).ravel()
    rows = {"lead_id": who, "as_of": [day(one) for one in at.ravel()], "weight": weight}
    return pd.DataFrame(rows).assign(whole_list=np.isin(at, [0, DAYS]).ravel()), points


def test_the_threshold_is_the_lowest_that_the_team_can_follow():
    recent, points = population()
    found = threshold_of(recent, points, hysteresis=5, per_day=8)

    def per_day(threshold):
        crossed = crossings(pd.factorize(recent["lead_id"])[0], points, threshold=threshold, hysteresis=5)
        return (crossed & (recent["as_of"] > day(0)).to_numpy()).sum() / DAYS

    assert per_day(found) <= 8 < per_day(found - 0.5)


def test_leads_that_stand_for_two_are_two_handovers():
    recent, points = population()
    twice = population(weight=2.0)[0]
    assert threshold_of(twice, points, hysteresis=5, per_day=16) == threshold_of(
        recent, points, hysteresis=5, per_day=8
    )


def test_more_capacity_never_raises_the_threshold():
    recent, points = population(leads=300)
    found = [threshold_of(recent, points, hysteresis=5, per_day=capacity) for capacity in (0.1, 1, 5, 50, 5_000)]
    assert found == sorted(found, reverse=True)


def test_a_fixed_threshold_is_kept_and_grades_are_shares_of_the_leads_that_are_open_at_the_end():
    recent, points = population(leads=400)
    gone = ((recent["as_of"] == day(DAYS)) & (np.arange(len(points)) < 4_000)).to_numpy()
    recent, points = recent[~gone], points[~gone]
    bands = solve_bands(recent, points, routing=RoutingRules(threshold_points=61), capacity_per_day=3, average=50)
    last = points[(recent["as_of"] == day(DAYS)).to_numpy()]
    assert len(last) == 200
    assert bands.threshold == 61
    assert [round((last >= cut).mean(), 2) for cut in (bands.a, bands.b, bands.c)] == [0.05, 0.20, 0.50]


def test_a_team_with_time_for_everyone_still_hears_of_no_lead_below_the_average():
    recent, points = population(leads=100)
    assert solve_bands(recent, points, routing=RoutingRules(), capacity_per_day=10_000, average=50).threshold == 50


def test_where_nobody_is_open_at_the_end_grades_are_shares_of_the_leads_last_seen():
    recent, points = population(leads=100)
    gone = (recent["as_of"] == day(DAYS)).to_numpy()
    bands = solve_bands(recent[~gone], points[~gone], routing=RoutingRules(), capacity_per_day=3, average=50)
    last = points[18::20]
    assert [round((last >= cut).mean(), 2) for cut in (bands.a, bands.b, bands.c)] == [0.05, 0.20, 0.50]
