"""Each morning the team calls the best leads on its list, once each, as far as its time goes."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.replay.histories import drawn, instant, replayed_by_hand, rows_of, weeks_of
from training.replay.calls import call_leads

DAYS = 8
HALF_DAYS = st.integers(0, DAYS * 4).map(lambda quarter: quarter / 4)
LEADS = st.lists(
    st.fixed_dictionaries(
        {
            "seen": st.lists(HALF_DAYS, min_size=1, max_size=4, unique=True).map(sorted),
            "weight": st.sampled_from([1, 10 / 3, 2.5, 10 / 7]),
            "goal": st.none() | st.integers(1, 60).map(lambda quarter: quarter / 4),
            "closed": st.none() | st.integers(1, 60).map(lambda quarter: quarter / 4),
        }
    ),
    min_size=1,
    max_size=12,
)


def called_by(weeks, calls) -> dict:
    return {
        str(weeks.lead_id[lead]): (int(calls.morning[lead]), int(calls.row[lead]), bool(calls.converted[lead]))
        for lead in np.flatnonzero(calls.called)
    }


@settings(max_examples=150)
@given(leads=LEADS, capacity=st.sampled_from([0.4, 1, 1.5, 2, 7]), data=st.data())
def test_it_calls_whom_a_walk_by_hand_calls(leads, capacity, data):
    rows = rows_of(*leads)
    few = st.integers(0, 4)  # few values, so that many are equal
    score = np.array(data.draw(st.lists(few, min_size=len(rows), max_size=len(rows))), dtype=float)
    weeks = weeks_of(rows, DAYS)
    draw = dict(zip(weeks.lead_id.tolist(), weeks.draw.tolist(), strict=True))
    expected = replayed_by_hand(rows, score, days=DAYS, capacity=capacity, draw=draw)
    assert called_by(weeks, call_leads(score, weeks, capacity_per_day=capacity)) == expected


@given(seed=st.integers(0, 50), capacity=st.floats(0.3, 20))
def test_the_team_never_calls_more_than_its_capacity_and_one_leads_weight(seed, capacity):
    rows, quality = drawn(120, 20, seed=seed)
    weeks = weeks_of(rows, 20)
    calls = call_leads(quality, weeks, capacity_per_day=capacity)
    by_day = np.bincount(calls.morning[calls.called], weights=weeks.weight[calls.called], minlength=20)
    for first in range(20):
        spent = by_day[first:].cumsum()
        assert (spent <= capacity * np.arange(1, 21 - first) + weeks.weight.max() + 1e-6).all()


def test_a_list_longer_than_the_time_uses_all_of_it():
    rows, quality = drawn(3_000, 30)
    weeks = weeks_of(rows, 30)
    calls = call_leads(quality, weeks, capacity_per_day=5)
    assert weeks.weight[calls.called].sum() == pytest.approx(150, abs=weeks.weight.max())


def test_time_left_over_is_lost():
    """A team that had nobody to call on Monday cannot call twice as many on Tuesday."""
    rows = rows_of({"seen": [2.0]}, {"seen": [2.1]}, {"seen": [2.2]})
    calls = call_leads(np.zeros(3), weeks_of(rows, 6), capacity_per_day=1)
    assert sorted(calls.morning.tolist()) == [2, 3, 4]


def test_a_heavy_lead_takes_the_time_of_the_next_mornings_too():
    rows = rows_of({"seen": [0.0], "weight": 2.5}, {"seen": [0.0]}, {"seen": [0.0]})
    calls = call_leads(np.array([3.0, 2, 1]), weeks_of(rows, 6), capacity_per_day=1)
    assert calls.morning.tolist() == [
        0,
        2,
        3,
    ]  # 2.5 of 1, then half of the third morning is left and takes a whole lead


def test_the_latest_snapshot_known_that_morning_decides():
    rows = rows_of({"seen": [0.0, 1.0, 1.5]}, {"seen": [0.0]}, {"seen": [0.0]})
    calls = call_leads(np.array([1.0, 9, 0, 5, 4]), weeks_of(rows, 4), capacity_per_day=1)
    assert calls.morning.tolist() == [1, 0, 2], (
        "the second snapshot counts on the second morning, the third does not yet"
    )
    assert calls.row.tolist() == [1, 3, 4]


def test_a_call_finds_what_comes_within_the_horizon_from_its_instant_on():
    morning = 8 / 24
    rows = rows_of(
        {"seen": [0.0], "goal": morning},
        {"seen": [0.0], "goal": morning + 10 - 1 / DAY_US},
        {"seen": [0.0], "goal": morning + 10},
        {"seen": [0.0]},
    )
    weeks = weeks_of(rows, 1)
    calls = call_leads(np.zeros(4), weeks, capacity_per_day=9)
    assert calls.called.all()
    assert calls.converted.tolist() == [True, True, False, False]
    assert calls.days_before[:2] == pytest.approx([0, 10])
    assert np.isnan(calls.days_before[2:]).all()
    assert weeks.findable.tolist() == [True, True, False, False]


def test_who_reached_the_goal_or_was_closed_is_not_called():
    rows = rows_of(
        {"seen": [0.0], "goal": 0.3}, {"seen": [0.0], "closed": 0.3, "goal": 5.0}, {"seen": [0.0], "closed": 1.3}
    )
    weeks = weeks_of(rows, 4)
    assert call_leads(np.array([2.0, 2, 1]), weeks, capacity_per_day=1).morning.tolist() == [-1, -1, 0]
    assert weeks.listed.tolist() == [False, False, True]


def test_equal_scores_are_called_in_an_order_that_is_not_that_of_the_rows():
    rows = rows_of(*({"seen": [0.0]} for _ in range(200)))
    weeks = weeks_of(rows, 20)
    mornings = call_leads(np.zeros(200), weeks, capacity_per_day=10).morning
    assert abs(np.corrcoef(mornings, np.arange(200))[0, 1]) < 0.2
    again = weeks_of(rows.sample(frac=1, random_state=1).reset_index(drop=True), 20)
    other = dict(zip(again.lead_id, call_leads(np.zeros(200), again, capacity_per_day=10).morning, strict=True))
    assert [other[f"L{number}"] for number in range(200)] == mornings.tolist()


def test_weeks_without_a_morning_call_nobody():
    weeks = weeks_of(rows_of({"seen": [0.0], "goal": 3.0}), 0)
    assert not call_leads(np.zeros(1), weeks, capacity_per_day=5).called.any()
    assert not weeks.findable.any()


def test_twenty_thousand_leads_over_115_days_take_no_time():
    rows, quality = drawn(20_000, 115)
    weeks = weeks_of(rows, 115)
    started = time.process_time()
    for seed in range(6):
        call_leads(quality + np.random.default_rng(seed).normal(size=len(rows)), weeks, capacity_per_day=20)
    assert time.process_time() - started < 3
    assert instant(0) < weeks.mornings[0]
