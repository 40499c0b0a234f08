"""Every error is a problem, and none repeats what was sent."""

import sqlite3

import pytest

from tests.serving.conftest import opened, settings_in

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
TWICE = {
    "a field": (b'[{"lead_id": "unheard"}, {"lead_id": "a", "lead_id": "b"}]', "lead_id"),
    "inside": (b'{"lead_id": "unheard", "attributes": {"hunter2 x": 1, "hunter2 x": 2}}', "(name)"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give one service for all of them: what is refused leaves nothing behind."""
    found = opened(settings_in(tmp_path_factory.mktemp("problems")))
    with found.client:
        yield found


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert told["type"].startswith("/docs/errors#")
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
    good = b'{"lead_id": "good beside %s"}' % name.encode()
    answer = store.client.post("/v1/leads", content=b"[" + STRANGE_BODIES[name] + b", " + good + b"]")
    assert answer.status_code == 202
    assert [result["status"] for result in answer.json()["results"]] == ["rejected", "stored"]


def test_a_body_of_ten_megabytes_is_too_large(store):
    is_problem(store.client.post("/v1/leads", content=b" " * 10_000_000), 413)


def test_an_address_that_does_not_exist_is_a_problem(store):
    assert is_problem(store.client.get("/v1/nothing"), 404)["type"] == "/docs/errors#not-found"


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


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("GET", "/v1/leads/L-1/score", "known are reasons, as_of"),
        ("POST", "/v1/scores", "known are reasons, as_of"),
        ("POST", "/v1/scores/preview", "known are reasons"),
        ("GET", "/v1/routes", "known are limit, since, cursor"),
        ("GET", "/v1/model", "this address takes none"),
        ("POST", "/v1/leads", "this address takes none"),
        ("POST", "/v1/activities", "this address takes none"),
        ("POST", "/v1/outcomes", "this address takes none"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(store, method, path, known):
    told = is_problem(store.client.request(method, f"{path}?reason=5&hunter2%20x=1", json={}), 422)
    assert told["detail"] == f"query: unknown parameter (name), reason; {known}."


def test_a_parameter_that_is_there_twice_is_a_problem(store):
    store.lead()
    assert "twice" in is_problem(store.client.get("/v1/leads/L-1/score?reasons=1&reasons=2"), 422)["detail"]


@pytest.mark.parametrize("name", TWICE)
def test_a_field_that_is_there_twice_is_named_and_nothing_of_the_body_is_kept(store, name):
    body, named = TWICE[name]
    told = is_problem(store.client.post("/v1/leads", content=body), 422)
    assert told["detail"] == f"The body names a field twice in one object ({named}): send each field once."
    assert "unheard" not in {row[0] for row in store.rows("leads")}


SEEN = {"kind": "page_view", "occurred_at": "2026-02-28T10:00:00Z"}
PREVIEW = {"lead": {"lead_id": "a"}, "activities": []}
WORDED = {
    "too many": ("preview", {**PREVIEW, "activities": [SEEN] * 1001}, "activities: expected at most 1,000 items."),
    "many mistakes": (
        "",
        {"lead_ids": [1] * 7},
        "; ".join(f"lead_ids.{at}: expected text" for at in range(5)) + "; and 2 more.",
    ),
    "wrong activities": (
        "preview",
        {**PREVIEW, "activities": [SEEN, {"kind": "page_view", "a": 1}, {}]},
        "activities.1.occurred_at: is missing; activities.1: unknown field a.",
    ),
    "no list": ("preview", {**PREVIEW, "activities": {}}, "activities: expected a list."),
    "no object": ("preview", {"lead": []}, "lead: expected an object."),
    "unknown": ("preview", {**PREVIEW, "extra": 1}, "unknown field extra."),
    "unknown inside": ("preview", {"lead": {"lead_id": "a", "extra": 1}}, "lead: unknown field extra."),
    "no ids": ("", {"lead_ids": "a"}, "lead_ids: expected a list."),
    "not text": ("", {"lead_ids": [1]}, "lead_ids.0: expected text."),
    "too many ids": ("", {"lead_ids": ["a"] * 1001}, "lead_ids: expected at most 1,000 items."),
}


@pytest.mark.parametrize("name", WORDED)
def test_a_mistake_is_told_in_the_words_of_json(store, name):
    path, body, detail = WORDED[name]
    answer = store.client.post(f"/v1/scores/{path}".rstrip("/"), json=body)
    assert is_problem(answer, 422)["detail"] == detail


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-3", ""])
def test_a_limit_out_of_range_is_a_problem(store, limit):
    is_problem(store.client.get("/v1/routes", params={"limit": limit}), 422)


@pytest.mark.parametrize("lead_id", ["L-9", "%00", "%ED%A0%80", "a%2Fb", "x" * 300])
def test_a_lead_that_nobody_told_us_of_is_a_problem(store, lead_id):
    assert is_problem(store.client.get(f"/v1/leads/{lead_id}/score"), 404)["type"] == "/docs/errors#unknown-lead"


def test_too_many_leads_at_once_are_a_problem(store):
    is_problem(store.client.post("/v1/scores", json={"lead_ids": ["a"] * 1001}), 422)


def test_a_store_that_does_not_answer_is_a_problem_to_come_back_from(store, monkeypatch):
    def locked(*_given):
        raise sqlite3.OperationalError(SECRET)

    monkeypatch.setattr("serving.scorers.live_scorer.LiveScorer.score", lambda *_given, **_named: locked())
    answer = store.client.get("/v1/leads/L-1/score")
    is_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"


def test_a_mistake_of_ours_is_a_problem(store, monkeypatch):
    monkeypatch.setattr("serving.scorers.live_scorer.LiveScorer.score", lambda *_given, **_named: 1 / 0)
    is_problem(store.client.get("/v1/leads/L-1/score"), 500)
