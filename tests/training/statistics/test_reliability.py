"""The noise band is that of a perfect model: neither wider nor narrower."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from training.statistics.logistic import logistic_terms, newton_fit
from training.statistics.reliability import curve, logistic_fit, logits


def drawn(generator, leads=800, each=5):
    """Probabilities, and labels that come true exactly so often; the rows of a lead succeed together."""
    group = np.repeat(np.arange(leads), each)
    probability = np.clip(generator.beta(1, 5, leads)[group] * generator.uniform(0.7, 1.3, leads * each), 0.001, 0.99)
    label = (generator.random(leads)[group] < probability).astype(float)
    return probability, label, group


def reliability_of(probability, label, group, seed=1):
    return curve(probability, label, weight=np.ones_like(label), group=group, seed=seed)


def test_a_perfect_model_stays_inside_its_noise_95_times_in_100():
    generator, inside = np.random.default_rng(2), []
    for seed in range(100):
        probability, label, group = drawn(generator)
        found = reliability_of(probability, label, group, seed)
        inside.append(found.error <= found.noise_95)
    assert 0.88 <= np.mean(inside) <= 1.0


def test_an_overconfident_model_leaves_it():
    probability, label, group = drawn(np.random.default_rng(3))
    odds = np.exp(logits(probability)) * 1.6
    found = reliability_of(odds / (1 + odds), label, group)
    assert found.error > found.noise_95


def test_rows_that_succeed_together_are_noisier_than_as_many_independent_ones():
    probability, label, group = drawn(np.random.default_rng(4))
    alone = reliability_of(probability, label, np.arange(len(label)))
    assert reliability_of(probability, label, group).noise_95 > 1.3 * alone.noise_95


def test_bins_hold_equal_weight_and_add_up():
    probability, label, group = drawn(np.random.default_rng(5))
    found = reliability_of(probability, label, group)
    assert found.share.sum() == pytest.approx(1)
    assert found.share == pytest.approx(np.full(10, 0.1), abs=0.01)
    assert (found.share * found.observed).sum() == pytest.approx(label.mean())


def test_one_probability_for_all_makes_one_bin():
    found = reliability_of(np.full(20, 0.3), np.r_[np.ones(6), np.zeros(14)], np.arange(20))
    assert found.share.tolist() == [1.0]
    assert found.error == pytest.approx(0)


def test_the_logistic_fit_equals_scikit_learn():
    generator = np.random.default_rng(6)
    x = generator.normal(3, 2, 2_000)
    label = (generator.random(2_000) < 1 / (1 + np.exp(-(0.7 * x - 3)))).astype(float)
    weight = generator.uniform(0.5, 2, 2_000)
    reference = LogisticRegression(C=1e9, tol=1e-10).fit(x[:, None], label, sample_weight=weight)
    slope, offset = logistic_fit(x, label, weight=weight)
    assert slope == pytest.approx(reference.coef_[0, 0], rel=1e-4)
    assert offset == pytest.approx(reference.intercept_[0], rel=1e-4)


def test_rows_that_a_line_separates_stay_finite():
    slope, offset = logistic_fit(
        np.r_[np.zeros(50), np.ones(50)], np.r_[np.zeros(50), np.ones(50)], weight=np.ones(100)
    )
    assert slope > 5
    assert np.isfinite([slope, offset]).all()


@given(st.integers(0, 10_000))
def test_a_fit_from_anywhere_ends_at_the_same_best(seed):
    """Newton's steps alone run away where few rows have a column and the start is far off."""
    generator = np.random.default_rng(seed)
    rare = (generator.random(400) < 0.02).astype(float)
    design = np.column_stack([np.ones(400), rare, generator.normal(size=400)])
    target = generator.random(400) ** 8
    ridge, weight = np.full(3, 1e-3), generator.choice([0.5, 28.0], 400)
    near, far = (
        newton_fit(design, target, weight=weight, ridge=ridge, start=at) for at in (np.zeros(3), np.r_[-9.0, 9, 9])
    )
    gradient, _ = logistic_terms(design @ near, design, label=target, weight=weight)
    assert np.abs(gradient - ridge * near).max() < 1e-4
    assert near == pytest.approx(far, abs=1e-4)
