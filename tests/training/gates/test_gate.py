"""A failed gate stops a training with a sentence, unless somebody says why it may go on."""

import json

import pytest

from training.errors import LeakError, TrainingError
from training.gates.gate import GateResult, require_passed

FINE = GateResult(name="never use", passed=True, says="Nothing forbidden is read.", numbers={"features": 3})
LUNCH = GateResult(
    name="dominance", passed=False, says="lunch_7d tells it all: put lunch on never_use.", numbers={"auc": 1}
)
SHIFTED = GateResult(name="future shift", passed=False, says="fax_1d came out otherwise: build again.", numbers={})


def test_gates_that_passed_are_given_back_as_they_are():
    assert require_passed([FINE], accept_risk=None) == (FINE,)


def test_a_failed_gate_stops_with_its_feature_and_what_to_do():
    with pytest.raises(LeakError) as stopped:
        require_passed([FINE, LUNCH], accept_risk=None)
    assert str(stopped.value) == (
        'lunch_7d tells it all: put lunch on never_use. If it is no leak, go on with --accept-risk "why".'
    )
    assert isinstance(stopped.value, TrainingError)


def test_every_failed_gate_is_named_at_once():
    with pytest.raises(LeakError, match=r"lunch_7d .* fax_1d .* If they are no leaks, .*--accept-risk"):
        require_passed([LUNCH, FINE, SHIFTED], accept_risk=None)


def test_an_accepted_risk_is_written_on_the_failed_gates_alone():
    passed, failed = require_passed([FINE, LUNCH], accept_risk="  lunch is served to everyone ")
    assert (passed.accepted, failed.accepted) == (None, "lunch is served to everyone")
    assert not failed.passed


@pytest.mark.parametrize("gates", [[FINE], [LUNCH]])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_blank_reason_is_refused_even_where_nothing_failed(gates, reason):
    with pytest.raises(LeakError, match="blank, expected an explanation"):
        require_passed(gates, accept_risk=reason)


def test_a_gate_is_written_as_json():
    content = json.loads(require_passed([LUNCH], accept_risk="why not")[0].model_dump_json())
    assert content == {
        "name": "dominance",
        "passed": False,
        "conclusive": True,
        "question": False,
        "says": "lunch_7d tells it all: put lunch on never_use.",
        "numbers": {"auc": 1.0},
        "accepted": "why not",
    }
