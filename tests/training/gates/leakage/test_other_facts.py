"""What the rest of a lead foretells of a number, against an independent ridge regression."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from training.gates.leakage.other_facts import foretold, share_explained


def test_each_fold_is_foretold_by_a_ridge_of_the_others():
    """The same numbers as scikit-learn's; accounts stay together, and no row foretells itself."""
    generator = np.random.default_rng(3)
    columns, group = generator.normal(size=(400, 5)), np.arange(400) // 2
    target = columns[:, 0] + generator.normal(size=400)
    found = foretold(target, columns, group)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    fold = (np.random.default_rng(23).permutation(200) % 5)[group]
    for number in range(5):
        rows = fold != number
        mean = target[rows].mean()
        fitted = Ridge(alpha=40.0, fit_intercept=False).fit(scaled[rows], target[rows] - mean)
        assert found[~rows] == pytest.approx(mean + fitted.predict(scaled[~rows]))


def test_noise_explains_nothing_and_the_truth_nearly_all():
    generator = np.random.default_rng(4)
    target, group = generator.normal(size=1_000), np.arange(1_000)
    noise = generator.normal(size=(1_000, 80))
    assert share_explained(target, [noise, np.empty((1_000, 0))], group) == 0.0
    assert share_explained(target, [noise, target[:, None]], group) > 0.98


def test_names_of_accounts_explain_nothing():
    """Where every row of an account has the same number, its neighbours do not tell it."""
    group = np.repeat(np.arange(60), 10)
    target = np.random.default_rng(5).normal(size=60)[group]
    assert share_explained(target, [np.eye(60)[group]], group) == 0.0
