"""The verdict says what was found, also where it is not what one had hoped for."""

import pytest

from training.evaluation.summary import verdict_of


def number(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high}


def gate(name="dominance", *, passed=True, accepted=None):
    return {"name": name, "passed": passed, "says": "Something was found.", "numbers": {}, "accepted": accepted}


def origin(low, high):
    scorers = [{"name": "model", "kind": "model"}, {"name": "our rules", "kind": "rules"}]
    return {"scorers": scorers, "differences": [{"name": "our rules", "log_loss": number(low, high)}]}


def judgement(**changes):
    said = {
        "model": {"name": "leadscore-demo"},
        "arena": {"says": "At 10 calls a day the model found 20 more."},
        "origins": [origin(-0.04, -0.01)] * 3,
        "gates": [gate(), gate("future shift")],
        "standing": {"says": "Rules only."},
    }
    return said | changes


def test_all_well_is_said_in_three_sentences():
    assert verdict_of(judgement()) == (
        "At 10 calls a day the model found 20 more. The model's chances are better than those of the point rules in "
        "all 3 trainings forward in time. All 2 gates passed."
    )


@pytest.mark.parametrize(
    ("intervals", "told"),
    [
        ([(-0.04, -0.01), (-0.02, 0.01)], "in 1 of 2 trainings forward in time."),
        ([(-0.04, -0.01), (0.02, 0.05)], "in 1 of 2 trainings forward in time, and is worse in 1."),
        ([(0.02, 0.05)], "in 0 of 1 trainings forward in time, and is worse in 1."),
    ],
)
def test_origins_that_were_lost_are_said(intervals, told):
    assert told in verdict_of(judgement(origins=[origin(*one) for one in intervals]))


def test_a_gate_that_held_is_named_and_so_is_one_that_was_accepted():
    held = verdict_of(judgement(gates=[gate(), gate("calibration slope", passed=False)]))
    assert held.endswith("Not passed, so that it may not be promoted: calibration slope.")
    accepted = verdict_of(judgement(gates=[gate("never use", passed=False, accepted="written by us")]))
    assert accepted.endswith("Accepted though not passed: never use.")
    assert "gates passed" not in held + accepted


def test_where_there_is_no_model_the_standing_is_the_verdict():
    assert verdict_of(judgement(model=None)) == "Rules only. Until then the point rules score alone."
