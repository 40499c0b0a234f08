"""Point rules: caps, decay, windows, negative points, silence; the same alone and in a batch."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.words.playbook import load_playbook
from data.words.point_rules import ScorecardRules
from models.bands import Bands
from models.calibration import Platt
from models.errors import ModelError
from models.scorecard import compile_scorecard

DEMO = load_playbook(Path(__file__).resolve().parents[2] / "data" / "playbooks" / "demo")


def scorecard(*rules, base=0):
    return compile_scorecard(ScorecardRules.model_validate({"base_points": base, "rules": list(rules)}), DEMO.business)


def points(card, **values):
    given = [values.get(name) for name in card.catalog.names]
    return card.receipt("ann", 5, given).points


def test_points_for_each_up_to_a_cap():
    card = scorecard({"activity": "webinar", "points": 8, "at_most": 2, "because": "watched a webinar"})
    assert [points(card, webinar_ever=float(times)) for times in (0, 1, 2, 9)] == [0, 8, 16, 16]


def test_points_that_fade_count_fractions():
    rule = {"activity": "page_view", "subject": "pricing", "points": 5, "half_life_days": 14, "because": "reads prices"}
    card = scorecard(rule)
    assert points(card, page_view_pricing_decayed_14d=1.5) == 7.5


def test_negative_points_take_away():
    card = scorecard({"activity": "unsubscribe", "points": -25, "because": "unsubscribed"}, base=30)
    assert points(card, unsubscribe_ever=1.0) == 5


@pytest.mark.parametrize(
    ("silent", "age", "expected"), [(31.0, 50.0, -20), (29.0, 50.0, 0), (None, 50.0, -20), (None, 3.0, 0)]
)
def test_silence_takes_points_and_a_new_lead_is_not_silent(silent, age, expected):
    card = scorecard({"inactive_days": 30, "points": -20, "because": "has gone quiet"})
    assert points(card, days_silent=silent, lead_age=age) == expected


@pytest.mark.parametrize(
    ("condition", "attribute", "value", "met"),
    [
        ({"in": ["vp", "c_level"]}, "seniority", "vp", True),
        ({"in": ["vp", "c_level"]}, "seniority", None, False),
        ({"is": False}, "business_email", 0.0, True),
        ({"is": True}, "business_email", 1.0, True),
        ({"is": False}, "business_email", None, False),
        ({"at_least": 200}, "employees", 200.0, True),
        ({"below": 200}, "employees", 200.0, False),
        ({"at_least": 200, "below": 300}, "employees", None, False),
    ],
)
def test_attribute_conditions(condition, attribute, value, met):
    card = scorecard({"attribute": attribute, **condition, "points": 15, "because": "it fits"})
    assert points(card, **{attribute: value}) == (15 if met else 0)


@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.none(), st.floats(0, 1000)) for _ in range(3)], st.sampled_from([None, "vp", "student"])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_one_lead_and_many_leads_score_alike_and_add_up(drawn):
    card = compile_scorecard(DEMO.scorecard, DEMO.business).calibrated(Platt(0.05, -3), Bands(60, 70, 50, 30))
    rng = np.random.default_rng(0)
    names = card.catalog.names
    numbers = {name: [row[at % 3] for row in drawn] for at, name in enumerate(names)}
    frame = pd.DataFrame(numbers | {"seniority": pd.Series([row[3] for row in drawn], dtype=object)})[names]
    order = rng.permutation(len(frame))
    scored = card.score_many(frame.iloc[order])
    for place, at in enumerate(order):
        values = [None if pd.isna(value) else value for value in frame.iloc[at].tolist()]
        receipt = card.receipt("ann", 5, values)
        assert receipt.points == scored.points[place]
        total = receipt.base_points + math.fsum(reason.points for reason in receipt.reasons)
        assert math.isclose(total, receipt.points, abs_tol=1e-9)
        assert math.isclose(receipt.probability, scored.probabilities[place], abs_tol=1e-12)


def test_without_history_there_is_no_probability():
    card = compile_scorecard(DEMO.scorecard, DEMO.business)
    receipt = card.receipt("ann", 5, [None] * len(card.catalog.names))
    assert receipt.probability is None


def test_a_rule_on_what_must_never_be_used_is_refused():
    with pytest.raises(ModelError, match="never_use"):
        scorecard({"attribute": "lead_status", "is": "won", "points": 99, "because": "has bought"})


def test_any_change_to_a_rule_changes_the_fingerprint():
    rule = {"activity": "webinar", "points": 8, "because": "watched a webinar"}
    same, other = scorecard(rule), scorecard(rule | {"points": 9})
    assert scorecard(rule).id == same.id
    assert same.id.fingerprint != other.id.fingerprint
