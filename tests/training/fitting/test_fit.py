"""The same rows give the same model, labels ahead move nothing, and rows that say nothing are said to say nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.catalog import Catalog
from features.history.over_history import known_values
from models.bundle import load_bundle, save_bundle
from models.shapley import ShapleyTables
from tests.training.drawn import drawn
from training.errors import FewLeadsError, HistoryError
from training.fitting import fit as fitting
from training.fitting.boosting import BinnedRows, fit_booster
from training.fitting.fit import fit, prepare
from training.fitting.fitted_model import golden_rows
from training.fitting.hyperparameters import MOST_STEPS, parameters_for
from training.fitting.minimum_data import leads_by_outcome
from training.fitting.row_weights import sample_groups

FEATURES = 16
RISES, FALLS = ("page_view", "call", "page_view/docs"), ("trial_use", "email_click")


@pytest.fixture(scope="module")
def company():
    return drawn(12_000, FEATURES)


@pytest.fixture(scope="module")
def dataset(company):
    return company[0]


@pytest.fixture(scope="module")
def folder(company):
    wishes = company[1].business.features.model_copy(update={"rises_with": RISES, "falls_with": FALLS})
    return replace(company[1], business=company[1].business.model_copy(update={"features": wishes}))


@pytest.fixture(scope="module")
def fitted(dataset, folder):
    return fit(dataset, folder)


def with_rows(dataset, **columns):
    return replace(dataset, rows=dataset.rows.assign(**columns))


def content_of(fitted):
    """All that a bundle holds of a model."""
    model = fitted.model
    return model.trees.to_json(), model.calibration, model.bands, model.encoding, model.base_odds


def test_the_same_rows_give_the_same_model_however_many_threads_there_are(dataset, folder, fitted):
    for threads in (1, 3):
        assert content_of(fit(dataset, folder, parameters={"num_threads": threads})) == content_of(fitted)


def test_another_seed_gives_another_model(dataset, folder, fitted):
    assert content_of(fit(dataset, folder, seed=1)) != content_of(fitted)


def test_no_label_of_the_test_weeks_moves_anything(dataset, folder, fitted):
    ahead = (dataset.rows["block"] == "test").to_numpy()
    turned = np.where(ahead, 1 - dataset.rows["label"], dataset.rows["label"])
    assert content_of(fit(with_rows(dataset, label=turned), folder)) == content_of(fitted)


def test_what_was_fitted_is_said(dataset, fitted):
    model = fitted.model
    assert fitted.features_tried == FEATURES
    assert 0 < len(model.catalog.features) < FEATURES
    assert model.calibration is fitted.calibrated.chosen
    assert fitted.steps == int(ShapleyTables.of(model.trees).leaves.size.astype(int).sum())
    assert fitted.steps <= MOST_STEPS


def test_the_scorecard_is_fitted_with_the_model(fitted):
    assert fitted.scorecard.calibration is not None


def test_what_the_playbook_wants_to_rise_or_fall_is_said_by_feature(fitted):
    """Of the features that were kept; fewer days since the last page view are more of it."""
    wanted = {
        "page_view_days_since_last": -1,
        "page_view_docs_30d": 1,
        "call_sum_30d": 1,
        "trial_use_days_since_last": 1,
        "email_click_30d": -1,
    }
    kept = fitted.model.catalog.names
    assert fitted.directions == {name: sign for name, sign in wanted.items() if name in kept}
    assert len(fitted.directions) > 2


def test_the_model_holds_to_it(fitted, dataset):
    rows = dataset.block("test").head(50)
    for name, sign in fitted.directions.items():
        values = np.unique(dataset.rows[name].dropna())[:40]
        margins = [fitted.booster.predict(fitted.model.encoding.frame(rows.assign(**{name: at}))) for at in values]
        assert (sign * np.diff(np.array(margins), axis=0)).min(initial=0.0) >= 0


def test_parameters_that_are_given_are_taken_and_the_rest_suits_the_size(dataset, folder, fitted):
    found = fit(dataset, folder, parameters={"num_leaves": 4, "learning_rate": 0.2})
    assert found.parameters == {**fitted.parameters, "num_leaves": 4, "learning_rate": 0.2}
    assert max(len(tree.leaf_value) for tree in found.model.trees.trees) == 4
    assert found.model.catalog == fitted.model.catalog


def labelled(succeeded, failed):
    leads = [f"lead {at}" for at in range(succeeded + failed)]
    return pd.DataFrame({"lead_id": leads, "label": [1.0] * succeeded + [0.0] * failed})


def test_few_successes_want_small_trees():
    small, full = (parameters_for(labelled(count, 5_000), seed=1) for count in (499, 500))
    assert small["num_leaves"] < full["num_leaves"]
    assert small["max_depth"] < full["max_depth"] <= 6
    assert small["lambda_l2"] > full["lambda_l2"]


def test_a_model_is_the_mean_of_as_many_boosters_as_can_be_explained(dataset, folder, fitted, monkeypatch):
    monkeypatch.setattr(fitting, "MOST_STEPS", fitted.steps // 2)
    found = fit(dataset, folder)
    assert 0 < found.steps <= fitted.steps // 2
    monkeypatch.setattr(fitting, "MOST_STEPS", 1)
    assert 0 < fit(dataset, folder).steps <= found.steps


def test_a_limit_of_rows_keeps_whole_groups(dataset):
    train = dataset.block("train")
    kept = sample_groups(train, 2_000, purpose="testing", seed=1)
    assert 1_700 < len(kept) < 2_300
    assert set(kept["group"]).isdisjoint(train.drop(kept.index)["group"])
    assert sample_groups(train, None, purpose="testing", seed=1) is train
    assert sample_groups(train, len(train), purpose="testing", seed=1) is train


def test_a_fit_on_fewer_rows_looks_at_no_others(dataset, folder):
    few = prepare(dataset, folder, most_rows=2_500)
    assert len(few.rows) < 3_000
    assert leads_by_outcome(few.rows)[0] > 0


def test_a_booster_needs_no_features_that_are_categories(dataset):
    numbers = Catalog(tuple(one for one in dataset.catalog.features if not one.is_category))
    train = dataset.block("train")
    parameters, held_out = parameters_for(train, seed=1), np.arange(len(train)) % 5 == 0
    binned = BinnedRows.of(train, held_out * 1, catalog=numbers, parameters=parameters)
    assert fit_booster(binned, held_out, parameters).num_trees()


def test_rows_in_bins_serve_many_boosters(dataset):
    """A booster fitted on rows that another was fitted on is the one that would have been fitted alone."""
    train = dataset.block("train")
    held_out = np.arange(len(train)) % 5 == 0
    first, second = ({**parameters_for(train, seed=1), "min_data_in_leaf": least} for least in (400, 20))
    again = BinnedRows.of(train, held_out * 1, catalog=dataset.catalog, parameters=first)
    fit_booster(again, held_out, first)
    alone = BinnedRows.of(train, held_out * 1, catalog=dataset.catalog, parameters=second)
    trees = [fit_booster(binned, held_out, second).trees_to_dataframe() for binned in (again, alone)]
    pd.testing.assert_frame_equal(*trees)


def nothing_known(dataset):
    return {one.name: None if one.is_category else np.nan for one in dataset.catalog.features}


@pytest.mark.parametrize("how", ["missing", "the same"])
def test_features_that_tell_nobody_apart_are_a_sentence(dataset, folder, how):
    same = {one.name: "one" if one.is_category else 1.0 for one in dataset.catalog.features}
    empty = with_rows(dataset, **(nothing_known(dataset) if how == "missing" else same))
    with pytest.raises(HistoryError, match=r"All 16 features are missing, or the same .* expected some .*: run lead"):
        fit(empty, folder)


def test_what_is_known_of_a_few_only_is_enough_to_begin(dataset, folder):
    """A feature that is missing where others have it tells leads apart, even if it always says the same."""
    known = np.where(dataset.rows.index % 2, 1.0, np.nan)
    name = next(one.name for one in dataset.catalog.features if not one.is_category)
    assert fit(with_rows(dataset, **nothing_known(dataset) | {name: known}), folder).model.trees.trees


def test_where_no_split_gains_anything_everyone_has_the_same_chance(dataset, folder, tmp_path):
    """A model that has learnt nothing is one all the same: it is saved, loaded and explained, and says the rate."""
    first = np.zeros(len(dataset.rows))
    first[np.flatnonzero(dataset.rows["block"] == "train")[0]] = 1.0
    name = next(one.name for one in dataset.catalog.features if not one.is_category)
    found = fit(with_rows(dataset, **nothing_known(dataset) | {name: first}), folder)
    text = found.booster.model_to_string()
    save_bundle(found.model, tmp_path / "bundle", lightgbm_text=text, golden=found.golden, facts={})
    model = load_bundle(tmp_path / "bundle")
    receipt = model.receipt("ada", 0, [None] * len(model.catalog.features))
    assert (receipt.reasons, found.steps) == ((), 0)
    train = dataset.block("train")
    newest = train[train["as_of"] >= train["as_of"].median()]
    rates = sorted((train["label"].mean(), newest["label"].mean()))
    assert rates[0] - 1e-3 <= receipt.probability <= rates[1] + 1e-3


def test_golden_rows_are_rows_that_the_trees_grew_on(dataset):
    train = dataset.block("train")
    keys = zip(train["lead_id"], train["as_of"], strict=True)
    train = dict(zip(keys, known_values(train[dataset.catalog.names]), strict=True))
    golden = golden_rows(dataset, dataset.catalog)
    assert len(golden) == 16
    assert [row.values for row in golden] == [train[row.lead_id, row.as_of] for row in golden]  # noqa: PD011 - no frame of pandas


def test_too_few_leads_are_refused_before_anything_is_fitted(dataset, folder):
    with pytest.raises(FewLeadsError, match="training period has 0 leads"):
        fit(with_rows(dataset, label=0.0), folder)


def test_nobody_to_grade_is_a_sentence(dataset, folder):
    over = replace(dataset, rows=dataset.rows[dataset.rows["block"] != "recent"])
    with pytest.raises(HistoryError, match="No lead was open in the last 28 days"):
        fit(over, folder)
