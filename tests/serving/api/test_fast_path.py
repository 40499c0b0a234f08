"""A score over the fast path is answered as over the usual way, and asks the store once, whatever happens."""

import re
import sqlite3

import pytest
from fastapi.routing import APIRoute

from serving.callers.rate_limit import Limiter
from serving.errors import RequestError
from serving.scorers.live_scorer import LiveScorer
from tests.serving.conftest import key_in, opened, settings_in

USUAL_WAY = {"Content-Length": "0"}
"""A request that may have a body takes the usual way."""
PATH = "/v1/leads/L-1/score"
INSTANT = re.compile(r"2026-03-01T[\d:.]+Z|\"newest_activity_age_s\":[\d.]+")
CHANGING = {"x-request-id", "retry-after"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One service with one lead."""
    store = opened(settings_in(tmp_path_factory.mktemp("fast")))
    with store.client:
        store.lead()
        yield store


def fails(error):
    """Return a method that raises, and the list of its calls."""
    calls = []

    def score(*_args, **_kwargs):
        calls.append(1)
        raise error

    return score, calls


def both_ways(store, path=PATH, **headers):
    """Return the answers of the fast path and of the usual way, without what differs between any two requests."""
    answers = [store.client.get(path, headers=headers | way) for way in ({}, USUAL_WAY)]
    return [
        (
            answer.status_code,
            {name: value for name, value in answer.headers.items() if name not in CHANGING},
            INSTANT.sub("", answer.text),
        )
        for answer in answers
    ]


ERRORS = {
    "a store that is locked": (sqlite3.OperationalError("database is locked"), 503),
    "a mistake of ours": (ZeroDivisionError(), 500),
    "a refusal": (RequestError("No."), 400),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("way", [{}, USUAL_WAY], ids=["fast", "usual"])
def test_a_request_that_fails_asks_the_store_once(store, monkeypatch, name, way):
    error, status = ERRORS[name]
    score, calls = fails(error)
    monkeypatch.setattr(LiveScorer, "score", score)
    assert store.client.get(PATH, headers=way).status_code == status
    assert len(calls) == 1


@pytest.mark.parametrize("name", ERRORS)
def test_a_failure_is_answered_as_on_the_usual_way(store, monkeypatch, name):
    monkeypatch.setattr(LiveScorer, "score", fails(ERRORS[name][0])[0])
    fast, usual = both_ways(store)
    assert fast == usual
    assert fast[0] == ERRORS[name][1]


@pytest.mark.parametrize("path", [PATH, f"{PATH}?reasons=1", f"{PATH}?reasons=x", f"{PATH}?x=1", "/v1/leads/L-9/score"])
def test_every_answer_is_the_usual_one(store, path):
    fast, usual = both_ways(store, path)
    assert fast == usual


def test_keys_and_limits_are_the_usual_ones(store, monkeypatch):
    for key, status in [("none", 401), (key_in(store.service.database, ["events:write"]), 403)]:
        fast, usual = both_ways(store, authorization=f"Bearer {key}")
        assert fast == usual
        assert fast[0] == status
    monkeypatch.setattr(store.client.app.state.door, "_callers", Limiter(0.001, burst=1))
    store.client.get(PATH)
    fast, usual = both_ways(store)
    assert fast == usual
    assert fast[0] == 429


@pytest.mark.parametrize("way", [{}, USUAL_WAY], ids=["fast", "usual"])
def test_every_score_is_counted_and_carries_its_request_id(store, way):
    def counted():
        labels = {"route": "/v1/leads/{lead_id}/score", "method": "GET", "status": "200"}
        return store.client.app.state.meter._registry.get_sample_value("leadscore_request_seconds_count", labels) or 0

    before = counted()
    answer = store.client.get(PATH, headers={**way, "x-request-id": "0123456789abcdef"})
    assert counted() == before + 1
    assert answer.headers["x-request-id"] == "0123456789abcdef"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_fast_path_is_taken(store, monkeypatch):
    """Else the tests above would compare the usual way with itself."""
    handled, handle = [], APIRoute.handle

    async def recorded(route, scope, receive, send):
        handled.append(route)
        await handle(route, scope, receive, send)

    monkeypatch.setattr(APIRoute, "handle", recorded)
    store.client.get(PATH)
    assert handled == []
    store.client.get(PATH, headers=USUAL_WAY)
    assert len(handled) == 1


def test_middleware_that_is_added_to_the_app_sees_scores(tmp_path):
    store = opened(settings_in(tmp_path))

    @store.client.app.middleware("http")
    async def stamp(request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = request.url.path
        return response

    with store.client:
        store.lead()
        answer = store.client.get(PATH)
    assert (answer.status_code, answer.headers["x-stamp"]) == (200, PATH)
    assert answer.headers["x-content-type-options"] == "nosniff"
