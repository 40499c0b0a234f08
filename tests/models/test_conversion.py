"""The learned model's receipts add up, say the fact, and agree with LightGBM."""

import math

import numpy as np
import pytest

from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT
from tests.models.small import CATALOG, fitted, rows, values_of


@pytest.fixture(scope="module")
def model():
    return fitted()[0]


@pytest.fixture(scope="module")
def frame():
    return rows(300, seed=2)


def test_reasons_add_up_on_every_row(model, frame):
    for at in range(len(frame)):
        receipt = model.receipt("ann", 5, values_of(frame, at))
        assert math.isclose(
            receipt.base_points + math.fsum(reason.points for reason in receipt.reasons), receipt.points, abs_tol=1e-9
        )


def test_the_top_reasons_and_the_rest_add_up_too(model, frame):
    for at in range(30):
        receipt = model.receipt("ann", 5, values_of(frame, at), top=2)
        listed = math.fsum(reason.points for reason in receipt.reasons)
        assert len(receipt.reasons) <= 2
        assert math.isclose(receipt.base_points + listed + receipt.rest_points, receipt.points, abs_tol=1e-9)


def test_many_at_once_give_the_very_bits_of_one(model, frame):
    scored = model.score_many(frame)
    for at in range(len(frame)):
        receipt = model.receipt("ann", 5, values_of(frame, at))
        assert receipt.points == scored.points[at]
        by_code = {reason.code: reason.points for reason in receipt.reasons}
        assert by_code == {c: p for c, p in zip(scored.codes, scored.reasons[at].tolist(), strict=True) if p}


def test_points_are_the_calibrated_log_odds_of_lightgbm(model, frame):
    booster = fitted()[1]
    margins = booster.predict(model.encoding.frame(frame), raw_score=True)
    logits = 0.9 * margins - 0.1
    expected = AVERAGE_POINTS + POINTS_PER_LOGIT * (logits - math.log(model.base_odds))
    scored = model.score_many(frame)
    np.testing.assert_allclose(scored.points, expected, atol=1e-9)
    np.testing.assert_allclose(scored.probabilities, 1 / (1 + np.exp(-logits)), atol=1e-12)


def test_ten_points_more_double_the_odds(model):
    low, high = model.probability(50.0), model.probability(60.0)
    assert math.isclose(high / (1 - high), 2 * low / (1 - low), rel_tol=1e-12)
    assert math.isclose(low / (1 - low), model.base_odds, rel_tol=1e-12)


def test_a_category_never_seen_scores_like_any_other_unseen_one(model, frame):
    values = values_of(frame, 0)
    values[6] = "a new industry"
    other = [*values[:6], "another new industry", values[7]]
    assert model.receipt("ann", 5, values).points == model.receipt("ann", 5, other).points


def test_reasons_say_the_fact(model):
    values = [3.0, 1.5, 2.2, 0.0, 0.4, 12.0, "public", 0.0]
    says = {reason.code: reason.says for reason in model.receipt("ann", 5, values).reasons}
    assert says["activity:page_view/pricing"] in {
        "opened the pricing page 3 times in 7 days",
        "last opened the pricing page yesterday",
    }
    assert says["activity:demo_request"] == "no demo request in 90 days"
    assert says["attribute:industry"] == "works in the public sector"


def test_what_never_happened_is_said_so(model):
    values = [0.0, None, 0.0, 0.0, None, 12.0, None, None]
    says = {reason.code: reason.says for reason in model.receipt("ann", 5, values).reasons}
    assert says["activity:page_view/pricing"] == "never opened the pricing page"
    if "attribute:industry" in says:
        assert says["attribute:industry"] == "industry unknown"


def test_one_reason_per_activity_or_attribute(model):
    assert len(model.codes) == len({feature.code for feature in CATALOG.features})
