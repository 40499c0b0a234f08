"""The simplest model within noise of the best serves: noise is one standard error of the difference."""

import numpy as np
import pandas as pd
import pytest

from training.evaluation.family_choice import choose_family

ROWS = 4_000


def some_rows(seed):
    generator = np.random.default_rng(seed)
    truth = generator.uniform(0.05, 0.6, ROWS)
    label = (generator.random(ROWS) < truth).astype(float)
    group = [f"A{number}" for number in generator.integers(0, ROWS // 2, ROWS)]
    return pd.DataFrame({"label": label, "weight": generator.uniform(0.5, 2, ROWS), "group": group, "as_of": 0}), truth


def blurred(truth, by):
    odds = np.log(truth / (1 - truth)) + by
    return 1 / (1 + np.exp(-odds))


def chosen(*errors):
    """Choose where trees and regression err by so much in log-odds, at each of some origins."""
    rows, truths = zip(*(some_rows(seed) for seed in range(len(errors))), strict=True)
    chances = [
        {"trees": blurred(truth, trees), "regression": blurred(truth, regression)}
        for truth, (trees, regression) in zip(truths, errors, strict=True)
    ]
    return choose_family(rows, chances)


def test_the_clearly_better_one_serves():
    assert chosen((0, 0.8), (0, 0.8)).family == "trees"
    assert chosen((0.8, 0), (0.8, 0)).family == "regression"


def test_of_two_that_cannot_be_told_apart_the_simpler_one_serves():
    found = chosen((0.1, 0.1))
    assert found.family == "regression"
    assert found.difference.value == 0
    assert "cannot be told apart" in found.says


def test_one_good_period_does_not_make_up_for_several_bad_ones():
    assert chosen((0, 0.3), (0.9, 0), (0.9, 0)).family == "regression"


def test_the_numbers_are_those_of_all_periods_together():
    found = chosen((0, 0.5), (0, 0.5), (0.2, 0.1))
    assert found.difference.value == pytest.approx(found.log_loss["trees"] - found.log_loss["regression"])
    assert found.difference.low < found.difference.value < found.difference.high
    width = (found.difference.high - found.difference.low) / (2 * 1.96)
    assert found.standard_error == pytest.approx(width, rel=0.15)
    assert "3 periods" in found.says
