"""Features that made no gain go, the others stay in order."""

import lightgbm
import numpy as np
import pytest

from features.catalog import Catalog
from features.feature import Feature
from features.reducers import Count, DaysSinceLast, DecayedCount
from models.bundle import load_bundle
from training.fitting.feature_selection import select_features

CATALOG = Catalog(tuple(Feature(name, Count(name), 0, name) for name in ("noise", "strong", "weak", "still")), ("x",))


@pytest.fixture(scope="module")
def booster():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2_000, 4))
    rows[:, 3] = 0
    label = (rng.random(2_000) < 1 / (1 + np.exp(-3 * rows[:, 1] - 1.2 * rows[:, 2]))).astype(int)
    data = lightgbm.Dataset(rows, label, params={"verbosity": -1})
    return lightgbm.train(
        {"objective": "binary", "verbosity": -1, "seed": 1, "num_leaves": 7}, data, num_boost_round=20
    )


def test_the_fewest_features_that_made_the_gain_are_kept_in_order(booster):
    assert select_features(booster, CATALOG, kept_gain=0.9).names == ["strong", "weak"]
    assert select_features(booster, CATALOG, kept_gain=0.5).names == ["strong"]


def test_what_never_split_is_dropped_even_when_all_gain_is_kept(booster):
    assert "still" not in select_features(booster, CATALOG, kept_gain=1.0).names


def test_what_puts_a_kept_reason_into_words_is_kept_with_it(booster):
    """Gain chooses the decayed count; the last time of its reason comes along, that of another does not."""
    catalog = Catalog(
        (
            Feature("other_last", DaysSinceLast("other"), None, "other", group="activity:other"),
            Feature("visit_decayed", DecayedCount("visit", 7), 0, "visit", group="activity:visit"),
            Feature("visit_7d", Count("visit", None, 7), 0, "visit", group="activity:visit"),
            Feature("visit_last", DaysSinceLast("visit"), None, "visit", group="activity:visit"),
        )
    )
    assert select_features(booster, catalog, kept_gain=0.5).names == ["visit_decayed", "visit_last"]


def test_every_activity_of_a_trained_model_can_be_said_never_to_have_happened(trained):
    features = load_bundle(trained.bundle).catalog.features
    about = {feature.code for feature in features if feature.code.startswith("activity:")}
    worded = {feature.code for feature in features if isinstance(feature.reduce, DaysSinceLast)}
    assert about
    assert about <= worded


def test_what_must_never_be_used_stays_so(booster):
    assert select_features(booster, CATALOG).never_use == ("x",)


def test_without_any_gain_everything_stays():
    rows = np.zeros((100, 4))
    data = lightgbm.Dataset(rows, np.r_[np.zeros(50), np.ones(50)], params={"verbosity": -1})
    nothing = lightgbm.train({"objective": "binary", "verbosity": -1}, data, num_boost_round=1)
    assert select_features(nothing, CATALOG) == CATALOG
