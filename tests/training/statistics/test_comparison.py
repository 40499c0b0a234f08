"""The winner has the lower log loss, and it is said when that may be chance."""

import numpy as np
import pytest

from models.scorecard import compile_scorecard
from tests.models.small import fitted
from tests.training.statistics.test_scoring_metrics import judged_rows
from training.statistics.comparison import Contender, compare_scorers, evaluate_scorers, paired_difference
from training.statistics.estimate import Estimate


def compared(model, rules, judged):
    both = [
        Contender(name="model", kind="model", version="1", fingerprint="aa", probability=model),
        Contender(name="rules", kind="rules", version="b", fingerprint="bb", probability=rules),
    ]
    return compare_scorers(both, judged, base_rate=0.15, capacity_per_day=10)


def test_the_better_scorer_wins_whichever_it_is():
    truth, judged = judged_rows(rows=6_000, groups=2_000)
    flat = np.full_like(truth, truth.mean())
    for model, rules, winner in ((truth, flat, "model"), (flat, truth, "rules")):
        found = compared(model, rules, judged)
        assert found.winner == winner
        assert found.decided
        assert found.difference.high < 0


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
    assert model.log_loss.high > rules.log_loss.low
    width = found.difference.high - found.difference.low
    assert width < 0.3 * (model.log_loss.high - model.log_loss.low)


def test_equal_scorers_differ_by_nothing():
    truth, judged = judged_rows()
    assert paired_difference(truth, truth, judged, resamples=20) == Estimate(value=0, low=0, high=0)


def test_a_baseline_is_judged_by_the_same_numbers(world):
    truth, judged = judged_rows()
    model, rules = fitted()[0], compile_scorecard(world.playbook.scorecard, world.playbook.business)
    every = [
        Contender.of(model, truth),
        Contender.of(rules, truth, kind="learned rules"),
        Contender.baseline("base rate", np.full_like(truth, 0.15)),
    ]
    heard = []
    found = evaluate_scorers(
        every, judged, base_rate=0.15, capacity_per_day=10, progress=lambda _, done, of: heard.append((done, of))
    )
    assert [one.kind for one in found] == ["model", "learned rules", "baseline"]
    assert [one.name for one in found] == [model.name, "marketing rules", "base rate"]
    assert [one.fingerprint for one in found] == [model.id.fingerprint, rules.id.fingerprint, ""]
    assert found[0].model_fields_set == found[2].model_fields_set
    assert found[0].auc == found[1].auc
    assert found[2].log_loss.value == pytest.approx(found[2].base_log_loss)
    assert heard[-1][0] == heard[-1][1]
