"""A lead older than any that the model's history knows is marked in every answer that scores it."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import save_bundle
from models.champion import Champion, point_to
from tests.models.small import fitted, golden
from tests.serving.conftest import opened, settings_in

KNOWN_AGE, KNOWN_SILENCE = 280, 150
REACH = {"leads": 50, "age_days": KNOWN_AGE, "silence_days": KNOWN_SILENCE}
OLD, SILENT = "Too few leads in the history were this old: ", "Too few leads in the history were silent this long: "
NUMBERS = count()


def service_with(folder, facts):
    """Open a service whose champion's bundle has these facts."""
    model, booster = fitted()
    given = settings_in(folder)
    bundle = given.models / "bundles" / "one"
    saved = save_bundle(model, bundle, lightgbm_text=booster.model_to_string(), golden=golden(), facts=facts)
    point_to(given.models, Champion("1", saved.fingerprint, "bundles/one"))
    return opened(given)


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    store = service_with(tmp_path_factory.mktemp("knowing"), {"reach": REACH})
    with store.client:
        yield store


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A service on a bundle of an earlier release, which does not say what its history knows."""
    store = service_with(tmp_path_factory.mktemp("earlier"), {})
    with store.client:
        yield store


def lead_of(store, age, last):
    """Send a lead that was created so many days ago, and was last active so many days ago, if at all."""
    lead = {"lead_id": f"L-{next(NUMBERS)}", "created_at": store.clock.before(age)}
    did = [] if last is None else [{"kind": "page_view", "occurred_at": store.clock.before(last)}]
    store.lead(**lead)
    for each in did:
        store.activity(f"a-{next(NUMBERS)}", lead_id=lead["lead_id"], **each)
    return lead, did


@settings(max_examples=40, deadline=None)
@given(age=st.floats(0, 900), last=st.none() | st.floats(0, 900))
def test_a_lead_is_marked_exactly_if_it_is_older_or_was_silent_for_longer(knowing, age, last):
    lead, did = lead_of(knowing, age, last)
    whole_days = int(age), int(age if last is None else min(age, last))
    beyond = OLD if whole_days[0] > KNOWN_AGE else SILENT if whole_days[1] > KNOWN_SILENCE else None
    one = knowing.score(lead["lead_id"])
    many = knowing.client.post("/v1/scores", json={"lead_ids": [lead["lead_id"]]}).json()["scores"][0]
    preview = knowing.client.post("/v1/scores/preview", json={"lead": lead, "activities": did}).json()
    knowing.catch_up()
    receipt = knowing.client.get(f"/v1/leads/{lead['lead_id']}/receipts").json()["receipts"][0]
    for answer in (one, many, preview, receipt):
        says = answer["beyond_history"]
        assert (says is None) == (beyond is None), answer
        assert says is None or says.startswith(beyond), says


def test_the_sentence_says_both_ages(knowing):
    lead, _ = lead_of(knowing, 412.5, 1.0)
    says = knowing.score(lead["lead_id"])["beyond_history"]
    assert says == f"{OLD}412 days, and fewer than 50 were older than {KNOWN_AGE}."


def test_an_instant_of_the_past_is_answered_by_the_age_of_then(knowing):
    lead, _ = lead_of(knowing, 10.0, 5.0)
    then = knowing.clock.before()
    knowing.clock.pass_days(KNOWN_AGE)
    assert knowing.score(lead["lead_id"], as_of=then)["beyond_history"] is None
    assert knowing.score(lead["lead_id"])["beyond_history"].startswith(OLD)
    changes = knowing.client.get(f"/v1/leads/{lead['lead_id']}/changes", params={"since": then}).json()
    assert changes["beyond_history"].startswith(OLD)


def test_a_lead_that_becomes_too_old_gets_one_receipt_that_says_so(knowing):
    """No receipt a day for a sentence that counts the days; the first is from before its activity was known."""
    lead, _ = lead_of(knowing, KNOWN_AGE + 0.9, 1.0)
    for days in (0.0, 0.2, 0.001, 0.001):
        knowing.clock.pass_days(days)
        knowing.score(lead["lead_id"])
        knowing.catch_up()
    receipts = knowing.client.get(f"/v1/leads/{lead['lead_id']}/receipts").json()["receipts"]
    says = [receipt["beyond_history"] or "" for receipt in receipts]
    assert [each.partition(": ")[0] + ": " if each else "" for each in says] == [OLD, "", SILENT]


def test_the_worklist_marks_the_leads_whose_stored_scores_are_beyond(knowing):
    old, _ = lead_of(knowing, KNOWN_AGE + 1.5, 1.0)
    young, _ = lead_of(knowing, KNOWN_AGE - 1.5, 1.0)
    rows = knowing.client.get("/v1/scores", params={"limit": 200}).json()["scores"]
    marks = {row["lead_id"]: row["beyond_history"] for row in rows}
    assert marks[old["lead_id"]] == f"{OLD}281 days, and fewer than 50 were older than {KNOWN_AGE}."
    assert marks[young["lead_id"]] is None


def test_a_bundle_of_an_earlier_release_marks_nobody(earlier):
    lead, _ = lead_of(earlier, 5_000.0, None)
    assert earlier.score(lead["lead_id"])["beyond_history"] is None
