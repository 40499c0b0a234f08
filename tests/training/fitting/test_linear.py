"""The linear model is the one that scikit-learn's logistic regression would find, and does without columns too."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.fitting.linear import Linear


@pytest.fixture(scope="module")
def rows():
    """4,000 rows of 12 columns, outcomes drawn from a linear truth, and weights with a mean of 1."""
    generator = np.random.default_rng(3)
    matrix = generator.normal(size=(4_000, 12)).astype(np.float32)
    label = (generator.random(4_000) < expit(matrix[:, :4].sum(axis=1) - 1)).astype(np.float64)
    weight = generator.random(4_000) + 0.1
    return matrix, label, weight / weight.mean()


@pytest.mark.parametrize("strength", [0.001, 0.1])
def test_it_is_scikit_learns(rows, strength):
    matrix, label, weight = rows
    ours = Linear.fitted(matrix, label, weight=weight, strength=strength)
    theirs = LogisticRegression(C=strength, tol=1e-8).fit(matrix.astype(np.float64), label, sample_weight=weight)
    np.testing.assert_allclose(ours.slopes, theirs.coef_[0], atol=2e-3)
    assert ours.offset == pytest.approx(float(theirs.intercept_[0]), abs=2e-3)


def test_the_same_rows_give_the_same_numbers(rows):
    matrix, label, weight = rows
    first, second = (Linear.fitted(matrix, label, weight=weight, strength=0.01) for _ in range(2))
    np.testing.assert_array_equal(first.log_odds(matrix), second.log_odds(matrix))


def test_columns_that_tell_everything_get_finite_slopes():
    """Without the penalty they would be infinite."""
    label = np.repeat([0.0, 1.0], 50)
    found = Linear.fitted((2 * label - 1).astype(np.float32)[:, None], label, weight=np.ones(100), strength=0.1)
    assert 0.5 < found.slopes[0] < 10


def test_without_columns_everyone_has_the_odds_of_all():
    label = np.array([1.0, 0.0, 0.0, 0.0])
    empty = np.empty((4, 0), dtype=np.float32)
    found = Linear.fitted(empty, label, weight=np.ones(4), strength=0.1).log_odds(empty)
    np.testing.assert_allclose(found, np.log(1 / 3), atol=1e-3)
