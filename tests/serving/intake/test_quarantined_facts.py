"""A fact from the future waits where nothing counts it, until its time comes or somebody releases it."""

import json

import pytest

from data.instants import parse
from serving.facts import LeadFact
from serving.intake.quarantined_facts import suspicion
from tests.serving.conftest import DAY_US, NOON, key_in

FUTURE = {
    "leads": {"lead_id": "L-1", "created_at": "2027-01-01T00:00:00Z", "attributes": {"seniority": "vp"}},
    "activities": {
        "activity_id": "a-1",
        "lead_id": "L-1",
        "kind": "demo_request",
        "occurred_at": "2026-03-04T12:00:00+01:00",
    },
    "outcomes": {"outcome_id": "o-1", "lead_id": "L-1", "stage": "mql", "reached_at": "2026-03-04T12:00:00Z"},
}
OTHER = {"activities": {"kind": "webinar"}, "outcomes": {"stage": "sql"}}
IDS = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}
INSTANTS = {"leads": "created_at", "activities": "occurred_at", "outcomes": "reached_at"}
TABLES = {"leads": "lead_versions", "activities": "activities", "outcomes": "outcomes"}
EVENTS = ["activities", "outcomes"]


@pytest.fixture
def known(store):
    store.lead("L-1")
    return store


def sent(store, kind, /, **content):
    return store.client.post(f"/v1/{kind}", json={**FUTURE[kind], **content})


def waiting(store):
    return store.client.get("/v1/quarantine").json()["quarantine"]


def released(store, number, **given):
    answer = store.client.post(f"/v1/quarantine/{number}/release", json={}, **given)
    store.catch_up()
    return answer


def kept(store, kind):
    return [row for row in store.rows(TABLES[kind]) if kind != "leads" or "vp" in row[-1]]


@pytest.mark.parametrize("kind", FUTURE)
def test_a_fact_from_the_future_is_accepted_seen_and_not_counted(known, kind):
    before = known.score()["points"]
    answer = sent(known, kind)
    assert answer.status_code == 202
    assert answer.json()["results"] == [{"id": FUTURE[kind][IDS[kind]], "status": "quarantined"}]
    assert (answer.json()["quarantined"], answer.json()["stored"]) == (1, 0)
    (held,) = waiting(known)
    assert {name: held[name] for name in ("kind", "fact_id", "lead_id", "fact")} == {
        "kind": kind,
        "fact_id": FUTURE[kind][IDS[kind]],
        "lead_id": "L-1",
        "fact": FUTURE[kind],
    }
    assert "ahead of our clock" in held["why"]
    assert parse(held["received_at"]) > NOON
    known.catch_up()
    assert kept(known, kind) == []
    assert known.score()["points"] == before


def test_it_stays_uncounted_when_its_instant_has_passed(known):
    sent(known, "activities")
    known.clock.pass_days(10)
    known.catch_up()
    assert known.score()["newest_activity_at"] is None
    assert len(waiting(known)) == 1


def test_a_clock_that_is_a_little_ahead_is_believed(known):
    ahead = known.clock.now_us + 290_000_000
    assert sent(known, "activities", occurred_at=known.clock.before(-290 / 86_400)).json()["stored"] == 1
    (row,) = known.rows("activities")
    assert row[4] < ahead, "but nothing happens after it is known"


def test_a_future_fact_of_an_unknown_lead_is_refused(store):
    for kind in EVENTS:
        answer = sent(store, kind)
        assert (answer.status_code, "no lead 'L-1' is known" in answer.json()["detail"]) == (422, True)
    assert waiting(store) == []


def test_a_new_lead_may_wait_in_quarantine(store):
    assert sent(store, "leads").json()["quarantined"] == 1
    assert store.client.get("/v1/leads/L-1/score").status_code == 404
    assert released(store, waiting(store)[0]["id"]).status_code == 200
    assert store.score()["lead_id"] == "L-1"


@pytest.mark.parametrize("wrong", [{"kind": "dance"}, {"occurred_at": "1899-12-31T00:00:00Z"}, {"value": 3}])
def test_an_invalid_fact_is_refused_and_never_quarantined(known, wrong):
    assert sent(known, "activities", **wrong).status_code == 422
    assert waiting(known) == []


@pytest.mark.parametrize("kind", FUTURE)
def test_the_same_fact_again_is_a_duplicate_while_it_waits(known, kind):
    sent(known, kind)
    again = sent(known, kind)
    assert (again.status_code, again.json()["duplicates"], again.json()["quarantined"]) == (202, 1, 0)
    both = known.client.post(f"/v1/{kind}", json=[FUTURE[kind]] * 2).json()
    assert both["duplicates"] == 2
    assert len(waiting(known)) == 1


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("instant", ["2026-03-04T12:00:00Z", "2026-03-01T11:00:00Z"])
def test_an_id_in_quarantine_with_other_content_is_a_conflict(known, kind, instant):
    sent(known, kind)
    answer = sent(known, kind, **{**OTHER[kind], INSTANTS[kind]: instant})
    assert answer.status_code == 409
    assert "in quarantine with other content" in answer.json()["detail"]
    assert len(waiting(known)) == 1
    assert kept(known, kind) == []


def test_a_newer_version_of_a_lead_takes_the_place_of_the_one_that_waits(known):
    sent(known, "leads")
    assert sent(known, "leads", attributes={"seniority": "student"}).json()["quarantined"] == 1
    (held,) = waiting(known)
    assert held["fact"]["attributes"] == {"seniority": "student"}
    assert sent(known, "leads", created_at=None).json()["stored"] == 1
    assert waiting(known) == [], "whoever told it right does not want the wrong one"


@pytest.mark.parametrize("kind", FUTURE)
def test_sent_again_once_its_instant_has_passed_it_is_stored(known, kind):
    sent(known, kind)
    number = waiting(known)[0]["id"]
    known.clock.now_us = parse("2027-01-01T00:00:01Z")
    assert sent(known, kind).json()["stored"] == 1
    assert waiting(known) == []
    assert len(kept(known, kind)) == 1
    answer = released(known, number)
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs/errors#settled")
    assert len(kept(known, kind)) == 1


def test_a_released_fact_happened_no_later_than_its_release(known):
    sent(known, "activities")
    known.clock.pass_days(1)
    before = known.clock.now_us
    answer = released(known, waiting(known)[0]["id"])
    assert answer.status_code == 200
    assert answer.json() == {"id": "a-1", "status": "stored"}
    (row,) = known.rows("activities")
    known_at, occurred_at = row[1], row[4]
    assert before < known_at == occurred_at < before + DAY_US
    assert known.score()["score"] == 50, "a demo request more"
    assert waiting(known) == []


def test_released_late_it_keeps_the_instant_that_was_sent(known):
    sent(known, "activities")
    known.clock.pass_days(10)
    released(known, waiting(known)[0]["id"])
    assert known.rows("activities")[0][4] == parse("2026-03-04T11:00:00Z")


def test_a_release_routes_a_lead_that_crosses_by_it(known):
    known.lead("L-1", attributes={"seniority": "vp", "employees": 500})
    sent(known, "activities")
    assert known.routes() == []
    released(known, waiting(known)[0]["id"])
    assert [route["lead_id"] for route in known.routes()] == ["L-1"]


@pytest.mark.parametrize("kind", EVENTS)
def test_a_fact_is_released_once(known, kind):
    sent(known, kind)
    number = waiting(known)[0]["id"]
    assert released(known, number).status_code == 200
    rows = known.rows(TABLES[kind])
    assert released(known, number).status_code == 409
    again = sent(known, kind)
    assert (again.status_code, again.json()["duplicates"]) == (202, 1), "it is known by now"
    assert known.rows(TABLES[kind]) == rows
    assert waiting(known) == []


def test_a_version_of_a_lead_is_released_once(known):
    sent(known, "leads")
    number = waiting(known)[0]["id"]
    assert released(known, number).status_code == 200
    assert released(known, number).status_code == 409
    assert len(kept(known, "leads")) == 1


def test_a_release_under_a_key_is_done_once(known):
    sent(known, "activities")
    number = waiting(known)[0]["id"]
    first, again = (released(known, number, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.status_code == 200
    assert [row[-1] for row in known.rows("idempotent_request_leads")] == ["L-1"]


def test_a_release_is_whole_or_not_at_all(known, monkeypatch):
    sent(known, "activities")
    number = waiting(known)[0]["id"]

    def fails(*_args, **_given):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("serving.intake.quarantine_decisions.write_audit_entry", fails)
        assert released(known, number).status_code == 500
    assert known.rows("activities") == []
    assert len(waiting(known)) == 1
    assert released(known, number).status_code == 200


def test_a_fact_of_a_merged_lead_is_released_under_the_one_that_stays(known):
    known.lead("L-2")
    sent(known, "activities")
    known.client.post("/v1/leads/L-1/merge", json={"into": "L-2"})
    assert released(known, waiting(known)[0]["id"]).status_code == 200
    assert [row[0] for row in known.rows("activities")] == ["L-2"]


def test_what_the_playbook_does_not_have_any_more_stays_in_quarantine(known):
    sent(known, "activities")
    number = waiting(known)[0]["id"]
    del known.service.ingestion.business.activities["demo_request"]
    try:
        assert released(known, number).status_code == 422
    finally:
        from serving.app import load_playbook

        load_playbook.cache_clear()
    assert len(waiting(known)) == 1


def test_a_discarded_fact_is_gone_and_may_be_sent_otherwise(known):
    sent(known, "activities")
    number = waiting(known)[0]["id"]
    answer = known.client.delete(f"/v1/quarantine/{number}")
    assert (answer.status_code, answer.json()) == (200, {"id": number, "status": "discarded"})
    assert known.rows("quarantine") == []
    assert released(known, number).status_code == known.client.delete(f"/v1/quarantine/{number}").status_code == 404
    assert sent(known, "activities", kind="webinar", occurred_at="2026-03-01T11:00:00Z").json()["stored"] == 1


@pytest.mark.parametrize(("number", "status"), [("7", 404), ("0", 422), ("-1", 422), ("x", 422), ("9" * 30, 422)])
def test_a_number_that_names_no_fact_is_a_problem(store, number, status):
    for answer in (released(store, number), store.client.delete(f"/v1/quarantine/{number}")):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_newest_come_first_and_no_more_than_requested(known):
    for at in range(3):
        sent(known, "activities", activity_id=f"a-{at}")
    assert [held["fact_id"] for held in waiting(known)] == ["a-2", "a-1", "a-0"]
    listed = known.client.get("/v1/quarantine?limit=1").json()["quarantine"]
    assert [held["fact_id"] for held in listed] == ["a-2"]
    assert known.client.get("/v1/quarantine?limit=0").status_code == 422
    assert known.client.get("/v1/quarantine?page=2").status_code == 422


def test_the_good_facts_of_a_list_are_kept_beside_those_that_wait(known):
    good = {**FUTURE["activities"], "activity_id": "a-2", "occurred_at": "2026-03-01T11:00:00Z"}
    answer = known.client.post("/v1/activities", json=[FUTURE["activities"], good, {"activity_id": "a-3"}]).json()
    assert [result["status"] for result in answer["results"]] == ["quarantined", "stored", "rejected"]
    assert [answer[name] for name in ("stored", "duplicates", "quarantined", "rejected")] == [1, 0, 1, 1]


def test_only_administrators_decide_and_each_decision_is_audited(known):
    sent(known, "activities")
    sent(known, "outcomes")
    number, other = (held["id"] for held in waiting(known))
    events = {"Authorization": f"Bearer {key_in(known.service.database, ('events:write',))}"}
    assert known.client.get("/v1/quarantine", headers=events).status_code == 200
    assert released(known, number, headers=events).status_code == 403
    assert known.client.delete(f"/v1/quarantine/{number}", headers=events).status_code == 403
    released(known, number)
    known.client.delete(f"/v1/quarantine/{other}")
    assert [(row[3], row[4]) for row in known.rows("audit_log") if row[3].startswith("quarantine")] == [
        ("quarantine.release", f"number {number}"),
        ("quarantine.discard", f"number {other}"),
    ]


def test_a_fact_is_kept_as_it_was_sent(known):
    sent(known, "leads", attributes={"country": "Ö", "employees": 5})
    (row,) = known.rows("quarantine")
    assert json.loads(row[4]) == {**FUTURE["leads"], "attributes": {"country": "Ö", "employees": 5}}


@pytest.mark.parametrize(
    ("clock_offset_us", "said"),
    [(300_000_000, None), (300_000_001, "created_at is 5 minutes ahead of our clock"), (-DAY_US, None)],
)
def test_an_instant_is_suspicious_only_beyond_the_skew_of_clocks(clock_offset_us, said):
    fact = LeadFact.model_construct(lead_id="L-1", created_at=NOON + clock_offset_us)
    assert suspicion("leads", fact, now=NOON, skew_us=300_000_000) == said
    assert suspicion("leads", LeadFact(lead_id="L-1"), now=NOON, skew_us=0) is None
