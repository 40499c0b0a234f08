"""A number is written once, and so the same everywhere."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.metric_names import HEADLINE, METRICS
from training.statistics.estimate import Estimate
from training.statistics.number_format import difference, interval, known, shown, value, verdict_on

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
SHAPES = sorted({metric.shape for metric in METRICS.values()} | {"count", "days", "points", "whole", "fine"})


@pytest.mark.parametrize(
    "unknown",
    [None, math.nan, math.inf, Estimate(value=None, low=None, high=None), Estimate(value=math.nan, low=0.1, high=0.2)],
)
def test_what_is_not_known_is_a_dash_and_never_nan(unknown):
    assert [shown(unknown, shape) for shape in SHAPES] == ["–"] * len(SHAPES)


@given(number=NUMBERS, shape=st.sampled_from([shape for shape in SHAPES if shape != "share"]))
def test_what_is_written_reads_back_as_the_number_within_half_of_its_last_digit(number, shape):
    written = value(number, shape).replace(",", "").replace("−", "-")
    half = 0.5 * 10 ** -(len(written.partition(".")[2]))
    assert abs(float(written) - number) <= half * (1 + 1e-6) + abs(number) * 1e-12


@given(number=st.floats(0, 1))
def test_a_share_is_a_percentage_with_tenths_below_ten(number):
    written = value(number, "share")
    assert written.endswith("%")
    assert ("." in written) == (number < 0.1)


@given(low=NUMBERS, value_=NUMBERS, high=NUMBERS, shape=st.sampled_from(SHAPES))
def test_an_interval_is_as_fine_as_its_number(low, value_, high, shape):
    number = Estimate(value=value_, low=low, high=high)
    parts = interval(number, shape).replace(" to ", " – ").split(" – ")
    assert len(parts) == 2
    places = {len(part.rstrip("%").partition(".")[2]) for part in (*parts, value(number, shape))}
    assert len(places) == 1


@given(number=NUMBERS)
def test_a_sign_is_written_where_it_is_asked_for_and_zero_has_none(number):
    written = value(number, "loss", sign=True)
    assert written[0] in "+−" if any(digit in written for digit in "123456789") else written == "0.000"


@given(low=NUMBERS, high=NUMBERS)
def test_a_difference_is_better_or_worse_only_where_its_interval_leaves_out_zero(low, high):
    low, high = min(low, high), max(low, high)
    told = verdict_on(Estimate(value=(low + high) / 2, low=low, high=high), better="lower")
    assert told == ("better" if high < 0 else "worse" if low > 0 else "may be chance")
    turned = verdict_on(Estimate(value=-(low + high) / 2, low=-high, high=-low), better="higher")
    assert turned == told


def test_a_difference_without_an_interval_may_be_chance():
    assert verdict_on(Estimate(value=-0.3, low=None, high=None), better="lower") == "may be chance"


def test_true_is_no_number():
    assert known(True) is None


def test_every_headline_metric_has_words():
    assert set(HEADLINE) <= set(METRICS)


@given(first=NUMBERS, second=NUMBERS, shape=st.sampled_from(SHAPES))
def test_a_shown_difference_is_that_of_the_two_numbers_shown_beside_it(first, second, shape):
    shown_first, shown_second = value(first, shape), value(second, shape)
    apart = difference(shown_first, shown_second)
    assert read(apart) == read(shown_first) - read(shown_second)
    assert (apart[0] in "+−") == (read(apart) != 0)


@given(first=NUMBERS, second=NUMBERS, shape=st.sampled_from(SHAPES))
def test_a_shown_difference_is_within_the_rounding_of_both_numbers(first, second, shape):
    shown_first, shown_second = value(first, shape), value(second, shape)
    percent = 100 if shape == "share" else 1
    rounding = sum(Decimal("0.5").scaleb(-decimals(text)) for text in (shown_first, shown_second))
    exact = (Decimal(first) - Decimal(second)) * percent
    assert abs(read(difference(shown_first, shown_second)) - exact) <= rounding + abs(exact) * Decimal(
        "1e-9"
    ) + Decimal("1e-6")


def test_a_difference_from_what_is_not_known_is_not_known():
    assert difference("–", "1.0") == difference("1.0", "–") == "–"


def read(text):
    return Decimal(text.rstrip("%").replace(",", "").replace("−", "-"))


def decimals(text):
    return len(text.rstrip("%").partition(".")[2])
