"""A caller sees afterwards what it sent in vain and why, and nothing that names a person is kept longer than a week."""

import pytest

from data.instants import iso
from serving.callers.keys import ANYBODY
from serving.intake import rejected_items
from tests.serving.conftest import key_in

PAGE_VIEW = {"activity_id": "a-1", "lead_id": "L-1", "kind": "page_view", "occurred_at": "2026-02-28T10:00:00Z"}


def send(store, *items, key=None, kind="activities"):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return store.client.post(f"/v1/{kind}", json=list(items), headers=headers)


def rejected(store, key=None, **query):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = store.client.get("/v1/rejected", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(content):
    return [item["item_id"] for item in content["rejected"]]


def test_what_was_refused_is_listed_with_its_reason_and_its_fields(store):
    store.lead("L-1")
    before = iso(store.clock.now_us)
    send(
        store,
        {**PAGE_VIEW, "activity_id": "a-2", "kind": "sneeze"},
        PAGE_VIEW,
        {**PAGE_VIEW, "activity_id": "a-3", "subject": "weather", "value": "much"},
        {**PAGE_VIEW, "lead_id": "L-9"},
        {**PAGE_VIEW, "value": 5},
        "no object",
    )
    listed = rejected(store)["rejected"]
    assert [(item["item_id"], item["fields"]) for item in listed] == [
        (None, []),
        ("a-1", ["activity_id"]),
        ("a-1", ["lead_id"]),
        ("a-3", ["value"]),
        ("a-2", ["kind"]),
    ]
    assert {item["kind"] for item in listed} == {"activities"}
    assert listed[2]["reason"] == "lead_id: no lead 'L-9' is known; send it to /v1/leads first."
    assert all(item["rejected_at"] > before for item in listed)
    assert len(store.rows("activities")) == 1


def test_a_single_object_is_listed_too_and_a_repeated_request_only_once(store):
    for _ in range(2):
        answer = store.client.post("/v1/leads", json={"lead_id": ""}, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 422
    (item,) = rejected(store)["rejected"]
    assert (item["kind"], item["item_id"], item["fields"]) == ("leads", None, ["lead_id"])


def test_each_key_sees_what_it_sent_and_one_for_admin_sees_all(store):
    crm, web, reader = (key_in(store.service.database, [s]) for s in ("events:write", "events:write", "scores:read"))
    send(store, {"lead_id": "L-1", "surprise": 1}, key=crm, kind="leads")
    send(store, {**PAGE_VIEW, "kind": "sneeze"}, key=web)
    assert [ids(rejected(store, key)) for key in (crm, web, None)] == [["L-1"], ["a-1"], ["a-1", "L-1"]]
    headers = {"Authorization": f"Bearer {reader}"}
    assert store.client.get("/v1/rejected", headers=headers).status_code == 403
    assert len({item["key_id"] for item in rejected(store)["rejected"]}) == 2


def test_it_is_read_page_by_page_and_since_an_instant(store):
    for number in range(5):
        send(store, {**PAGE_VIEW, "activity_id": f"a-{number}", "kind": "sneeze"})
        store.clock.now_us += 1_000_000
    first = rejected(store, limit=2)
    second = rejected(store, limit=2, cursor=first["next"])
    last = rejected(store, cursor=second["next"])
    assert [ids(page) for page in (first, second, last)] == [["a-4", "a-3"], ["a-2", "a-1"], ["a-0"]]
    assert ids(rejected(store, cursor=last["previous"])) == ["a-4", "a-3", "a-2", "a-1"]
    assert ids(rejected(store, since=second["rejected"][0]["rejected_at"])) == ["a-4", "a-3", "a-2"]


def test_after_seven_days_nothing_of_it_is_kept(store):
    send(store, {"lead_id": "L-1", "surprise": 1}, kind="leads")
    store.clock.pass_days(6.99)
    store.catch_up()
    assert ids(rejected(store)) == ["L-1"]
    store.clock.pass_days(0.02)
    store.catch_up()
    assert store.rows("rejected_items") == []


def test_it_is_erased_with_its_lead_and_what_comes_later_leaves_no_id(store):
    store.lead("L-1")
    send(store, {**PAGE_VIEW, "kind": "sneeze"}, {**PAGE_VIEW, "activity_id": "a-9", "lead_id": "L-2"})
    assert store.client.delete("/v1/leads/L-1").json()["rows"]["rejected_items"] == 1
    assert ids(rejected(store)) == ["a-9"]
    send(store, PAGE_VIEW, {**PAGE_VIEW, "kind": "sneeze"})
    send(store, {"lead_id": "L-1"}, {"lead_id": "L-1", "surprise": 1}, kind="leads")
    assert ids(rejected(store)) == [None, None, None, None, "a-9"]
    assert "L-1" not in str(store.rows("rejected_items"))


def test_a_lead_known_only_from_what_was_refused_has_a_dossier_and_can_be_erased(store):
    send(store, {**PAGE_VIEW, "lead_id": "L-7"})
    held = store.client.get("/v1/leads/L-7/dossier").json()["held"]
    assert [row["item_id"] for row in held["rejected_items"]] == ["a-1"]
    assert store.client.delete("/v1/leads/L-7").status_code == 200
    assert rejected(store)["rejected"] == []


def test_the_newest_of_each_key_are_kept(store, monkeypatch):
    monkeypatch.setattr(rejected_items, "MOST_ITEMS_PER_KEY", 3)
    crm = key_in(store.service.database, ["events:write"])
    send(store, {"lead_id": ""}, key=crm, kind="leads")
    for number in range(5):
        send(store, {**PAGE_VIEW, "activity_id": f"a-{number}", "kind": "sneeze"})
    assert ids(rejected(store)) == ["a-4", "a-3", "a-2", None]


@pytest.mark.parametrize("kind", ["leads", "activities", "outcomes"])
def test_what_is_sent_without_a_key_is_anybody_s(store, kind):
    assert store.service.ingestion.ingest(kind, [{}])[0].status == "rejected"
    assert rejected(store)["rejected"][0]["key_id"] == ANYBODY.key_id
