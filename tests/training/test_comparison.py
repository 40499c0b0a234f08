"""The winner has the lower log loss, and it is said when that may be chance."""

import numpy as np
import pytest

from models.receipt import ScorerId
from tests.training.test_evaluation import judged_rows
from training.comparison import Contender, compare_scorers, paired_difference

MODEL, RULES = ScorerId("model", "model", "1", "aa"), ScorerId("rules", "rules", "b", "bb")


def compared(model, rules, judged):
    both = [Contender(MODEL, model), Contender(RULES, rules)]
    return compare_scorers(both, judged, base_rate=0.15, capacity_per_day=10)


def test_the_better_scorer_wins_whichever_it_is():
    truth, judged = judged_rows(rows=6_000, groups=2_000)
    flat = np.full_like(truth, truth.mean())
    for model, rules, winner in ((truth, flat, "model"), (flat, truth, "rules")):
        found = compared(model, rules, judged)
        assert found.winner == winner
        assert found.decided
        assert found.difference["high"] < 0


def test_a_difference_that_may_be_chance_is_not_decided():
    truth, judged = judged_rows(rows=1_000, groups=200)
    noise = np.random.default_rng(1).normal(1, 0.02, len(truth))
    found = compared(truth, np.clip(truth * noise, 0.001, 0.999), judged)
    assert not found.decided


def test_pairing_sees_what_two_intervals_cannot():
    truth, judged = judged_rows(rows=4_000, groups=1_000)
    worse = 0.9 * truth + 0.1 * truth.mean()
    found = compared(truth, worse, judged)
    model, rules = found.scorers
    assert model["log_loss"]["high"] > rules["log_loss"]["low"]
    width = found.difference["high"] - found.difference["low"]
    assert width < 0.3 * (model["log_loss"]["high"] - model["log_loss"]["low"])


def test_equal_scorers_differ_by_nothing():
    truth, judged = judged_rows()
    assert paired_difference(truth, truth, judged, resamples=20) == pytest.approx({"value": 0, "low": 0, "high": 0})
