"""What the calls came to is counted in leads of the company, and differences are paired."""

from dataclasses import asdict

import numpy as np
import pytest

from data.instants import DAY_US
from tests.training.replay.histories import drawn, participant, rows_of, weeks_of
from training.replay.policy import Policy
from training.replay.results import replay_results
from training.statistics.estimate import Estimate

DAYS = 40
ZERO = Estimate(value=0, low=0, high=0)


def stood(rows, *scores, days=DAYS, capacity=4.0):
    weeks = weeks_of(rows, days)
    entrants = [participant(f"E{number}", score) for number, score in enumerate(scores)]
    policies = [Policy.of(one, weeks, capacity_per_day=capacity) for one in entrants]
    return *replay_results(policies, weeks), [policy.calls for policy in policies], weeks


def test_counts_are_the_plain_sums_of_the_calls():
    rows, quality = drawn(600, DAYS)
    (one,), _, (calls,), weeks = stood(rows, quality)
    found = {"calls": 0.0, "eventually": 0.0, "conversions": 0.0, "days": 0.0, "value": 0.0}
    for lead in range(len(weeks.lead_id)):
        if calls.morning[lead] >= 0:
            weight = weeks.weight[lead]
            found["calls"] += weight
            ahead = weeks.goal_at[lead] - weeks.mornings[calls.morning[lead]]
            found["eventually"] += weight * (ahead >= 0)
            if 0 <= ahead < weeks.horizon_us:
                found["conversions"] += weight
                found["days"] += weight * ahead / DAY_US
                found["value"] += 0 if np.isnan(weeks.amount[lead]) else weight * weeks.amount[lead]
    assert found["conversions"] > 20
    assert found["eventually"] > found["conversions"]
    assert one.eventual_conversions.value == pytest.approx(found["eventually"])
    assert one.calls == pytest.approx(found["calls"])
    assert one.conversions.value == pytest.approx(found["conversions"])
    assert one.calls_per_conversion.value == pytest.approx(found["calls"] / found["conversions"])
    assert one.days_before.value == pytest.approx(found["days"] / found["conversions"])
    assert one.value.value == pytest.approx(found["value"])
    assert one.found_share.value == pytest.approx(found["conversions"] / weeks.weight[weeks.findable].sum())


def test_every_interval_holds_its_number():
    rows, quality = drawn(600, DAYS)
    noisy = quality + np.random.default_rng(1).normal(size=len(quality))
    alone, (against,), *_ = stood(rows, quality, noisy)
    for numbers in (*map(dict, alone), asdict(against)):
        for name, number in numbers.items():
            if isinstance(number, Estimate):
                assert number.low < number.value < number.high, name


def test_an_interval_is_as_wide_as_the_spread_over_histories_drawn_anew():
    """The bootstrap of accounts against what it stands for: other accounts of the same company."""
    width, values = [], []
    for seed in range(60):
        rows, quality = drawn(300, DAYS, seed=seed)
        (one,), *_ = stood(rows, quality, capacity=3)
        values.append(one.found_share.value)
        width.append(one.found_share.high - one.found_share.low)
    assert 0.6 < np.mean(width) / (2 * 1.96 * np.std(values)) < 1.6


def test_the_days_add_up_to_the_whole():
    rows, quality = drawn(600, DAYS)
    (one,), _, (calls,), weeks = stood(rows, quality)
    days, made, found = zip(*((each.day, each.calls, each.conversions) for each in one.by_day), strict=True)
    assert days == tuple(weeks.days)
    assert made[-1] == pytest.approx(one.calls)
    assert found[-1] == pytest.approx(one.conversions.value)
    assert (np.diff(made) >= 0).all()
    assert (np.diff(found) >= 0).all()
    assert made[0] == pytest.approx(weeks.weight[calls.morning == 0].sum())


def test_equal_scorers_differ_by_nothing():
    rows, quality = drawn(400, DAYS)
    _, (against,), *_ = stood(rows, quality, 3 * quality + 7)
    for name in ("conversions_more", "days_earlier", "value_more"):
        assert getattr(against, name) == ZERO, name
    assert against.rate_only_first.value is None, "nobody was called by one alone"


def test_who_knows_the_outcome_finds_the_most_and_sooner():
    rows, quality = drawn(2_000, DAYS)
    goal_in = (rows["goal_at"] - rows["as_of"]).to_numpy() / DAY_US
    knows = -np.nan_to_num(goal_in, nan=np.inf)
    alone, (over_quality, over_none), *_ = stood(rows, knows, quality, np.zeros(len(rows)))
    assert over_quality.conversions_more.low > 0
    assert over_none.conversions_more.value > over_quality.conversions_more.value
    assert alone[0].calls_per_conversion.value < alone[1].calls_per_conversion.value


def test_pairing_sees_what_two_intervals_cannot():
    rows, quality = drawn(1_500, DAYS)
    noisy = quality + np.random.default_rng(1).normal(0, 0.5, len(quality))
    alone, (against,), *_ = stood(rows, quality, noisy)
    widths = [one.conversions.high - one.conversions.low for one in alone]
    assert against.conversions_more.high - against.conversions_more.low < 0.8 * np.hypot(*widths)


def test_earlier_is_said_of_what_both_found():
    rows = rows_of({"seen": [0.0], "goal": 6.0, "amount": 10}, {"seen": [0.0], "goal": 5.0, "amount": 70})
    (first, second), (against,), *_ = stood(rows, [2, 1], [1, 2], days=4, capacity=1)
    assert against.days_earlier.value == pytest.approx(0), "one a day sooner, one a day later"
    assert first.days_before.value == pytest.approx((6 - 8 / 24 + 5 - 1 - 8 / 24) / 2)
    assert first.value.value == second.value.value == 80
    (_, _), (against,), *_ = stood(rows, [2, 1], [1, 2], days=1, capacity=1)
    assert against.days_earlier.value is None
    assert against.value_more.value == -60


def test_without_amounts_there_is_no_value():
    rows = rows_of({"seen": [0.0], "goal": 6.0}, {"seen": [0.0]})
    (first, _), (against,), *_ = stood(rows, [2, 1], [1, 2], days=1, capacity=1)
    assert first.value is None
    assert against.value_more is None


def test_who_finds_nothing_has_no_calls_per_conversion():
    rows = rows_of({"seen": [0.0]}, {"seen": [0.0]})
    (one,), *_ = stood(rows, [2, 1], days=1)
    assert one.conversions == ZERO
    assert one.calls_per_conversion.value is None
    assert one.days_before.value is None
    assert one.found_share.value is None
