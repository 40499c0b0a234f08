"""The service runs in one process or in several, answers what was begun before it stops, and replaces the dead."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import psutil
import pytest

from data.instants import iso, now_us
from tests.serving.conftest import ROOT, STARTED_WITHIN_S, settings_in, wait_until

HAPPENED = iso(now_us() - 3_600_000_000)
RUN = """
import sys
from data.errors import LeadscoreError
from serving.server.run import run
from serving.settings import Settings

for content in sys.argv[1:]:
    try:
        run(Settings.model_validate_json(content))
    except LeadscoreError as error:
        print(error)
"""
BODY = b'{"lead_id": "L-2"}'
SCORES_COUNTED = 'leadscore_request_seconds_count{method="GET",route="/v1/leads/{lead_id}/score",status="200"}'


@pytest.fixture
def engine():
    """Starting and stopping is the same on both engines; these tests start whole servers."""
    return "sqlite"


class Callers:
    """
    Callers that read scores and send facts until nobody answers any more.

    Attributes:
        statuses: of every answer.
        lost: errors of requests that were sent on a connection on which the server had answered before.
        refused: how many callers ended because the server took no new connection.
    """

    def __init__(self, server, count=6):
        self.statuses, self.lost, self.refused = [], [], 0
        self._server = server
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers):
        wait_until(lambda: len(self.statuses) >= answers)

    def join(self):
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def _call(self, number):
        """Half of the callers keep their connection, half open one for each request."""
        headers = self._server.headers | ({} if number % 2 else {"Connection": "close"})
        is_kept = False
        with httpx.Client(base_url=self._server.url, headers=headers, timeout=60) as client:
            try:
                for count in range(100_000):
                    answer = self._request(client, f"{number}-{count}", sends=count % 3 == 0)
                    self.statuses.append(answer.status_code)
                    is_kept = answer.headers.get("Connection") != "close"
            except httpx.TransportError as error:
                if is_kept:
                    self.lost.append(repr(error))
                else:
                    self.refused += 1

    def _request(self, client, name, *, sends):
        if not sends:
            return client.get("/v1/leads/L-1/score")
        fact = {"activity_id": name, "lead_id": "L-1", "kind": "demo_request", "occurred_at": HAPPENED}
        return client.post("/v1/activities", json=fact)


@pytest.fixture
def connect():
    """Return what connects to a server and keeps the connection until the test ends."""
    opened = []

    def to(server):
        opened.append(HTTPConnection("127.0.0.1", httpx.URL(server.url).port, timeout=60))
        opened[-1].connect()
        return opened[-1]

    yield to
    for connection in opened:
        connection.close()


def get(connection, path):
    """Send a request on an open connection; return status, body, and the header that says whether it stays open."""
    connection.auto_open = 0
    connection.request("GET", path)
    with connection.getresponse() as answer:
        return answer.status, answer.read(), answer.getheader("Connection")


def begin(connection, server):
    """Begin a request whose body is slow; return what sends the rest and returns status and ``Connection``."""
    connection.putrequest("POST", "/v1/leads")
    for name, value in {**server.headers, "Content-Length": len(BODY)}.items():
        connection.putheader(name, value)
    connection.endheaders(BODY[:5])

    def finish():
        connection.send(BODY[5:])
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("Connection")

    return finish


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_requests_that_were_begun_are_answered_before_the_service_stops(process, connect, tmp_path, workers, number):
    server = process(settings_in(tmp_path, workers=workers)).wait()
    server.client.post("/v1/leads", json={"lead_id": "L-1"}).raise_for_status()
    callers, finish = Callers(server), begin(connect(server), server)
    callers.wait_for(30)
    server.process.send_signal(number)
    callers.join()
    assert finish() == (202, "close")
    assert server.process.wait(timeout=60) == 0
    assert (callers.lost, callers.refused) == ([], 6)
    assert set(callers.statuses) == {200, 202}
    with closing(sqlite3.connect(tmp_path / "leadscore.db")) as store:
        assert store.execute("SELECT count(*) FROM activities").fetchone()[0] >= callers.statuses.count(202)


def test_a_service_that_is_stopping_is_alive_but_no_longer_ready(process, connect, tmp_path):
    """And it ends although callers stay connected, one that asked for something and one that never did."""
    server = process(settings_in(tmp_path, drain_s=30)).wait()
    finish, alive, ready = begin(connect(server), server), connect(server), connect(server)
    _silent, idle = connect(server), connect(server)
    for connection in (alive, ready, idle):
        assert get(connection, "/health/ready")[::2] == (200, None)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not is_listening(server))
    assert get(alive, "/health/live")[::2] == (200, "close")
    status, body, connection = get(ready, "/health/ready")
    assert (status, connection) == (503, "close")
    assert b"/docs/errors#stopping" in body
    assert finish() == (202, "close")
    assert server.process.wait(timeout=29) == 0, "before the drain is over"


def test_a_request_that_takes_longer_than_the_drain_is_given_up(process, connect, tmp_path):
    """By itself it would be given up after a minute, when it has not arrived."""
    server = process(settings_in(tmp_path, drain_s=0.3)).wait()
    begin(connect(server), server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=50) == 0


def test_a_signal_while_the_service_starts_ends_it_cleanly(process, tmp_path):
    server = process(settings_in(tmp_path))
    wait_until(psutil.Process(server.process.pid).net_connections)  # it listens, and nobody answers yet
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0


@pytest.mark.slow
def test_several_processes_are_announced_together_replaced_when_killed_and_measured_as_one(process, tmp_path):
    """One story, since each start costs seconds; once the supervisor itself is killed, no process stays behind."""
    server = process(settings_in(tmp_path, workers=2)).wait()
    assert_announced_once_all_answer(server)
    server.client.post("/v1/leads", json={"lead_id": "L-1"}).raise_for_status()
    first, second = answering(messages(server))
    os.kill(first, signal.SIGKILL)
    for _ in range(20):
        with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
            assert client.get("/v1/leads/L-1/score").status_code == 200
    wait_until(lambda: len(answering(messages(server))) == 3, seconds=STARTED_WITHIN_S)
    (third,) = set(answering(messages(server))) - {first, second}
    wait_until(lambda: f"{SCORES_COUNTED} 20.0" in server.client.get("/metrics").text.splitlines())
    assert "L-1" not in server.client.get("/metrics").text
    server.kill()
    wait_until(lambda: not is_running(second) and not is_running(third))


def assert_announced_once_all_answer(server):
    lines = messages(server)
    announced = next(at for at, line in enumerate(lines) if line["message"].startswith("Listening on"))
    assert len(answering(lines[:announced])) == 2
    assert lines[announced]["process"] == server.process.pid


def messages(server):
    return [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def answering(lines):
    """Return the processes that have said in the log that their app stands."""
    return [line["process"] for line in lines if line["message"] == "Application startup complete."]


def is_listening(server):
    """Return whether the kernel still lets callers connect to a server."""
    port = f"{httpx.URL(server.url).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port}") and row[3] == "0A" for row in rows)


def is_running(number):
    """Return whether a process runs; one that has ended, and whose parent has not taken note yet, does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


WRONG = {
    "cannot be opened as the store": {"database": "sqlite:////dev/null/store.db"},
    "/nowhere": {"playbook": "/nowhere"},
    "keys are off": {"host": "0.0.0.0", "keys": "off"},  # noqa: S104 - must be refused
}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_cannot_answer_says_why_and_never_that_it_listens(tmp_path, workers):
    """One process tries them all: none of them gets as far as to leave anything to the next."""
    settings = [settings_in(tmp_path, workers=workers, port=0, **wrong).model_dump_json() for wrong in WRONG.values()]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *settings],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    for message, said in zip(WRONG, done.stdout.splitlines(), strict=True):
        assert message in said
    assert not re.search("listening", done.stderr, re.IGNORECASE)
