"""Logs are lines that machines read, and hold nothing of any lead."""

import json
import logging
import re
import sqlite3
from contextlib import closing

import httpx
import pytest

from serving.observability.logs import JsonLines, PlainLines
from tests.serving.conftest import settings_in

SECRET = "Zaphod-Beeblebrox-4711"
NUMBER = "987654321.125"


def record_of(error=None, name="leadscore.serving", message="took up %s", values=("3",), **extra):
    found = logging.LogRecord(name, logging.ERROR, "", 0, message, values, error and (type(error), error, None))
    found.__dict__.update(extra)
    return found


def failed():
    """Fail as requests do: with values of the request in the error and in what it came from."""
    try:
        try:
            {}[SECRET]
        except KeyError as first:
            message = f"no lead {SECRET}"
            raise ValueError(message) from first
    except ValueError as error:
        return record_of(error, route="/v1/leads/{lead_id}", status=500, ms=1.5, key="abc", request_id="0f" * 8)


def test_a_line_is_one_object_with_time_level_logger_and_message():
    told = json.loads(JsonLines().format(record_of()))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told.pop("time"))
    assert told.pop("process") > 0
    assert told == {"level": "ERROR", "logger": "leadscore.serving", "message": "took up 3"}


def test_an_error_is_told_by_type_and_place_and_never_by_what_it_says():
    line = JsonLines().format(failed())
    told = json.loads(line)
    assert SECRET not in line
    assert told["error"]["type"] == "ValueError"
    assert told["error"]["at"][0].endswith(" failed")
    assert told["error"]["after"]["type"] == "KeyError"
    assert (told["route"], told["status"], told["key"]) == ("/v1/leads/{lead_id}", 500, "abc")


def test_text_for_people_says_the_same():
    text = PlainLines().format(failed())
    assert SECRET not in text
    assert "ERROR leadscore.serving: took up 3 route=/v1/leads/{lead_id} status=500" in text.splitlines()[0]
    assert "ValueError" in text.splitlines()[1]


@pytest.mark.parametrize(
    ("name", "message", "said"),
    [
        (
            "asyncio",
            f"Task exception was never retrieved\nfuture: <Task ValueError('{SECRET}')>",
            "retrieved",
        ),
        ("asyncio", f"Exception in callback keep('{SECRET}')", "Exception in callback keep"),
        ("sqlalchemy.pool", f"Exception during reset of '{SECRET}'", "Exception during reset of"),
        ("uvicorn.error", f"Traceback (most recent call last):\n  ValueError: {SECRET}", "Traceback"),
    ],
)
def test_what_libraries_say_is_cut_before_any_value(name, message, said):
    told = json.loads(JsonLines().format(record_of(name=name, message=message, values=())))
    assert said in told["message"]
    assert SECRET not in told["message"]


@pytest.fixture
def engine():
    """The server that is read here runs on SQLite, whose store a test can break."""
    return "sqlite"


@pytest.mark.slow
def test_nothing_of_a_lead_is_logged_whatever_callers_send_and_whatever_breaks(process, tmp_path):
    server = process(settings_in(tmp_path, log_requests="all", workers=2)).wait()
    _send_good_and_bad(server)
    with closing(sqlite3.connect(tmp_path / "leadscore.db")) as store:
        store.execute("ALTER TABLE activities RENAME TO elsewhere")
    assert server.client.get(f"/v1/leads/{SECRET}/score").status_code == 503
    assert server.client.post("/v1/activities", json=_activity("late")).status_code == 503
    with closing(sqlite3.connect(tmp_path / "leadscore.db")) as store:
        store.execute("ALTER TABLE elsewhere RENAME TO activities")
    assert server.end() == 0
    text = server.log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [line for line in lines if line.get("route") == "/v1/leads/{lead_id}/score" and line["status"] == 503]
    assert "OperationalError" in text
    for secret in (SECRET, NUMBER, server.headers["Authorization"].split()[1], "127.0.0.1:"):
        assert secret not in text.replace(server.url, "")


def _activity(name, **content):
    told = {"activity_id": f"{SECRET}-{name}", "lead_id": SECRET, "kind": "demo_request"}
    return {**told, "occurred_at": "2026-03-01T12:00:00Z", **content}


def _send_good_and_bad(server):
    """Send the unmistakable id wherever a caller can put one."""
    client = server.client
    assert client.post("/v1/leads", json={"lead_id": SECRET}).status_code == 202
    won = {"outcome_id": SECRET, "lead_id": SECRET, "stage": "mql", "reached_at": "2026-03-01T12:00:00Z"}
    assert client.post("/v1/outcomes", json={**won, "amount": float(NUMBER)}).status_code == 202
    assert client.post("/v1/outcomes", json={**won, "amount": 1}).status_code == 409
    assert client.post("/v1/activities", json=_activity("a")).status_code == 202
    assert client.post("/v1/activities", json=_activity("b", kind=SECRET)).status_code == 422
    assert client.post("/v1/activities", json=_activity("b", value=SECRET)).status_code == 422
    assert client.post("/v1/activities", content=f'{{"lead_id": "{SECRET}').status_code == 400
    assert client.get(f"/v1/leads/{SECRET}/score", params={"as_of": SECRET}).status_code == 422
    assert client.get(f"/{SECRET}", headers={"X-Request-Id": SECRET}).headers["X-Request-Id"] != SECRET
    assert client.request(SECRET, "/v1/leads").status_code in {400, 405}
    assert httpx.get(f"{server.url}/v1/leads/{SECRET}/score", headers={"Authorization": SECRET}).status_code == 401
    scored = client.get(f"/v1/leads/{SECRET}/score")
    assert scored.status_code == 200
    assert re.fullmatch(r"[0-9a-f]{16}", scored.headers["X-Request-Id"])
    traced = client.get(f"/v1/leads/{SECRET}/score", headers={"X-Request-Id": "0123456789abcdef0123456789abcdef"})
    assert traced.headers["X-Request-Id"] == "0123456789abcdef0123456789abcdef"
