"""A regression and the trees it is written as say the same of every lead, and LightGBM reads them as they are."""

import numpy as np
import pandas as pd
import pytest

from models.booster import trees_of
from models.shapley import ShapleyTables
from tests.training.drawn import drawn
from training.fitting.additive_trees import additive_trees
from training.fitting.booster_text import booster_of
from training.fitting.regression import fit_regression

SEED = 5


@pytest.fixture(scope="module")
def rows():
    return drawn(6_000, 30)[0].block("train")


@pytest.fixture(scope="module")
def catalog():
    return drawn(6_000, 30)[0].catalog


@pytest.fixture(scope="module")
def regression(rows, catalog):
    return fit_regression(rows, catalog, directions={}, seed=SEED)


@pytest.fixture(scope="module")
def written(regression, rows):
    return additive_trees(regression, rows)


@pytest.fixture(scope="module")
def odd(rows, catalog):
    """Rows with values that no train row has: far out, missing, and never heard of."""
    generator, some = np.random.default_rng(SEED), rows.sample(400, random_state=SEED).copy()
    for feature in catalog.features:
        changed = generator.random(len(some)) < 0.3
        strange = ["never heard of", "", None] if feature.is_category else [np.nan, -1e9, 1e9, 0.0, 0.5]
        values = some[feature.name].astype(object).to_numpy(copy=True)
        values[changed] = generator.choice(np.array(strange, dtype=object), changed.sum())
        some[feature.name] = values if feature.is_category else values.astype(np.float64)
    return some


def test_the_margin_is_the_regressions(regression, written, rows, odd):
    encoding, trees = written
    tables = ShapleyTables.of(trees)
    for each in (rows, odd):
        np.testing.assert_allclose(tables.margins(encoding.frame(each)), regression.margin(each), atol=1e-4)


def test_what_a_feature_contributes_is_its_own_term(regression, written, rows, odd):
    """Turning one feature to missing changes the margin by its contribution, less that of missing."""
    encoding, trees = written
    contributions = ShapleyTables.of(trees).contributions(encoding.frame(odd))
    for index, name in enumerate(encoding.catalog.names):
        without = odd.assign(**{name: None if encoding.catalog.features[index].is_category else np.nan})
        unknown = ShapleyTables.of(trees).contributions(encoding.frame(without))[:, index]
        terms = regression.margin(odd) - regression.margin(without)
        np.testing.assert_allclose(contributions[:, index] - unknown, terms, atol=1e-4)
    mean = ShapleyTables.of(trees).contributions(encoding.frame(rows)).mean(axis=0)
    np.testing.assert_allclose(mean, 0, atol=0.02)  # a level that no row has counts as one


def test_lightgbm_reads_the_very_trees(written, odd):
    encoding, trees = written
    booster = booster_of(trees, num_threads=1)
    assert trees_of(booster) == trees
    assert booster.params["num_threads"] == 1
    told = booster.predict(encoding.frame(odd), raw_score=True, num_threads=1)
    np.testing.assert_allclose(told, ShapleyTables.of(trees).margins(encoding.frame(odd)), atol=1e-9)


def test_features_that_move_nothing_are_left_out(rows, catalog):
    silent = catalog.names[0]
    constant = rows.assign(**{silent: rows[silent].dropna().iloc[0]})
    found = fit_regression(constant, catalog, directions={}, seed=SEED)
    encoding, trees = additive_trees(found, constant)
    assert silent not in encoding.catalog.names
    assert len(trees.trees) == len(encoding.catalog.names) + 1
    np.testing.assert_allclose(
        ShapleyTables.of(trees).margins(encoding.frame(constant)), found.margin(constant), atol=1e-4
    )


def test_many_categories_and_missing_ones_have_a_leaf_each(rows, catalog):
    category = next(feature.name for feature in catalog.features if feature.is_category)
    many = pd.Series([f"value {number % 90}" if number % 7 else None for number in range(len(rows))], index=rows.index)
    found = fit_regression(rows.assign(**{category: many}), catalog, directions={}, seed=SEED)
    encoding, trees = additive_trees(found, rows.assign(**{category: many}))
    most = max(len(tree.leaf_value) for tree in trees.trees if any(tree.left_codes))
    assert most == len(encoding.categories[category]) + 2
    assert trees_of(booster_of(trees, num_threads=1)) == trees
