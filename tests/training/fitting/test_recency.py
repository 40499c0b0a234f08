"""The level of a calibration is that of the newest half of the rows where it foretells later rows better."""

import numpy as np
import pytest
from scipy.special import expit

from data.instants import DAY_US
from models.calibration import Beta, Isotonic, Platt
from training.fitting.calibration_maps import CalibrationRows, fit_platt
from training.fitting.recency import at_level_of, fit_with_level

HORIZON = 20 * DAY_US


def drifting(by, *, seed, rows=6_000):
    """Rows over 300 days whose log-odds rise by so much on the way: (rows to calibrate on, their instants)."""
    generator = np.random.default_rng(seed)
    passed = np.sort(generator.random(rows))
    margins = generator.normal(-2, 1, rows)
    label = (generator.random(rows) < expit(margins + by * passed)).astype(float)
    group = np.arange(rows)
    return CalibrationRows(margins, label, np.ones(rows), group), (passed * 300 * DAY_US).astype(np.int64)


@pytest.mark.parametrize("by", [-2.0, 2.0])
def test_where_the_rate_drifts_the_newest_half_sets_the_level(by):
    rows, as_of = drifting(by, seed=1)
    found, level = fit_with_level(fit_platt, rows, as_of, horizon_us=HORIZON)
    newest = as_of >= np.sort(as_of)[len(as_of) // 2 - 1]
    assert level.of_newest
    assert level.newest_half < level.all_rows
    assert found.slope == fit_platt(rows).slope
    assert found.probabilities(rows.margins[newest]).mean() == pytest.approx(rows.label[newest].mean(), abs=1e-9)


def test_where_nothing_drifts_the_level_costs_nothing_either_way():
    chosen = [fit_with_level(fit_platt, *drifting(0.0, seed=seed), horizon_us=HORIZON)[1] for seed in range(6)]
    assert not all(level.of_newest for level in chosen)
    assert all(abs(level.newest_half - level.all_rows) < 3e-3 for level in chosen)


def test_outcomes_that_are_not_known_yet_decide_nothing():
    """With a horizon as long as the history there is no earlier row to learn a level from."""
    rows, as_of = drifting(2.0, seed=2)
    found, level = fit_with_level(fit_platt, rows, as_of, horizon_us=400 * DAY_US)
    assert (level.of_newest, level.all_rows) == (False, None)
    assert found == fit_platt(rows)


@pytest.mark.parametrize(
    "calibration", [Platt(0.9, 0.3), Beta(0.7, 1.2, -0.4), Isotonic((-3.0, -1.0), (-4.0, -0.5), 0.3, 0.5)]
)
def test_a_level_shifts_every_kind_of_map_by_the_same_log_odds(calibration):
    rows, _ = drifting(1.0, seed=3)
    shifted = at_level_of(calibration, rows)
    by = shifted.logits(rows.margins) - calibration.logits(rows.margins)
    assert np.ptp(by) < 1e-9
    assert shifted.probabilities(rows.margins).mean() == pytest.approx(rows.label.mean(), abs=1e-9)


def test_rows_that_all_end_alike_leave_the_level_as_it_is():
    rows, _ = drifting(0.0, seed=4)
    nobody = CalibrationRows(rows.margins, rows.label * 0, rows.weight, rows.group)
    assert at_level_of(Platt(1.0, 0.0), nobody) == Platt(1.0, 0.0)
