"""A lift out of all proportion is caught; true chances, the best there can be, are not."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.instants import DAY_US
from models.conversion import Encoding
from tests.training.gates.leakage.planted import attribute, by_lead, some_groups, success, with_every, with_features
from training.fitting.boosting import categories_of
from training.gates.leakage.dominance import dominance
from training.gates.leakage.quick_fit import quick_fit
from training.gates.leakage.suspicious_lift import FAR, measure_reach, suspicious_lift
from training.statistics.scoring_metrics import EvaluationRows, evaluate

PARAMETERS = {"seed": 1, "num_threads": 1}


@pytest.fixture(scope="module")
def small(dataset):
    return with_every(dataset, 6)


def encoding_of(dataset):
    return Encoding(dataset.catalog, categories_of(dataset.block("train"), dataset.catalog))


def gate(dataset, probability=None):
    """Judge chances that say nothing, unless others are given."""
    test = dataset.block("test")
    return suspicious_lift(
        dataset,
        probability=np.full(len(test), 0.1) if probability is None else probability,
        judged=EvaluationRows.of(test),
        encoding=encoding_of(dataset),
        parameters=PARAMETERS,
        seed=1,
    )


def said_by_trees(dataset):
    """Return the scores of the test rows by a fit on all features."""
    train, encoding = dataset.block("train"), encoding_of(dataset)
    booster = quick_fit(encoding, train, train["label"].to_numpy(), parameters=PARAMETERS)
    return np.asarray(booster.predict(encoding.frame(dataset.block("test"))))


def judged(label, *, leads=None):
    label = np.asarray(label, dtype=float)
    group = np.arange(len(label)) if leads is None else leads
    return EvaluationRows(label, np.ones(len(label)), group, np.zeros(len(label), dtype=np.int64))


def test_the_reach_goes_from_chance_to_perfect():
    generator = np.random.default_rng(1)
    label = (generator.random(20_000) < 0.1).astype(float)
    perfect = measure_reach(label, judged(label))
    assert (perfect.reach, perfect.low) == (pytest.approx(1.0), pytest.approx(1.0))
    assert perfect.lift == pytest.approx(perfect.most)
    assert measure_reach(generator.random(20_000), judged(label)).reach == pytest.approx(0, abs=0.06)


def test_half_way_is_the_root():
    """Of 1,600 rows 400 succeed; of the best 400, 200 do: a lift of 2, the root of 4."""
    label = np.repeat([1.0, 0.0, 1.0, 0.0], [200, 200, 200, 1_000])
    found = measure_reach(-np.arange(1_600.0), judged(label))
    assert found.reach == pytest.approx(0.5)
    assert found.lift == pytest.approx(found.usual) == pytest.approx(2)


def test_the_lift_is_that_of_the_evaluation(small):
    """Where a tenth succeeds, the best tenth is the best share."""
    test = small.block("test")
    score = np.random.default_rng(1).random(len(test))
    rows = EvaluationRows.of(test)
    rate = np.average(rows.label, weights=rows.weight)
    top = evaluate(score, rows, base_rate=rate, capacity_per_day=2, resamples=2).lift_at_10.value
    assert measure_reach(score, rows).lift == pytest.approx(top, rel=0.3)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_where_all_end_alike_there_is_no_lift(small, label):
    assert measure_reach(np.arange(9.0), judged(np.full(9, label))) is None
    rows = small.rows.assign(label=label, goal_at=1.0 if label else np.nan)
    alike = replace(small, rows=rows)
    assert gate(alike).passed


def test_honest_companies_pass(small):
    for seed in range(6):
        company = some_groups(small, seed, share=0.7)
        found = gate(company, said_by_trees(company))
        assert found.passed, found.says
        assert found.numbers["model_reach"] < 0.8
        assert "is usual and" in found.says


def test_a_model_that_knows_the_outcome_is_caught(small):
    test = small.block("test")
    for seed in range(6):
        knowing = test["label"].to_numpy() + np.random.default_rng(seed).normal(0, 0.25, len(test))
        found = gate(small, knowing)
        assert not found.passed
        assert found.says.startswith("The model is too good: the best ")


def test_a_model_that_knows_who_succeeds_at_last_is_caught(small):
    knowing = small.block("test")["goal_at"].notna().to_numpy().astype(float)
    found = gate(small, knowing)
    assert found.numbers["model_low"] < FAR < found.numbers["model_at_last_low"]
    assert not found.passed


def sum_of_two(dataset, generator, flags):
    """Two fields that are luck each, and whose difference is the outcome."""
    luck = by_lead(dataset, lambda leads: generator.integers(0, 12, leads).astype(float))
    return with_features(dataset, {attribute("lunch"): luck, attribute("dinner"): luck + flags})


def test_two_innocent_features_that_tell_it_together_are_caught_by_name(small, playbook):
    for seed in range(8):
        company = some_groups(small, seed)
        leaking = sum_of_two(company, np.random.default_rng(seed), success(company))
        assert dominance(leaking, playbook, seed=seed).passed
        found = gate(leaking)
        assert not found.passed
        assert found.says.startswith("A quick fit finds features that give the outcome away together")
        assert {"dinner", "lunch"} <= set(re.findall(r"\w+", found.says))
        assert found.says.endswith("put them on never_use.")


@pytest.fixture(scope="module")
def truth(world, dataset):
    """True chances of the test block's leads, at the first midnight after each of their snapshots."""
    chances = pd.read_parquet(world.truth / "chances.parquet")
    chances["as_of"] = chances["as_of"].astype("datetime64[us, UTC]").astype("int64")
    test = dataset.block("test")
    ahead = test.assign(as_of=(test["as_of"] // DAY_US + 1) * DAY_US)[["lead_id", "as_of", "group", "weight"]]
    return ahead.drop_duplicates(["lead_id", "as_of"]).merge(chances, on=["lead_id", "as_of"])


def test_the_true_chances_are_not_suspicious(truth):
    """No model can say more; the snapshots of a lead share their luck."""
    for seed in range(20):
        luck = np.random.default_rng(seed).random(truth["lead_id"].nunique())
        label = (luck[pd.factorize(truth["lead_id"])[0]] < truth["chance"]).astype(float)
        found = measure_reach(truth["chance"].to_numpy(), EvaluationRows.of(truth.assign(label=label)))
        assert found.low < FAR


def test_no_success_among_the_best_rows_is_a_number_that_json_holds(small):
    """The best rows of a score that turns everything around succeed never: the logarithm of their lift is infinite."""
    found = gate(small, -small.block("test")["label"].to_numpy())
    json.dumps(found.model_dump(mode="json"), allow_nan=False)
    assert found.numbers["model_lift"] == 0.0
    assert found.numbers["model_reach"] is None
