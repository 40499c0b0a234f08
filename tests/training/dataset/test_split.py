"""Blocks follow each other with a purge between them, and an account is in one of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.instants import DAY_US
from tests.training.small import day
from training.dataset.groups import group_leads
from training.dataset.split import SHARES, plan_blocks, split
from training.errors import HistoryError

HORIZON = 10 * DAY_US
USED = ("train", "stop", "calibrate", "test")


def rows_of(pairs):
    as_of = np.array([day(at) for _, at in pairs], dtype=np.int64)
    return as_of, pd.Series([group for group, _ in pairs], dtype="str")


many = st.lists(
    st.tuples(st.sampled_from([f"group {n}" for n in range(12)]), st.floats(0, 200)), min_size=1, max_size=80
)
lengths = st.sampled_from([20, 35, 49, 60, 200])


@given(many, lengths, st.integers(0, 9))
def test_no_group_is_in_two_blocks(pairs, length, seed):
    as_of, groups = rows_of(pairs)
    plan = plan_blocks(day(0), day(length), horizon=HORIZON)
    found = split(as_of, groups, plan, seed=seed)
    block = pd.Series(found.block.astype(str)).replace("stop", "train")
    assert block[block.isin(USED)].groupby(groups).nunique().max() in {0, 1} or not block.isin(USED).any()
    assert sum(found.counts.values()) == len(as_of)


@given(many, lengths, st.integers(0, 9))
def test_labels_of_one_block_never_look_into_the_next(pairs, length, seed):
    as_of, groups = rows_of(pairs)
    plan = plan_blocks(day(0), day(length), horizon=HORIZON)
    block = split(as_of, groups, plan, seed=seed).block
    early, late = ("train", "stop"), ("calibrate",)
    order = [(early, ("test",)), (late, ("test",))] + ([] if plan.shared else [(early, late)])
    for before, after in order:
        ends, starts = as_of[np.isin(block, before)], as_of[np.isin(block, after)]
        if len(ends) and len(starts):
            assert ends.max() + HORIZON <= starts.min()


@given(many, lengths, st.integers(0, 9))
def test_a_row_inside_a_period_is_kept_or_counted_as_set_aside(pairs, length, seed):
    as_of, groups = rows_of(pairs)
    plan = plan_blocks(day(0), day(length), horizon=HORIZON)
    found = split(as_of, groups, plan, seed=seed)
    inside = plan.train.holds(as_of) | plan.calibrate.holds(as_of) | plan.test.holds(as_of)
    assert found.counts["purged"] == (~inside).sum()
    assert (found.weight >= 1).all()


def test_shares_are_of_the_time_that_purges_leave():
    plan = plan_blocks(day(0), day(120) - 1, horizon=HORIZON)
    spans = (plan.train, plan.calibrate, plan.test)
    assert [span.days for span in spans] == pytest.approx([100 * share for share in SHARES])
    assert plan.calibrate.start - plan.train.end == plan.test.start - plan.calibrate.end == HORIZON


def test_a_short_history_is_purged_once_and_says_so():
    plan = plan_blocks(day(0), day(40), horizon=HORIZON)
    assert plan.name == "one purge"
    assert plan.train == plan.calibrate
    assert plan.test.start - plan.train.end == HORIZON


def test_a_history_too_short_for_any_purge_is_refused():
    with pytest.raises(HistoryError, match="expected at least 18 for a goal within 10 days"):
        plan_blocks(day(0), day(15), horizon=HORIZON)


def test_weights_make_up_for_the_draw():
    """
    Leads that succeed early are in the first block only; weighed, the train block has the rate of its whole period.

    Unweighed it has a higher one, since the leads that stay open compete with later blocks for their place.
    """
    generator = np.random.default_rng(3)
    leads, plan = 6_000, plan_blocks(day(0), day(200), horizon=HORIZON)
    won = generator.random(leads) < 0.2
    stays = np.where(won, 20, 190)
    starts = generator.uniform(0, 30, leads)
    pairs = [(f"lead {n}", at) for n in range(leads) for at in np.arange(starts[n], starts[n] + stays[n], 15)]
    as_of, groups = rows_of(pairs)
    label = groups.str.removeprefix("lead ").astype(int).map(lambda n: won[n]).to_numpy(dtype=float)
    found = split(as_of, groups, plan, seed=1)
    mine = np.isin(found.block, ("train", "stop"))
    truth = label[plan.train.holds(as_of)].mean()
    assert abs(np.average(label[mine], weights=found.weight[mine]) / truth - 1) < 0.05
    assert label[mine].mean() / truth > 1.15


def test_colleagues_and_those_who_changed_accounts_form_one_group():
    versions = pd.DataFrame({"lead_id": ["a", "b", "b", "c", "d", "e"], "account_id": ["x", "x", "y", "y", None, None]})
    groups = group_leads(versions)
    assert groups.to_dict() == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}
