"""Where the true chances are known: the model is as calibrated as it says, and the tests of it can tell."""

import numpy as np
import pandas as pd
import pytest

from data.instants import DAY_US
from features.history.over_history import compute_features
from models.bundle import load_bundle
from training.statistics.scoring_metrics import EvaluationRows, evaluate


@pytest.fixture(scope="module")
def truth(world, dataset):
    """True chances of the test block's leads, at the first midnight after each of their snapshots."""
    chances = pd.read_parquet(world.truth / "chances.parquet")
    chances["as_of"] = chances["as_of"].astype("datetime64[us, UTC]").astype("int64")
    test = dataset.block("test")
    ahead = test.assign(as_of=(test["as_of"] // DAY_US + 1) * DAY_US)[["lead_id", "as_of", "group", "weight"]]
    return ahead.drop_duplicates(["lead_id", "as_of"]).merge(chances, on=["lead_id", "as_of"])


def judged(truth, label):
    return EvaluationRows.of(truth.assign(label=label))


def drawn(truth, seed):
    """Labels that come true exactly as often as they truly would; the snapshots of a lead share their luck."""
    luck = np.random.default_rng(seed).random(truth["lead_id"].nunique())
    return (luck[pd.factorize(truth["lead_id"])[0]] < truth["chance"]).astype(float).to_numpy()


def ece(truth, probability, seed):
    numbers = evaluate(probability, judged(truth, drawn(truth, seed)), base_rate=0.1, capacity_per_day=2, resamples=2)
    return numbers.ece


def test_the_true_chances_are_calibrated_within_their_noise(truth):
    chance = truth["chance"].to_numpy()
    inside = [found.value <= found.noise_95 for found in (ece(truth, chance, seed) for seed in range(20))]
    assert sum(inside) >= 17


def test_chances_of_twice_the_odds_are_found_out(truth):
    chance = truth["chance"].to_numpy()
    doubled = 2 * chance / (1 + chance)
    found = [ece(truth, doubled, seed) for seed in range(10)]
    assert sum(one.value > one.noise_95 for one in found) >= 6


def test_the_model_says_the_true_chances_within_the_noise_of_its_calibration(warehouse, dataset, truth, trained):
    """
    Judged against chances, not outcomes, what is left is the noise of the calibration.

    The train rows have a few dozen leads that reached the goal, hence the width.
    """
    model = load_bundle(trained.bundle)
    rows = compute_features(warehouse, truth[["lead_id", "as_of"]], model.catalog)
    said = model.score_many(rows).probabilities
    weight = truth["weight"].to_numpy()
    winners = dataset.block("train").groupby("group")["label"].max().sum()
    ratio = np.average(said, weights=weight) / np.average(truth["chance"], weights=weight)
    assert abs(np.log(ratio)) < 2.5 / np.sqrt(winners)
    assert np.corrcoef(said, truth["chance"])[0, 1] > 0.45
