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


def rows_dealt(monkeypatch):
    """Deal rows, instead of accounts, to the folds."""

    def deal(group, label, *, seed, folds=5):
        return np.random.default_rng(seed).integers(0, folds, len(group))

    monkeypatch.setattr(permutation, "deal_folds", deal)


def test_honest_companies_pass(small):
    found = [gate(some_groups(small, seed), seed) for seed in range(12)]
    assert [one.says for one in found if not one.passed] == []
    assert all("on permuted labels, expected 0.5 within 0." in one.says for one in found)
    assert np.mean([one.numbers["auc"] for one in found]) == pytest.approx(0.5, abs=0.05)


def test_rows_dealt_to_folds_are_found_out_by_what_was_learnt(small, monkeypatch):
    rows_dealt(monkeypatch)
    for seed in range(4):
        assert permute_once(small, encoding=encoding_of(small), parameters=PARAMETERS, seed=seed).distance > 4


def test_rows_dealt_to_folds_fail_and_say_what_to_do(small, monkeypatch):
    rows_dealt(monkeypatch)
    monkeypatch.setattr(permutation, "MORE", 6)
    found = gate(small)
    assert not found.passed
    assert found.numbers["again_in_standard_errors"] > permutation.CERTAIN
    assert found.says.endswith("build the training set again.")


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
        ((2.5, *[0.2] * permutation.MORE), True),
        ((2.5, *[0.5] * permutation.MORE), False),  # together 3.5
        ((2.5, *[0.45] * permutation.MORE), True),  # together 3.2
        ((2.5, *[-0.5] * permutation.MORE), True),
        ((-2.5, *[-0.5] * permutation.MORE), False),
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
