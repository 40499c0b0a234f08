"""A calibration never reverses the order of the leads, knows exactly how steep it is, and survives JSON to the bit."""

import json
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import LARGEST, MOST_KNOTS, STEEPEST, Beta, Isotonic, Platt, calibration_from_json, sigmoid
from models.errors import StructureError
from tests.models.maps import MARGINS, NAMED, isotonic, maps

CLOSE = st.one_of(MARGINS, st.floats(-1e-3, 1e-3), st.floats(-1e-9, 1e-9), st.floats(-1e-15, 1e-15))


@given(maps(), st.lists(MARGINS, min_size=2))
def test_more_margin_is_never_less_chance(calibration, margins):
    computed = calibration.logits(np.sort(margins))
    assert (np.diff(computed) >= -1e-11).all()
    assert (np.diff(calibration.probabilities(np.sort(margins))) >= -1e-11).all()


@given(maps(), MARGINS, st.lists(MARGINS, min_size=1, max_size=40))
def test_a_margin_gets_the_very_bits_alone_that_it_gets_among_others(calibration, start, margins):
    margins = np.array(margins)
    logits, steepness = calibration.logits(margins), calibration.steepness(start, margins)
    for at in range(len(margins)):
        assert calibration.logits(margins[at : at + 1])[0] == logits[at] == calibration.logit(float(margins[at]))
        assert calibration.steepness(start, margins[at : at + 1])[0] == steepness[at]


@given(maps(), st.lists(MARGINS, min_size=1))
def test_one_probability_is_one_of_many(calibration, margins):
    many = calibration.probabilities(np.array(margins))
    assert [calibration.probability(margin) for margin in margins] == pytest.approx(many, rel=1e-12)


@given(maps(), MARGINS, st.lists(CLOSE, min_size=1))
def test_start_and_steepness_lead_to_every_margin(calibration, start, ways):
    """However short the way is: what the reasons are stretched by must bring them where the points are."""
    margins = start + np.array(ways)
    steepness = calibration.steepness(start, margins)
    assert (steepness >= 0).all()
    reached = calibration.logit(start) + steepness * (margins - start)
    np.testing.assert_allclose(reached, calibration.logits(margins), rtol=0, atol=1e-11)


@given(st.floats(0, 20), st.floats(0, 20), MARGINS, CLOSE)
def test_beta_is_as_steep_as_forty_digits_say(a, b, start, way):
    margin = start + way
    computed = Beta(a, b, 0.5).steepness(start, np.array([margin]))[0]
    with localcontext() as context:
        context.prec = 40
        if abs(margin - start) < 1e-20:
            odds = Decimal(start).exp()
            expected = (Decimal(a) + Decimal(b) * odds) / (1 + odds)
        else:
            expected = (_beta(a, b, margin) - _beta(a, b, start)) / (Decimal(margin) - Decimal(start))
    assert computed == pytest.approx(float(expected), rel=1e-9, abs=1e-9 * (a + b))


def _beta(a, b, margin):
    """Return a log q - b log(1 - q) from the definition, in decimals."""
    q = 1 / (1 + (-Decimal(margin)).exp())
    return Decimal(a) * q.ln() - Decimal(b) * (1 - q).ln()


@given(isotonic(), MARGINS, CLOSE)
def test_isotonic_is_as_steep_as_fractions_say(rising, start, way):
    margin = start + way
    computed = rising.steepness(start, np.array([margin]))[0]
    if margin != start:
        rise = _isotonic(rising, margin) - _isotonic(rising, start)
        expected = rise / (Fraction(margin) - Fraction(start))
        assert computed == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


def _isotonic(rising, margin):
    """Walk along the map's lines in fractions."""
    at, odds = [Fraction(x) for x in rising.margins], [Fraction(y) for y in rising.log_odds]
    margin = Fraction(margin)
    if margin <= at[0]:
        return odds[0] - Fraction(rising.below) * (at[0] - margin)
    for before in range(len(at) - 1):
        if margin <= at[before + 1]:
            slope = (odds[before + 1] - odds[before]) / (at[before + 1] - at[before])
            return odds[before] + slope * (margin - at[before])
    return odds[-1] + Fraction(rising.above) * (margin - at[-1])


@given(isotonic(), MARGINS)
def test_at_the_start_itself_isotonic_is_as_steep_as_the_line_there(rising, start):
    computed = rising.steepness(start, np.array([start]))[0]
    beside = rising.steepness(start, np.array([np.nextafter(start, np.inf)]))[0]
    assert computed == pytest.approx(beside, rel=1e-9, abs=1e-12)


@given(st.floats(0, 20), st.floats(-10, 10), st.lists(MARGINS, min_size=1))
def test_beta_with_equal_sides_is_platt(slope, offset, margins):
    margins = np.array(margins)
    computed, expected = Beta(slope, slope, offset), Platt(slope, offset)
    np.testing.assert_allclose(computed.logits(margins), expected.logits(margins), atol=1e-11)
    np.testing.assert_allclose(computed.steepness(1.0, margins), slope, rtol=1e-10, atol=1e-12)


def test_beta_is_the_formula_of_its_paper():
    q = sigmoid(0.7)
    assert Beta(0.4, 2.5, 0.3).logit(0.7) == pytest.approx(0.4 * math.log(q) - 2.5 * math.log(1 - q) + 0.3, rel=1e-12)


def test_isotonic_meets_its_knots_and_interpolates_between():
    rising = NAMED["isotonic"]
    assert rising.logits(np.array(rising.margins)).tolist() == pytest.approx(rising.log_odds)
    inside = np.linspace(-3, 2, 101)
    np.testing.assert_allclose(rising.logits(inside), np.interp(inside, rising.margins, rising.log_odds), atol=1e-12)


def test_isotonic_keeps_the_order_where_steps_would_make_ties():
    rising = Isotonic((-2.0, 0.0, 2.0), (-3.0, -2.0, 1.0), below=0.5, above=0.5)
    assert (np.diff(rising.logits(np.linspace(-10, 10, 2_001))) > 0).all()


@given(maps())
def test_json_gives_back_the_map_to_the_last_bit(calibration):
    assert calibration_from_json(json.loads(json.dumps(calibration.as_json(), allow_nan=False))) == calibration


def test_platt_is_written_as_ever():
    assert Platt(0.9, -0.1).as_json() == {"is": "platt", "slope": 0.9, "offset": -0.1}


TWO = {"is": "isotonic", "margins": [0, 1], "log_odds": [-1, 1], "below": 0, "above": 0}
DAMAGED = [
    None,
    [],
    "platt",
    {},
    {"is": "venn"},
    {"is": ["platt"]},
    {"is": None, "slope": 1, "offset": 0},
    {"is": "platt", "slope": -1, "offset": 0},
    {"is": "platt", "slope": 1},
    {"is": "beta", "a": 1, "b": 1},
    {"is": "beta", "a": -1e-9, "b": 1, "c": 0},
    {"is": "beta", "a": 1, "b": -1, "c": 0},
    {"is": "beta", "a": math.nan, "b": 1, "c": 0},
    {"is": "beta", "a": 1, "b": math.inf, "c": 0},
    {"is": "beta", "a": 1, "b": 1, "c": math.nan},
    {"is": "beta", "a": 1, "b": 1, "c": -math.inf},
    {"is": "beta", "a": True, "b": 1, "c": 0},
    {"is": "beta", "a": "1", "b": 1, "c": 0},
    {"is": "beta", "a": 2 * STEEPEST, "b": 1, "c": 0},
    {"is": "beta", "a": 1, "b": 1, "c": 10**400},
    {"is": "beta", "a": 1, "b": 1, "c": 0, "d": 0},
    TWO | {"margins": [1, 0]},
    TWO | {"margins": [0, 0]},
    TWO | {"margins": [0]},
    TWO | {"margins": [], "log_odds": []},
    TWO | {"margins": [0, 2 * LARGEST]},
    TWO | {"margins": [0, math.nan]},
    TWO | {"margins": [-math.inf, 1]},
    TWO | {"margins": "01"},
    TWO | {"margins": {"0": 1}},
    TWO | {"log_odds": [1, -1]},
    TWO | {"log_odds": [0, math.nan]},
    TWO | {"log_odds": [0, 1e9]},
    TWO | {"log_odds": [0, None]},
    TWO | {"margins": [0, 1e-9]},
    TWO | {"below": -1},
    TWO | {"above": math.nan},
    TWO | {"above": 1e9},
    TWO | {"margins": list(range(MOST_KNOTS + 1)), "log_odds": [0] * (MOST_KNOTS + 1)},
]


@pytest.mark.parametrize("content", DAMAGED)
def test_damage_is_a_sentence(content):
    with pytest.raises(StructureError, match=r"calibration.*expected"):
        calibration_from_json(content)


NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3))
LISTS = st.lists(NUMBERS, max_size=4)


@given(
    st.one_of(
        st.fixed_dictionaries({"is": st.just("beta"), "a": NUMBERS, "b": NUMBERS, "c": NUMBERS}),
        st.fixed_dictionaries(
            {"is": st.just("isotonic"), "margins": LISTS, "log_odds": LISTS, "below": NUMBERS, "above": NUMBERS}
        ),
    )
)
def test_whatever_loads_keeps_the_order_and_stays_finite(content):
    try:
        calibration = calibration_from_json(content)
    except StructureError:
        return
    margins = np.linspace(-LARGEST, LARGEST, 41)
    computed = calibration.logits(margins)
    assert np.isfinite(computed).all()
    assert (np.diff(computed) >= -1e-6).all()
    assert (calibration.steepness(0.0, margins) >= 0).all()
