"""Receipts are stored once per change, can be recomputed, and explain changes in points that add up."""

import json
import math
from dataclasses import asdict

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError, OperationalError

from data.instants import iso, parse
from models.receipt import Reason, folded_small, told_reasons
from serving.scores.stored_receipts import ReceiptRow, save_receipts
from serving.store.tables import activities, receipts
from tests.serving.conftest import DAY_US, opened, promote

FIT = {"account_id": "A-1", "attributes": {"seniority": "vp", "employees": 500}}


@pytest.fixture
def learned(settings, promoted):
    found = opened(settings.model_copy(update={"models": promoted}))
    with found.client:
        yield found


def receipts_of(store, lead_id="L-1", **query):
    answer = store.client.get(f"/v1/leads/{lead_id}/receipts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["receipts"]


def replay(store, receipt_id):
    answer = store.client.get(f"/v1/receipts/{receipt_id}/replay")
    assert answer.status_code == 200, answer.text
    return answer.json()


def adds_up(receipt):
    total = math.fsum([receipt["base_points"], *(reason["points"] for reason in receipt["reasons"])])
    return total == pytest.approx(receipt["points"], abs=1e-9)


def test_a_score_is_stored_once_however_often_it_is_read(store):
    store.lead(**FIT)
    for _ in range(3):
        store.score()
        store.client.post("/v1/scores", json={"lead_ids": ["L-1"]})
    store.catch_up()
    assert len(receipts_of(store)) == 1
    store.activity("a-1")
    store.score()
    store.catch_up()
    newest, first = receipts_of(store)
    assert newest["points"] > first["points"]
    assert adds_up(newest)
    assert adds_up(first)


def test_what_was_served_is_what_is_stored(learned):
    learned.lead(**FIT)
    learned.activity("a-1")
    answer = learned.score(reasons="all")
    learned.catch_up()
    (kept, *_) = receipts_of(learned)
    for name in ("points", "score", "grade", "probability", "threshold", "degraded", "scorer"):
        assert kept[name] == answer[name], name
    told = folded_small(told_reasons([Reason(**reason) for reason in kept["reasons"]]))
    assert [asdict(reason) for reason in told] == answer["reasons"]


def test_a_score_of_an_instant_in_the_past_is_no_new_receipt(store):
    store.lead(**FIT)
    then = store.clock.before()
    store.clock.pass_days(1)
    store.activity("a-1")
    before = len(receipts_of(store))
    store.score(as_of=then)
    store.catch_up()
    assert len(receipts_of(store)) == before


def test_every_receipt_replays_equal_months_later(learned):
    learned.lead(**FIT)
    learned.lead("L-2", account_id="A-1")
    for at, kind in enumerate(["page_view", "webinar", "demo_request"]):
        learned.activity(f"a-{at}", kind)
        learned.activity(f"b-{at}", kind, lead_id="L-2")
        learned.clock.pass_days(3)
        learned.score()
    learned.lead(attributes={"seniority": "student"})
    learned.clock.pass_days(90)
    learned.activity("late", "page_view", occurred_at=learned.clock.before(95))
    found = receipts_of(learned)
    assert len(found) >= 3
    for receipt in found:
        again = replay(learned, receipt["receipt_id"])
        assert again["equal"], again["differences"]
        assert again["again"]["points"] == pytest.approx(receipt["points"], abs=1e-9)


def test_a_replay_names_what_was_tampered_with(store):
    store.lead(**FIT)
    store.activity("a-1")
    (newest, *_) = receipts_of(store)
    with store.service.database.writing() as connection:
        forged = update(receipts).where(receipts.c.receipt_id == newest["receipt_id"])
        connection.execute(forged.values(points=newest["points"] + 1))
    again = replay(store, newest["receipt_id"])
    assert not again["equal"]
    assert "points" in again["differences"][0]


def test_a_replay_names_the_feature_that_a_smuggled_fact_moved(store):
    store.lead(**FIT)
    known_at = store.clock.now_us
    store.clock.pass_days(1)
    store.activity("a-1", "page_view", subject="pricing")
    (newest, *_) = receipts_of(store)
    smuggled = {"lead_id": "L-1", "known_at": known_at + 1, "activity_id": "x", "kind": "demo_request"}
    with store.service.database.writing() as connection:
        connection.execute(insert(activities).values(**smuggled, occurred_at=known_at))
    again = replay(store, newest["receipt_id"])
    assert not again["equal"]
    assert any("demo_request" in said for said in again["differences"]), again["differences"]


def test_a_receipt_of_a_model_that_serves_no_longer_replays(learned, tmp_path):
    learned.lead(**FIT)
    learned.score()
    learned.catch_up()
    (first, *_) = receipts_of(learned)
    models = tmp_path / "other models"
    promote(models, name="two", version="2")
    other = opened(learned.settings.model_copy(update={"models": models}), learned.clock)
    with other.client:
        assert other.score()["scorer"]["version"] == "2"
        assert replay(other, first["receipt_id"])["equal"]


def test_what_changed_adds_up_and_says_so_in_words(store):
    store.lead(**FIT)
    store.score()
    since = iso(store.clock.now_us + 1000)
    store.clock.pass_days(2)
    store.activity("a-1")
    told = store.client.get("/v1/leads/L-1/changes", params={"since": since}).json()
    assert told["points"] > 0
    total = math.fsum([told["before"]["points"], *(one["points"] for one in told["changes"])])
    assert total == pytest.approx(told["after"]["points"], abs=1e-9)
    assert "demo" in told["says"]
    assert all(one["says"] for one in told["changes"])


def test_another_scorer_is_a_change_of_its_own(store, promoted):
    store.lead(**FIT)
    store.activity("a-1")
    since = iso(store.clock.now_us + 1000)
    other = opened(store.settings.model_copy(update={"models": promoted}), store.clock)
    with other.client:
        other.clock.pass_days(1)
        told = other.client.get("/v1/leads/L-1/changes", params={"since": since}).json()
        assert told["before"]["scorer"]["kind"] == "rules"
        assert told["after"]["scorer"]["kind"] == "model"
        assert told["changes"][0]["code"] == "scorer"
        total = math.fsum([told["before"]["points"], *(one["points"] for one in told["changes"])])
        assert total == pytest.approx(told["after"]["points"], abs=1e-9)


def test_nothing_changed_since_a_moment_ago(store):
    store.lead(**FIT)
    since = iso(store.clock.now_us + 1000)
    store.clock.now_us += 2000
    told = store.client.get("/v1/leads/L-1/changes", params={"since": since}).json()
    assert told["changes"] == []
    assert told["says"].startswith("Nothing changed")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/leads/L-1/changes", 422),
        ("/v1/leads/L-1/changes?since=yesterday", 422),
        ("/v1/leads/L-1/changes?since=2031-01-01T00:00:00Z", 422),
        ("/v1/leads/L-1/changes?since=2020-01-01T00:00:00Z", 404),
        ("/v1/leads/L-9/changes?since=2026-03-01T12:00:00Z", 404),
        ("/v1/leads/L-1/receipts?role=king", 422),
        ("/v1/leads/L-1/receipts?limit=0", 422),
        ("/v1/receipts/0123456789abcdef0123456789abcdef", 404),
        ("/v1/receipts/0123456789abcdef0123456789abcdef/replay", 404),
        ("/v1/scores?grade=E", 422),
        ("/v1/scores?limit=1001", 422),
    ],
)
def test_an_invalid_question_is_a_problem(store, address, status):
    store.lead(**FIT)
    answer = store.client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


# ---- the worklist and time


def worklist(store, **query):
    answer = store.client.get("/v1/scores", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["scores"]


def test_the_worklist_has_the_best_open_leads_first(store):
    for at, seniority in enumerate(["student", "vp", "manager"]):
        store.lead(f"L-{at}", attributes={"seniority": seniority})
    store.activity("a-1", lead_id="L-1")
    store.lead("L-8", attributes={"seniority": "vp"})
    store.outcome("o-1", "won", "L-8")
    found = worklist(store)
    assert found[0]["lead_id"] == "L-1"
    assert "L-8" not in [one["lead_id"] for one in found], "won already"
    assert [one["points"] for one in found] == sorted((one["points"] for one in found), reverse=True)
    assert [one["lead_id"] for one in worklist(store, limit=1)] == ["L-1"]
    assert not any(one["stale"] or one["waiting"] for one in found)


def test_a_stored_score_older_than_promised_is_marked_stale(store):
    store.lead(**FIT)
    store.clock.now_us += round((store.settings.fresh_for_s + 60) * 1e6)
    (only,) = worklist(store)
    assert only["stale"]
    assert "older" in only["why_stale"]
    store.catch_up()
    (only,) = worklist(store)
    assert not only["stale"], "the sweep was due"


def test_a_stored_score_of_another_scorer_is_stale(store, promoted):
    store.lead(**FIT)
    other = opened(store.settings.model_copy(update={"models": promoted}), store.clock)
    with other.client:
        (only,) = worklist(other)
        assert only["why_stale"] == "another scorer answers by now"


def test_facts_that_are_not_counted_yet_show(store):
    store.lead(**FIT)
    told = {"activity_id": "a-1", "lead_id": "L-1", "kind": "demo_request", "occurred_at": store.clock.before()}
    assert store.client.post("/v1/activities", json=told).status_code == 202
    assert worklist(store)[0]["waiting"]
    store.catch_up()
    assert not worklist(store)[0]["waiting"]


def test_the_sweep_finds_that_a_score_fell_by_time_alone(store):
    store.lead(**FIT)
    store.activity("a-1")
    (before,) = worklist(store)
    store.clock.pass_days(120)
    store.catch_up()
    (after,) = worklist(store)
    assert after["points"] < before["points"]
    assert parse(after["as_of"]) - parse(before["as_of"]) > 119 * DAY_US
    assert receipts_of(store)[0]["points"] == after["points"]


USUAL = {"a": 9.0, "b": 8.0, "c": 7.0, "d": 6.0, "e": 5.0, "f": 4.0}


def receipt_row(points, reasons, as_of):
    """Return a receipt as a sweep would build it."""
    content = {"reasons": reasons, "degraded": False}
    fixed = {"lead_id": "L-1", "role": "champion", "scorer": "f", "threshold": 60.0, "feature_values": "[]"}
    row = {"receipt_id": f"r-{as_of}", "as_of": as_of, "points": points, "content": json.dumps(content)}
    return ReceiptRow({**fixed, **row, "content_hash": f"{points} {sum(reasons.values())}"}, points, "A", None, None)


@pytest.mark.parametrize(
    ("points", "reasons", "is_noticed"),
    [
        (70.4, USUAL, False),
        (69.6, {**USUAL, "a": 8.5, "b": 8.6}, False),
        (70.6, USUAL, True),
        (70.2, {**USUAL, "f": 5.5}, True),
    ],
    ids=["less than a point", "the same five", "another point", "another five"],
)
def test_a_sweep_stores_a_receipt_only_where_a_person_would_notice_the_change(store, points, reasons, is_noticed):
    store.lead(**FIT)
    with store.service.database.writing() as connection:
        save_receipts(connection, [receipt_row(70.2, USUAL, 2**62)])
        new = receipt_row(points, reasons, 2**62 + 1)
        ids = save_receipts(connection, [new], only_notable={"L-1"})
        assert ids == {"L-1": f"r-{2**62 + is_noticed}"}
        assert save_receipts(connection, [new]) == {"L-1": f"r-{2**62 + 1}"}, "other changes are stored to a tenth"


def test_a_sweep_that_is_not_due_scores_nothing(store):
    store.lead(**FIT)
    store.catch_up()
    (before,) = worklist(store)
    store.clock.now_us += 60_000_000
    store.catch_up()
    assert worklist(store)[0]["as_of"] == before["as_of"]


# ---- failures


def test_receipts_that_a_busy_store_could_not_store_wait_for_it(store, monkeypatch):
    store.lead(**FIT)
    store.clock.pass_days(20)
    store.activity("a-1")
    before = len(receipts_of(store))
    store.clock.pass_days(60)
    store.score()
    recorder, database = store.service.recorder, store.service.database
    with monkeypatch.context() as patch:
        patch.setattr(type(database), "writing", _fails)
        with pytest.raises(DBAPIError):
            recorder.save(database)
    assert recorder.lost == 0
    store.catch_up()
    assert len(receipts_of(store)) == before + 1


def _fails(_database):
    said = "the store is busy"
    raise OperationalError(said, {}, Exception())


def test_the_receipts_of_a_merged_lead_are_those_of_the_person(store):
    store.lead(**FIT)
    store.lead("L-2", attributes={"seniority": "vp"})
    store.activity("a-1", lead_id="L-2")
    store.client.post("/v1/leads/L-2/merge", json={"into": "L-1"})
    store.catch_up()
    assert receipts_of(store, "L-2") == receipts_of(store, "L-1")
    assert {receipt["lead_id"] for receipt in receipts_of(store)} == {"L-1", "L-2"}


def test_an_address_with_what_can_be_no_id_is_unknown(store):
    for address in ("/v1/leads/%00/score", "/v1/leads/%00/receipts", "/v1/receipts/%00", "/v1/receipts/%00/replay"):
        assert store.client.get(address).status_code == 404, address


def test_a_shadow_that_breaks_holds_up_nothing(store, monkeypatch):
    class Broken:
        def known(self, *_asked):
            raise RuntimeError

    monkeypatch.setattr(store.service.active_scorer, "shadow", Broken())
    store.lead(**FIT)
    store.activity("a-1")
    assert [route["lead_id"] for route in store.routes()] == ["L-1"]
