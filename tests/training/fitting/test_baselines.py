"""Baselines are fair: they use the model's features, are calibrated as it is, and find a truth that is simple."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from data.contract import AttributeType
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, LeadAge
from tests.training.drawn import drawn
from training.fitting import baselines
from training.fitting.baselines import design, fit_baselines
from training.statistics.scoring_metrics import losses

AGE = Feature("age", LeadAge(), None, "", "")
SOURCE = Feature("source", AttributeValue("source", AttributeType.CATEGORY), None, "", "")


@pytest.fixture(scope="module")
def dataset():
    return drawn(30_000, 24)[0]


@pytest.fixture(scope="module")
def fitted(dataset):
    return fit_baselines(dataset)


def loss(probability, rows):
    return float(np.average(losses(probability, rows["label"].to_numpy()), weights=rows["weight"]))


def test_there_are_two_with_names(fitted):
    assert [baseline.name for baseline in fitted] == ["base rate", "logistic regression"]


def test_the_base_rate_is_the_same_for_every_lead(dataset, fitted):
    probability = fitted[0].probabilities(dataset.block("test"))
    assert probability.tolist() == [dataset.base_rate] * len(probability)


def test_the_regression_beats_the_base_rate_ahead(dataset, fitted):
    test = dataset.block("test")
    constant, regression = (baseline.probabilities(test) for baseline in fitted)
    assert regression.shape == (len(test),)
    assert loss(regression, test) < loss(constant, test) - 0.005


def test_the_regression_is_calibrated_on_accounts_it_has_not_seen(dataset, fitted):
    """The rate it predicts is about the rate of the train rows, or of their newest half."""
    block = dataset.block("train")
    newest = block["as_of"] >= block["as_of"].median()
    probability = fitted[1].probabilities(block)
    rates = [block["label"].mean(), block["label"][newest].mean()]
    assert 0.9 * min(rates) < probability.mean() < 1.1 * max(rates)


def test_a_truth_that_is_a_logistic_regression_is_found():
    """Labels are drawn from a logit that is linear in the columns: the regression's order is nearly the true one."""
    dataset = drawn(20_000, 24)[0]
    numbers = [one.name for one in dataset.catalog.features if not one.is_category][:6]
    shown = np.log1p(dataset.rows[numbers].fillna(dataset.rows[numbers].median()))
    logit = ((shown - shown.mean()) / shown.std()).to_numpy() @ np.array([1.0, -1, 0.7, -0.5, 0.8, 0.4]) - 1.5
    label = (np.random.default_rng(1).random(len(logit)) < expit(logit)).astype(float)
    known = replace(dataset, rows=dataset.rows.assign(label=label, truth=expit(logit)))
    test = known.block("test")
    probability = fit_baselines(known)[1].probabilities(test)
    assert np.corrcoef(probability, test["truth"])[0, 1] > 0.95
    assert loss(probability, test) < loss(test["truth"].to_numpy(), test) + 0.01


def test_the_same_rows_give_the_same_baselines(dataset, fitted):
    test = dataset.block("test")
    again = fit_baselines(dataset)[1].probabilities(test)
    np.testing.assert_array_equal(again, fitted[1].probabilities(test))


def test_labels_of_the_test_block_have_no_effect(dataset, fitted):
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


def test_values_never_seen_in_training_get_a_probability(dataset, fitted):
    """New categories, missing values and numbers beyond all that was seen."""
    odd = dataset.block("test").head(4).copy()
    for feature in dataset.catalog.features:
        odd[feature.name] = ["never seen", None, "x", "y"] if feature.is_category else [1e12, np.nan, -5.0, 0.0]
    probability = fitted[1].probabilities(odd)
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_catalogs_of_one_kind_are_fitted(dataset, kind):
    features = tuple(one for one in dataset.catalog.features if one.is_category == (kind == "categories"))
    probability = fit_baselines(replace(dataset, catalog=Catalog(features)))[1].probabilities(dataset.block("test"))
    assert pd.Series(probability).between(0, 1).all()


def small(ages, sources):
    return pd.DataFrame({"age": ages, "source": pd.Series(sources, dtype="str")})


def fitted_design(rows, catalog=Catalog((AGE, SOURCE))):  # noqa: B008 - frozen
    columns = design(catalog)
    return columns, columns.fit_transform(rows)


def varying(matrix):
    return int((matrix.std(axis=0) > 0).sum())


def test_columns_are_single_precision_and_of_one_scale(dataset):
    matrix = fitted_design(dataset.block("train"), dataset.catalog)[1]
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-3)
    assert np.isclose(matrix.std(axis=0), 1, atol=1e-3).sum() == varying(matrix)


def test_missing_numbers_get_the_median_and_a_flag():
    columns, matrix = fitted_design(small([1.0, 3.0, 8.0, np.nan], ["a"] * 4))
    assert varying(matrix) == 2
    median, missing = columns.transform(small([3.0, np.nan], ["a", "a"]))
    assert (median != missing).sum() == 1


def test_numbers_are_signed_logarithms_of_themselves():
    columns, matrix = fitted_design(small([-(np.e - 1), 0.0, np.e - 1], ["a"] * 3))
    np.testing.assert_allclose(matrix[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5), rtol=1e-6)
    assert columns.transform(small([0.0], ["a"]))[0, 0] == 0


def test_rare_categories_share_a_column_and_a_missing_one_has_its_own():
    frequent = ["a"] * 200 + ["b"] * 150 + [None] * 48
    assert varying(fitted_design(small([1.0] * 398, frequent))[1]) == 3
    columns, matrix = fitted_design(small([1.0] * 400, [*frequent, "c", "d"]))
    assert varying(matrix) == 4
    np.testing.assert_array_equal(columns.transform(small([1.0], ["never seen"]))[0], matrix[399])
    np.testing.assert_array_equal(matrix[398], matrix[399])
