"""An attribute that changes when the goal is reached is found; one that changes at any other time is not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contract import AttributeType
from data.instants import DAY_US
from tests.training.gates.leakage.when_written import AT_GOAL, AT_OTHER_TIMES
from training.gates.leakage.changes_at_goal import WINDOW_DAYS, changes_at_goal, judge_changes, measure_bursts

TYPES = {"planted": AttributeType.NUMERIC}


def judged(company, change, seed=1):
    told = {**company.business.attributes, "planted": company.business.attributes["employees"]}
    business = company.business.model_copy(update={"attributes": told})
    goal_at = company.versions_of_winners()[1]
    return judge_changes(change(company, np.random.default_rng(seed)), goal_at, business, list(TYPES))


@pytest.mark.parametrize("change", AT_GOAL)
def test_what_is_written_with_the_goal_is_found_by_name(known_history, change):
    gate = judged(known_history, change)
    assert not gate.passed
    assert gate.says.startswith("planted changes when the goal is reached: in leads that reached it ")
    assert gate.says.endswith("If it is written because of the outcome, put planted on never_use.")


@pytest.mark.parametrize("change", AT_OTHER_TIMES)
def test_what_is_written_at_other_times_is_not(known_history, change):
    assert judged(known_history, change).passed


def test_the_simulators_own_leak_is_found_by_the_value_that_comes_with_the_goal(known_history):
    """Sales writes "qualified" hours before the stage is booked; its other words come at other times."""
    business = known_history.business.model_copy(update={"never_use": ()})
    gate = changes_at_goal(known_history.warehouse, business)
    assert gate.says.startswith(
        "lead_status changes to qualified when the goal is reached: in leads that reached it 100%"
    )
    assert gate.says.count("when the goal is reached") == 1


def test_what_the_playbook_forbids_or_vouches_for_is_not_looked_at(known_history):
    assert changes_at_goal(known_history.warehouse, known_history.business).passed
    status = known_history.business.attributes["lead_status"].model_copy(update={"as_of_creation": True})
    told = {**known_history.business.attributes, "lead_status": status}
    business = known_history.business.model_copy(update={"never_use": (), "attributes": told})
    assert changes_at_goal(known_history.warehouse, business).passed


def small_history(goal_days, change_days):
    """Return versions of leads without accounts, created on day 0, that change once; and when each reached the goal."""
    names = [f"L{number}" for number in range(len(goal_days))]
    frame = pd.DataFrame({"lead_id": names, "account_id": None, "created_at": 0})
    later = (np.asarray(change_days, dtype=float) * DAY_US).astype("int64")
    both = pd.concat([frame.assign(known_at=0, planted=np.nan), frame.assign(known_at=later, planted=1.0)])
    versions = both.sort_values(["lead_id", "known_at"], kind="stable").reset_index(drop=True)
    return versions, pd.Series((np.asarray(goal_days, dtype=float) * DAY_US).astype("int64"), names)


days = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=25, max_size=40)


@given(days)
def test_the_shares_are_those_of_counting(pairs):
    """Each change against its own lead's goal, and against the goal of every lead."""
    goals, changes = zip(*pairs, strict=True)
    (burst,) = measure_bursts(*small_history(np.add(goals, 0.25), changes), TYPES)
    apart = np.abs(np.subtract.outer(np.asarray(changes, dtype=float), np.add(goals, 0.25)))
    assert burst.share == pytest.approx((np.diag(apart) < WINDOW_DAYS).mean())
    assert burst.by_time == pytest.approx((apart < WINDOW_DAYS).mean())
    assert burst.low <= burst.share


def test_where_every_lead_succeeds_at_once_time_alone_explains_it():
    (burst,) = measure_bursts(*small_history([3.5] * 60, [3] * 60), TYPES)
    assert (burst.share, burst.by_time, burst.tells) == (1.0, 1.0, False)


def test_few_changes_prove_nothing():
    assert measure_bursts(*small_history(np.arange(5, 24), np.arange(5, 24)), TYPES) == []


@pytest.mark.parametrize(("winners", "conclusive"), [(19, False), (20, True)])
def test_where_few_succeeded_the_gate_says_that_it_cannot_tell(known_history, winners, conclusive):
    versions, goal_at = small_history(np.arange(5, 5 + winners), np.arange(5, 5 + winners))
    first = versions.drop_duplicates("lead_id").reset_index(drop=True)
    told = {**known_history.business.attributes, "planted": known_history.business.attributes["employees"]}
    gate = judge_changes(first, goal_at, known_history.business.model_copy(update={"attributes": told}), ["planted"])
    assert (gate.passed, gate.conclusive) == (True, conclusive)


def test_where_leads_succeed_within_days_a_pass_is_not_conclusive(known_history):
    """Time alone puts every fourth change near the goal there, and five times as many cannot be."""
    goal_days = np.random.default_rng(5).exponential(8.0, 400) + 0.1
    versions, goal_at = small_history(goal_days, goal_days - 0.05)
    business = known_history.business.model_copy(
        update={"attributes": {"planted": known_history.business.attributes["employees"]}}
    )
    gate = judge_changes(versions, goal_at, business, ["planted"])
    assert gate.passed
    assert not gate.conclusive
    assert "could not show" in gate.says
