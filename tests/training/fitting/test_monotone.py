"""What the playbook says a score only rises or falls with holds for every tree, whatever LightGBM lets slip."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.contract import AttributeType
from data.words.business import FeatureWishes
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import (
    ActiveDays,
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysSinceNthLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    KindOfLast,
    LeadAge,
    LongestGap,
    Mean,
    ShareOfAll,
    Sum,
    Trend,
)
from models.booster import trees_of
from training.fitting.boosting import fit_booster
from training.fitting.monotone import constrained, enforce_order, monotone_directions

NUMBER, YES_OR_NO, CATEGORY = AttributeType.NUMERIC, AttributeType.BOOLEAN, AttributeType.CATEGORY


def feature(name, reduce, *, over="lead"):
    return Feature(name, reduce, 0, name, over=over)


CATALOG = Catalog(
    (
        feature("visits", Count("visit", None, 7)),
        feature("visits_decayed", DecayedCount("visit", 7)),
        feature("visits_minutes", Sum("visit", None, 30)),
        feature("visits_pages", Distinct("visit", 30)),
        feature("visits_last", DaysSinceLast("visit")),
        feature("visits_days", ActiveDays("visit", "UTC", days=30)),
        feature("visits_third_last", DaysSinceNthLast("visit", 3)),
        feature("visits_first", DaysSinceFirst("visit")),
        feature("visits_mean", Mean("visit")),
        feature("visits_trend", Trend("visit", 7, 30)),
        feature("visits_hour", HourOfLast("visit")),
        feature("prices", Count("visit", "prices", 7)),
        feature("prices_last", DaysSinceLast("visit", "prices")),
        feature("colleagues", Count("visit", None, 30), over="account"),
        feature("anything", Count(None, None, 30)),
        feature("visits_share", ShareOfAll("visit")),
        feature("visits_gap", LongestGap("visit")),
        feature("last_kind", KindOfLast(("visit",))),
        feature("employees", AttributeValue("employees", NUMBER)),
        feature("at_work", AttributeValue("at_work", YES_OR_NO)),
        feature("industry", AttributeValue("industry", CATEGORY)),
        feature("age", LeadAge()),
    )
)


def wished(**said):
    return monotone_directions(CATALOG, FeatureWishes(**said))


def test_more_of_an_activity_is_a_higher_count_and_fewer_days_since():
    rising = dict.fromkeys(("visits", "visits_decayed", "visits_minutes", "visits_pages", "visits_days"), 1)
    expected = {**rising, "visits_last": -1, "visits_third_last": -1}
    assert wished(rises_with=["visit"]) == expected
    assert wished(falls_with=["visit"]) == {name: -sign for name, sign in expected.items()}


def test_a_subject_is_told_apart_from_its_kind():
    assert wished(rises_with=["visit/prices"]) == {"prices": 1, "prices_last": -1}
    assert wished(rises_with=["visit/blog"]) == {}


def test_numbers_and_yes_or_no_have_an_order_and_categories_have_none():
    said = wished(rises_with=["employees", "industry"], falls_with=["at_work"])
    assert said == {"employees": 1, "at_work": -1}


def test_without_a_wish_lightgbm_is_told_nothing():
    assert constrained({"seed": 1}, [0, 0]) == {"seed": 1}
    assert constrained({"seed": 1}, [0, -1])["monotone_constraints"] == [0, -1]


PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.2,
    "num_leaves": 15,
    "max_depth": 6,
    "min_data_in_leaf": 5,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "path_smooth": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def random_rows(generator, *, rows, columns, categories):
    """Columns of every sort: smooth, counted, with ties, with missing values, and the first ones codes."""
    matrix = generator.normal(size=(rows, columns))
    matrix[:, 1::3] = generator.poisson(np.exp(matrix[:, 1::3]))
    matrix[:, 2::3] = matrix[:, 2::3].round(1)
    matrix[generator.random(matrix.shape) < 0.2] = np.nan
    matrix[:, :categories] = generator.integers(0, 8, (rows, categories))
    return matrix


def grown(seed, *, rows, columns, categories):
    """A booster on random rows, told of random directions; with them, and with the rows."""
    generator = np.random.default_rng(seed)
    matrix = random_rows(generator, rows=rows, columns=columns, categories=categories)
    signs = [0] * categories + generator.choice([-1, 1, 1, 0], columns - categories).tolist()
    signs[-1] = signs[-1] or 1
    known = np.nan_to_num(matrix)
    logit = known @ generator.normal(size=columns) + known[:, 0] * known[:, -1]
    label = (generator.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    parameters = constrained({**PARAMETERS, "seed": seed % 1_000}, signs)
    weight = 1 / generator.integers(1, 20, rows)
    data = lightgbm.Dataset(matrix, label, weight=weight, categorical_feature=list(range(categories)))
    return lightgbm.train(parameters, data, num_boost_round=25), signs, matrix


def largest_fall(booster, signs, matrix):
    """How far the margin falls at most where a number that may only raise it rises, all else being equal."""
    worst = 0.0
    for column in np.flatnonzero(signs):
        values = np.unique(matrix[~np.isnan(matrix[:, column]), column])
        values = np.r_[values.min() - 1, values[:: max(1, len(values) // 25)], values.max() + 1]
        rows = np.repeat(matrix[:40], len(values), axis=0)
        rows[:, column] = np.tile(values, 40)
        margins = booster.predict(rows, raw_score=True).reshape(40, len(values))
        worst = max(worst, float((-signs[column] * np.diff(margins, axis=1)).max()))
    return worst


def values_of(booster):
    return np.array([value for tree in trees_of(booster).trees for value in tree.leaf_value])


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(100, 1_500),
    columns=st.integers(3, 8),
    categories=st.integers(0, 2),
)
def test_the_margin_never_falls_when_what_may_only_raise_it_rises(seed, rows, columns, categories):
    booster, signs, matrix = grown(seed, rows=rows, columns=columns, categories=categories)
    enforce_order(booster, signs)
    assert largest_fall(booster, signs, matrix) == 0.0


def test_lightgbm_alone_lets_some_slip_which_is_why_every_tree_is_looked_at_again():
    slipped = 0
    for seed in range(12):
        booster, signs, matrix = grown(seed, rows=800, columns=6, categories=1)
        slipped += largest_fall(booster, signs, matrix) > 1e-9
    assert slipped


def test_what_stood_right_is_left_as_it_was():
    """Moved are the leaves that are counted, and no margin by more than a hair."""
    for seed in range(4):
        booster, signs, matrix = grown(seed, rows=800, columns=6, categories=1)
        before, margins = values_of(booster), booster.predict(matrix, raw_score=True)
        moved = enforce_order(booster, signs)
        assert (values_of(booster) != before).sum() == moved
        assert np.abs(booster.predict(matrix, raw_score=True) - margins).max() < 0.1
        assert enforce_order(booster, signs) == 0


def test_a_booster_that_nobody_told_anything_is_put_in_order_too():
    """The order comes from us, not from LightGBM: trees grown freely hold to it afterwards."""
    matrix = random_rows(np.random.default_rng(3), rows=900, columns=5, categories=0)
    data = lightgbm.Dataset(matrix, (np.nan_to_num(matrix[:, 3]) ** 2 > 1).astype(float))
    free, signs = lightgbm.train(PARAMETERS, data, num_boost_round=10), [0, 0, 0, 1, 0]
    assert largest_fall(free, signs, matrix) > 0.1
    enforce_order(free, signs)
    assert largest_fall(free, signs, matrix) == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_the_trees_of_a_model_hold_to_it(sign):
    from tests.training.drawn import drawn
    from training.fitting.boosting import BinnedRows
    from training.fitting.hyperparameters import parameters_for

    dataset, _ = drawn(6_000, 12)
    train = dataset.block("train")
    name = next(one.name for one in dataset.catalog.features if isinstance(one.reduce, Count))
    parameters, held_out = parameters_for(train, seed=1), np.arange(len(train)) % 5 == 0
    binned = BinnedRows.of(train, held_out * 1, catalog=dataset.catalog, parameters=parameters, wished={name: sign})
    booster = fit_booster(binned, held_out, parameters, rounds=40)
    matrix = binned.encoding.frame(train)
    assert largest_fall(booster, binned.signs, matrix) == 0.0
