"""A lead is marked exactly where too few leads of the history were as old, or as silent."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StructureError
from models.history_reach import HistoryReach, reach_from_json

DAYS = st.integers(0, 4_000)
AGES = st.floats(0, 5_000, allow_nan=False)
REACHES = st.builds(HistoryReach, leads=st.just(50), age_days=DAYS, silence_days=DAYS)


@given(REACHES, AGES, AGES | st.none() | st.just(math.nan))
def test_a_lead_is_marked_exactly_if_its_age_or_its_silence_is_beyond(reach, age, last_activity):
    silence = age if last_activity is None or math.isnan(last_activity) else min(age, last_activity)
    too_old, too_silent = age >= reach.age_days + 1, silence >= reach.silence_days + 1
    says = reach.beyond(age, last_activity)
    assert (says is not None) == (too_old or too_silent)
    if says is not None:
        told, known = (age, reach.age_days) if too_old else (silence, reach.silence_days)
        assert f"{math.floor(told):,} day" in says
        assert says.endswith(f" {known:,}.")
        assert ("old" in says, "silent" in says) == (too_old, not too_old)


@pytest.mark.parametrize("age", [None, math.nan])
def test_a_lead_of_unknown_age_is_not_marked(age):
    assert HistoryReach(50, 0, 0).beyond(age, None) is None


@given(REACHES)
def test_a_bundle_gives_back_its_reach(reach):
    assert reach_from_json(reach.as_json()) == reach


@pytest.mark.parametrize(
    "fact",
    [
        7,
        [],
        {},
        {"leads": 50, "age_days": 3},
        {"leads": 50, "age_days": True, "silence_days": 3},
        {"leads": 50, "age_days": -1, "silence_days": 3},
        {"leads": 50, "age_days": 2.5, "silence_days": 3},
        {"leads": 50, "age_days": 10**12, "silence_days": 3},
    ],
)
def test_another_kind_of_fact_is_refused(fact):
    with pytest.raises(StructureError, match="reach"):
        reach_from_json(fact)


def test_a_bundle_of_an_earlier_release_says_nothing():
    assert reach_from_json(None) is None
