"""All gates run in every training, in an order, and each is named."""

import json
import re

import numpy as np
import pytest

from models.conversion import Encoding
from tests.training.gates.leakage.planted import attribute, success, with_every, with_features
from training.errors import LeakError
from training.fitting.boosting import categories_of
from training.gates.gate import require_passed
from training.gates.leakage.denied_fields import never_use
from training.gates.leakage.dominance import dominance
from training.gates.leakage.leakage_gates import after_fitting, before_fitting
from training.statistics.scoring_metrics import EvaluationRows

OF_FEATURES, OF_TIME = ["never use", "future shift", "dominance"], ["changes at the goal", "values of today"]
BEFORE, AFTER = [*OF_FEATURES, *OF_TIME, "later totals", "hindsight"], ["permuted labels", "suspicious lift"]


class Heard:
    """What a progress bar was told."""

    def __init__(self):
        self.told = []

    def __call__(self, what, done, total):
        self.told.append((what, done, total))


def after(dataset, probability, progress=None):
    test = dataset.block("test")
    encoding = Encoding(dataset.catalog, categories_of(dataset.block("train"), dataset.catalog))
    extra = {} if progress is None else {"progress": progress}
    return after_fitting(
        dataset,
        probability=probability,
        judged=EvaluationRows.of(test),
        encoding=encoding,
        parameters={"seed": 1, "num_threads": 1},
        seed=1,
        **extra,
    )


def test_every_gate_is_run_and_an_honest_training_set_passes_them_all(dataset, warehouse, playbook):
    heard = Heard()
    gates = before_fitting(dataset, warehouse, playbook, seed=1, progress=heard)
    gates += after(with_every(dataset, 6), np.full(len(dataset.block("test")), 0.1), heard)
    assert [gate.name for gate in gates] == [*BEFORE, *AFTER]
    assert all(re.fullmatch("[a-z ]+", gate.name) for gate in gates), "MLflow keeps it as the name of a parameter"
    assert require_passed(gates, accept_risk=None) == gates
    assert json.dumps([gate.model_dump(mode="json") for gate in gates], allow_nan=False)
    assert all(gate.says.endswith(".") and gate.numbers for gate in gates)
    assert len({what for what, _, _ in heard.told}) == 2
    for what in {what for what, _, _ in heard.told}:
        steps = [(done, total) for told, done, total in heard.told if told == what]
        assert steps == [(done, steps[0][1]) for done in range(steps[0][1] + 1)]


def test_the_same_seed_says_the_same(dataset, playbook):
    small = with_every(dataset, 6)
    assert dominance(small, playbook, seed=3) == dominance(small, playbook, seed=3)
    probability = np.full(len(small.block("test")), 0.1)
    assert after(small, probability) == after(small, probability)


def test_a_leak_stops_the_training_with_every_gate_that_found_it(dataset, warehouse, playbook):
    """A field that sales writes to and that says the outcome: its name and its AUC are told, and can be accepted."""
    told = playbook.model_copy(
        update={"attributes": {**playbook.attributes, "lost_reason": playbook.attributes["employees"]}}
    )
    leaking = with_features(with_every(dataset, 40), {attribute("lost_reason"): success(dataset).astype(float)})
    gates = (never_use(leaking, told), dominance(leaking, told, seed=1))
    with pytest.raises(LeakError) as stopped:
        require_passed(gates, accept_risk=None)
    assert str(stopped.value).count("put it on never_use") == 1
    assert str(stopped.value).count("put lost_reason on never_use") == 1
    assert [gate.accepted for gate in require_passed(gates, accept_risk="we know")] == ["we know", "we know"]
