"""What a playbook can wish for: every reducer under ``features.add``, and its words."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from data.words.business import FeatureWishes
from features.derivation import derive_catalog
from features.feature_labels import feature_label
from features.reducers import NAMES
from tests.features.test_catalog import ALL_SEEN, DEMO
from tests.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden"
WISHES = [
    {"reduce": "count", "activity": "call", "days": 14},
    {"reduce": "days_since_last", "activity": "call"},
    {"reduce": "days_since_first", "activity": "call"},
    {"reduce": "decayed", "activity": "call", "half_life_days": 3},
    {"reduce": "distinct", "activity": "page_view", "days": 7},
    {"reduce": "sum", "activity": "call", "days": 7},
    {"reduce": "mean", "activity": "call"},
    {"reduce": "trend", "activity": "call", "days": 7, "long_days": 30},
    {"reduce": "hour_of_last"},
    {"reduce": "weekday_of_last"},
    {"reduce": "local_hour_of_last"},
    {"reduce": "local_weekday_of_last", "activity": "call"},
    {"reduce": "active_days", "days": 30},
    {"reduce": "active_people", "activity": "call", "days": 30},
    {"reduce": "share", "activity": "page_view", "subject": "pricing", "days": 30},
    {"reduce": "days_between_firsts", "activity": "demo_request", "after": "page_view", "after_subject": "pricing"},
    {"reduce": "mean_gap", "over": "account"},
    {"reduce": "longest_gap", "activity": "call", "days": 90},
    {"reduce": "relative_silence"},
    {"reduce": "kind_of_last"},
    {"reduce": "kind_of_last", "nth": 2, "subjects": True},
    {"reduce": "days_since_nth_last", "activity": "page_view", "nth": 3},
    {"reduce": "first_value", "activity": "call"},
    {"reduce": "last_value", "activity": "call"},
    {
        "reduce": "sequence",
        "activity": "demo_request",
        "after": "page_view",
        "after_subject": "pricing",
        "within_days": 7,
    },
    {"reduce": "attribute_changes", "attribute": "seniority"},
    {"reduce": "days_since_change", "attribute": "employees"},
    {"reduce": "previous_value", "attribute": "employees"},
    {"reduce": "previous_value", "attribute": "seniority"},
    {"reduce": "previous_value", "attribute": "business_email"},
]


def with_wishes(*wishes):
    """Return the catalog that has the wished features alone, numbered."""
    added = [{"name": f"wish_{number}", **wish} for number, wish in enumerate(wishes)]
    features = FeatureWishes.model_validate({"add": added})
    business = DEMO.model_copy(update={"features": features, "timezone": "Europe/Amsterdam"})
    every = derive_catalog(business, ALL_SEEN)
    return [feature for feature in every.features if feature.name.startswith("wish_")]


def test_every_reducer_can_be_wished_for_but_those_of_every_lead():
    assert {wish["reduce"] for wish in WISHES} == NAMES.keys() - {"attribute", "lead_age"}


def test_every_wish_has_words_for_something_for_nothing_and_for_a_plot():
    lines = []
    for wish, feature in zip(WISHES, with_wishes(*WISHES), strict=True):
        text = "director" if wish["reduce"] == "previous_value" else "page_view"
        value = text if feature.is_category else {"share": 0.25, "trend": 0.25}.get(wish["reduce"], 3.0)
        words = f"{feature.worded(value)} | {feature.worded(None)} | {feature_label(feature, DEMO)}"
        lines.append(f"{wish['reduce']}: {words}")
    assert not any("{" in line for line in lines)
    assert_golden(GOLDEN / "wishes.txt", "\n".join(lines) + "\n")


def test_clocks_and_days_are_those_of_the_playbook_and_kinds_those_it_may_use():
    clock, kinds = with_wishes({"reduce": "local_hour_of_last"}, {"reduce": "kind_of_last", "subjects": True})
    assert clock.reduce.zone == "Europe/Amsterdam"
    assert {"call", "page_view", "page_view/pricing"} <= {*kinds.reduce.kinds}
    assert not {*DEMO.never_use} & {*kinds.reduce.kinds}
    assert kinds.worded("page_view/pricing") == "last activity: view of the pricing page"


@pytest.mark.parametrize(
    "wish",
    [
        {"reduce": "active_days", "over": "account"},
        {"reduce": "active_people", "over": "lead"},
        {"reduce": "kind_of_last", "over": "account"},
        {"reduce": "mean_gap", "over": "account", "days": 7},
        {"reduce": "days_since_nth_last", "nth": 0},
        {"reduce": "sequence", "activity": "call", "after": "webinar"},
        {"reduce": "attribute_changes", "attribute": "seniority", "over": "account"},
    ],
)
def test_what_cannot_be_computed_is_no_wish(wish):
    with pytest.raises(ValidationError):
        with_wishes(wish)
