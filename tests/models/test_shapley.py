"""Exact reasons: against the definition, against LightGBM and shap, and against themselves."""

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.booster import trees_of
from models.decision_tree import Tree
from models.errors import RowsError
from models.shapley import ShapleyTables
from models.shapley_kernel import BLOCK, FEW
from models.trees import Trees
from tests.models.forests import awkward, fitted, grown, rows_for, shapley_by_definition

ROOT = Path(__file__).resolve().parents[2]
SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, n_features=st.integers(1, 5), depth=st.integers(0, 5))
@settings(max_examples=25)
def test_contributions_are_the_shapley_values(seed, n_features, depth):
    """Equal to the average over all orders in which features can become known, whatever the tree."""
    trees = grown(seed, n_features=n_features, n_trees=2, depth=depth)
    tables = ShapleyTables.of(trees)
    rows = rows_for(seed, n_features, n=4)
    for row, ours in zip(rows, tables.contributions(rows), strict=True):
        base, values = shapley_by_definition(trees, row)
        assert tables.base == pytest.approx(base, abs=1e-12)
        np.testing.assert_allclose(ours, values, atol=1e-12)


def test_six_features_on_a_path_are_still_exact():
    """Three Gauss nodes integrate the polynomial of degree 5 that six conditions make."""
    trees = next(
        trees
        for trees in (grown(seed, n_features=6, n_trees=1, depth=9) for seed in range(50))
        if ShapleyTables.of(trees).leaves.size.max(initial=0) == 6
    )
    row = rows_for(3, 6, n=1)
    _, values = shapley_by_definition(trees, row[0])
    np.testing.assert_allclose(ShapleyTables.of(trees).contributions(row)[0], values, atol=1e-12)


BOOSTERS = {
    "plain": {},
    "two leaves": {"num_leaves": 2},
    "weights": {"weight": np.random.default_rng(2).uniform(0.1, 9, 1500)},
    "bagging": {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.6},
    "goss": {"data_sample_strategy": "goss"},
    "small leaves": {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0, "cat_smooth": 0.0},
    "missing taken for zero": {"use_missing": False},
    "one category against the rest": {"max_cat_to_onehot": 99},
    "one leaf": {"min_data_in_leaf": 5000, "rounds": 3},
    "regression": {"objective": "regression"},
    "dart": {"boosting": "dart", "drop_rate": 0.5},
    "extra trees": {"extra_trees": True},
    "unbalanced": {"is_unbalance": True},
    "early stop": {"rounds": 200, "learning_rate": 0.5, "valid": awkward(seed=6)},
}


@cache
def _booster(name):
    """Fit each booster once."""
    return fitted(*awkward(), **BOOSTERS[name])


def _rows():
    """Return rows like those of training, then hostile rows."""
    rows, _ = awkward(n=300, seed=8)
    return np.concatenate([rows, rows_for(8, rows.shape[1], n=300)])


@pytest.mark.parametrize("name", BOOSTERS)
def test_contributions_and_margins_are_lightgbms(name):
    """Also where a value is missing, infinite, nearly zero or a code that training never saw."""
    booster, rows = _booster(name), _rows()
    tables = ShapleyTables.of(Trees.from_json(trees_of(booster).to_json()))
    theirs = booster.predict(rows, pred_contrib=True)
    ours = tables.explained(rows)
    np.testing.assert_allclose(ours.contributions, theirs[:, :-1], rtol=0, atol=1e-12)
    assert tables.base == pytest.approx(theirs[0, -1], abs=1e-12)
    np.testing.assert_allclose(ours.margins, booster.predict(rows, raw_score=True), rtol=0, atol=1e-12)


@pytest.mark.parametrize("leaves", [2, 3, 5, 8, 16, 31])
def test_trees_of_any_size_are_lightgbms(leaves):
    rows, goal = awkward()
    booster = fitted(rows, goal, rounds=8, num_leaves=leaves, learning_rate=0.4)
    ours = ShapleyTables.of(trees_of(booster)).contributions(rows)
    np.testing.assert_allclose(ours, booster.predict(rows, pred_contrib=True)[:, :-1], rtol=0, atol=1e-12)


@given(seed=SEEDS, n=st.integers(30, 120), leaves=st.integers(2, 31))
@settings(max_examples=10)
def test_any_small_history_is_explained_as_lightgbm_does(seed, n, leaves):
    rows, goal = awkward(n=n, seed=seed)
    booster = fitted(rows, goal, rounds=4, num_leaves=leaves, min_data_in_leaf=1, min_data_per_group=1)
    ours = ShapleyTables.of(trees_of(booster)).contributions(rows)
    np.testing.assert_allclose(ours, booster.predict(rows, pred_contrib=True)[:, :-1], rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier:UserWarning")
def test_contributions_are_shaps():
    import shap

    rows, _ = awkward(n=200, seed=9)
    theirs = shap.TreeExplainer(_booster("plain")).shap_values(rows)
    ours = ShapleyTables.of(trees_of(_booster("plain"))).contributions(rows)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_base_and_contributions_add_up_to_the_margin():
    tables, rows = ShapleyTables.of(grown(11, n_trees=40)), rows_for(11, 4, n=500)
    explained = tables.explained(rows)
    np.testing.assert_allclose(tables.base + explained.contributions.sum(axis=1), explained.margins, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(tables.margins(rows), explained.margins)


def test_a_row_gets_the_same_bits_alone_and_in_a_batch():
    """What the nightly batch writes and what the service answers live are one number."""
    tables = ShapleyTables.of(trees_of(_booster("plain")))
    rows = np.concatenate([_rows()] * 4)[: 2 * BLOCK + 7]
    batch = tables.explained(rows)
    for i in [*range(300), *range(300, len(rows), 37), BLOCK - 1, BLOCK, len(rows) - 1]:
        alone = tables.explained(rows[i : i + 1])
        np.testing.assert_array_equal(alone.contributions[0], batch.contributions[i])
        assert alone.margins[0] == batch.margins[i]


@pytest.mark.parametrize("n", [1, FEW - 1, FEW, FEW + 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_a_batch_of_any_size_gets_the_same_bits(n):
    tables = ShapleyTables.of(trees_of(_booster("plain")))
    rows = np.concatenate([_rows()] * 4)[: BLOCK + 1]
    np.testing.assert_array_equal(tables.contributions(rows[:n]), tables.contributions(rows)[:n])


@pytest.mark.parametrize(
    "given",
    [
        lambda rows: rows.tolist(),
        np.asfortranarray,
        lambda rows: np.repeat(rows, 2, axis=0)[::2],
        lambda rows: np.frombuffer(rows.tobytes()).reshape(rows.shape),
    ],
    ids=["lists", "columns", "every other row", "read-only"],
)
def test_rows_may_come_in_any_layout(given):
    tables, rows = ShapleyTables.of(grown(3)), rows_for(3, 4)
    np.testing.assert_array_equal(tables.contributions(given(rows)), tables.contributions(rows))


def test_no_rows_give_no_reasons():
    assert ShapleyTables.of(grown(3)).contributions(np.empty((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("shape", [(3, 5), (3,), (0,), (1, 4, 1)])
def test_rows_with_other_columns_are_refused(shape):
    with pytest.raises(RowsError, match=r"expected \(n, 4\)"):
        ShapleyTables.of(grown(3)).contributions(np.zeros(shape))


def test_trees_that_are_one_leaf_have_nothing_to_explain():
    leaf = Tree((), (), (), (), (), (), (), (8,), (0.25,))
    tables = ShapleyTables.of(Trees(2, (leaf, leaf)))
    explained = tables.explained([[1.0, np.nan]] * (FEW + 1))
    assert tables.base == 0.5
    assert not explained.contributions.any()
    assert set(explained.margins) == {0.5}


def test_two_leaves_under_one_split_share_a_table():
    """Their conditions are contrary, so that one of the two always holds."""
    split = Tree((1,), (0.5,), (0,), (True,), (-1,), (-2,), (10,), (4, 6), (-1.0, 2.0))
    assert ShapleyTables.of(Trees(2, (split,))).leaves.size.tolist() == [1]


def test_tables_cannot_be_written_to():
    leaves = ShapleyTables.of(grown(3)).leaves
    with pytest.raises(ValueError, match="read-only"):
        leaves.table[0] = 1.0


def test_a_large_model_is_tabulated_in_under_a_second():
    """The machine may be busy, so processor time counts."""
    trees = Trees(4, grown(4, depth=6, n_trees=25).trees * 16)
    start = time.process_time()
    ShapleyTables.of(trees)
    assert time.process_time() - start < 1.5


def test_explaining_needs_no_lightgbm_and_no_writable_folder():
    """In a container that is read-only throughout, the kernel is compiled at each start and not kept."""
    script = (
        "import sys; from numba.core.caching import CacheImpl; CacheImpl._locator_classes = [];"
        "from models.shapley import ShapleyTables;"
        "from models.decision_tree import Tree; from models.trees import Trees;"
        "tree = Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (5, 5), (-0.5, 0.5));"
        "print(ShapleyTables.of(Trees(1, (tree,))).contributions([[7.0]]).tolist(),"
        "      [name for name in ('lightgbm', 'shap') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout.strip(), done.stderr) == ("[[0.5]] []", "")
