"""What was served is what history gives; if not, the check names receipt and feature."""

import json
import sys

import numpy as np
import pytest
from sqlalchemy import select, text, update

from serving.errors import RecheckError
from serving.feedback.reconciliation import recheck
from serving.scores.receipt_history import same_value
from serving.store.tables import receipts
from tests.data.stores import activity, fill
from tests.serving.conftest import DAY_US


@pytest.fixture
def served(store):
    """A service that has served scores of leads of one account, of a lead without one and of a merged one."""
    told = {"employees": 500, "seniority": "vp", "business_email": True, "industry": "software"}
    for at, (lead_id, account_id) in enumerate([("L-1", "A"), ("L-2", "A"), ("L-3", None), ("L-4", "B")]):
        store.lead(lead_id, account_id=account_id, attributes=told if at % 2 else {"employees": 0.1})
        store.activity(f"{lead_id}-1", "page_view", lead_id=lead_id, subject="pricing", value=12.5)
        store.clock.pass_days(0.1)
        store.activity(f"{lead_id}-2", "demo_request", lead_id=lead_id)
    assert store.client.post("/v1/leads/L-4/merge", json={"into": "L-3"}).status_code == 200
    store.catch_up()
    store.clock.pass_days(0.2)
    store.activity("late", "call", lead_id="L-1", value=3.0)
    for lead_id in ("L-1", "L-2", "L-3", "L-4"):
        store.score(lead_id)
    store.catch_up()
    return store


def checked(store, **asked):
    service = store.service
    usual = {"now_us": store.clock.now_us, "seed": 1}
    return recheck(service.database, service.playbook.business, **usual | asked)


def rows_of(store):
    with store.service.database.reading() as connection:
        return connection.execute(select(receipts).order_by(receipts.c.as_of)).all()


def test_an_honest_store_passes_on_every_value(served):
    kept = rows_of(served)
    found = checked(served)
    assert found.passed, found.differences[:3]
    assert (found.given, found.sampled, found.leads) == (len(kept), len(kept), 4)
    assert len(kept) > 4
    assert found.values == sum(len(json.loads(row.feature_values)) for row in kept)


def test_a_value_that_was_changed_is_named(served):
    row = rows_of(served)[-1]
    values = json.loads(row.feature_values)
    at = next(at for at, value in enumerate(values) if isinstance(value, float) and value)
    changed = [*values[:at], values[at] + 1e-6, *values[at + 1 :]]
    with served.service.database.writing() as connection:
        same_one = receipts.c.receipt_id == row.receipt_id
        connection.execute(update(receipts).where(same_one).values(feature_values=json.dumps(changed)))
    found = checked(served)
    (difference,) = found.differences
    name = served.service.active_scorer.current.scorer.catalog.names[at]
    assert (difference.receipt_id, difference.lead_id, difference.feature) == (row.receipt_id, row.lead_id, name)
    assert (difference.served, difference.recomputed) == (changed[at], values[at])
    assert not found.passed
    assert found.as_json()["differences"][0]["feature"] == name


def test_a_fact_that_came_late_with_an_old_instant_is_found(served):
    """This must never happen: served scores would no longer be what was known."""
    before = min(row.as_of for row in rows_of(served) if row.lead_id == "L-2") - 1
    url = served.service.database.url.render_as_string(hide_password=False)
    fill(url, activities=[activity("forged", "L-2", before, kind="demo_request")])
    found = checked(served)
    assert {difference.lead_id for difference in found.differences} >= {"L-2"}
    assert all("demo_request" in difference.feature or difference.lead_id for difference in found.differences)
    assert "demo_request" in " ".join(difference.feature for difference in found.differences)


def test_only_receipts_of_the_last_hours_are_sampled_and_no_more_than_requested(served):
    kept = rows_of(served)
    assert checked(served, now_us=served.clock.now_us + 2 * DAY_US).given == 0
    recent = [row for row in kept if row.as_of >= served.clock.now_us - DAY_US // 8]
    assert 0 < len(recent) < len(kept)
    assert checked(served, hours=3).given == len(recent)
    found = checked(served, sample=2)
    assert (found.given, found.sampled) == (len(kept), 2)


def test_the_seed_decides_the_sample(served):
    with served.service.database.writing() as connection:
        connection.execute(text("UPDATE receipts SET feature_values = '[]'"))

    def drawn(seed):
        return [difference.receipt_id for difference in checked(served, sample=3, seed=seed).differences]

    assert drawn(5) == drawn(5)
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1


def test_a_receipt_whose_scorer_is_gone_cannot_pass(served):
    with served.service.database.writing() as connection:
        connection.execute(update(receipts).values(scorer="0" * 64))
    found = checked(served)
    assert not found.passed
    assert len(found.unknown) == found.sampled > 0


def test_an_empty_store_passes_with_nothing_compared(store):
    found = checked(store)
    assert (found.passed, found.given, found.values) == (True, 0, 0)


def test_without_duckdb_the_check_says_what_to_install(served, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "data.importing.warehouse", raising=False)
    with pytest.raises(RecheckError, match=r"leadscore\[history\]"):
        checked(served)


def test_what_differs_is_shown_in_words(served, capsys):
    from rich.console import Console

    with served.service.database.writing() as connection:
        connection.execute(text("UPDATE receipts SET feature_values = '[]'"))
    checked(served, sample=1).show(Console(width=400))
    said = capsys.readouterr().out
    assert "(seed 1)" in said
    assert "was served as" in said


def test_numbers_are_equal_to_a_billionth():
    assert same_value(1e6, 1e6 * (1 + 1e-10))
    assert not same_value(1.0, 1.0 + 1e-8)
    assert same_value(None, None)
    assert not same_value(np.float64(1.0), None)
