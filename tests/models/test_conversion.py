"""The learned model's receipts add up, say the fact, and agree with LightGBM, whatever calibrates it."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bands import Bands
from models.calibration import Beta, Isotonic, Platt
from models.conversion import ConversionModel, Encoding
from models.decision_tree import Tree
from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT, changes, points_of
from models.trees import Trees
from tests.models.maps import NAMED, isotonic
from tests.models.small import CATALOG, fitted, rows, values_of

BENT = [name for name, calibration in NAMED.items() if not isinstance(calibration, Platt)]


def calibrated(calibration):
    """Return the small model with another calibration; the tables of its trees are made once."""
    model = fitted()[0]
    other = replace(model, calibration=calibration)
    other.__dict__["_tables"] = model._tables
    return other


@pytest.fixture(scope="module", params=NAMED)
def model(request):
    return calibrated(NAMED[request.param])


@pytest.fixture(scope="module")
def straight():
    return fitted()[0]


@pytest.fixture(scope="module")
def frame():
    return rows(150, seed=2)


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
    logits = model.calibration.logits(margins)
    expected = AVERAGE_POINTS + POINTS_PER_LOGIT * (logits - math.log(model.base_odds))
    scored = model.score_many(frame)
    np.testing.assert_allclose(scored.points, expected, atol=1e-9)
    np.testing.assert_allclose(scored.points, points_of(logits, base_odds=model.base_odds), atol=1e-9)
    np.testing.assert_allclose(scored.probabilities, 1 / (1 + np.exp(-logits)), atol=1e-12)


def test_ten_points_more_double_the_odds(model):
    low, high = model.probability(50.0), model.probability(60.0)
    assert math.isclose(high / (1 - high), 2 * low / (1 - low), rel_tol=1e-12)
    assert math.isclose(low / (1 - low), model.base_odds, rel_tol=1e-12)


def test_a_category_never_seen_scores_like_any_other_unseen_one(straight, frame):
    values = values_of(frame, 0)
    values[6] = "a new industry"
    other = [*values[:6], "another new industry", values[7]]
    assert straight.receipt("ann", 5, values).points == straight.receipt("ann", 5, other).points


def test_reasons_say_the_fact(straight):
    values = [3.0, 1.5, 2.2, 0.0, 0.4, 12.0, "public", 0.0]
    says = {reason.code: reason.says for reason in straight.receipt("ann", 5, values).reasons}
    assert says["activity:page_view/pricing"] in {
        "opened the pricing page 3 times in 7 days",
        "last opened the pricing page yesterday",
    }
    assert says["activity:demo_request"] == "no demo request in 90 days"
    assert says["attribute:industry"] == "works in the public sector"


def test_what_never_happened_is_said_so(straight):
    values = [0.0, None, 0.0, 0.0, None, 12.0, None, None]
    says = {reason.code: reason.says for reason in straight.receipt("ann", 5, values).reasons}
    assert says["activity:page_view/pricing"] == "never opened the pricing page"
    if "attribute:industry" in says:
        assert says["attribute:industry"] == "industry unknown"


def test_one_reason_per_activity_or_attribute(straight):
    assert len(straight.codes) == len({feature.code for feature in CATALOG.features})


@pytest.mark.parametrize("name", BENT)
def test_reasons_are_what_lightgbm_contributes_times_one_factor(name, frame):
    model, booster = calibrated(NAMED[name]), fitted()[1]
    contributed = booster.predict(model.encoding.frame(frame), pred_contrib=True)[:, :-1]
    codes = [feature.code for feature in CATALOG.features]
    for at in range(100):
        receipt = model.receipt("ann", 5, values_of(frame, at))
        expected = dict.fromkeys(codes, 0.0)
        for code, each in zip(codes, contributed[at], strict=True):
            expected[code] += each * POINTS_PER_LOGIT * receipt.stretch
        computed = {reason.code: reason.points for reason in receipt.reasons}
        assert receipt.stretch >= 0
        assert {code: computed.get(code, 0.0) for code in expected} == pytest.approx(expected, abs=1e-9)


def test_only_a_straight_line_has_no_factor_of_its_own(model, frame):
    computed = {model.receipt("ann", 5, values_of(frame, at)).stretch for at in range(50)}
    assert (computed == {None}) == isinstance(model.calibration, Platt)
    assert None not in computed or len(computed) == 1


def test_where_the_calibration_is_flat_nothing_speaks_for_or_against(frame):
    receipt = calibrated(NAMED["isotonic, flat"]).receipt("ann", 5, values_of(frame, 0))
    assert (receipt.stretch, receipt.reasons, receipt.points) == (0.0, (), receipt.base_points)


def test_every_lead_starts_from_the_points_of_the_expected_margin(model):
    expected = model.calibration.logit(fitted()[0]._tables.base)
    assert model.base_points == pytest.approx(points_of(np.array([expected]), base_odds=model.base_odds)[0], abs=1e-12)


@pytest.mark.parametrize("name", NAMED)
def test_what_changed_between_two_leads_adds_up_under_any_calibration(name, frame):
    model = calibrated(NAMED[name])
    receipts = [model.receipt("ann", 5, values_of(frame, at)) for at in range(30)]
    for before, after in pairwise(receipts):
        moved = math.fsum(reason.points for reason in changes(before, after))
        assert math.isclose(moved, after.points - before.points, abs_tol=1e-9)


def test_the_points_each_feature_moved_add_up_to_the_reasons(model, frame):
    scored, moved = model.score_many(frame), model.moved(model.encoding.frame(frame))
    for at, code in enumerate(scored.codes):
        members = [place for place, feature in enumerate(CATALOG.features) if feature.code == code]
        np.testing.assert_allclose(moved[:, members].sum(axis=1), scored.reasons[:, at], atol=1e-9)


def adds_up(model, matrix, logits):
    """Hold points against the calibration, and reasons against points, each to 1e-9."""
    scored = model.score_matrix(matrix)
    expected = AVERAGE_POINTS + POINTS_PER_LOGIT * (logits - math.log(model.base_odds))
    np.testing.assert_allclose(scored.points, expected, rtol=0, atol=1e-9)
    sums = [math.fsum([scored.base_points, *row]) for row in scored.reasons.tolist()]
    np.testing.assert_allclose(scored.points, sums, rtol=0, atol=1e-9)


@settings(max_examples=40)
@given(data=st.data())
def test_points_add_up_however_knots_lie_around_the_base_and_the_leads(data, frame):
    """Knots on the base, on the margins of leads and beside them: each lead's factor is another one there."""
    matrix = fitted()[0].encoding.frame(frame)
    margins, base = fitted()[0]._tables.margins(matrix), fitted()[0]._tables.base
    places = [base, np.nextafter(base, 9), base + 1e-7, base - 1e-11, *margins[:20], *np.nextafter(margins[:20], -9)]
    model = calibrated(data.draw(isotonic(among=st.sampled_from([float(place) for place in places]))))
    adds_up(model, matrix, model.calibration.logits(margins))


def shifted(calibration, by):
    """Return the map with its knots moved, so that its steep part lies at a chosen place."""
    if not isinstance(calibration, Isotonic):
        return calibration
    return replace(calibration, margins=tuple(margin + by for margin in calibration.margins))


@pytest.mark.parametrize(
    "calibration",
    [
        Beta(0.01, 20.0, 0.0),
        Beta(20.0, 0.0, 0.0),
        Isotonic((-2e-3, 0.0, 2e-3), (-1.8, 0.0, 1.8), below=0.0, above=2.0),
        Isotonic((0.0,), (0.0,), below=900.0, above=0.0),
    ],
)
def test_reasons_that_all_but_cancel_add_up_too(calibration):
    """Contributions of 1, -0.7 and -0.3 leave the base margin but for rounding; no factor may blow that up."""

    def stump(feature, by):
        return Tree((feature,), (0.5,), (0,), (True,), (-1,), (-2,), (10,), (5, 5), (-by, by))

    trees, encoding = Trees(8, (stump(0, 1.0), stump(1, 0.7), stump(3, 0.3))), Encoding(CATALOG, {"industry": ()})
    model = ConversionModel("small", encoding, trees, Platt(1, 0), 0.1, Bands(60, 70, 50, 40))
    tables, cases = model._tables, np.zeros((8, 8))
    cases[:, [0, 1, 3]] = np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), axis=-1).reshape(-1, 3)
    margins = tables.margins(cases)
    model = replace(model, calibration=shifted(calibration, tables.base))
    adds_up(model, cases, model.calibration.logits(margins))
    nearest = int(np.abs(margins - tables.base).argmin())
    assert abs(margins[nearest] - tables.base) < 1e-15
    receipt = model.receipt("ann", 5, [*cases[nearest][:6], None, None])
    assert receipt.points == pytest.approx(receipt.base_points, abs=1e-9)
    assert receipt.stretch <= 900
