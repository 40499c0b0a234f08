"""Baselines are fair: they see what the model may see, are calibrated as it is, and find a truth that is simple."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tests.training.drawn import drawn
from training.fitting import baselines
from training.fitting.baselines import fit_baselines
from training.statistics.scoring_metrics import losses


@pytest.fixture(scope="module")
def dataset():
    return drawn(30_000, 24)[0]


@pytest.fixture(scope="module")
def fitted(dataset):
    return fit_baselines(dataset)


def loss(probability, rows):
    return float(np.average(losses(probability, rows["label"].to_numpy()), weights=rows["weight"]))


def test_there_are_two_and_they_say_their_names(fitted):
    assert [one.name for one in fitted] == ["base rate", "logistic regression"]


def test_the_base_rate_says_the_same_of_everyone(dataset, fitted):
    said = fitted[0].probabilities(dataset.block("test"))
    assert said.tolist() == [dataset.base_rate] * len(said)


def test_the_regression_beats_the_base_rate_ahead(dataset, fitted):
    test = dataset.block("test")
    constant, regression = (one.probabilities(test) for one in fitted)
    assert regression.shape == (len(test),)
    assert loss(regression, test) < loss(constant, test) - 0.005


def test_the_regression_is_calibrated_on_the_calibrate_block(dataset, fitted):
    """Platt's map leaves no difference between what was said and what came there."""
    block = dataset.block("calibrate")
    said = fitted[1].probabilities(block)
    assert np.average(said, weights=block["weight"]) == pytest.approx(
        np.average(block["label"], weights=block["weight"]), rel=1e-6
    )


def test_a_truth_that_is_a_logistic_regression_is_found():
    """Labels are drawn from a logit that is linear in the columns: the regression's order is nearly the true one."""
    dataset = drawn(20_000, 24)[0]
    numbers = [one.name for one in dataset.catalog.features if not one.is_category][:6]
    shown = np.log1p(dataset.rows[numbers].fillna(dataset.rows[numbers].median()))
    logit = ((shown - shown.mean()) / shown.std()).to_numpy() @ np.array([1.0, -1, 0.7, -0.5, 0.8, 0.4]) - 1.5
    label = (np.random.default_rng(1).random(len(logit)) < expit(logit)).astype(float)
    known = replace(dataset, rows=dataset.rows.assign(label=label, truth=expit(logit)))
    test = known.block("test")
    said = fit_baselines(known)[1].probabilities(test)
    assert np.corrcoef(said, test["truth"])[0, 1] > 0.95
    assert loss(said, test) < loss(test["truth"].to_numpy(), test) + 0.01


def test_the_same_rows_give_the_same_baselines(dataset, fitted):
    test = dataset.block("test")
    again = fit_baselines(dataset)[1].probabilities(test)
    np.testing.assert_array_equal(again, fitted[1].probabilities(test))


def test_no_label_ahead_moves_anything(dataset, fitted):
    test = dataset.rows["block"] == "test"
    turned = replace(dataset, rows=dataset.rows.assign(label=dataset.rows["label"].where(~test, 1.0)))
    rows = dataset.block("test")
    np.testing.assert_array_equal(fit_baselines(turned)[1].probabilities(rows), fitted[1].probabilities(rows))


def test_of_a_long_history_a_sample_is_enough(dataset, fitted, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_ROWS", 6_000)
    test = dataset.block("test")
    sampled = fit_baselines(dataset)[1].probabilities(test)
    assert (sampled != fitted[1].probabilities(test)).any()
    assert np.corrcoef(sampled, fitted[1].probabilities(test))[0, 1] > 0.8


def test_what_was_never_seen_in_training_has_a_chance_all_the_same(dataset, fitted):
    """New categories, missing values and numbers beyond all that was seen."""
    odd = dataset.block("test").head(4).copy()
    for feature in dataset.catalog.features:
        odd[feature.name] = ["never seen", None, "x", "y"] if feature.is_category else [1e12, np.nan, -5.0, 0.0]
    said = fitted[1].probabilities(odd)
    assert ((said >= 0) & (said <= 1)).all()


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_catalogs_of_one_kind_are_fitted(dataset, kind):
    from features.catalog import Catalog

    features = tuple(one for one in dataset.catalog.features if one.is_category == (kind == "categories"))
    found = fit_baselines(replace(dataset, catalog=Catalog(features)))[1].probabilities(dataset.block("test"))
    assert pd.Series(found).between(0, 1).all()
