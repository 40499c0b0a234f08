"""How long leads take is told as it is, also while many are still on their way."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter

from data.instants import DAY_US
from tests.training.small import START, day, leads, outcomes, playbook, until
from training.dataset.maturity import ENOUGH, Waits, estimate_maturity
from training.statistics.estimate import NO_ESTIMATE

SPAN = 400


def company(seed, *, size=3_000, mean=20.0, span=SPAN, each=3):
    """
    Leads of which some convert after exponential times, and the others are closed after slower ones.

    The leads of an account share their chance, so that they live and die together.
    """
    generator = np.random.default_rng(seed)
    account = np.repeat(np.arange(size // each), each)
    converts = generator.random(size) < generator.beta(3, 7, size // each)[account]
    came = generator.uniform(0, span, size)
    ends = came + generator.exponential(np.where(converts, mean, 2 * mean))
    names = pd.Series(np.char.add("lead ", np.arange(size).astype(str)), dtype="str")
    known = pd.DataFrame({"lead_id": names, "known_at": START + np.round(came * DAY_US).astype(np.int64)})
    done = pd.DataFrame(
        {
            "lead_id": names,
            "stage": pd.Series(np.where(converts, "won", "lost"), dtype="str"),
            "reached_at": START + np.round(ends * DAY_US).astype(np.int64),
        }
    )
    return known, done[ends < span].reset_index(drop=True), pd.Series(account.astype(str), index=names)


def maturity_of(known, done, groups, *, horizon=30, cutoff=SPAN, lag=0):
    goal = playbook(goal={"stage": "won", "horizon_days": horizon})
    return estimate_maturity(
        known, done, groups=groups, business=goal, period=until(cutoff), lag_us=round(lag * DAY_US)
    )


def alone(*names):
    return pd.Series(names, index=list(names))


def test_the_interval_holds_the_true_share_about_95_times_in_100():
    """Exponential times with a mean of 20 days: 1 - exp(-1.5) within 30 days."""
    truth, holds = 1 - np.exp(-30 / 20), 0
    for seed in range(50):
        share = maturity_of(*company(seed, size=1_500)).share
        holds += share.low <= truth <= share.high
    assert holds >= 45


def test_counting_what_was_seen_so_far_would_tell_too_much():
    """Slow leads of the last weeks are still on their way; with 60 days of history that is most of them."""
    truth = (1 - np.exp(-15 / 20)) / (1 - np.exp(-54 / 20))
    counted, estimated = [], []
    for seed in range(8):
        known, done, groups = company(seed, span=60)
        won = done[done["stage"] == "won"].set_index("lead_id")["reached_at"]
        took = won - known.set_index("lead_id")["known_at"].reindex(won.index)
        counted.append((took < 15 * DAY_US).mean())
        estimated.append(maturity_of(known, done, groups, horizon=15, cutoff=60).share.value)
    assert np.mean(counted) > truth + 0.04
    assert np.mean(estimated) == pytest.approx(truth, abs=0.02)


def test_the_estimate_equals_the_cumulative_incidence_of_aalen_and_johansen():
    """An independent way to treat closed leads as what they are: an end that competes with the goal."""
    known, done, groups = company(4)
    waits = Waits.of(known, done, groups=groups, business=playbook(), period=until(SPAN))
    end = done.set_index("lead_id").reindex(known["lead_id"])
    kind = end["stage"].map({"won": 1, "lost": 2}).fillna(0).to_numpy()
    at = end["reached_at"].fillna(day(SPAN)).to_numpy() - known["known_at"].to_numpy()
    reference = AalenJohansenFitter(seed=1, calculate_variance=False).fit(at / DAY_US * 24, kind, event_of_interest=1)
    own = waits.incidence()
    for hour in (120, 720, 2_400, waits.watched):
        assert own[hour] == pytest.approx(float(reference.predict(hour)), abs=0.004)


def test_resampling_with_every_account_once_gives_the_estimate():
    """Kaplan and Meier twice, by lifelines and by sums."""
    known, done, groups = company(5, size=300)
    waits = Waits.of(known, done, groups=groups, business=playbook(), period=until(SPAN))
    drawn = waits.resampled([720, waits.watched])
    own = waits.incidence()[[720, waits.watched]]
    assert drawn.mean(axis=0) == pytest.approx(own, abs=0.02)
    assert (drawn[:, 0] <= drawn[:, 1]).all()


def test_a_horizon_that_holds_too_little_is_told_a_better_one():
    found = maturity_of(*company(1))
    assert found.share.value < ENOUGH
    assert found.proposed_days in (45, 60)  # 90 % are there after 46 days
    assert f"goal.horizon_days: {found.proposed_days:g} would hold 90%" in found.says
    assert found.median_days == pytest.approx(20 * np.log(2), abs=1.5)


def test_a_horizon_that_holds_enough_is_left_alone():
    found = maturity_of(*company(1), horizon=60)
    assert found.share.value > ENOUGH
    assert found.proposed_days is None
    assert found.says.endswith("do so within 60 days, the horizon.")


def test_a_better_horizon_that_the_history_is_too_short_for_is_not_proposed():
    """90 % need 180 days; blocks and waiting need 2.75 times as long."""
    found = maturity_of(*company(2, mean=70))
    assert found.proposed_days is None
    assert "days would hold 90%, but this history is too short for them" in found.says


def test_a_history_shorter_than_the_horizon_says_so():
    found = maturity_of(*company(3, span=25), cutoff=25)
    assert found.share == NO_ESTIMATE
    assert (found.median_days, found.curve) == (None, ())
    assert "too short to say" in found.says


def test_nobody_reaching_the_goal_is_said():
    names = [f"lead {number}" for number in range(20)]
    found = maturity_of(leads(*[(name, 0.0) for name in names]), outcomes(("lead 1", 5, "lost")), alone(*names))
    assert found.share.value is None
    assert "No lead was seen to reach won" in found.says


def test_the_window_is_half_open_as_the_labels_is():
    """A lead that needs exactly the horizon is outside."""
    known = leads(*[(name, 0.0) for name in "abcd"])
    done = outcomes(("a", 29.99, "won"), ("b", 30, "won"), ("c", 30.01, "won"))
    assert maturity_of(known, done, alone(*"abcd")).share.value == pytest.approx(1 / 3)


def test_a_closed_lead_stays_among_those_that_have_not_converted():
    """Censored where it was closed, it would count as if it converted later like the others."""
    known = leads(*[(name, 0.0) for name in "abcd"])
    done = outcomes(("a", 20, "won"), ("b", 10, "lost"), ("c", 15, "lost"), ("d", 50, "won"))
    waits = Waits.of(known, done, groups=alone(*"abcd"), business=playbook(), period=until(SPAN))
    assert waits.incidence()[[480, 481, 1_200, 1_201]] == pytest.approx([0, 0.25, 0.25, 0.5])


def test_outcomes_that_may_still_arrive_are_waited_for():
    """With a lag of 10 days the last 10 days of a history prove nothing."""
    known = leads(*[(name, 0.0) for name in "abcd"])
    done = outcomes(("a", 20, "won"), ("b", 395, "won"))
    waits = Waits.of(known, done, groups=alone(*"abcd"), business=playbook(), period=until(SPAN - 10))
    assert waits.reached.tolist() == [True, False, False, False]
    assert set(waits.hours[1:]) == {390 * 24 + 1}


def test_leads_that_had_reached_the_goal_before_they_were_known_do_not_count():
    known = leads(("a", 10), ("b", 0))
    waits = Waits.of(known, outcomes(("a", 5, "won")), groups=alone("a", "b"), business=playbook(), period=until(SPAN))
    assert len(waits.hours) == 1


def test_the_answer_is_json_with_a_short_rising_curve():
    found = json.loads(maturity_of(*company(6)).model_dump_json())
    reached = [point["reached"] for point in found["curve"]]
    assert len(reached) <= 61
    assert (np.diff(reached) >= 0).all()
    assert reached[0] == 0
    assert reached[-1] == pytest.approx(1, abs=0.02)


def test_three_hundred_thousand_leads_take_seconds():
    known, done, groups = company(7, size=300_000)
    started = time.process_time()
    maturity_of(known, done, groups)
    assert time.process_time() - started < 5
