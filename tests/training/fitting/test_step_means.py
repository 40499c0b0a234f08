"""Steps hold about equally many rows, in order, and every value stands for the mean logarithm of its step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from training.fitting.step_means import StepMeans

NUMBERS = st.one_of(st.just(np.nan), st.integers(-5, 5).map(float), st.floats(-1e12, 1e12))
COLUMNS = st.lists(NUMBERS, min_size=1, max_size=80).map(lambda values: np.array(values).reshape(-1, 1))


def logs(values):
    return np.sign(values) * np.log1p(np.abs(values))


@given(COLUMNS, st.integers(2, 12))
def test_steps_keep_the_order_and_the_mean(column, most):
    shown = StepMeans(most).fit_transform(column)
    known = ~np.isnan(column)
    assert (np.isnan(shown) == ~known).all()
    order = np.argsort(column[known], kind="stable")
    assert (np.diff(shown[known][order]) >= -1e-5).all()
    assert len(np.unique(shown[known])) <= most
    if known.any():
        np.testing.assert_allclose(shown[known].mean(), logs(column[known]).mean(), rtol=1e-5, atol=1e-5)


@given(st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=50))
def test_few_values_have_a_step_each(values):
    column = np.array(values).reshape(-1, 1)
    np.testing.assert_allclose(StepMeans(7).fit_transform(column), logs(column), rtol=1e-6)


def test_values_beyond_all_that_was_seen_are_in_the_outermost_steps():
    steps = StepMeans(4).fit(np.arange(100.0).reshape(-1, 1))
    low, first, last, high = steps.transform([[-1e9], [0.0], [99.0], [1e9]]).ravel()
    assert (low, high) == (first, last)


def test_a_value_that_most_rows_share_takes_no_step_from_the_others():
    column = np.r_[np.zeros(990), np.arange(1.0, 11.0)].reshape(-1, 1)
    shown = StepMeans(8).fit_transform(column)
    assert shown[0] == 0
    assert shown[-1] > 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_the_last_digits_of_a_number_change_no_step(values):
    column = np.unique(np.round(values, 3)).reshape(-1, 1)
    steps = StepMeans(5).fit(column)
    for near in (column * (1 + 1e-12), column * (1 - 1e-12)):
        np.testing.assert_array_equal(steps.transform(near), steps.transform(column))


def test_neighbouring_floats_have_a_step_each_and_none_is_empty():
    first = 1.1487179487179489
    column = np.array([1.0, first, np.nextafter(first, 2)]).reshape(-1, 1)
    steps = StepMeans(8).fit(column)
    assert steps.transform([[5.0]])[0, 0] == np.float32(np.log1p(first))
    huge = StepMeans(8).fit([[-1e308], [1e308]])
    assert np.isfinite(huge.cuts_[0]).all()


def test_scikit_learn_can_copy_it_unfitted():
    assert clone(StepMeans(9)).most == 9
