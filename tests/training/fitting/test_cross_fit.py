"""Five boosters, each blind to one fold of the accounts, and their mean, which is one booster."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.booster import trees_of
from models.shapley import ShapleyTables
from tests.training.drawn import drawn
from training.fitting.boosting import BinnedRows, cross_fit
from training.fitting.folds import FOLDS, deal_folds
from training.fitting.hyperparameters import parameters_for
from training.fitting.mean_booster import mean_booster


@pytest.fixture(scope="module")
def binned():
    dataset, _ = drawn(4_000, 12)
    rows = dataset.block("train")
    parameters = parameters_for(rows, seed=1)
    fold = deal_folds(rows["group"], rows["label"], seed=1)
    return BinnedRows.of(rows, fold, catalog=dataset.catalog, parameters=parameters), parameters


@pytest.fixture(scope="module")
def crossed(binned):
    return cross_fit(*binned, rounds=60)


accounts = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=120)


@given(accounts, st.integers(0, 5))
def test_an_account_is_in_one_fold_and_each_fold_has_its_part_of_those_that_succeeded(rows, seed):
    group = pd.Series([f"account {number}" for number, _ in rows])
    label = pd.Series([float(won) for _, won in rows])
    fold = deal_folds(group, label, seed=seed)
    assert pd.Series(fold).groupby(group).nunique().eq(1).all()
    winners = [group[(fold == number) & (label > 0)].nunique() for number in range(FOLDS)]
    assert max(winners) - min(winners) <= 1


def test_no_row_is_predicted_by_a_booster_that_has_seen_its_account(binned, crossed):
    """The labels of a fold, turned around, change all predictions but its own; of one round, so none stops earlier."""
    rows, parameters = binned
    first = cross_fit(rows, parameters, rounds=1)
    rows.binned.set_label(np.where(rows.fold == 2, 1 - rows.label, rows.label))
    again = cross_fit(rows, parameters, rounds=1)
    rows.binned.set_label(rows.label)
    assert (again.margins[rows.fold == 2] == first.margins[rows.fold == 2]).all()
    assert (again.margins != first.margins).any()


def test_the_mean_of_boosters_says_their_mean(binned, crossed):
    matrix = binned[0].matrix[:200]
    found = mean_booster(crossed.boosters)
    mean = np.mean([each.predict(matrix, raw_score=True) for each in crossed.boosters], axis=0)
    np.testing.assert_allclose(found.predict(matrix, raw_score=True), mean, rtol=0, atol=1e-12)
    assert found.num_trees() == sum(each.best_iteration for each in crossed.boosters)


def test_its_reasons_are_the_means_of_theirs(binned, crossed):
    matrix = binned[0].matrix[:50]
    found = mean_booster(crossed.boosters)
    mean = np.mean([each.predict(matrix, pred_contrib=True) for each in crossed.boosters], axis=0)
    explained = ShapleyTables.of(trees_of(found)).explained(matrix)
    np.testing.assert_allclose(explained.contributions, mean[:, :-1], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.predict(matrix, pred_contrib=True), mean, rtol=0, atol=1e-10)


def test_one_booster_is_its_own_mean(binned, crossed):
    matrix = binned[0].matrix[:50]
    (first, *_) = crossed.boosters
    np.testing.assert_array_equal(
        mean_booster([first]).predict(matrix, raw_score=True), first.predict(matrix, raw_score=True)
    )


def test_rows_predicted_out_of_fold_are_predicted_worse_than_rows_known(binned, crossed):
    """The margins are honest: the boosters that grew on a row know it better."""
    rows = binned[0]
    known = mean_booster(crossed.boosters).predict(rows.matrix, raw_score=True)

    def loss(margins):
        return float(np.mean(np.logaddexp(0, margins) - rows.label * margins))

    assert loss(known) < loss(crossed.margins)
