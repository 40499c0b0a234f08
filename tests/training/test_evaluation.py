"""Numbers mean what their names say, per snapshot and at the team's capacity."""

import time

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from training.evaluation import Judged, best_share, called, evaluate

BASE = 0.15


def judged_rows(seed=0, rows=3_000, groups=500, days=30):
    generator = np.random.default_rng(seed)
    group = generator.integers(groups, size=rows)
    group[:groups] = np.arange(groups)
    probability = generator.beta(1, 6, rows)
    label = (generator.random(groups)[group] < probability).astype(float)
    weight = generator.choice([1.0, 2.0], rows)
    return probability, Judged(label, weight, group, generator.integers(days, size=rows))


def found(probability, judged, **changes):
    return evaluate(probability, judged, **({"base_rate": BASE, "capacity_per_day": 10, "resamples": 100} | changes))


def test_losses_and_skill_equal_scikit_learn():
    probability, judged = judged_rows()
    numbers = found(probability, judged)
    loss = log_loss(judged.label, probability, sample_weight=judged.weight)
    assert numbers["log_loss"]["value"] == pytest.approx(loss)
    constant = np.full_like(probability, BASE)
    assert numbers["base_log_loss"] == pytest.approx(log_loss(judged.label, constant, sample_weight=judged.weight))
    brier, base = (brier_score_loss(judged.label, one, sample_weight=judged.weight) for one in (probability, constant))
    assert numbers["brier_skill"]["value"] == pytest.approx(1 - brier / base)


def test_every_interval_holds_its_value_and_is_not_empty():
    probability, judged = judged_rows()
    for name, number in found(probability, judged).items():
        if isinstance(number, dict) and "low" in number:
            assert number["low"] < number["value"] < number["high"], name


def test_a_calibrated_scorer_has_slope_one_and_as_many_successes_as_expected():
    probability, judged = judged_rows(rows=20_000, groups=6_000)
    numbers = found(probability, judged)
    for name in ("slope", "observed_over_expected"):
        assert numbers[name]["low"] < 1 < numbers[name]["high"]
    squared = probability**2 / (probability**2 + (1 - probability) ** 2)
    assert found(squared, judged)["slope"]["high"] < 0.8


def test_the_team_calls_the_best_leads_of_each_day_up_to_its_capacity():
    judged = Judged(np.zeros(5), np.array([1.0, 1, 1, 2, 1]), np.arange(5), np.array([0, 0, 0, 1, 1]))
    taken = called(np.array([0.3, 0.9, 0.5, 0.8, 0.1]), judged, capacity_per_day=2)
    assert taken.tolist() == [0, 1, 1, 2, 0]


def test_a_row_that_stands_for_many_is_called_as_far_as_there_is_room():
    judged = Judged(np.zeros(2), np.array([3.0, 3.0]), np.arange(2), np.zeros(2, dtype=np.int64))
    assert called(np.array([0.9, 0.1]), judged, capacity_per_day=4).tolist() == [3, 1]
    assert best_share(np.array([0.9, 0.1]), judged, share=0.25).tolist() == [1.5, 0]


def test_equal_scores_give_the_rate_of_any_order():
    """Rules tie often: the order of rows must not decide how good they look."""
    _, judged = judged_rows(rows=20_000, groups=8_000)
    numbers = found(np.full(20_000, 0.2), judged)
    assert numbers["precision_at_capacity"]["low"] < numbers["base_rate"]["value"]
    assert numbers["base_rate"]["value"] < numbers["precision_at_capacity"]["high"]
    assert numbers["auc"]["value"] == 0.5


def test_lift_is_the_rate_of_the_best_over_the_rate_of_all():
    label = np.r_[np.ones(10), np.zeros(90)]
    judged = Judged(label, np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64))
    numbers = found(np.linspace(0.99, 0.01, 100), judged)
    assert numbers["lift_at_5"]["value"] == pytest.approx(10)
    assert numbers["lift_at_20"]["value"] == pytest.approx(5)
    assert numbers["recall_at_capacity"]["value"] == pytest.approx(1)


def test_fifty_thousand_rows_take_seconds():
    probability, judged = judged_rows(rows=50_000, groups=8_000, days=100)
    started = time.perf_counter()
    found(probability, judged, resamples=500)
    assert time.perf_counter() - started < 15
