"""Facts are stored once, valid items of a list too, and nothing invalid gets in."""

import gc
import weakref

import pytest

FACTS = {
    "leads": {"lead_id": "L-1", "account_id": "A-1", "attributes": {"seniority": "vp", "employees": 250}},
    "activities": {
        "activity_id": "a-1",
        "lead_id": "L-1",
        "kind": "page_view",
        "subject": "pricing",
        "value": 12,
        "occurred_at": "2026-02-28T10:00:00+01:00",
    },
    "outcomes": {
        "outcome_id": "o-1",
        "lead_id": "L-1",
        "stage": "mql",
        "amount": 3.5,
        "reached_at": "2026-02-28T10:00:00Z",
    },
}
OTHER = {"activities": {"value": 13}, "outcomes": {"amount": 4}}
TABLES = {"leads": "lead_versions", "activities": "activities", "outcomes": "outcomes"}
IDS = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}


@pytest.fixture
def known(store):
    assert store.client.post("/v1/leads", json=FACTS["leads"]).status_code == 202
    return store


@pytest.mark.parametrize("kind", ["activities", "outcomes"])
def test_a_fact_is_stored_and_then_known_as_a_duplicate(known, kind):
    first = known.client.post(f"/v1/{kind}", json=FACTS[kind])
    again = known.client.post(f"/v1/{kind}", json=[FACTS[kind]])
    assert first.status_code == again.status_code == 202
    assert first.json()["stored"] == 1
    assert again.json()["results"] == [{"id": FACTS[kind][IDS[kind]], "status": "duplicate"}]
    assert len(known.rows(TABLES[kind])) == 1


@pytest.mark.parametrize("kind", ["activities", "outcomes"])
def test_an_id_with_other_content_is_a_conflict(known, kind):
    known.client.post(f"/v1/{kind}", json=FACTS[kind])
    answer = known.client.post(f"/v1/{kind}", json={**FACTS[kind], **OTHER[kind]})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    listed = known.client.post(f"/v1/{kind}", json=[{**FACTS[kind], **OTHER[kind]}]).json()
    assert listed["rejected"] == 1
    assert "taken by other content" in listed["results"][0]["error"]
    assert len(known.rows(TABLES[kind])) == 1


def test_a_lead_gets_a_version_only_where_something_changed(known):
    assert known.client.post("/v1/leads", json=FACTS["leads"]).json()["duplicates"] == 1
    changed = {**FACTS["leads"], "attributes": {"seniority": "vp", "employees": 251}}
    assert known.client.post("/v1/leads", json=changed).json()["stored"] == 1
    assert known.client.post("/v1/leads", json=FACTS["leads"]).json()["stored"] == 1
    assert len(known.rows("lead_versions")) == 3
    assert len({row[3] for row in known.rows("lead_versions")}) == 1, "created_at must stay"


def test_versions_of_one_lead_in_one_list_follow_each_other(store):
    versions = [{"lead_id": "L-1", "attributes": {"employees": size}} for size in (1, 2, 2, 3)]
    answer = store.client.post("/v1/leads", json=versions).json()
    assert [result["status"] for result in answer["results"]] == ["stored", "stored", "duplicate", "stored"]
    known_at = [row[1] for row in store.rows("lead_versions")]
    assert known_at == sorted(set(known_at))


def test_valid_items_of_a_list_are_stored_and_the_others_are_named(known):
    good = FACTS["activities"]
    items = [
        good,
        {**good, "activity_id": "a-2", "kind": "sneeze"},
        {**good, "activity_id": "a-3", "lead_id": "L-9"},
        "no object",
        {**good, "activity_id": "a-4", "surprise": 1},
        {**good, "activity_id": "a-5"},
        {**good, "activity_id": "a-5", "value": 1},
        good,
    ]
    answer = known.client.post("/v1/activities", json=items)
    assert answer.status_code == 202
    told = answer.json()
    assert [result["status"] for result in told["results"]] == [
        "stored", "rejected", "rejected", "rejected", "rejected", "stored", "rejected", "duplicate",
    ]  # fmt: skip
    assert [told[name] for name in ("stored", "duplicates", "rejected")] == [2, 1, 5]
    assert told["results"][1]["id"] == "a-2"
    assert told["results"][3] == {"id": None, "status": "rejected", "error": "expected an object."}
    assert len(known.rows("activities")) == 2


@pytest.mark.parametrize(
    "item", ["no object", {}, {**FACTS["activities"], "kind": "sneeze"}, {**FACTS["activities"], "lead_id": "L-9"}]
)
def test_a_rejected_item_leaves_nothing_for_the_garbage_collector(known, item):
    """Errors that lead to the frames of their request are a circle; those of a few batches took 50 ms to collect."""
    gc.disable()
    try:
        results = known.service.ingestion.ingest("activities", [item])
        error = weakref.ref(results[0].error)
        del results
        assert error() is None
    finally:
        gc.enable()


WRONG = {
    "no offset": ("activities", {"occurred_at": "2026-02-28T10:00:00"}, "offset"),
    "a number as instant": ("activities", {"occurred_at": 1_700_000_000}, "offset"),
    "no such day": ("activities", {"occurred_at": "2026-02-30T10:00:00Z"}, "offset"),
    "before the year 1": ("activities", {"occurred_at": "0001-01-01T00:00:00+14:00"}, "from 1900 on"),
    "a placeholder": (
        "activities",
        {"occurred_at": "0001-01-01T00:00:00Z"},
        "occurred_at: expected an instant from 1900",
    ),
    "a placeholder of a lead": ("leads", {"created_at": "1899-12-31T23:59:59Z"}, "from 1900 on"),
    "a placeholder of an outcome": ("outcomes", {"reached_at": "1753-01-01T00:00:00Z"}, "from 1900 on"),
    "beyond all measure": ("activities", {"value": 1.1e15}, "value: expected a number from -1e15 to 1e15."),
    "below all measure": ("outcomes", {"amount": -1.1e15}, "amount: expected a number from -1e15 to 1e15."),
    "too large a size": (
        "leads",
        {"attributes": {"employees": 2e15}},
        "employees: expected a number from -1e15 to 1e15.",
    ),
    "unknown kind": ("activities", {"kind": "sneeze"}, "not an activity of the playbook"),
    "no subject allowed": ("activities", {"kind": "call", "subject": "x"}, "carries no subject"),
    "unlisted subject": (
        "activities",
        {"subject": "weather"},
        "subject: not a subject of page_view in the playbook; known are pricing, product,",
    ),
    "no value allowed": ("activities", {"kind": "demo_request", "subject": None, "value": 1}, "carries no value"),
    "text as number": ("activities", {"value": "12"}, "value: expected a number"),
    "true as number": ("activities", {"value": True}, "value"),
    "empty id": ("activities", {"activity_id": ""}, "activity_id"),
    "long id": ("activities", {"activity_id": "x" * 201}, "activity_id: expected text of at most 200 characters."),
    "NUL": ("activities", {"subject": "a\0b"}, "control characters"),
    "unknown field": ("activities", {"known_at": "2026-02-28T10:00:00Z"}, "unknown field known_at."),
    "unknown lead": ("activities", {"lead_id": "L-9"}, "no lead 'L-9' is known"),
    "unknown stage": ("outcomes", {"stage": "paid"}, "not a stage of the playbook"),
    "unknown attribute": ("leads", {"attributes": {"shoe_size": 44}}, "not an attribute of the playbook"),
    "wrong category": ("leads", {"attributes": {"seniority": "boss"}}, "expected one of student"),
    "text as size": ("leads", {"attributes": {"employees": "many"}}, "expected a number"),
    "huge size": ("leads", {"attributes": {"employees": 10**399}}, "expected a number"),
    "number as boolean": ("leads", {"attributes": {"business_email": 1}}, "expected true or false"),
    "long country": ("leads", {"attributes": {"country": "x" * 501}}, "expected text"),
    "list as attributes": ("leads", {"attributes": []}, "attributes: expected an object."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_invalid_is_refused_in_one_clear_sentence(known, name):
    kind, change, said = WRONG[name]
    answer = known.client.post(f"/v1/{kind}", json={**FACTS[kind], **change})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert known.rows("activities") == known.rows("outcomes") == []
    assert len(known.rows("lead_versions")) == 1


def test_a_batch_of_1001_is_refused_and_one_of_1000_is_stored(known):
    items = [{**FACTS["activities"], "activity_id": f"a-{at}"} for at in range(1001)]
    answer = known.client.post("/v1/activities", json=items)
    assert answer.status_code == 422
    assert "1,001 items" in answer.json()["detail"]
    assert known.rows("activities") == []
    assert known.client.post("/v1/activities", json=items[:1000]).json()["stored"] == 1000


def test_a_fact_from_a_clock_ahead_is_stored_with_an_instant_no_later_than_known_at(known):
    ahead = {**FACTS["activities"], "occurred_at": "2026-03-01T12:04:00Z"}
    assert known.client.post("/v1/activities", json=ahead).json()["stored"] == 1
    _, known_at, _, _, occurred_at, *_ = known.rows("activities")[0]
    assert occurred_at == known_at
    assert known.client.post("/v1/activities", json=ahead).json()["duplicates"] == 1


def test_an_empty_list_changes_nothing(store):
    assert store.client.post("/v1/leads", json=[]).json() == {
        "results": [],
        "stored": 0,
        "duplicates": 0,
        "quarantined": 0,
        "rejected": 0,
    }
