"""A request that is sent again under its key does nothing and gets its first response."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy.exc import OperationalError

from serving.errors import InFlightError
from serving.intake.idempotent_requests import (
    IdempotentRequest,
    ResponseReservation,
    StoredResponse,
    answer_once,
    delete_expired,
    reserve,
)
from tests.serving.conftest import DAY_US, key_in, opened

SECOND_US = 1_000_000
LEAD = {"lead_id": "L-1", "attributes": {"seniority": "vp"}}
SAID = StoredResponse(202, "{}")


@pytest.fixture
def known(store):
    assert store.client.post("/v1/leads", json=LEAD).status_code == 202
    return store


def activity(activity_id="a-1", **content):
    told = {"activity_id": activity_id, "lead_id": "L-1", "kind": "call", "occurred_at": "2026-02-28T10:00:00Z"}
    return {**told, **content}


def sent(store, body, *, key="k-1", path="/v1/activities", **given):
    return store.client.post(path, json=body, headers={"Idempotency-Key": key, **given})


def asked(key="k-1", body=b"{}"):
    return IdempotentRequest("caller", key, "POST", "/v1/leads", sha256(body).hexdigest(), frozenset({"L-1"}))


def reserved(database, request, now):
    with database.writing() as connection:
        return reserve(connection, request, now=now)


@pytest.mark.parametrize("body", [activity(), [activity(), activity("a-2")], [activity(kind="dance")], []])
def test_the_first_response_is_repeated(known, body):
    first = sent(known, body)
    again = sent(known, body)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


def test_what_is_sent_again_is_stored_once_and_not_called_a_duplicate(known):
    assert [sent(known, activity()).json()["stored"] for _ in range(3)] == [1, 1, 1]
    assert len(known.rows("activities")) == 1
    assert sent(known, activity(), key="k-2").json()["duplicates"] == 1


def test_a_refusal_is_repeated_even_if_the_request_would_succeed_by_now(store):
    first = sent(store, activity())
    store.lead()
    again = sent(store, activity())
    assert first.status_code == again.status_code == 422
    assert again.content == first.content
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"
    assert sent(store, activity(), key="k-2").json()["stored"] == 1


def test_a_body_that_cannot_be_read_uses_its_key_up(known):
    headers = {"Idempotency-Key": "k-1", "Content-Type": "application/json"}
    answers = [known.client.post("/v1/activities", content=b"{", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert sent(known, activity()).json()["type"] == "/docs/errors#key-reused"


@pytest.mark.parametrize(("path", "body"), [("/v1/activities", activity(kind="meeting")), ("/v1/leads", activity())])
def test_the_key_of_another_request_is_refused(known, path, body):
    sent(known, activity())
    answer = sent(known, body, path=path)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/docs/errors#key-reused"
    assert len(known.rows("activities")) == 1


def test_every_caller_has_its_own_keys(known):
    sent(known, activity())
    secret = key_in(known.service.database, ("events:write",))
    other = sent(known, activity("a-2"), Authorization=f"Bearer {secret}")
    assert other.json()["stored"] == 1
    assert "idempotency-replayed" not in other.headers


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\tbed", "two words", "ø"])
def test_a_key_is_1_to_200_printable_ascii_signs(known, key):
    answer = sent(known, activity(), key=key.encode("latin-1"))
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert known.rows("activities") == []


def test_two_keys_for_one_request_are_refused(known):
    headers = [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")]
    assert known.client.post("/v1/activities", json=activity(), headers=headers).status_code == 422


@pytest.mark.parametrize("key", ["k", "a-key,with~signs!", "x" * 200])
def test_a_key_may_be_any_such_text(known, key):
    assert sent(known, activity(), key=key).status_code == sent(known, activity(), key=key).status_code == 202


def test_while_the_first_is_in_flight_the_second_must_come_back(known):
    database, clock = known.service.database, known.clock
    mine = replace(asked("k-1", b"{}"), key_id=_key_id(known))
    ticket = reserved(database, mine, clock())
    answer = known.client.post("/v1/leads", content=b"{}", headers={"Idempotency-Key": "k-1"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/docs/errors#in-flight"
    assert int(answer.headers["retry-after"]) >= 1
    with database.writing() as connection:
        ticket.finish(connection, SAID)
    assert known.client.post("/v1/leads", content=b"{}", headers={"Idempotency-Key": "k-1"}).text == "{}"


def _key_id(store):
    sent(store, [], key="whose")
    return store.rows("idempotent_requests")[0][0]


def test_what_a_dead_process_left_may_be_done_again_after_a_minute(known):
    database, now = known.service.database, known.clock()
    reserved(database, asked(), now)
    with pytest.raises(InFlightError):
        reserved(database, asked(), now + 60 * SECOND_US - 1)
    assert isinstance(reserved(database, asked(), now + 60 * SECOND_US), ResponseReservation)
    with pytest.raises(InFlightError):
        reserved(database, asked(), now + 60 * SECOND_US + 1)


def test_a_crash_before_the_commit_leaves_neither_facts_nor_an_answer(known, monkeypatch):
    """The response is written in the transaction of the facts; a process that dies in between leaves only the key."""
    original = ResponseReservation.finish

    def dies(ticket, *given):
        original(ticket, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ResponseReservation, "finish", dies)
        patch.setattr(ResponseReservation, "give_back", lambda *_: None)  # a dead process gives nothing back
        request = asked(body=b"[]")
        with pytest.raises(KeyboardInterrupt):
            answer_once(known.service.database, request, now=known.clock, act=_taking(known), write_refusal=None)
    assert known.rows("activities") == []
    (row,) = known.rows("idempotent_requests")
    assert row[-2:] == (None, None)
    known.clock.now_us += 60 * SECOND_US
    done = answer_once(known.service.database, request, now=known.clock, act=_taking(known), write_refusal=None)
    assert (done.replayed, len(known.rows("activities"))) == (False, 1)
    assert answer_once(
        known.service.database, request, now=known.clock, act=_taking(known), write_refusal=None
    ).replayed


def _taking(store):
    """Return an action that stores one activity and finishes its reservation in the same transaction."""

    def act(ticket):
        store.service.ingestion.ingest(
            "activities", [activity()], before_commit=lambda connection, _results: ticket.finish(connection, SAID)
        )
        return SAID

    return act


def test_a_request_that_was_overtaken_stores_nothing(known):
    """A first try that took over a minute must not commit after another process has taken over."""
    database, now = known.service.database, known.clock()
    slow = reserved(database, asked(), now)
    reserved(database, asked(), now + 61 * SECOND_US)
    with pytest.raises(InFlightError):
        _taking(known)(slow)
    assert known.rows("activities") == []


@pytest.mark.parametrize("broken", [RuntimeError("oops"), OperationalError("", None, Exception("gone"))])
def test_what_failed_on_our_side_may_be_sent_again_at_once(known, monkeypatch, broken):
    def fails(*_args, **_given):
        raise broken

    with monkeypatch.context() as patch:
        patch.setattr(type(known.service.ingestion), "ingest", fails)
        assert sent(known, activity()).status_code in {500, 503}
    again = sent(known, activity())
    assert again.json()["stored"] == 1
    assert "idempotency-replayed" not in again.headers


def test_answers_are_kept_for_a_day_and_then_forgotten(known):
    sent(known, activity())
    database, started_at = known.service.database, known.rows("idempotent_requests")[0][3]
    known.clock.now_us = started_at + DAY_US - 10_000
    assert sent(known, activity()).headers["idempotency-replayed"] == "true"
    known.clock.now_us = started_at + DAY_US
    assert sent(known, activity("a-2")).json()["stored"] == 1, "a key is free again after a day"
    with database.writing() as connection:
        delete_expired(connection, known.rows("idempotent_requests")[0][3] + DAY_US - 1)
    assert (len(known.rows("idempotent_requests")), len(known.rows("idempotent_request_leads"))) == (1, 1)
    with database.writing() as connection:
        delete_expired(connection, known.rows("idempotent_requests")[0][3] + DAY_US)
    assert known.rows("idempotent_requests") == known.rows("idempotent_request_leads") == []


def test_the_leads_that_a_response_mentions_are_stored_to_erase_it(known):
    sent(known, [activity(), activity("a-2", lead_id="nobody"), {"lead_id": 3}, {"lead_id": "\x00"}, 4])
    assert sorted(row[-1] for row in known.rows("idempotent_request_leads")) == ["L-1", "nobody"]


def test_a_request_is_stored_only_as_a_keyed_hash(known):
    sent(known, activity(subject=None))
    request = known.rows("idempotent_requests")[0][2]
    assert len(request) == 64
    assert request != sha256(known.client.build_request("POST", "/", json=activity(subject=None)).content).hexdigest()


def test_of_many_processes_that_send_the_same_at_once_one_does_it(settings, known):
    """Two services on one store, eight callers each: one response is the first, and everybody gets it."""
    other = opened(settings, known.clock)
    other.client.headers["Authorization"] = known.client.headers["Authorization"]
    with other.client:
        stores = [known, other] * 8
        with ThreadPoolExecutor(len(stores)) as threads:
            answers = list(threads.map(lambda store: sent(store, activity()), stores))
        later = [sent(store, activity()) for store in (known, other)]
    first = [one for one in answers if one.status_code == 202 and "idempotency-replayed" not in one.headers]
    assert len(first) == 1
    assert {one.status_code for one in answers} <= {202, 409}
    assert {one.content for one in [*answers, *later] if one.status_code == 202} == {first[0].content}
    assert len(known.rows("activities")) == 1


def test_of_many_bodies_under_one_key_one_wins(settings, known):
    other = opened(settings, known.clock)
    other.client.headers["Authorization"] = known.client.headers["Authorization"]
    with other.client:
        bodies = [activity(f"a-{number}") for number in range(12)]
        with ThreadPoolExecutor(len(bodies)) as threads:
            answers = list(threads.map(lambda pair: sent(*pair), zip([known, other] * 6, bodies, strict=True)))
    assert Counter(one.status_code for one in answers) == {202: 1, 422: 11}
    assert len(known.rows("activities")) == 1
