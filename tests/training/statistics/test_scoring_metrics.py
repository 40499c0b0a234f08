"""Numbers mean what their names say, per snapshot and at the team's capacity."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from data.instants import DAY_US
from training.statistics.bootstrap import interval, resamples
from training.statistics.estimate import NO_ESTIMATE, Estimate
from training.statistics.scoring_metrics import SEED, EvaluationRows, best_share, called, evaluate, found_by_shares

BASE = 0.15


def judged_rows(seed=0, rows=3_000, groups=500, days=30):
    generator = np.random.default_rng(seed)
    group = generator.integers(groups, size=rows)
    group[:groups] = np.arange(groups)
    probability = generator.beta(1, 6, rows)
    label = (generator.random(groups)[group] < probability).astype(float)
    weight = generator.choice([1.0, 2.0], rows)
    return probability, EvaluationRows(label, weight, group, generator.integers(days, size=rows))


def found(probability, judged, **changes):
    return evaluate(probability, judged, **({"base_rate": BASE, "capacity_per_day": 10, "resamples": 100} | changes))


def test_losses_and_skill_equal_scikit_learn():
    probability, judged = judged_rows()
    numbers = found(probability, judged)
    loss = log_loss(judged.label, probability, sample_weight=judged.weight)
    assert numbers.log_loss.value == pytest.approx(loss)
    constant = np.full_like(probability, BASE)
    assert numbers.base_log_loss == pytest.approx(log_loss(judged.label, constant, sample_weight=judged.weight))
    brier, base = (brier_score_loss(judged.label, one, sample_weight=judged.weight) for one in (probability, constant))
    assert numbers.brier_skill.value == pytest.approx(1 - brier / base)


def test_every_interval_holds_its_value_and_is_not_empty():
    probability, judged = judged_rows()
    for name, number in dict(found(probability, judged)).items():
        if isinstance(number, Estimate):
            assert number.low < number.value < number.high, name


def test_a_calibrated_scorer_has_slope_one_and_as_many_successes_as_expected():
    probability, judged = judged_rows(rows=20_000, groups=6_000)
    numbers = found(probability, judged)
    for name in ("slope", "observed_over_expected"):
        assert getattr(numbers, name).low < 1 < getattr(numbers, name).high
    squared = probability**2 / (probability**2 + (1 - probability) ** 2)
    assert found(squared, judged).slope.high < 0.8


def test_the_team_calls_the_best_leads_of_each_day_up_to_its_capacity():
    judged = EvaluationRows(np.zeros(5), np.array([1.0, 1, 1, 2, 1]), np.arange(5), np.array([0, 0, 0, 1, 1]))
    taken = called(np.array([0.3, 0.9, 0.5, 0.8, 0.1]), judged, capacity_per_day=2)
    assert taken.tolist() == [0, 1, 1, 2, 0]


def test_a_row_that_stands_for_many_is_called_as_far_as_there_is_room():
    judged = EvaluationRows(np.zeros(2), np.array([3.0, 3.0]), np.arange(2), np.zeros(2, dtype=np.int64))
    assert called(np.array([0.9, 0.1]), judged, capacity_per_day=4).tolist() == [3, 1]
    assert best_share(np.array([0.9, 0.1]), judged, share=0.25).tolist() == [1.5, 0]


def test_equal_scores_give_the_rate_of_any_order():
    """Rules tie often: the order of rows must not decide how good they look."""
    _, judged = judged_rows(rows=20_000, groups=8_000)
    numbers = found(np.full(20_000, 0.2), judged)
    assert numbers.precision_at_capacity.low < numbers.base_rate.value
    assert numbers.base_rate.value < numbers.precision_at_capacity.high
    assert numbers.auc.value == 0.5


def test_lift_is_the_rate_of_the_best_over_the_rate_of_all():
    label = np.r_[np.ones(10), np.zeros(90)]
    judged = EvaluationRows(label, np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64))
    numbers = found(np.linspace(0.99, 0.01, 100), judged)
    assert numbers.lift_at_5.value == pytest.approx(10)
    assert numbers.lift_at_20.value == pytest.approx(5)
    assert numbers.recall_at_capacity.value == pytest.approx(1)


def test_ranks_equal_scikit_learn():
    probability, judged = judged_rows()
    numbers, label, weight = found(probability, judged), judged.label, judged.weight
    assert numbers.auc.value == pytest.approx(roc_auc_score(label, probability, sample_weight=weight))
    precision = average_precision_score(label, probability, sample_weight=weight)
    assert numbers.pr_auc.value == pytest.approx(precision)
    assert numbers.base_rate.value == pytest.approx(np.average(label, weights=weight))


def test_intervals_equal_those_of_rows_copied_and_judged_anew():
    """The slow way: the rows of each drawn account, as often as it was drawn, given to scikit-learn."""
    probability, judged = judged_rows(rows=900, groups=150)
    numbers = found(probability, judged, resamples=60)
    drawn = {"auc": [], "log_loss": [], "brier_skill": []}
    constant = np.full_like(probability, BASE)
    for counts in resamples(150, 60, seed=SEED):
        rows = np.repeat(np.arange(900), counts[judged.group].astype(int))
        label, weight = judged.label[rows], judged.weight[rows]
        brier, base = (brier_score_loss(label, one[rows], sample_weight=weight) for one in (probability, constant))
        drawn["auc"].append(roc_auc_score(label, probability[rows], sample_weight=weight))
        drawn["log_loss"].append(log_loss(label, probability[rows], sample_weight=weight))
        drawn["brier_skill"].append(1 - brier / base)
    for name, values in drawn.items():
        slow = interval(np.array(values), getattr(numbers, name).value)
        assert getattr(numbers, name).model_dump() == pytest.approx(slow.model_dump(), abs=1e-12)


def test_a_call_is_worth_the_amounts_of_those_called_that_succeed():
    label, amount = np.array([1.0, 0, 1, 0, 1, 0]), np.array([100.0, 0, 0, 0, 40, 0])
    day = np.array([0, 0, 0, 1, 1, 1])
    judged = EvaluationRows(label, np.ones(6), np.arange(6), day, amount)
    numbers = found(np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.2]), judged, capacity_per_day=2)
    assert numbers.value_at_capacity.value == pytest.approx((100 + 0 + 0 + 40) / 4)
    assert numbers.precision_at_capacity.value == pytest.approx(0.5)


def test_without_amounts_a_call_has_no_value():
    probability, judged = judged_rows()
    assert found(probability, judged, resamples=10).value_at_capacity is None


def test_an_amount_counts_only_where_the_goal_was_reached_within_the_horizon():
    rows = pd.DataFrame(
        {
            "label": [1.0, 0.0, 1.0],
            "weight": [1.0, 1.0, 1.0],
            "group": ["a", "b", "c"],
            "as_of": [0, DAY_US, 5 * DAY_US],
            "amount": [50.0, 70.0, np.nan],
        }
    )
    assert EvaluationRows.of(rows).amount.tolist() == [50.0, 0.0, 0.0]
    assert EvaluationRows.of(rows.assign(amount=np.nan)).amount is None
    assert EvaluationRows.of(rows.drop(columns="amount")).amount is None


def test_the_best_quarter_and_the_best_tenth_against_the_worst_half():
    label = np.r_[np.ones(8), np.zeros(12), np.ones(4), np.zeros(26), np.ones(2), np.zeros(48)]
    judged = EvaluationRows(label, np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64))
    score = np.linspace(0.99, 0.01, 100)
    numbers = found(score, judged)
    assert numbers.found_by_best_25.value == pytest.approx(12 / 14)
    assert numbers.top_over_bottom.value == pytest.approx((8 / 10) / (2 / 50))
    assert found_by_shares(score, judged, shares=[0.08, 0.25, 1.0]) == pytest.approx([8 / 14, 12 / 14, 1])


def test_a_worst_half_without_success_leaves_a_lower_end_alone():
    """The ratio is infinite, which no JSON can hold; what is known is that it is not small."""
    label = np.r_[np.ones(15), np.zeros(85)]
    label[55] = 1
    judged = EvaluationRows(label, np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64))
    numbers = found(np.linspace(0.99, 0.01, 100), judged).top_over_bottom
    assert (numbers.value, numbers.high) == (50, None)
    assert 10 < numbers.low < 50
    judged.label[55] = 0
    assert found(np.linspace(0.99, 0.01, 100), judged).top_over_bottom.value is None


@pytest.mark.parametrize("kind", [0.0, 1.0])
def test_rows_of_one_kind_give_json_with_none_for_what_does_not_exist(kind):
    probability, judged = judged_rows(rows=300, groups=50)
    numbers = found(probability, EvaluationRows(np.full(300, kind), judged.weight, judged.group, judged.day))
    json.dumps(numbers.model_dump(), allow_nan=False)
    for name in ("auc", "pr_auc", "slope"):
        assert getattr(numbers, name) == NO_ESTIMATE
    assert numbers.log_loss.value > 0


def test_one_chance_for_all_has_no_slope():
    _, judged = judged_rows()
    numbers = found(np.full(3_000, 0.14), judged)
    assert numbers.slope.value is None
    json.dumps(numbers.model_dump(), allow_nan=False)


@pytest.mark.parametrize(("rows", "seconds"), [(25_000, 2), pytest.param(250_000, 10, marks=pytest.mark.slow)])
def test_a_quarter_of_a_million_rows_take_seconds_and_a_tenth_of_them_less(rows, seconds):
    probability, judged = judged_rows(rows=rows, groups=rows // 4, days=100)
    started = time.process_time()
    found(probability, judged, resamples=500)
    assert time.process_time() - started < seconds
