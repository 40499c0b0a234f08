"""What an erasure changes in the scores of colleagues is known as such; whatever else differs is still a fault."""

import dataclasses

import pytest
from rich.console import Console
from sqlalchemy import insert

from features.catalog import Catalog
from features.feature import Feature
from features.reducers import Count
from models.bundle import save_bundle
from models.champion import Champion, point_to
from models.conversion import Encoding
from serving.feedback.reconciliation import recheck
from serving.store.tables import activities
from tests.models.small import CATALOG, INDUSTRIES, fitted, golden
from tests.serving.conftest import NOON, opened

MATES = Feature("mates", Count(None), 0, "colleagues were active {n}", over="account")


@pytest.fixture(scope="module")
def of_accounts(tmp_path_factory):
    """A folder of models whose champion also looks at the colleagues of a lead."""
    models, (model, booster) = tmp_path_factory.mktemp("models"), fitted()
    catalog = Catalog(tuple(MATES if feature.name == "pricing_fading" else feature for feature in CATALOG.features))
    colleagues = dataclasses.replace(model, encoding=Encoding(catalog, {"industry": INDUSTRIES}))
    facts = {"of": "colleagues", "gates": [{"name": "never use", "passed": True}]}
    folder = models / "bundles" / "one"
    text = booster.model_to_string().replace("pricing_fading", "mates")
    saved = save_bundle(colleagues, folder, lightgbm_text=text, golden=golden(), facts=facts)
    point_to(models, Champion("1", saved.fingerprint, "bundles/one"))
    return models


@pytest.fixture
def served(settings, of_accounts):
    """A service that has served scores of two colleagues, and of a lead of another company."""
    store = opened(settings.model_copy(update={"models": of_accounts}))
    with store.client:
        for lead_id, account_id in (("ann", "acme"), ("bob", "acme"), ("eve", "other")):
            store.lead(lead_id, account_id=account_id)
            store.activity(f"{lead_id}-1", lead_id=lead_id)
        store.clock.pass_days(0.1)
        store.activity("ann-2", "page_view", lead_id="ann")
        for lead_id in ("ann", "bob", "eve"):
            store.score(lead_id)
        store.catch_up()
        yield store


def erased(store, lead_id="ann"):
    store.client.delete(f"/v1/leads/{lead_id}").raise_for_status()
    return store


def checked(store):
    return recheck(store.service.database, store.service.playbook.business, now_us=store.clock.now_us, seed=1)


def replays(store, lead_id="bob"):
    receipts = store.client.get(f"/v1/leads/{lead_id}/receipts").json()["receipts"]
    return [store.client.get(f"/v1/receipts/{receipt['receipt_id']}/replay").json() for receipt in receipts]


def smuggle(store, lead_id):
    """Store a fact that claims to have been known before anything was served."""
    row = {"lead_id": lead_id, "activity_id": "forged", "kind": "demo_request", "occurred_at": NOON, "known_at": NOON}
    with store.service.database.writing() as connection:
        connection.execute(insert(activities).values(row))


def test_an_erasure_is_no_fault_of_what_was_served_to_colleagues(served):
    assert checked(served).passed
    result = checked(erased(served))
    assert result.passed
    assert result.differences == ()
    assert {(each.lead_id, each.feature) for each in result.changed_by_erasure} == {("bob", "mates")}


def test_a_replay_says_what_an_erasure_changed(served):
    assert all(replay["equal"] and not replay["changed_by_erasure"] for replay in replays(served))
    after = replays(erased(served))
    assert all(replay["equal"] and not replay["differences"] for replay in after)
    assert any("mates: " in text for replay in after for text in replay["changed_by_erasure"])


def test_a_fault_beside_an_erasure_is_still_a_fault(served):
    smuggle(erased(served), "bob")
    result = checked(served)
    assert not result.passed
    assert "demo_90d" in {each.feature for each in result.differences if each.lead_id == "bob"}
    assert any(not replay["equal"] and replay["changed_by_erasure"] for replay in replays(served))


def test_an_erasure_excuses_no_other_account_and_nothing_served_after_it(served):
    erased(served)
    served.clock.pass_days(0.1)
    for lead_id, account_id in (("joe", "acme"), ("bob", "acme"), ("dan", "other"), ("eve", "other")):
        served.lead(lead_id, account_id=account_id)
        served.activity(f"{lead_id}-3", "call", lead_id=lead_id)
    changed = {each.receipt_id for each in checked(served).changed_by_erasure}
    smuggle(served, "dan")
    assert {each.lead_id for each in checked(served).differences} >= {"dan", "eve"}
    newest = served.client.get("/v1/leads/bob/receipts").json()["receipts"][0]
    assert newest["receipt_id"] not in changed


def test_the_store_does_not_say_whose_account_it_was(served):
    erased(served)
    noted = [row for row in served.rows("store_state") if row[0].startswith("erased_from_")]
    assert len(noted) == 1
    assert not any(word in repr(noted) for word in ("acme", "ann"))


def test_it_is_shown_in_one_line(served, capsys):
    checked(erased(served)).show(Console(width=400))
    shown = capsys.readouterr().out
    assert "were changed by an erasure" in shown
    assert "Every other value is what was served." in shown
