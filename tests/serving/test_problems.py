"""Every error is a problem, and none repeats what was sent."""

import sqlite3

import pytest

SECRET = "hunter2"
BAD_BODIES = {
    "NaN": b'{"lead_id": NaN}',
    "Infinity": b'{"lead_id": "a", "attributes": {"employees": Infinity}}',
    "no JSON": b'{"lead_id": hunter2}',
    "half": b'[{"lead_id": "a"}',
    "empty": b"",
    "not UTF-8": b'{"lead_id": "\xff"}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "endless digits": b'{"lead_id": ' + b"9" * 5_000 + b"}",
}
STRANGE_BODIES = {
    "1e999": b'{"lead_id": "a", "attributes": {"employees": 1e999}}',
    "surrogate": b'{"lead_id": "\\ud800"}',
    "surrogate name": b'{"lead_id": "a", "\\ud800": 1}',
    "surrogate attribute": b'{"lead_id": "a", "attributes": {"\\ud800": 1}}',
    "surrogate country": b'{"lead_id": "a", "attributes": {"country": "\\udfff"}}',
    "NUL": b'{"lead_id": "a\\u0000"}',
    "text": b'"hunter2"',
    "null": b"null",
    "secret field": b'{"hunter2 x": 1, "lead_id": "a"}',
}


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert told["type"].startswith("urn:leadscore:")
    assert told["detail"].endswith(".")
    assert SECRET not in answer.text
    return told


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/activities", "/v1/outcomes", "/v1/scores", "/v1/scores/preview"])
@pytest.mark.parametrize("name", BAD_BODIES)
def test_what_is_not_json_is_a_problem(store, path, name):
    is_problem(store.client.post(path, content=BAD_BODIES[name]), 400)


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/activities", "/v1/outcomes", "/v1/scores", "/v1/scores/preview"])
@pytest.mark.parametrize("name", STRANGE_BODIES)
def test_json_that_is_not_what_was_expected_is_a_problem(store, path, name):
    is_problem(store.client.post(path, content=STRANGE_BODIES[name]), 422)


@pytest.mark.parametrize("name", STRANGE_BODIES)
def test_a_strange_item_of_a_list_is_rejected_in_its_place(store, name):
    answer = store.client.post("/v1/leads", content=b"[" + STRANGE_BODIES[name] + b', {"lead_id": "good"}]')
    assert answer.status_code == 202
    assert [result["status"] for result in answer.json()["results"]] == ["rejected", "stored"]


def test_a_body_of_ten_megabytes_is_too_large(store):
    is_problem(store.client.post("/v1/leads", content=b" " * 10_000_000), 413)


def test_an_address_that_does_not_exist_is_a_problem(store):
    assert is_problem(store.client.get("/v1/nothing"), 404)["type"] == "urn:leadscore:not-found"


def test_a_method_that_does_not_exist_is_a_problem_that_names_those_that_do(store):
    answer = store.client.delete("/v1/leads")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "query",
    [
        {"reasons": "-1"},
        {"reasons": "many"},
        {"reasons": "1001"},
        {"reasons": "٣"},
        {"as_of": "yesterday"},
        {"as_of": "2026-02-28T10:00:00"},
        {"as_of": "2999-01-01T00:00:00Z"},
        {"as_of": "nan"},
        {"as_of": SECRET},
    ],
)
def test_a_query_that_cannot_be_meant_is_a_problem(store, query):
    store.lead()
    is_problem(store.client.get("/v1/leads/L-1/score", params=query), 422)


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-3", ""])
def test_a_limit_out_of_range_is_a_problem(store, limit):
    is_problem(store.client.get("/v1/routes", params={"limit": limit}), 422)


@pytest.mark.parametrize("lead_id", ["L-9", "%00", "%ED%A0%80", "a%2Fb", "x" * 300])
def test_a_lead_that_nobody_told_us_of_is_a_problem(store, lead_id):
    assert is_problem(store.client.get(f"/v1/leads/{lead_id}/score"), 404)["type"] == "urn:leadscore:unknown-lead"


def test_too_many_leads_at_once_are_a_problem(store):
    is_problem(store.client.post("/v1/scores", json={"lead_ids": ["a"] * 1001}), 422)


def test_a_store_that_does_not_answer_is_a_problem_to_come_back_from(store, monkeypatch):
    def locked(*_given):
        raise sqlite3.OperationalError(SECRET)

    monkeypatch.setattr("serving.scoring.LiveScorer.score", lambda *_given, **_named: locked())
    answer = store.client.get("/v1/leads/L-1/score")
    is_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"


def test_a_mistake_of_ours_is_a_problem(store, monkeypatch):
    monkeypatch.setattr("serving.scoring.LiveScorer.score", lambda *_given, **_named: 1 / 0)
    is_problem(store.client.get("/v1/leads/L-1/score"), 500)
