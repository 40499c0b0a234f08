"""The gate: its rules, what it lets through, and how it names the rule that refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from tests.bench import gate
from training.gates.gate import NOT_CONTRADICTED
from training.registry import promotion_gate
from training.registry.promotion_gate import RESAMPLES, GateCandidate, evaluate_challenger
from training.statistics.estimate import Estimate
from training.statistics.scoring_metrics import EvaluationRows

ROWS = 4_000
FEW = 200
"""Resamples where the ends of an interval are not what is tested."""


def scene(seed=1, rows=ROWS):
    """Rows of 800 accounts over 20 days, with the true chance of each."""
    chance = np.random.default_rng(seed)
    true = 1 / (1 + np.exp(-chance.normal(-2, 1.2, rows)))
    label = (chance.random(rows) < true).astype(float)
    judged = EvaluationRows(
        label, chance.uniform(1, 2, rows), chance.integers(800, size=rows), chance.integers(20, size=rows)
    )
    return judged, true


JUDGED, TRUE = scene()
CHAMPION = GateCandidate("version 1", "one", TRUE)


def off(by, *, fingerprint="two", seed=3):
    """A challenger whose log-odds are off by so much."""
    noise = np.random.default_rng(seed).normal(0, by, len(TRUE))
    return GateCandidate("version 2", fingerprint, 1 / (1 + np.exp(-(np.log(TRUE / (1 - TRUE)) + noise))))


def judge(challenger, champion=CHAMPION, *, rules=(), **changes):
    given = {"rows": JUDGED, "capacity_per_day": 10.0, "small": False, "gates": (), "resamples": FEW} | changes
    return evaluate_challenger(challenger, champion, rules=rules, **given)


def held(ruling):
    return [rule.name for rule in ruling.rules if not rule.passed]


# ---- against the champion


def test_the_very_model_of_the_champion_may_serve_and_is_never_called_better():
    ruling = judge(GateCandidate("version 2", CHAMPION.fingerprint, TRUE))
    assert ruling.allowed
    assert not ruling.better
    assert [ruling.rules[0].numbers[end] for end in ("value", "low", "high")] == [0, 0, 0]
    assert ruling.says == "It is the very model of version 1."
    assert not judge(CHAMPION, off(1.0, fingerprint=CHAMPION.fingerprint)).better


def test_a_worse_challenger_is_refused_and_told_by_how_much():
    challenger = off(1.0)
    ruling = judge(challenger)
    ours, theirs = (
        log_loss(JUDGED.label, one.probability, sample_weight=JUDGED.weight) for one in (challenger, CHAMPION)
    )
    found = ruling.rules[0].numbers
    assert found["value"] == pytest.approx(ours / theirs - 1)
    assert found["low"] > 0
    assert "log loss" in held(ruling)
    assert f"log loss {100 * found['value']:+.2f} % (" in ruling.says
    assert ruling.says.startswith("Version 2 may not serve: log loss +")
    assert "--force --reason" in ruling.says


def test_a_better_challenger_may_serve_and_is_called_better():
    ruling = judge(CHAMPION, off(1.0))
    assert (ruling.allowed, ruling.better) == (True, True)
    assert "better than version 2" in ruling.says


def test_better_is_not_said_while_the_interval_holds_0():
    ruling = judge(off(0.05))
    assert ruling.rules[0].numbers["low"] < 0 < ruling.rules[0].numbers["high"]
    assert not ruling.better
    assert not judge(CHAMPION, off(0.05)).better


def test_with_few_leads_an_equal_challenger_stays_outside_for_nobody_can_know():
    """The upper end of the interval decides, not the point."""
    few = slice(0, 150)
    judged = EvaluationRows(JUDGED.label[few], JUDGED.weight[few], np.arange(150), JUDGED.day[few])
    one, other = (
        GateCandidate(name, name, off(0.5, seed=seed).probability[few]) for name, seed in (("a", 1), ("b", 2))
    )
    best, worst = sorted(
        (one, other), key=lambda each: log_loss(judged.label, each.probability, sample_weight=judged.weight)
    )
    ruling = judge(best, worst, rows=judged, resamples=RESAMPLES)
    assert ruling.rules[0].numbers["value"] <= 0
    assert ruling.rules[0].numbers["high"] > 0.005
    assert "log loss" in held(ruling)


@pytest.mark.parametrize(("by", "passed"), [(-0.01, True), (0.0049, True), (0.0051, False)])
def test_log_loss_may_be_half_a_percent_worse_and_no_more(by, passed):
    """Each row alike, so that the interval is a point."""
    judged = EvaluationRows(np.ones(100), np.ones(100), np.arange(100), np.zeros(100, dtype=np.int64))
    ours, theirs = (np.full(100, 0.5**power) for power in (1 + by, 1.0))
    rule = judge(GateCandidate("version 2", "2", ours), GateCandidate("version 1", "1", theirs), rows=judged).rules[0]
    assert rule.numbers["high"] == pytest.approx(by)
    assert rule.passed is passed


def test_the_interval_resamples_accounts():
    """Doubling every account's rows makes no interval narrower; taking each row for an account does."""
    twice = EvaluationRows(*(np.repeat(part, 2) for part in (JUDGED.label, JUDGED.weight, JUDGED.group, JUDGED.day)))
    one, other = off(0.5), CHAMPION
    doubled = [GateCandidate(each.name, each.fingerprint, np.repeat(each.probability, 2)) for each in (one, other)]
    plain, same = judge(one, other).rules[0].numbers, judge(*doubled, rows=twice).rules[0].numbers
    assert same == pytest.approx(plain)


# ---- precision at capacity


def called_by_hand(score, judged, capacity):
    """Take the best rows of each day until the team's time is gone; give weight called and weight that succeeded."""
    called = good = 0.0
    for day in np.unique(judged.day):
        left = capacity
        for at in sorted(np.flatnonzero(judged.day == day), key=lambda row: -score[row]):
            taken = min(left, judged.weight[at])
            left, called, good = left - taken, called + taken, good + taken * judged.label[at]
    return good / called


def test_precision_at_capacity_is_that_of_the_best_rows_of_each_day():
    challenger = off(1.0)
    ruling = judge(challenger)
    ours, theirs = (called_by_hand(one.probability, JUDGED, 10.0) for one in (challenger, CHAMPION))
    assert ruling.rules[1].numbers["value"] == pytest.approx(ours - theirs)
    assert f"{ours:.1%} against {theirs:.1%} of version 1" in ruling.rules[1].says


def one_call_a_day(misses):
    """Of 100 days with one success each, a challenger calls another lead on some; everyone has the same log loss."""
    label, day = np.tile([1.0, 0.0], 100), np.repeat(np.arange(100), 2)
    judged = EvaluationRows(label, np.ones(200), np.arange(200) // 2, day)
    champion = np.tile([0.51, 0.5], 100)
    challenger = champion.copy()
    challenger[: 2 * misses : 2] -= 0.02
    return judge(
        GateCandidate("version 2", "2", challenger),
        GateCandidate("version 1", "1", champion),
        rows=judged,
        capacity_per_day=1.0,
    ).rules[1]


@pytest.mark.parametrize(("misses", "passed"), [(0, True), (2, True), (3, False)])
def test_precision_may_be_2_points_worse_as_counted_and_no_more(misses, passed):
    rule = one_call_a_day(misses)
    assert rule.numbers["value"] == pytest.approx(-misses / 100)
    assert rule.passed is passed


# ---- against the point rules


def rules(by, name="the point rules", seed=5):
    return GateCandidate(name, name, off(by, seed=seed).probability)


def test_a_small_model_must_have_the_lower_log_loss_and_a_full_one_only_must_not_be_beaten_beyond_chance():
    ours, just_better = off(0.3), rules(0.28)
    found = judge(ours, None, rules=(just_better,)).rules[0].numbers
    assert found["low"] < 0 < found["value"]
    assert held(judge(ours, None, rules=(just_better,))) == []
    ruling = judge(ours, None, rules=(just_better,), small=True)
    assert held(ruling) == ["the point rules"]
    assert "which a small model must be below" in ruling.says


@pytest.mark.parametrize("small", [True, False])
def test_where_the_rules_win_it_is_said_and_the_gate_holds(small):
    ruling = judge(off(1.5), None, rules=(rules(0.0),), small=small)
    assert held(ruling) == ["the point rules"]
    assert "against the point rules, which win beyond chance" in ruling.says


def test_every_point_rules_must_be_met_each_on_its_own():
    ruling = judge(off(1.0), None, rules=(rules(2.0, "old rules"), rules(0.0, "new rules")), small=True)
    assert held(ruling) == ["new rules"]


def test_the_rules_are_asked_beside_the_champion_too():
    ruling = judge(off(0.0), CHAMPION, rules=(rules(2.0),), small=True)
    assert [rule.name for rule in ruling.rules] == ["log loss", "precision at capacity", "the point rules"]
    assert ruling.allowed


def test_the_first_model_is_better_if_it_is_better_than_all_point_rules_beyond_chance():
    ruling = judge(CHAMPION, None, rules=(rules(2.0, "a"), rules(1.0, "b")))
    assert ruling.better
    assert ruling.says == "It is the first to serve, and better than a and b on the same rows."
    assert not judge(off(0.3), None, rules=(rules(2.0, "a"), rules(0.28, "b"))).better
    assert not judge(CHAMPION, None).better


# ---- gates of the training

PASSED = {"name": "future shift", "passed": True, "says": "nothing moved.", "numbers": {}, "accepted": None}
FAILED = {
    "name": "dominance",
    "passed": False,
    "says": "status has AUC 0.99.",
    "numbers": {"auc": 0.99},
    "accepted": None,
}


def test_a_failed_gate_holds_also_the_first_model():
    for champion in (None, CHAMPION):
        ruling = judge(off(0.0), champion, gates=(PASSED, FAILED))
        assert held(ruling) == ["gate dominance"]
        assert "the gate dominance failed in training: status has AUC 0.99" in ruling.says


def test_a_failure_that_was_accepted_with_a_reason_lets_through_and_says_so():
    ruling = judge(off(0.0), None, gates=({**FAILED, "accepted": "status is set by the form"},))
    assert ruling.allowed
    assert "(accepted: status is set by the form)" in ruling.rules[0].says


@pytest.mark.parametrize("gate", [{}, {"name": "x"}, {**FAILED, "accepted": ""}, {**PASSED, "passed": "yes"}])
def test_a_gate_that_does_not_say_it_was_passed_was_not(gate):
    assert not judge(off(0.0), None, gates=(gate,)).allowed


# ---- always


@settings(max_examples=30, deadline=None)
@given(
    by=st.sampled_from([0.0, 0.1, 0.5, 2.0]),
    against=st.sampled_from([None, 0.0, 0.1, 0.5]),
    rival=st.sampled_from([0.0, 0.3, 2.0]),
    small=st.booleans(),
    gates=st.lists(st.sampled_from([PASSED, FAILED]), max_size=2),
)
def test_whoever_is_refused_hears_every_rule_that_held_and_nothing_else(by, against, rival, small, gates):
    champion = None if against is None else GateCandidate("version 1", "one", off(against, seed=9).probability)
    ruling = judge(off(by), champion, rules=(rules(rival),), small=small, gates=tuple(gates), resamples=50)
    assert ruling.allowed == (not held(ruling))
    if not ruling.allowed:
        for rule in ruling.rules:
            assert (rule.says in ruling.says) == (not rule.passed)


def test_of_two_models_at_most_one_is_better():
    one, other = off(0.1, seed=1), off(1.0, seed=2, fingerprint="other")
    assert [judge(one, other).better, judge(other, one).better] == [True, False]


# ---- worlds of which the truth is known: the bench in small


def test_the_gate_keeps_the_worse_out_and_calls_no_equal_one_better():
    """A challenger 2 % worse than the champion, and two of equal worth, on some 400 positives; see tests/bench."""
    assert gate.excess(gate.worse()) == pytest.approx(0.02, abs=1e-6)
    worse = gate.rulings_of(gate.TRUTH, gate.worse(), worlds=20)
    equal = gate.rulings_of(gate.worse(), gate.worse(), worlds=20)
    assert sum(ruling.allowed for ruling in worse) <= 1
    assert sum(ruling.better for ruling in equal) <= 1


# ---- words


def test_a_difference_of_shares_is_that_of_the_two_shares_beside_it():
    """12.34 % and 12.06 % are shown as 12.3 and 12.1, and so 0.2 points apart, not 0.3."""
    numbers = promotion_gate._ChallengerNumbers(
        champion=Estimate(value=0.0, low=-0.01, high=0.004),
        precision=Estimate(value=0.0028, low=-0.01, high=0.02),
        rules=(),
        precisions=(0.1234, 0.1206),
    )
    rule = promotion_gate._as_precise(CHAMPION, numbers)
    assert "12.3% against 12.1% of version 1, +0.2 points (-1.0 points to +2.0 points)" in rule.says


def test_a_rule_that_passed_for_want_of_power_is_not_said_to_be_met():
    numbers = {"champion": Estimate(value=0.0, low=-0.01, high=0.004), "rules": (), "precisions": (0.30, 0.31)}
    sure, unsure = (
        promotion_gate._ChallengerNumbers(precision=Estimate(value=-0.01, low=low, high=0.01), **numbers)
        for low in (-0.015, -0.05)
    )
    assert NOT_CONTRADICTED not in promotion_gate._as_precise(CHAMPION, sure).says
    assert promotion_gate._as_precise(CHAMPION, unsure).says.endswith(NOT_CONTRADICTED)
    beside = judge(off(0.3), None, rules=(rules(0.28),))
    assert beside.allowed
    assert beside.rules[0].says.endswith(NOT_CONTRADICTED)
    assert NOT_CONTRADICTED in beside.says
    recorded = judge(off(0.0), None, gates=({**PASSED, "conclusive": False},)).rules[0]
    assert recorded.passed
    assert recorded.says == f"the gate future shift was {NOT_CONTRADICTED}: nothing moved"


def test_a_gate_with_a_question_passes_and_says_so():
    recorded = judge(off(0.0), None, gates=({**PASSED, "question": True},)).rules[0]
    assert recorded.passed
    assert recorded.says == "the gate future shift passed, with a question: nothing moved"
