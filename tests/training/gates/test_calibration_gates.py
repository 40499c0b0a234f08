"""Gates of the calibration refuse wrong probabilities, and hardly ever right ones."""

import numpy as np
import pytest

from training.gates.calibration_gates import calibration_gates
from training.statistics.estimate import NO_ESTIMATE, CalibrationError, Estimate
from training.statistics.scorer_metrics import Metrics
from training.statistics.scoring_metrics import EvaluationRows, evaluate

NAMES = ["calibration error", "observed over expected", "calibration slope"]


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high)


def metrics(**changes):
    """All numbers of a scorer, with a calibration that is right unless changed."""
    fine = estimate(1.0, 0.95, 1.05)
    names = set(Metrics.model_fields) - {"ece", "rows", "positives", "base_log_loss"}
    ece = CalibrationError(value=0.01, noise_95=0.012)
    content = {"ece": ece, "rows": 9, "positives": 1, "base_log_loss": 0.3, **dict.fromkeys(names, fine)}
    return Metrics(**(content | changes))


def gate(name, **changes):
    return next(gate for gate in calibration_gates(metrics(**changes), successes=40) if gate.name == name)


def simulated(seed, *, successes, off=1.0, stretched=1.0):
    """Evaluate right probabilities, or multiplied by a factor, or with log-odds stretched around their middle."""
    generator = np.random.default_rng(seed)
    rows = round(successes / 0.08)
    log_odds = generator.normal(-2.85, 1.0, rows)
    truth = 1 / (1 + np.exp(-log_odds))
    label = (generator.random(rows) < truth).astype(float)
    probability = np.clip(off / (1 + np.exp(-(stretched * (log_odds + 2.4) - 2.4))), 0, 0.99)
    judged = EvaluationRows(label, np.ones(rows), np.arange(rows), np.zeros(rows, dtype=np.int64))
    measured = evaluate(probability, judged, base_rate=0.08, capacity_per_day=10, resamples=150)
    return calibration_gates(measured, successes=int(label.sum()))


def test_there_are_three_gates_and_all_pass_where_all_is_well():
    found = calibration_gates(metrics(), successes=40)
    assert [one.name for one in found] == NAMES
    assert all(one.passed for one in found)
    assert (
        found[1].says
        == "The probabilities add up: 1.00 of the expected successes happened (0.95 – 1.05, allowed 0.9 – 1.1)."
    )


@pytest.mark.parametrize(
    ("name", "key", "below", "above"),
    [
        (
            "observed over expected",
            "observed_over_expected",
            "The probabilities are too high",
            "The probabilities are too low",
        ),
        (
            "calibration slope",
            "slope",
            "High probabilities are too high and low ones too low",
            "High probabilities are too low and low ones too high",
        ),
    ],
)
def test_a_number_fails_only_where_its_whole_interval_is_outside(name, key, below, above):
    assert gate(name, **{key: estimate(0.8, 0.7, 0.901)}).passed
    assert gate(name, **{key: estimate(1.3, 1.099, 1.6)}).passed
    low, high = (gate(name, **{key: one}) for one in (estimate(0.8, 0.7, 0.899), estimate(1.3, 1.101, 1.6)))
    assert not low.passed
    assert not high.passed
    assert low.says.startswith(f"{below}: ")
    assert high.says.startswith(f"{above}: ")
    assert "train again" in low.says
    assert low.numbers == {"value": 0.8, "low": 0.7, "high": 0.899}


def test_the_error_may_exceed_chance_by_half_a_point():
    assert gate("calibration error", ece=CalibrationError(value=0.0169, noise_95=0.012)).passed
    failed = gate("calibration error", ece=CalibrationError(value=0.0171, noise_95=0.012))
    assert not failed.passed
    assert "0.017" in failed.says
    assert failed.numbers["limit"] == pytest.approx(0.017)


def test_what_cannot_be_measured_passes_and_is_named():
    found = calibration_gates(metrics(slope=NO_ESTIMATE, observed_over_expected=NO_ESTIMATE), successes=40)
    assert all(one.passed for one in found)
    assert "there is no slope" in found[2].says
    assert found[2].numbers == {}


def test_an_end_that_is_not_known_is_outside_of_nothing():
    assert gate("observed over expected", observed_over_expected=estimate(0.5, 0.4, None)).passed


@pytest.mark.parametrize("interval", [(1.0, 0.89, 1.05), (1.0, 0.95, 1.11), (0.5, 0.2, 1.3), (1.0, 0.95, None)])
def test_an_interval_that_reaches_outside_passes_without_being_conclusive(interval):
    """With few successes almost anything passes, which proves nothing."""
    for name, field in (("observed over expected", "observed_over_expected"), ("calibration slope", "slope")):
        assert gate(name).conclusive
        wide = gate(name, **{field: estimate(*interval)})
        assert wide.passed
        assert not wide.conclusive
        assert wide.says.startswith("Whether ")
        assert " cannot be told with 40 successes: " in wide.says
        assert gate(name, **{field: estimate(0.7, 0.6, 0.8)}).conclusive


def test_an_error_gate_that_would_pass_probabilities_off_by_a_fifth_is_not_conclusive():
    rare = {"base_rate": estimate(0.12, 0.11, 0.13)}
    assert gate("calibration error", **rare).conclusive
    unsure = gate("calibration error", ece=CalibrationError(value=0.01, noise_95=0.02), **rare)
    assert not unsure.conclusive
    assert unsure.says.startswith("Whether probabilities are right on average cannot be told with 40 successes: ")


def test_right_probabilities_seldom_fail_and_wrong_ones_often_do():
    """With 400 successes; the figures of many worlds stand where the gates are defined."""

    def failing(name, **wrong):
        worlds = [simulated(seed, successes=400, **wrong) for seed in range(20)]
        gates = [one for found in worlds for one in found if name in {one.name, "any"}]
        return sum(not one.passed for one in gates)

    assert failing("any") <= 2
    assert failing("observed over expected", off=1.3) >= 14
    assert failing("calibration slope", stretched=1.35) >= 14


def test_a_calibration_from_few_successes_may_be_off_by_chance():
    """The same estimate fails where the calibration was well known, and passes where it was not."""
    off = metrics(slope=estimate(1.49, 1.17, 1.8))
    sure = metrics(observed_over_expected=estimate(1, 0.97, 1.03), slope=estimate(1, 0.95, 1.05))
    unsure = metrics(observed_over_expected=estimate(1, 0.7, 1.3), slope=estimate(1, 0.6, 1.5))
    assert not calibration_gates(off, successes=40, fitted_on=sure)[2].passed
    assert calibration_gates(off, successes=40, fitted_on=unsure)[2].passed
    assert calibration_gates(off, successes=40, fitted_on=unsure)[2].numbers["low_with_fit"] < 1.17


def test_a_gate_shows_the_interval_of_every_table_and_names_the_one_it_goes_by():
    unsure = metrics(observed_over_expected=estimate(1, 0.7, 1.3))
    total = calibration_gates(metrics(), successes=40, fitted_on=unsure)[1]
    assert {name: total.numbers[name] for name in ("value", "low", "high")} == {"value": 1.0, "low": 0.95, "high": 1.05}
    assert "(0.95 – 1.05; 0.70 – 1.30 with the noise of the calibration's own fit, allowed 0.9 – 1.1)" in total.says


def test_what_the_calibrate_block_cannot_tell_widens_nothing():
    unknown = metrics(observed_over_expected=NO_ESTIMATE, slope=estimate(1, None, 1.2))
    found = calibration_gates(metrics(slope=estimate(1.49, 1.17, 1.8)), successes=40, fitted_on=unknown)
    assert found[1].numbers == {"value": 1.0, "low": 0.95, "high": 1.05}
    assert found[2].passed  # an end that is not known is outside of nothing
