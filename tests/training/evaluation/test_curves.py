"""Curves hold the same numbers as the tables."""

import numpy as np
import pytest

from tests.training.statistics.test_scoring_metrics import judged_rows
from training.evaluation.curves import curves
from training.statistics.comparison import Contender
from training.statistics.scoring_metrics import EvaluationRows, evaluate


@pytest.fixture(scope="module")
def drawn():
    probability, judged = judged_rows()
    contenders = [Contender.baseline("fine", probability), Contender.baseline("coarse", probability.round(1))]
    return contenders, judged, curves(contenders, judged, resamples=100)


def test_a_curve_holds_the_same_number_as_the_table(drawn):
    """Also where scores tie: a report whose picture and table differ proves neither."""
    contenders, judged, found = drawn
    for at, one in enumerate(contenders):
        numbers = evaluate(one.probability, judged, base_rate=0.1, capacity_per_day=10, resamples=100)
        lifts = {point.share: point for point in found.lift[at].points}
        for share in (5, 10, 20):
            point = lifts[share / 100]
            expected = tuple(getattr(numbers, f"lift_at_{share}").model_dump().values())
            assert (point.lift, point.low, point.high) == pytest.approx(expected)
        quarter = next(point for point in found.gain[at].points if point.called == 0.25)
        assert quarter.found == pytest.approx(numbers.found_by_best_25.value)
        assert found.reliability[at].error == numbers.ece.value
        assert found.reliability[at].noise_95 == numbers.ece.noise_95


def test_every_contender_has_every_curve_and_few_points(drawn):
    contenders, _, found = drawn
    for each in (found.reliability, found.gain, found.lift):
        assert [(one.name, one.kind) for one in each] == [(one.name, one.kind) for one in contenders]
        assert all(0 < len(one.points) <= 101 for one in each)


def test_the_gain_rises_from_nothing_to_everything(drawn):
    _, _, found = drawn
    for one in found.gain:
        shares = [point.found for point in one.points]
        assert shares[0] == 0
        assert shares[-1] == pytest.approx(1)
        assert (np.diff(shares) >= -1e-12).all()


def test_the_gain_is_what_counting_from_the_top_gives():
    label = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 1])
    judged = EvaluationRows(label, np.ones(10), np.arange(10), np.zeros(10, dtype=np.int64))
    points = curves([Contender.baseline("one", np.linspace(0.9, 0.1, 10))], judged, resamples=10).gain[0].points
    found = {point.called: point.found for point in points}
    assert [found[share] for share in (0.1, 0.2, 0.3, 0.9, 1.0)] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, 1])


def test_curves_without_any_success_have_no_numbers():
    judged = EvaluationRows(np.zeros(40), np.ones(40), np.arange(40), np.zeros(40, dtype=np.int64))
    found = curves([Contender.baseline("one", np.linspace(0.1, 0.2, 40))], judged, resamples=10)
    assert {point.found for point in found.gain[0].points} == {None}
    assert {point.lift for point in found.lift[0].points} == {None}
