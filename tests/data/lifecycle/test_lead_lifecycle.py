"""Who is open is one rule, whichever way it is asked: of one lead, of tables, or over time."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.instants import DAY_US
from data.lifecycle.closed_leads import closed_leads, open_leads
from data.lifecycle.lead_lifecycle import Lifecycle, ReachedStage
from data.lifecycle.open_times import NEVER, OpenTimes
from tests.data.lifecycle.lives import LAST, LEADS, LIFECYCLE, Life, instants, is_open_by_hand, lives

REACHED, JAN_20, FEB_1 = 20 * DAY_US, 20 * DAY_US, 32 * DAY_US


@given(lives, instants)
def test_one_lead_is_open_exactly_where_nothing_that_stands_has_closed_it(life, as_of):
    for lead in LEADS:
        reached, opened = life.known(lead, as_of)
        state = LIFECYCLE.state(reached, opened)
        assert (state.closed_at is None) == is_open_by_hand(reached, opened)
        assert state.closed_at is None or state.closed_at in {each.reached_at for each in reached}


@given(lives, instants, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_changes_nothing(life, as_of, random):
    for lead in LEADS:
        reached, opened = life.known(lead, as_of)
        expected = LIFECYCLE.state(reached, opened)
        random.shuffle(reached)
        random.shuffle(opened)
        assert LIFECYCLE.state(reached, opened) == expected


@pytest.fixture(scope="module")
def duckdb():
    return ibis.duckdb.connect()


@settings(max_examples=30, deadline=None)
@given(lives, instants, st.booleans())
def test_tables_say_the_same_as_each_lead(duckdb, life, as_of, reopens):
    lifecycle = LIFECYCLE if reopens else replace(LIFECYCLE, reopening=frozenset())
    tables = [
        duckdb.create_table(name, frame, overwrite=True) for name, frame in zip("lao", life.tables(), strict=True)
    ]
    found = open_leads(*tables, lifecycle=lifecycle, as_of=as_of).execute()
    states = {lead: lifecycle.state(*_of(life, lead, as_of, lifecycle)) for lead in LEADS}
    expected = {lead: state.stage for lead, state in states.items() if state.closed_at is None}
    stages = [None if pd.isna(stage) else stage for stage in found["stage"]]
    assert dict(zip(found["lead_id"], stages, strict=True)) == (expected if as_of > -1 else {})
    closed = closed_leads(*tables[1:], lifecycle=lifecycle, as_of=as_of).execute()["lead_id"]
    assert sorted(closed) == sorted(set(LEADS) - set(expected))


@settings(max_examples=100, deadline=None)
@given(lives)
def test_over_time_an_outcome_counts_once_it_was_reached_and_an_opening_once_it_was_known(life):
    _, did, reached = life.tables()
    times = OpenTimes.of(did, reached, LIFECYCLE)
    grid = np.arange(0, LAST, DAY_US // 4)
    rows = pd.DataFrame({"lead_id": np.repeat(LEADS, len(grid)), "as_of": np.tile(grid, len(LEADS))})
    found = times.closing_after(rows["lead_id"], rows["as_of"].to_numpy())
    is_open = [_open_as_snapshots_see_it(life, lead, at) for lead, at in rows.itertuples(index=False)]
    assert (found > rows["as_of"]).tolist() == is_open
    for (lead, at), end in zip(rows.itertuples(index=False), found.tolist(), strict=True):
        if at < end < NEVER:
            assert not _open_as_snapshots_see_it(life, lead, end)
            assert _open_as_snapshots_see_it(life, lead, end - 1)


def test_a_life_without_an_end_is_open_for_ever():
    _, did, reached = Life([("a", "met", 0, 0)], [("b", "demo", 0, 0)]).tables()
    rows = pd.Series(["a", "b", "unheard of"])
    assert (OpenTimes.of(did, reached, LIFECYCLE).closing_after(rows, np.zeros(3, dtype=np.int64)) == NEVER).all()


@pytest.mark.parametrize(
    ("stage", "opened", "closed_at"),
    [
        pytest.param("lost", FEB_1, None, id="asks for a demo after it was lost"),
        pytest.param("disqualified", FEB_1, None, id="or disqualified"),
        pytest.param("won", FEB_1, JAN_20, id="never after it was won"),
        pytest.param("lost", JAN_20, JAN_20, id="what came at that very instant led to it"),
        pytest.param("lost", JAN_20 - 1, JAN_20, id="what came before"),
    ],
)
def test_what_came_after_the_end_opens_a_lead_again(stage, opened, closed_at):
    assert LIFECYCLE.state([ReachedStage(stage, JAN_20, JAN_20)], [opened]).closed_at == closed_at


def test_what_is_said_of_a_day_is_over_when_the_day_is():
    """Lost on 20 January, without a time: a demo request of that noon may have come before it."""
    day = ReachedStage("lost", JAN_20, JAN_20 + DAY_US)
    assert LIFECYCLE.state([day], [JAN_20 + DAY_US // 2]).closed_at == JAN_20
    assert LIFECYCLE.state([day], [JAN_20 + DAY_US + 1]).closed_at is None


def test_an_end_that_is_reported_late_undoes_no_later_opening():
    late = ReachedStage("lost", JAN_20, FEB_1 + DAY_US)
    assert LIFECYCLE.state([late], [FEB_1]).closed_at is None


def test_a_lead_is_closed_since_the_first_end_after_it_was_opened():
    ends = [ReachedStage(stage, day * DAY_US, day * DAY_US) for stage, day in (("lost", 1), ("lost", 5), ("won", 7))]
    assert LIFECYCLE.state(ends, [3 * DAY_US, 9 * DAY_US]).closed_at == 5 * DAY_US


def test_of_stages_of_one_instant_the_playbooks_last_counts():
    words = Lifecycle(("mql", "sql"), frozenset({"sql"}), frozenset({"sql"}), frozenset())
    assert words.state([ReachedStage("sql", 1, 1), ReachedStage("mql", 1, 2)], []).stage == "sql"


def _of(life, lead, as_of, lifecycle):
    reached, opened = life.known(lead, as_of)
    return reached, opened if lifecycle.reopening else []


def _open_as_snapshots_see_it(life, lead, at):
    reached, _ = life.known(lead, NEVER)
    _, opened = life.known(lead, at)
    return is_open_by_hand([each for each in reached if each.reached_at <= at], opened)
