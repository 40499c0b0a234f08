"""A catalog is data: the same bytes for the same features, and damage is never taken for one."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.words.playbook import Business, load_playbook
from features.catalog import Catalog
from features.derivation import DataProfile, derive_catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducers import Count
from tests.features.worlds import CATALOG
from tests.golden import assert_golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
DEMO = load_playbook(ROOT / "data" / "playbooks" / "demo").business
ALL_SEEN = DataProfile(
    kinds=dict.fromkeys(DEMO.activities, 100),
    subjects={(kind, subject): 100 for kind, words in DEMO.activities.items() for subject in words.subjects},
    free_subjects=frozenset({"email_open", "page_view"}),
    values=frozenset({"page_view", "call"}),
    attributes=frozenset(DEMO.attributes),
    changes={"seniority": 100},
    peers=True,
)


def derived(**seen):
    return derive_catalog(
        DEMO, DataProfile(**{**{name: getattr(ALL_SEEN, name) for name in ALL_SEEN.__slots__}, **seen})
    )


def with_wishes(**wishes):
    return DEMO.model_copy(update={"features": type(DEMO.features).model_validate(wishes)})


@pytest.mark.parametrize("catalog", [CATALOG, derive_catalog(DEMO, ALL_SEEN)], ids=["small", "demo"])
def test_json_gives_back_the_same_catalog(catalog):
    assert Catalog.from_json(catalog.to_json()) == catalog
    assert Catalog.from_json(catalog.to_json()).fingerprint == catalog.fingerprint


def test_age_and_first_activity_are_one_reason():
    """They say nearly the same of a lead; apart, they gave reasons of opposite signs that cancelled each other."""
    by_name = {feature.name: feature for feature in derive_catalog(DEMO, ALL_SEEN).features}
    first = by_name["any_days_since_first"]
    assert first.code == by_name["lead_age"].code
    kinds = [feature for name, feature in by_name.items() if name.endswith("_days_since_first") and feature != first]
    assert kinds
    assert all(feature.code != first.code for feature in kinds)


def test_the_order_of_features_is_part_of_the_fingerprint():
    assert Catalog(CATALOG.features[::-1]).fingerprint != Catalog(CATALOG.features).fingerprint


def test_a_name_taken_twice_is_refused():
    calls = Feature("calls", Count("call"), 0, "called {n}")
    with pytest.raises(CatalogError, match="calls more than once"):
        Catalog((calls, calls))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(where=st.integers(0, 40), value=json_values)
def test_damage_in_any_field_is_a_catalog_error_or_harmless(where, value):
    """Put any JSON value in any place: either it is still a catalog, or it says that it is none."""
    content = json.loads(CATALOG.to_json())
    feature = content["features"][where % len(content["features"])]
    fields = [(feature, name) for name in feature] + [(feature["reduce"], name) for name in feature["reduce"]]
    holder, name = fields[where % len(fields)]
    holder[name] = value
    try:
        read = Catalog.from_json(json.dumps(content))
    except CatalogError:
        return
    assert Catalog.from_json(read.to_json()) == read


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"features": 3, "never_use": []}', "[" * 100_000])
def test_what_is_no_catalog_is_refused(text):
    with pytest.raises(CatalogError):
        Catalog.from_json(text)


def test_what_the_data_never_shows_makes_no_features():
    names = derived(kinds={"page_view": 100, "webinar": 3}, subjects={("page_view", "pricing"): 50}).names
    assert any(name.startswith("page_view_pricing") for name in names)
    assert not any(name.startswith(("webinar", "call", "page_view_blog")) for name in names)


def test_never_use_is_never_used():
    hidden = DEMO.model_copy(update={"never_use": ("lead_status", "call", "industry")})
    catalog = derive_catalog(hidden, ALL_SEEN)
    assert not any("call" in name.split("_") or name in {"lead_status", "industry"} for name in catalog.names)
    assert catalog.never_use == ("call",)


def test_without_colleagues_there_are_no_features_of_the_account():
    assert not derived(peers=False).needs_account
    assert derive_catalog(DEMO, ALL_SEEN).needs_account


def test_a_playbook_adds_replaces_and_drops():
    wishes = with_wishes(
        add=[
            {"name": "demo_ever", "reduce": "count", "activity": "demo_request"},
            {"name": "call_7d", "reduce": "sum", "activity": "call", "days": 7},
        ],
        drop=["email_*"],
    )
    catalog = derive_catalog(wishes, ALL_SEEN)
    assert "demo_ever" in catalog.names
    assert type(catalog.features[catalog.names.index("call_7d")].reduce).__name__ == "Sum"
    assert not any(name.startswith("email_") for name in catalog.names)


def test_dropping_everything_is_said():
    with pytest.raises(CatalogError, match="no feature is left"):
        derive_catalog(with_wishes(drop=["*"]), ALL_SEEN)


def test_every_feature_has_words_for_something_and_for_nothing():
    lines = []
    for feature in derive_catalog(DEMO, ALL_SEEN).features:
        some = {"hour_of_last": 14.5, "weekday_of_last": 2.0}.get(
            feature.name, 0.25 if "trend" in feature.name else 3.0
        )
        value = "other" if feature.is_category else some
        lines.append(f"{feature.name}: {feature.worded(value)} | {feature.worded(None)}")
    assert all(re.search(r"[{}]", line) is None for line in lines)
    assert_golden(GOLDEN / "words.txt", "\n".join(lines) + "\n")


def test_a_playbook_is_a_value():
    assert isinstance(DEMO, Business)
    with pytest.raises(ValueError, match="frozen"):
        DEMO.name = "other"
