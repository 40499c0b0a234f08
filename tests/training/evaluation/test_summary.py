"""The verdict and the next step say what was found, also where it is not what one had hoped for."""

import pytest

from tests.training.reporting.sample import document, evaluation, rules_only
from training.evaluation.summary import gate_sentences, next_step, verdict_of
from training.gates.gate import GateResult


def estimate(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high}


def gate(name="dominance", *, passed=True, **changes):
    return {"name": name, "passed": passed, "says": "Something was found.", "numbers": {}, **changes}


def origin(low, high):
    differences = [{"name": "marketing rules", "log_loss": estimate(low, high)}]
    return {**document()["origins"][0], "differences": differences}


def found(*, intervals=((-0.04, -0.01),) * 3, gates=None, **changes):
    """An evaluation whose replay says one sentence, with these differences from the point rules at its origins."""
    replay = {**document()["replay"], "says": "At 10 calls a day the model found 20 more."}
    origins = [origin(*each) for each in intervals]
    return evaluation(replay=replay, origins=origins, gates=gates or [gate(), gate("future shift")], **changes)


def against_rules(low, high):
    return [{"name": "marketing rules", "log_loss": estimate(low, high)}]


def test_a_good_training_is_told_in_three_sentences():
    assert verdict_of(found()) == (
        "At 10 calls a day the model found 20 more. The model's chances are better than those of the point rules in "
        "all 3 trainings forward in time. All 2 gates passed."
    )


@pytest.mark.parametrize(
    ("intervals", "words"),
    [
        ([(-0.04, -0.01), (-0.02, 0.01)], "in 1 of 2 trainings forward in time."),
        ([(-0.04, -0.01), (0.02, 0.05)], "in 1 of 2 trainings forward in time, and are worse in 1."),
        ([(0.02, 0.05)], "in 0 of 1 trainings forward in time, and are worse in 1."),
    ],
)
def test_origins_at_which_the_rules_were_better_are_counted(intervals, words):
    assert words in verdict_of(found(intervals=intervals))


def test_a_gate_that_failed_is_named_and_so_is_one_that_was_accepted():
    failed = verdict_of(found(gates=[gate(), gate("calibration slope", passed=False)]))
    assert failed.endswith("Failed, so that the model may not be promoted: calibration slope.")
    accepted = verdict_of(found(gates=[gate("never use", passed=False, accepted="written by us")]))
    assert accepted.endswith("Failed, and accepted with a reason: never use.")
    assert "1 of 2 gates passed." in failed
    assert "All" not in failed + accepted


def test_a_gate_that_passed_for_want_of_successes_is_not_said_to_have_passed():
    gates = [GateResult(**gate()), GateResult(**gate("calibration slope", conclusive=False))]
    assert gate_sentences(gates) == [
        "1 of 2 gates passed.",
        "Not contradicted (too few successes to tell): calibration slope.",
    ]


def test_a_gate_with_a_question_stops_nothing_and_is_named():
    asking = gate("hindsight", question=True)
    assert gate_sentences([GateResult(**gate()), GateResult(**asking)]) == [
        "1 of 2 gates passed.",
        "Passed, with a question for you: hindsight.",
    ]
    evaluation = found(gates=[asking], differences=against_rules(-0.04, -0.01))
    assert [each.name for each in evaluation.asking_gates] == ["hindsight"]
    assert "run leadscore promote." in next_step(evaluation)


def test_where_there_is_no_model_the_cold_start_is_the_verdict():
    found_rules = rules_only()
    assert verdict_of(found_rules) == f"{found_rules.cold_start.says} Until then the point rules score alone."


# ---- the next step follows from the verdict


def test_a_good_model_is_to_be_promoted():
    assert next_step(found(differences=against_rules(-0.04, -0.01))).endswith("run leadscore promote.")


def test_a_model_that_a_gate_stopped_is_not_to_be_promoted():
    step = next_step(found(gates=[gate("dominance", passed=False)]))
    assert "may not be promoted (dominance failed)" in step
    assert "run leadscore promote" not in step
    assert "--force --reason" in step


def test_a_failed_gate_that_was_accepted_stops_nothing():
    gates = [gate("dominance", passed=False, accepted="known")]
    assert "run leadscore promote." in next_step(found(gates=gates, differences=against_rules(-0.04, -0.01)))


@pytest.mark.parametrize(
    ("stage", "interval", "refused"),
    [
        ("small model", (-0.04, -0.01), False),
        ("small model", (-0.02, 0.04), True),
        ("full model", (-0.02, 0.04), False),
        ("full model", (0.01, 0.04), True),
    ],
)
def test_a_model_that_promotion_would_refuse_for_the_rules_is_not_to_be_promoted(stage, interval, refused):
    cold_start = {**document()["cold_start"], "stage": stage}
    step = next_step(found(cold_start=cold_start, differences=against_rules(*interval)))
    assert ("leadscore promote would refuse it" in step) == refused
    assert ("run leadscore promote" in step) != refused
