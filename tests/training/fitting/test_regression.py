"""The regression is a fair rival: it uses the trees' features, is calibrated as they are, and finds a simple truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from data.contract import AttributeType
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, LeadAge
from models.bundle import load_bundle, save_bundle
from tests.training.drawn import drawn
from training.fitting.boosting import margins_of
from training.fitting.families import refit, regression_model
from training.fitting.monotone import monotone_directions
from training.fitting.regression import design
from training.fitting.scorecard_fit import fit_scorecard
from training.statistics.scoring_metrics import losses

LIKE = {"most_rows": None, "like": {"seed": 20_260_101, "num_threads": 1}}
AGE = Feature("age", LeadAge(), None, "", "")
SOURCE = Feature("source", AttributeValue("source", AttributeType.CATEGORY), None, "", "")


@pytest.fixture(scope="module")
def company():
    return drawn(30_000, 24)


@pytest.fixture(scope="module")
def dataset(company):
    return company[0]


@pytest.fixture(scope="module")
def fitted(company):
    return fitted_to(*company)


def fitted_to(dataset, playbook, **changes):
    return regression_model(dataset, playbook, scorecard=fit_scorecard(dataset, playbook), **(LIKE | changes))


def loss(probability, rows):
    return float(np.average(losses(probability, rows["label"].to_numpy()), weights=rows["weight"]))


def test_it_beats_the_base_rate_ahead(dataset, fitted):
    test = dataset.block("test")
    probability = fitted.probabilities(test)
    assert probability.shape == (len(test),)
    assert loss(probability, test) < loss(np.full(len(test), dataset.base_rate), test) - 0.005


def test_what_serves_gives_the_chances_that_are_compared(dataset, fitted):
    test = dataset.block("test")
    np.testing.assert_allclose(fitted.model.score_many(test).probabilities, fitted.probabilities(test), atol=1e-9)


def test_it_is_calibrated_on_accounts_it_has_not_seen(dataset, fitted):
    """The rate it predicts is about the rate of the train rows, or of their newest half."""
    block = dataset.block("train")
    newest = block["as_of"] >= block["as_of"].median()
    probability = fitted.probabilities(block)
    rates = [block["label"].mean(), block["label"][newest].mean()]
    assert 0.9 * min(rates) < probability.mean() < 1.1 * max(rates)
    assert len(fitted.out_of_fold) == len(fitted.rows) == fitted.fitted_rows


def test_a_truth_that_is_a_logistic_regression_is_found():
    """Labels are drawn from a logit that is linear in the columns: the regression's order is nearly the true one."""
    dataset, playbook = drawn(20_000, 24)
    numbers = [one.name for one in dataset.catalog.features if not one.is_category][:6]
    shown = np.log1p(dataset.rows[numbers].fillna(dataset.rows[numbers].median()))
    logit = ((shown - shown.mean()) / shown.std()).to_numpy() @ np.array([1.0, -1, 0.7, -0.5, 0.8, 0.4]) - 1.5
    label = (np.random.default_rng(1).random(len(logit)) < expit(logit)).astype(float)
    known = replace(dataset, rows=dataset.rows.assign(label=label, truth=expit(logit)))
    test = known.block("test")
    probability = fitted_to(known, playbook).probabilities(test)
    assert np.corrcoef(probability, test["truth"])[0, 1] > 0.95
    assert loss(probability, test) < loss(test["truth"].to_numpy(), test) + 0.01


def test_the_same_rows_give_the_same_bytes(company, fitted):
    again = fitted_to(*company)
    assert again.model.trees == fitted.model.trees
    assert again.booster.model_to_string() == fitted.booster.model_to_string()


def test_labels_of_the_test_block_have_no_effect(dataset, company, fitted):
    test = dataset.rows["block"] == "test"
    turned = replace(dataset, rows=dataset.rows.assign(label=dataset.rows["label"].where(~test, 1.0)))
    assert fitted_to(turned, company[1]).model.trees == fitted.model.trees


def test_of_a_long_history_a_sample_is_enough_to_compare(company, dataset, fitted):
    test = dataset.block("test")
    sampled = fitted_to(*company, most_rows=6_000)
    assert sampled.fitted_rows <= 6_000
    assert np.corrcoef(sampled.probabilities(test), fitted.probabilities(test))[0, 1] > 0.8


def test_the_few_successes_of_a_long_history_are_all_learnt_from(company, dataset):
    """Forty accounts among thousands: a draw that did not look at outcomes would miss nearly all of them."""
    rows = dataset.rows
    train = rows[rows["block"] == "train"]
    lucky = set(train["group"].drop_duplicates().sample(40, random_state=1))
    label = rows["group"].isin(lucky).astype(float).where(rows["block"] == "train", rows["label"])
    rare = replace(dataset, rows=rows.assign(label=label))
    found = fitted_to(rare, company[1], most_rows=2_000)
    assert found.fitted_rows < 3_000
    assert set(found.rows.loc[found.rows["label"] > 0, "group"]) == lucky
    weighted = np.average(found.rows["label"], weights=found.rows["weight"])
    everything = rare.block("train")
    assert weighted == pytest.approx(np.average(everything["label"], weights=everything["weight"]), rel=1e-6)


def test_values_never_seen_in_training_get_a_probability(dataset, fitted):
    """New categories, missing values and numbers beyond all that was seen."""
    odd = dataset.block("test").head(4).copy()
    for feature in dataset.catalog.features:
        odd[feature.name] = ["never seen", None, "x", "y"] if feature.is_category else [1e12, np.nan, -5.0, 0.0]
    probability = fitted.probabilities(odd)
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_catalogs_of_one_kind_are_fitted(company, dataset, kind):
    features = tuple(one for one in dataset.catalog.features if one.is_category == (kind == "categories"))
    found = fitted_to(replace(dataset, catalog=Catalog(features)), company[1])
    assert pd.Series(found.probabilities(dataset.block("test"))).between(0, 1).all()


def test_the_score_moves_only_as_the_playbook_wishes(company, dataset):
    """Whatever the sign of what history says, turning a feature in the wished direction never lowers the margin."""
    wishes = {"rises_with": ("page_view", "call", "email_click"), "falls_with": ("trial_use", "page_view/docs")}
    features = company[1].business.features.model_copy(update=wishes)
    business = company[1].business.model_copy(update={"features": features})
    found = fitted_to(dataset, replace(company[1], business=business))
    free = fitted_to(*company)
    rows = dataset.block("test").head(200)
    wished = monotone_directions(dataset.catalog, features)
    assert wished
    assert any(steepest(free, rows, name) * sign < 0 for name, sign in wished.items())
    for name, sign in wished.items():
        assert steepest(found, rows, name, sign) * sign >= 0
    assert found.directions.items() <= wished.items()


def steepest(fitted, rows, name, sign=None):
    """Return the change of a margin on the way to a feature's largest value; with a sign the worst of its steps."""
    values = np.unique(rows[name].dropna())
    first = rows.head(1)
    if name not in fitted.model.catalog.names:
        return 0.0
    at = [margins_of(fitted.booster, fitted.model.encoding, first.assign(**{name: each}))[0] for each in values]
    return at[-1] - at[0] if sign is None else sign * float(min(np.diff(at) * sign, default=0.0))


def test_the_recipe_is_fitted_anew_to_other_rows_and_survives_a_bundle(company, dataset, fitted, tmp_path):
    again = refit(fitted, dataset, company[1])
    assert again.family == "regression"
    assert again.model.trees == fitted.model.trees
    text = again.booster.model_to_string()
    saved = save_bundle(again.model, tmp_path / "bundle", lightgbm_text=text, golden=again.golden, facts={})
    loaded = load_bundle(tmp_path / "bundle", version="1", fingerprint=saved.id.fingerprint)
    rows = dataset.block("test").head(50)
    np.testing.assert_array_equal(loaded.score_many(rows).points, again.model.score_many(rows).points)


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
