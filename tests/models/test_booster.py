"""Which boosters become trees, and the errors for those that cannot."""

import lightgbm
import numpy as np
import pandas as pd
import pytest

from models.booster import trees_of
from models.errors import BoosterError
from models.trees import Trees
from tests.models.forests import CATEGORICAL, awkward, expected, fitted, rows_for


def test_trees_add_up_to_the_raw_score():
    """Walked by hand, split by split, over rows made to hurt."""
    rows, goal = awkward()
    booster = fitted(rows, goal, rounds=12)
    hard = np.concatenate([rows[:40], rows_for(1, rows.shape[1], n=120)])
    trees = trees_of(booster)
    every = set(range(trees.n_features))
    walked = [sum(expected(tree, row, every, 0) for tree in trees.trees) for row in hard]
    np.testing.assert_allclose(walked, booster.predict(hard, raw_score=True), rtol=0, atol=1e-12)


def test_names_counts_and_codes_are_kept():
    rows, goal = awkward()
    trees = trees_of(fitted(rows, goal))
    assert trees.feature_names == tuple(f"Column_{column}" for column in range(rows.shape[1]))
    assert trees.categorical == {CATEGORICAL}
    assert {tree.split_count[0] for tree in trees.trees} == {len(rows)}


def test_the_best_iteration_counts_when_training_stopped_early():
    rows, goal = awkward()
    booster = fitted(rows, goal, rounds=12)
    booster.best_iteration = 5
    assert len(trees_of(booster).trees) == 5


def test_json_of_a_booster_reads_back_to_the_last_bit():
    rows, goal = awkward()
    trees = trees_of(fitted(rows, goal))
    assert Trees.from_json(trees.to_json()) == trees


REFUSED = {
    "three classes": ({"objective": "multiclass", "num_class": 3}, "multiclass"),
    "a logarithm inside": ({"objective": "poisson"}, "poisson"),
    "averaged trees": ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "boosting 'rf'"),
    "linear leaves": ({"linear_tree": True}, "linear models"),
    "zero as missing": ({"zero_as_missing": True}, "zero_as_missing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_booster_that_trees_cannot_hold_is_refused(name):
    params, says = REFUSED[name]
    rows, goal = awkward(n=400)
    booster = fitted(np.nan_to_num(np.delete(rows, 3, axis=1)), goal, rounds=3, **params)
    with pytest.raises(BoosterError, match=says):
        trees_of(booster)


def test_a_path_of_more_than_six_features_is_refused_with_the_way_out():
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(3000, 12))
    booster = fitted(rows, (rows.sum(axis=1) > 0).astype(float), rounds=3, max_depth=-1)
    with pytest.raises(BoosterError, match=r"train with max_depth=6"):
        trees_of(booster)


def test_codes_beyond_63_are_refused_with_the_way_out():
    chance = np.random.default_rng(1)
    rows = np.stack([chance.integers(0, 90, 4000).astype(float), chance.normal(size=4000)], axis=1)
    with pytest.raises(BoosterError, match="give rare categories one code"):
        trees_of(fitted(rows, (rows[:, 0] % 7 > 3).astype(float), rounds=3, max_cat_threshold=90))


def test_pandas_categories_are_refused():
    """Their codes live in the booster's text, where no other reader of the trees would find them."""
    frame = pd.DataFrame({"source": pd.Categorical(["web", "event"] * 100), "visits": np.arange(200.0)})
    table = lightgbm.Dataset(frame, np.arange(200) % 2)
    with pytest.raises(BoosterError, match="frozen codes"):
        trees_of(lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, table, 2))
