"""The test follows the train rows with a purge between them, and both are cut by information, not by the calendar."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.small import day
from training.dataset.groups import group_leads
from training.dataset.split import TEST_SHARE, plan_blocks
from training.errors import HistoryError

HORIZON = 10 * DAY_US


def planned(days, label=None):
    as_of = np.array([day(at) for at in days], dtype=np.int64)
    label = np.zeros(len(as_of)) if label is None else np.asarray(label, dtype=float)
    return as_of, plan_blocks(as_of, label, horizon=HORIZON)


rows = st.lists(st.tuples(st.floats(0, 200), st.booleans()), min_size=1, max_size=80)


@given(rows, st.sampled_from([20, 35, 60, 200]))
def test_labels_of_the_train_rows_never_look_into_the_test(found, length):
    days, label = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    as_of, plan = planned([0, *(days % length), length], [0, *label, 1])
    block = plan.blocks(as_of)
    assert plan.train.end + HORIZON == plan.test.start
    assert set(block) <= {"train", "purged", "test"}
    assert (as_of[block == "train"] + HORIZON <= plan.test.start).all()
    assert {block[0], block[-1]} == {"train", "test"}


def share_of_test(as_of, plan, label):
    """The successes of the test among those of both blocks, by hand."""
    block = plan.blocks(as_of)
    learnt, tested = ((block[label] == name).sum() for name in ("train", "test"))
    return tested / (learnt + tested)


@given(st.integers(0, 99))
def test_the_test_has_a_quarter_of_the_information(seed):
    generator = np.random.default_rng(seed)
    days, label = generator.random(2_000) * 200, generator.random(2_000) < 0.1
    as_of, plan = planned(days, label)
    assert share_of_test(as_of, plan, label) == pytest.approx(TEST_SHARE, abs=0.01)


def test_one_early_lead_moves_nothing():
    days = np.linspace(0, 100, 1_001)
    label = np.arange(1_001) % 10 == 0
    late, alone = planned(1_000 + days, label)[1], planned([0, *(1_000 + days)], [0, *label])[1]
    assert abs(late.test.start - alone.test.start) < DAY_US
    assert alone.train.start == day(0)


def test_a_history_that_takes_in_no_leads_at_its_end_is_tested_where_something_happens():
    """Silent rows go on for as long again, without a success: by the calendar the test would have none."""
    busy, silent = np.linspace(0, 100, 1_001), np.linspace(100, 400, 600)
    label = np.r_[np.arange(1_001) % 10 == 0, np.zeros(600, dtype=bool)]
    as_of, plan = planned(np.r_[busy, silent], label)
    assert label[plan.blocks(as_of) == "test"].sum() > 5


def test_a_history_too_short_for_any_purge_is_refused():
    with pytest.raises(HistoryError, match="expected at least 18 for a goal within 10 days"):
        planned([0, 15])
    with pytest.raises(HistoryError, match="has 0 days"):
        planned([])


def test_colleagues_and_those_who_changed_accounts_form_one_group():
    versions = pd.DataFrame({"lead_id": ["a", "b", "b", "c", "d", "e"], "account_id": ["x", "x", "y", "y", None, None]})
    groups = group_leads(versions)
    assert groups.to_dict() == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}
