"""Rolling origins: each training is one that could have been run on that day, and no row is judged twice."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.small import day
from training.dataset.origins import on_all_rows, plan_origins, rolling_origins
from training.errors import HistoryError

HORIZON = 10 * DAY_US


def rows_over(length):
    as_of = np.array([day(at) for at in np.linspace(0, length, 200)], dtype=np.int64)
    return pd.DataFrame({"as_of": as_of, "label": np.arange(200) % 7 == 0, "weight": 1.0}).astype({"label": float})


@pytest.fixture(scope="module")
def found(dataset):
    return rolling_origins(dataset)


@given(st.floats(18, 400), st.integers(1, 5))
def test_origins_follow_each_other_and_tests_never_overlap(length, times):
    plans = plan_origins(rows_over(length), horizon=HORIZON, times=times)
    assert 1 <= len(plans) <= times
    assert plans[-1].test.end == day(length) + 1
    for before, after in itertools.pairwise(plans):
        assert before.test.end <= after.test.start
        assert before.train.end < after.train.end
    for plan in plans:
        assert plan.train.end + HORIZON <= plan.test.start


def test_a_history_too_short_for_one_origin_says_so():
    with pytest.raises(HistoryError, match="expected at least"):
        plan_origins(rows_over(15), horizon=HORIZON)


def test_a_short_history_has_fewer_origins():
    assert len(plan_origins(rows_over(18), horizon=HORIZON)) == 1
    assert len(plan_origins(rows_over(400), horizon=HORIZON)) == 3


def test_the_last_origin_is_the_training_set_itself(found):
    assert len(found) == 3
    whole = found[-1]
    assert whole.plan.as_json() == whole.manifest["plan"]
    again = rolling_origins(whole)[-1]
    assert again.sha256 == whole.sha256


def test_no_origin_knows_a_row_or_an_outcome_after_its_test(found):
    for one in found[:-1]:
        assert one.block("train", "purged", "test")["as_of"].max() < one.plan.test.end
        assert one.plan.train.end + one.horizon_us <= one.plan.test.start
        assert one.recent.equals(found[-1].recent), "from which grades are cut"


def test_each_origin_counts_its_own_rows(found):
    for one in found:
        for name in ("train", "test", "purged"):
            rows = one.block(name)
            assert len(rows) == one.manifest["blocks"][name]
            assert int(rows["label"].sum()) == one.manifest["positives"][name]
        assert 0 < one.base_rate < 1
    assert np.isfinite([one.base_rate for one in found]).all()


def test_what_serves_is_fitted_to_every_row_whose_outcome_is_known(dataset):
    whole = on_all_rows(dataset)
    train = whole.block("train")
    assert len(train) == dataset.manifest["mature"] == whole.manifest["blocks"]["train"]
    assert train["label"].notna().all()
    assert whole.base_rate == pytest.approx(np.average(train["label"], weights=train["weight"]))
    assert not len(whole.block("test", "purged", "listed"))
    assert whole.recent.equals(dataset.recent)
