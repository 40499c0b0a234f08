"""Platt's calibration is kept unless another is better beyond noise; then the better one is found."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.calibration import Beta, Isotonic, Platt, calibration_from_json, sigmoids
from training.fitting import calibration_choice, calibration_maps
from training.fitting.calibration_maps import (
    FEWEST_AT_KNOT,
    STEEPER,
    CalibrationRows,
    fit_beta,
    fit_isotonic,
    fit_platt,
)
from training.fitting.folds import deal_folds
from training.statistics.estimate import Estimate
from training.statistics.reliability import logistic_fit

STAIRS = Isotonic((-3.0, -2.0), (-5.6, -2.6), below=0.2, above=0.35)
BOWED = Beta(0.2, 5.0, -2.0)
STRAIGHT = Platt(0.9, -0.2)


def history(truth, *, accounts, seed, centre=-2.5, each=2.5):
    """Draw accounts whose rows share a fate, with margins that lie about one another: (margins, rows)."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(accounts), 1 + rng.poisson(each, accounts))
    margins = centre + rng.normal(0, 0.9, accounts)[group] + rng.normal(0, 0.6, len(group))
    label = (rng.random(accounts)[group] < truth.probabilities(margins)).astype(float)
    weight = rng.choice([1.0, 1.6, 3.4], accounts)[group]
    names = [f"account-{at}" for at in group]
    return margins, pd.DataFrame({"label": label, "weight": weight, "group": names, "as_of": 0})


def calibrate(margins, rows, *, seed):
    return calibration_choice.calibrate(margins, rows, horizon_us=1, seed=seed)


def block(margins, rows):
    return CalibrationRows.of(margins, rows)


def likelihood(calibration, margins, rows):
    """Return the weighted log loss, a sum."""
    chance = np.clip(calibration.probabilities(margins), 1e-300, 1 - 1e-16)
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    return -float(weight @ (label * np.log(chance) + (1 - label) * np.log(1 - chance)))


# ---- the choice


def test_platt_stays_where_platt_is_right():
    chosen = [calibrate(*history(STRAIGHT, accounts=700, seed=at), seed=at).chosen.kind for at in range(20)]
    assert chosen.count("platt") >= 19


@pytest.mark.parametrize(
    ("truth", "kind", "accounts", "centre"), [(STAIRS, "isotonic", 2_500, -2.5), (BOWED, "beta", 2_000, 0.0)]
)
def test_the_right_kind_is_found_where_successes_are_many(truth, kind, accounts, centre):
    found = [calibrate(*history(truth, accounts=accounts, seed=at, centre=centre), seed=at) for at in range(4)]
    assert [one.chosen.kind for one in found].count(kind) >= 3
    assert all(one.compared[0].log_loss > min(other.log_loss for other in one.compared[1:]) for one in found)


def test_another_wins_only_with_its_whole_interval_below_platt():
    for truth in (STRAIGHT, STAIRS, BOWED):
        for seed in range(4):
            found = calibrate(*history(truth, accounts=1_200, seed=seed), seed=seed)
            winners = [one for one in found.compared if one.difference.high < 0]
            best = min(winners, key=lambda one: one.log_loss).kind if winners else "platt"
            assert found.chosen.kind == best


def test_a_map_that_wins_is_nearer_to_the_truth():
    margins, rows = history(STAIRS, accounts=4_000, seed=1)
    fresh = history(STAIRS, accounts=3_000, seed=2)[0]
    found, line, true = (
        calibrate(margins, rows, seed=1).chosen,
        fit_platt(block(margins, rows)),
        STAIRS.probabilities(fresh),
    )
    far = {one.kind: np.square(one.probabilities(fresh) - true).mean() for one in (found, line)}
    assert far["isotonic"] < far["platt"] / 3


def test_with_few_successes_nothing_is_compared_and_it_is_said():
    margins, rows = history(STAIRS, accounts=500, seed=1)
    found = calibrate(margins, rows, seed=1)
    assert found.compared == ()
    assert found.chosen == fit_platt(block(margins, rows))
    assert "are needed" in found.says
    assert found.as_json() == {
        "chosen": "platt",
        "compared": [],
        "level_of_newest_half": False,
        "says": found.says,
    }


def test_the_rows_of_one_account_are_one_success_however_many_they_are():
    margins, rows = history(STRAIGHT, accounts=40, seed=1, each=100)
    assert rows["label"].sum() > 100
    assert calibrate(margins, rows, seed=1).compared == ()


def test_the_differences_are_those_of_folds_by_account():
    """By hand: fit on the accounts of four folds, judge on the fifth."""
    margins, rows = history(STAIRS, accounts=1_500, seed=3)
    found, fold = calibrate(margins, rows, seed=3), deal_folds(rows["group"], rows["label"], seed=3)
    assert rows.groupby("group").apply(lambda own: len(set(fold[own.index]))).eq(1).all()
    total = sum(
        likelihood(fit_platt(block(margins[fold != at], rows[fold != at])), margins[fold == at], rows[fold == at])
        for at in range(5)
    )
    assert [one.kind for one in found.compared] == ["platt", "beta", "isotonic"]
    assert found.compared[0].log_loss == pytest.approx(total / rows["weight"].sum(), rel=1e-9)
    assert found.compared[0].difference == Estimate(value=0.0, low=0.0, high=0.0)
    for one in found.compared[1:]:
        assert one.difference.low < one.difference.value < one.difference.high
        assert one.difference.value == pytest.approx(one.log_loss - found.compared[0].log_loss, abs=1e-12)


def test_each_fold_has_its_part_of_the_successes():
    _, rows = history(STRAIGHT, accounts=700, seed=4)
    fold = deal_folds(rows["group"], rows["label"], seed=4)
    counts = [rows[(fold == at) & (rows["label"] == 1)]["group"].nunique() for at in range(5)]
    assert max(counts) - min(counts) <= 1


def test_the_same_seed_gives_the_same_choice():
    margins, rows = history(STAIRS, accounts=1_500, seed=5)
    assert calibrate(margins, rows, seed=9) == calibrate(margins, rows, seed=9)


def test_the_choice_is_json_and_a_sentence():
    for truth, says in ((STAIRS, "Isotonic calibration: "), (STRAIGHT, "Platt's calibration: ")):
        found = calibrate(*history(truth, accounts=4_000, seed=1), seed=1)
        content = json.loads(json.dumps(found.as_json(), allow_nan=False))
        assert (content["chosen"], content["says"]) == (found.chosen.kind, found.says)
        assert [set(one) for one in content["compared"]] == [{"is", "log_loss", "difference"}] * 3
        assert found.says.startswith(says)
        assert found.says.endswith(".")


# ---- the fits


def test_platt_is_the_plain_logistic_fit():
    margins, rows = history(STRAIGHT, accounts=600, seed=1)
    found = fit_platt(block(margins, rows))
    fit = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], rows["label"], sample_weight=rows["weight"])
    assert (found.slope, found.offset) == pytest.approx((fit.coef_[0, 0], fit.intercept_[0]), abs=1e-4)
    plain = logistic_fit(margins, rows["label"].to_numpy(), weight=rows["weight"].to_numpy())
    assert (found.slope, found.offset) == plain


def test_a_map_that_would_reverse_the_order_is_flat():
    margins, rows = history(STRAIGHT, accounts=600, seed=1)
    rate = np.average(rows["label"], weights=rows["weight"])
    for fit in calibration_choice._FITS.values():
        found = fit(block(-margins, rows))
        assert found.probabilities(np.array([-9.0, 0.0, 9.0])) == pytest.approx([rate] * 3, rel=1e-6)


@pytest.mark.parametrize("truth", [STRAIGHT, BOWED, STAIRS, Beta(2.0, 0.0, 1.0), Beta(0.0, 2.0, -2.0)])
@pytest.mark.parametrize("centre", [-3.0, 0.0])
def test_beta_is_the_likeliest_of_those_that_keep_the_order(truth, centre):
    margins, rows = history(truth, accounts=400, seed=2, centre=centre)
    found = fit_beta(block(margins, rows))
    best = minimize(
        lambda numbers: likelihood(Beta(*numbers), margins, rows),
        [1.0, 1.0, 0.0],
        bounds=[(0, None), (0, None), (None, None)],
        method="L-BFGS-B",
    )
    assert found.a >= 0
    assert found.b >= 0
    assert likelihood(found, margins, rows) <= best.fun + 1e-3


@pytest.mark.parametrize(("truth", "edge"), [(Beta(0.0, 4.0, -2.0), "a"), (Beta(4.0, 0.0, 3.0), "b")])
def test_beta_stays_on_the_edge_that_the_truth_lies_on(truth, edge):
    """Of several samples some would have gone beyond it, and are exactly 0 there."""
    fits = [fit_beta(block(*history(truth, accounts=300, seed=at, centre=0.0))) for at in range(8)]
    found = [getattr(fit, edge) for fit in fits]
    assert min(found) == 0 <= max(found) < 0.6


def test_steps_are_those_of_scikit_learn():
    margins, rows = history(STAIRS, accounts=800, seed=3)
    margins = margins.round(1)
    steps = calibration_maps._steps(block(margins, rows), sigmoids(margins))
    fit = IsotonicRegression().fit(margins, rows["label"], sample_weight=rows["weight"])
    expected = np.unique(fit.y_thresholds_.round(9))
    np.testing.assert_allclose(steps[:, 2] / steps[:, 0], expected, atol=1e-8)
    succeeded = rows.groupby("group")["label"].max().sum()
    assert steps[:, 3].sum() == pytest.approx(succeeded)
    assert steps[:, 0].sum() == pytest.approx(rows["weight"].sum())


def test_every_step_that_is_kept_rests_on_enough_accounts():
    margins, rows = history(STAIRS, accounts=4_000, seed=4)
    own = block(margins, rows)
    line = fit_platt(block(margins, rows))
    steps = calibration_maps._steps(own, line.probabilities(margins))
    kept = calibration_maps._joined(steps, line, steepest=STEEPER * line.slope)
    assert 3 < len(kept) < len(steps)
    assert (kept[:, 3:] >= FEWEST_AT_KNOT).all()
    np.testing.assert_allclose(kept.sum(axis=0), steps.sum(axis=0))


def test_isotonic_rises_everywhere_and_never_ten_times_as_steeply_as_platt():
    margins, rows = history(STAIRS, accounts=3_000, seed=4)
    found, line = fit_isotonic(block(margins, rows)), fit_platt(block(margins, rows))
    slopes = np.diff(found.log_odds) / np.diff(found.margins)
    assert (slopes > 0).all()
    assert slopes.max() < STEEPER * line.slope
    assert 0 < found.below <= line.slope
    assert 0 < found.above <= line.slope


def test_the_chances_of_isotonic_add_up_to_the_successes_also_over_wide_steps():
    """With knots at the mean margins of the steps they would be 4 % too many: a chance bends where log-odds do not."""
    found = []
    for seed in range(10):
        own = block(*history(Beta(1.6, 0.2, 0.0), accounts=1_500, seed=seed))
        chances = fit_isotonic(own).probabilities(own.margins)
        found.append(np.average(chances, weights=own.weight) / own.rate)
    assert np.mean(found) == pytest.approx(1, abs=0.015)


@settings(max_examples=15)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 1e-9, 1e-3, 1.0, 8.0]),
    st.sampled_from(["drawn", "separable", "one tie"]),
)
def test_every_fit_of_awkward_rows_can_be_kept_and_read_back(seed, wide, kind):
    """Equal margins, margins a hair apart, and margins that tell the label: nothing warns and nothing is lost."""
    margins, rows = history(STRAIGHT, accounts=120, seed=seed, centre=-0.5)
    margins = (margins > 0) * wide if kind == "one tie" else margins * wide
    rows["label"] = rows["label"] if kind != "separable" else (margins > np.median(margins)).astype(float)
    if rows["label"].nunique() < 2:
        return
    found = calibrate(margins, rows, seed=seed)
    assert calibration_from_json(found.chosen.as_json()) == found.chosen
    for fit in calibration_choice._FITS.values():
        assert np.isfinite(fit(block(margins, rows)).logits(margins)).all()
