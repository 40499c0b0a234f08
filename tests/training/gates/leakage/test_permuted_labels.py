"""Of outcomes that are dealt out nothing is learnt, unless train and test know of each other."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.conversion import Encoding
from tests.training.gates.leakage.planted import some_groups, with_every
from training.fitting.boosting import categories_of
from training.gates.leakage import permuted_labels as permutation
from training.gates.leakage.permuted_labels import PermutationResult, permute_once, permuted_labels

PARAMETERS = {"seed": 1, "num_threads": 1}


@pytest.fixture(scope="module")
def small(dataset):
    """A twelfth of the features: what is memorable of a lead is in a few of them."""
    return with_every(dataset, 12)


def encoding_of(dataset):
    return Encoding(dataset.catalog, categories_of(dataset.block("train"), dataset.catalog))


def gate(dataset, seed=1):
    return permuted_labels(dataset, encoding=encoding_of(dataset), parameters=PARAMETERS, seed=seed)


def moved(dataset, block, groups):
    """Return the training set with half the rows of so many test groups moved into another block."""
    rows = dataset.rows.copy()
    names = np.sort(rows.loc[rows["block"] == "test", "group"].unique())
    several = [name for name in names if (rows["group"][rows["block"] == "test"] == name).sum() > 1][:groups]
    for name in several:
        own = rows.index[(rows["block"] == "test") & (rows["group"] == name)]
        rows.loc[own[: len(own) // 2], "block"] = block
    return replace(dataset, rows=rows), several


def rows_drawn(dataset, seed):
    """Return the training set with rows, instead of accounts, drawn into the blocks."""
    rows = dataset.rows[dataset.rows["label"].notna()]
    drawn = np.random.default_rng(seed).choice(
        ["train", "stop", "calibrate", "test"], len(rows), p=[0.5, 0.1, 0.1, 0.3]
    )
    return replace(dataset, rows=rows.assign(block=drawn))


def test_honest_companies_pass(small):
    found = [gate(some_groups(small, seed), seed) for seed in range(12)]
    assert [one.says for one in found if not one.passed] == []
    assert all("on permuted labels, expected 0.5 within 0." in one.says for one in found)
    assert np.mean([one.numbers["auc"] for one in found]) == pytest.approx(0.5, abs=0.05)


def test_rows_drawn_into_blocks_are_found_out_by_what_was_learnt(small):
    for seed in range(6):
        found = permute_once(rows_drawn(small, seed), encoding=encoding_of(small), parameters=PARAMETERS, seed=seed)
        assert found.distance > 4


def test_rows_drawn_into_blocks_fail_with_the_names_of_accounts_and_what_to_do(small):
    found = gate(rows_drawn(small, 1))
    assert not found.passed
    assert found.numbers["accounts_in_two_blocks"] > 100
    assert found.numbers["again_in_standard_errors"] > 2
    assert found.says.startswith("The accounts of L000")
    assert found.says.endswith("build the training set again.")


@pytest.mark.parametrize("block", ["train", "stop", "calibrate"])
def test_a_single_account_in_two_blocks_is_named(small, block):
    split, (name,) = moved(small, block, 1)
    found = gate(split)
    assert not found.passed
    assert found.says.startswith(f"The account of {name} has rows in more than one of train, calibrate and test")


def test_a_lead_under_two_accounts_is_named(small):
    rows = small.rows.copy()
    name = rows["lead_id"][rows["block"] == "test"].iloc[0]
    mine = rows.index[rows["lead_id"] == name]
    rows.loc[mine[:1], ["block", "group"]] = ["train", "another account"]
    rows.loc[mine[1:], "block"] = "test"
    assert len(mine) > 1
    found = gate(replace(small, rows=rows))
    assert not found.passed
    assert f"The account of {name} has rows" in found.says


def fated(monkeypatch, *distances):
    """Replace the permutations by results so many standard errors from a half."""
    remaining = iter(distances)
    monkeypatch.setattr(
        permutation, "permute_once", lambda *_, **__: PermutationResult(0.5 + 0.01 * next(remaining), 0.01)
    )


@pytest.mark.parametrize(
    ("distances", "passed"),
    [
        ((1.9,), True),
        ((2.5, 0.1, -0.5, 0.3, 0.2), True),
        ((2.5, 1.2, 1.1, 1.0, 0.9), False),  # together 2.1
        ((2.5, 1.2, 1.1, 0.9, 0.7), True),  # together 1.95
        ((2.5, -1.2, -1.1, -1.0, -0.9), True),
        ((-2.5, -1.2, -1.1, -1.0, -0.9), False),
    ],
)
def test_one_striking_deal_is_looked_at_again(small, monkeypatch, distances, passed):
    fated(monkeypatch, *distances)
    found = gate(small)
    assert found.passed is passed
    assert ("more permutations" in found.says) is (len(distances) > 1)


def test_the_auc_of_a_deal_is_scikit_learns_and_its_error_that_of_other_deals():
    generator = np.random.default_rng(1)
    group = np.sort(generator.integers(0, 80, 400))
    group = np.unique(group, return_inverse=True)[1]
    scores, weight = generator.integers(0, 30, 400).astype(float), generator.uniform(1, 3, 400)
    outcome = (generator.random(group.max() + 1) < 0.25).astype(float)
    found = permutation._evaluated(scores, group, weight=weight, outcome=outcome, generator=np.random.default_rng(2))
    assert found.auc == pytest.approx(roc_auc_score(outcome[group], scores, sample_weight=weight))
    deals = [generator.permutation(outcome)[group] for _ in range(600)]
    spread = np.std([roc_auc_score(each, scores, sample_weight=weight) for each in deals])
    assert found.error == pytest.approx(spread, rel=0.12)


def test_outcomes_that_are_all_alike_say_nothing(small):
    rows = small.rows.assign(label=0.0)
    assert gate(replace(small, rows=rows)).passed


def test_many_rows_are_thinned(small, monkeypatch):
    monkeypatch.setattr(permutation, "MOST_ROWS", 500)
    assert 0.2 < permute_once(small, encoding=encoding_of(small), parameters=PARAMETERS, seed=1).auc < 0.8
