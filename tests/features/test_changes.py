"""How attributes changed: each reducer equals its obvious definition, over history and on every store to the bit."""

import pytest
from hypothesis import Phase, given, settings

from data.contract import AttributeType
from data.words.business import FeatureWishes
from features.catalog import Catalog
from features.derivation import DataProfile, derive_catalog
from features.errors import CatalogError
from features.feature import Feature
from features.reducers import AttributeChanges, AttributeValue, Count, DaysSinceChange, PreviousValue
from tests.features.by_hand import by_hand
from tests.features.test_catalog import DEMO
from tests.features.test_engine import assert_same
from tests.features.test_sweep import MANY
from tests.features.worlds import (
    NOON,
    Activity,
    Version,
    World,
    on_duckdb,
    on_postgres,
    on_postgres_at_once,
    on_sqlite,
    on_sqlite_at_once,
    worlds,
)

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
TYPES = {"industry": AttributeType.CATEGORY, "employees": AttributeType.NUMERIC, "business": AttributeType.BOOLEAN}
CHANGES = Catalog(
    (
        *(Feature(f"{name}_times", AttributeChanges(name, type_), 0.0, "{n}") for name, type_ in TYPES.items()),
        *(Feature(f"{name}_since", DaysSinceChange(name, type_), None, "{ago}") for name, type_ in TYPES.items()),
        *(Feature(f"{name}_before", PreviousValue(name, type_), None, "{value}") for name, type_ in TYPES.items()),
        Feature("industry", AttributeValue("industry", AttributeType.CATEGORY), None, "in {value}"),
        Feature("calls", Count("call"), 0.0, "called {n}"),
    )
)


@settings(max_examples=60, phases=PHASES)
@given(world=worlds())
def test_each_of_them_equals_its_obvious_definition(world):
    expected = {(lead, as_of): by_hand(world, lead, as_of, CHANGES) for lead, as_of in MANY}
    assert_same(on_duckdb(world, MANY, CHANGES), expected)


@settings(max_examples=30, phases=PHASES)
@given(world=worlds())
def test_live_stores_answer_what_history_says(live, world):
    """To the bit; a live store answers only about leads that it has heard of."""
    known = {(row.lead_id, row.known_at) for row in world.versions}
    expected = {
        (lead, as_of): values
        for (lead, as_of), values in on_duckdb(world, MANY, CHANGES).items()
        if any(each == lead and known_at < as_of for each, known_at in known)
    }
    assert on_sqlite(world, MANY, CHANGES) == expected
    assert on_sqlite_at_once(world, MANY, CHANGES) == expected
    assert on_postgres(live, world, MANY, CHANGES) == expected
    assert on_postgres_at_once(live, world, MANY, CHANGES) == expected


@settings(max_examples=20, phases=PHASES)
@given(past=worlds(known_before=NOON), later=worlds(known_from=NOON))
def test_what_becomes_known_later_changes_none_of_them(past, later):
    at_noon = [(lead, NOON) for lead in ("ann", "bob", "cy")]
    for engine in (on_duckdb, on_sqlite_at_once):
        found = engine(past + later, at_noon, CHANGES)
        assert {key: found[key] for key in engine(past, at_noon, CHANGES)} == engine(past, at_noon, CHANGES)


def _ann(*industries):
    return World([Version("ann", NOON - 9 + at, industry=industry) for at, industry in enumerate(industries)])


def at_noon(world):
    return on_duckdb(world, [("ann", NOON)], CHANGES)["ann", NOON]


def test_to_say_the_same_again_is_no_change():
    found = at_noon(_ann("retail", "retail", "retail"))
    assert (found["industry_times"], found["industry_since"], found["industry_before"]) == (0.0, None, None)


def test_there_and_back_are_two_changes():
    found = at_noon(_ann("retail", "health", "health", "retail"))
    assert (found["industry_times"], found["industry_before"]) == (2.0, "health")
    assert found["industry_since"] == 6 / 86_400_000_000


def test_what_was_not_known_before_is_a_change_without_a_previous_value():
    found = at_noon(_ann(None, "retail"))
    assert (found["industry_times"], found["industry_before"]) == (1.0, None)


def test_a_change_of_one_attribute_is_none_of_another():
    versions = [Version("ann", NOON - 9, industry="retail", employees=5), Version("ann", NOON - 8, industry="health")]
    again = Version("ann", NOON - 7, industry="health")
    found = at_noon(World([*versions, again]))
    assert (found["industry_times"], found["employees_times"], found["business_times"]) == (1.0, 1.0, 0.0)
    assert found["employees_before"] == 5


def test_a_history_without_a_lead_has_no_changes():
    nobody = on_duckdb(World(activities=[Activity("ann", "call", 1, 1)]), [("ann", NOON)], CHANGES)["ann", NOON]
    assert (nobody["industry_times"], nobody["industry_before"], nobody["calls"]) == (0.0, None, 1.0)


def test_they_are_of_the_lead_alone():
    with pytest.raises(CatalogError, match="set over to lead"):
        Catalog((Feature("odd", AttributeChanges("industry", TYPES["industry"]), 0.0, "odd", over="account"),))


def test_json_gives_back_the_same_changes():
    assert Catalog.from_json(CHANGES.to_json()) == CHANGES


def test_what_changes_is_proposed_unless_it_may_not_be_used():
    seen = DataProfile(
        attributes=frozenset(DEMO.attributes), changes={"seniority": 50, "country": 3, "lead_status": 90}
    )
    proposed = [
        (feature.name, feature.code)
        for feature in derive_catalog(DEMO, seen).features
        if isinstance(feature.reduce, AttributeChanges | DaysSinceChange | PreviousValue)
    ]
    assert proposed == [
        ("seniority_changes", "attribute:seniority"),
        ("seniority_days_since_change", "attribute:seniority"),
        ("seniority_before", "attribute:seniority"),
    ]


def _wished(**wish):
    features = FeatureWishes.model_validate({"add": [{"name": "wish", **wish}]})
    catalog = derive_catalog(DEMO.model_copy(update={"features": features}), DataProfile())
    return next(feature for feature in catalog.features if feature.name == "wish")


def test_a_previous_value_is_told_in_the_words_of_the_attribute():
    seniority = _wished(reduce="previous_value", attribute="seniority")
    assert seniority.worded("vp") == "previous seniority: a vice president"
    business = _wished(reduce="previous_value", attribute="business_email")
    assert business.worded(0.0) == "previous e-mail address: writes from a private address"
    own = _wished(reduce="previous_value", attribute="business_email", says="it {value} before")
    assert own.worded(1.0) == "it writes from a company address before"
