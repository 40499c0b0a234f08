"""A row has a label when time has told, and not a moment before."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.small import day, outcomes, playbook, until
from training.dataset.labels import goal_times_and_amounts, label_snapshots
from training.errors import HistoryError


def snapshots(*rows):
    return pd.DataFrame({"lead_id": [row[0] for row in rows], "as_of": [day(row[1]) for row in rows]}).astype(
        {"lead_id": "str", "as_of": "int64"}
    )


def labelled(rows, reached, *, cutoff=100.0, **changes):
    return label_snapshots(snapshots(*rows), reached, business=playbook(**changes), period=until(cutoff))


def test_the_window_is_half_open():
    found = labelled([("a", 10), ("a", 20), ("a", 20.001), ("a", 30), ("a", 31)], outcomes(("a", 30, "won")))
    assert found.reached.tolist() == [0, 0, 1, 1, 0]


def test_other_stages_do_not_count():
    found = labelled([("a", 10), ("b", 10)], outcomes(("a", 12, "met"), ("b", 12, "won")))
    assert found.reached.tolist() == [0, 1]


def test_an_early_success_waits_for_its_peers():
    """Counting it while the others of its day are dropped would raise the rate."""
    found = labelled([("a", 95), ("b", 95), ("a", 89)], outcomes(("a", 96, "won")))
    assert found.mature.tolist() == [False, False, True]


def test_the_lag_of_outcomes_is_waited_for():
    late = outcomes(*[(f"lead {number}", number / 20, "won") for number in range(400)], lag_days=3)
    assert labelled([("a", 10)], late).lag_us == 3 * DAY_US
    assert labelled([("a", 10)], late, outcome_lag_days=7).mature_until == day(100 - 10 - 7)


def test_a_goal_that_never_occurs_is_said():
    with pytest.raises(HistoryError, match="No lead ever reached won"):
        labelled([("a", 10)], outcomes(("a", 12, "lost")))


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 100)), min_size=1, max_size=40),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 99), st.floats(0, 20)), min_size=1, max_size=20),
    st.one_of(st.none(), st.floats(0, 30)),
)
def test_no_immature_row_ever_has_a_label(rows, reached, said_lag):
    """Whatever the lags: a labelled row's horizon and the lag lie before the cut-off, an unlabelled one's do not."""
    table = outcomes(*[(lead, at, "won") for lead, at, _ in reached])
    table["known_at"] += (np.array([lag for *_, lag in reached]) * DAY_US).astype("int64")
    table = table[table["known_at"] <= day(100)]
    if table.empty:
        return
    found = labelled(rows, table, outcome_lag_days=said_lag)
    lag = (table["known_at"] - table["reached_at"]).max() if said_lag is None else round(said_lag * DAY_US)
    as_of = snapshots(*rows)["as_of"].to_numpy()
    assert (found.mature == (as_of + 10 * DAY_US + lag <= day(100))).all()
    assert np.isin(found.reached[found.mature], (0, 1)).all()


def test_what_a_goal_was_worth_is_its_own_amount_or_that_of_the_stage_named():
    goals = outcomes(("a", 10, "won"), ("b", 12, "won"), ("c", 9, "met")).assign(amount=[100.0, np.nan, 7.0])
    ids = pd.Series(["a", "a", "b", "c", "d"], dtype="str")
    at, amount = goal_times_and_amounts(ids, goals, business=playbook())
    assert at[:3].tolist() == [day(10), day(10), day(12)]
    assert np.isnan(at[3:]).all()
    assert amount[:2].tolist() == [100.0, 100.0]
    assert np.isnan(amount[2:]).all()


def test_an_amount_may_stand_on_another_stage_and_only_goals_have_one():
    reached = outcomes(("a", 10, "won"), ("a", 11, "met"), ("a", 13, "met"), ("c", 9, "met"))
    priced = playbook(goal={"stage": "won", "horizon_days": 10, "amount_from": "met"})
    found = goal_times_and_amounts(
        pd.Series(["a", "c"], dtype="str"), reached.assign(amount=[np.nan, 50.0, 60.0, 7.0]), business=priced
    )
    assert found[1][0] == 50.0
    assert np.isnan(found[1][1])
