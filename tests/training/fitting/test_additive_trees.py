"""A regression and the trees it is written as say the same of every lead, and LightGBM reads them as they are."""

import numpy as np
import pandas as pd
import pytest

from data.contract import AttributeType
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue
from models.booster import trees_of
from models.shapley import ShapleyTables
from tests.training.drawn import drawn
from training.fitting.additive_trees import additive_trees
from training.fitting.booster_text import booster_of
from training.fitting.regression import fit_regression

SEED = 5


@pytest.fixture(scope="module")
def dataset():
    return drawn(6_000, 30)[0]


@pytest.fixture(scope="module")
def rows(dataset):
    return dataset.block("train")


@pytest.fixture(scope="module")
def catalog(dataset):
    return dataset.catalog


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
    shown = rows.assign(**{category: many})
    told = ShapleyTables.of(trees).margins(encoding.frame(shown))
    np.testing.assert_allclose(told, found.margin(shown), atol=1e-4)


def test_a_number_that_may_not_move_as_history_says_leaves_the_base_rate(rows, catalog):
    number = next(feature for feature in catalog.features if not feature.is_category)
    label = (rows[number.name].fillna(0.0) > rows[number.name].median()).astype(float)
    some = rows.assign(label=label.where(np.arange(len(rows)) % 3 > 0, 1 - label))
    found = fit_regression(some, Catalog((number,)), directions={number.name: -1}, seed=SEED)
    encoding, trees = additive_trees(found, some)
    assert encoding.catalog.names == [number.name]  # a model has one feature at least
    margin = booster_of(trees, num_threads=1).predict(encoding.frame(some), raw_score=True, num_threads=1)
    assert np.ptp(margin) == 0
    rate = np.average(some["label"], weights=some["weight"])
    assert 1 / (1 + np.exp(-margin[0])) == pytest.approx(rate, rel=1e-6)


@pytest.mark.slow
def test_the_widest_catalog_fits_into_a_bundle():
    """320 numbers and 220 categories of 90 values: each gets fewer levels than it would alone."""
    generator, n = np.random.default_rng(SEED), 400
    numbers, texts = (
        [Feature(f"{kind}{index}", AttributeValue(f"{kind}{index}", kind), None, "", "") for index in range(count)]
        for kind, count in ((AttributeType.NUMERIC, 320), (AttributeType.CATEGORY, 220))
    )
    columns = {each.name: generator.normal(size=n) for each in numbers}
    columns |= {each.name: np.char.add("v", generator.integers(0, 90, n).astype(str)).astype(object) for each in texts}
    about = {"label": (generator.random(n) < 0.3).astype(float), "weight": 1.0, "group": np.arange(n).astype(str)}
    wide = pd.DataFrame(columns | about)
    found = fit_regression(wide, Catalog((*numbers, *texts)), directions={}, seed=SEED)
    encoding, trees = additive_trees(found, wide)
    assert sum(len(tree.leaf_value) for tree in trees.trees) > 10_000
    some = wide.head(20)
    told = booster_of(trees, num_threads=1).predict(encoding.frame(some), raw_score=True, num_threads=1)
    np.testing.assert_allclose(told, found.margin(some), atol=1e-3)
