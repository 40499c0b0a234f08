"""The service runs in one process or in several, answers what was begun before it stops, and replaces who dies."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from data.instants import iso, now_us
from serving.server.graceful_shutdown import turn_away
from serving.server.run import StopSignal
from tests.serving.conftest import ROOT, settings_in

HAPPENED = iso(now_us() - 3_600_000_000)
CATCH = """
import sys
from serving.errors import ServingError
from serving.server.run import run
from serving.settings import Settings

try:
    run(Settings.model_validate_json(sys.argv[1]))
except ServingError as error:
    print(error)
"""
BODY = b'{"lead_id": "L-2"}'


@pytest.fixture
def engine():
    """Starting and stopping is the same on both engines; these tests start whole servers."""
    return "sqlite"


class Callers:
    """Callers that ask and tell for as long as somebody answers, half of them on connections that they keep."""

    def __init__(self, server, count=6):
        self.statuses, self.failures, self.refused = [], [], 0
        self._server = server
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers):
        until = time.monotonic() + 30
        while len(self.statuses) < answers:
            assert time.monotonic() < until, "nobody was answered"
            time.sleep(0.01)

    def join(self):
        for thread in self._threads:
            thread.join(timeout=30)

    def _call(self, number):
        headers = self._server.headers | ({} if number % 2 else {"Connection": "close"})
        with httpx.Client(base_url=self._server.url, headers=headers, timeout=30) as client:
            try:
                for count in range(100_000):
                    self.statuses.append(self._once(client, f"{number}-{count}", told=count % 3 == 0).status_code)
            except httpx.ConnectError:
                self.refused += 1
            except httpx.HTTPError as error:
                self.failures.append(repr(error))

    def _once(self, client, name, *, told):
        if not told:
            return client.get("/v1/leads/L-1/score")
        fact = {"activity_id": name, "lead_id": "L-1", "kind": "demo_request", "occurred_at": HAPPENED}
        return client.post("/v1/activities", json=fact)


@pytest.fixture
def connect():
    """Give what connects to a server and keeps the connection until the test ends."""
    opened = []

    def to(server):
        opened.append(HTTPConnection("127.0.0.1", httpx.URL(server.url).port, timeout=30))
        opened[-1].connect()
        return opened[-1]

    yield to
    for connection in opened:
        connection.close()


def asked(connection, path):
    """Ask on a connection that is open; give status, body, and whether it stays open."""
    connection.auto_open = 0
    connection.request("GET", path)
    with connection.getresponse() as answer:
        return answer.status, answer.read(), answer.getheader("Connection")


def begin(connection, server):
    """Begin a request whose body takes its time; give what sends the rest and gives the answer's status."""
    connection.putrequest("POST", "/v1/leads")
    for name, value in {**server.headers, "Content-Length": len(BODY)}.items():
        connection.putheader(name, value)
    connection.endheaders(BODY[:5])

    def finish():
        connection.send(BODY[5:])
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("Connection")

    return finish


@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_whoever_began_a_request_is_answered_before_the_service_stops(process, connect, tmp_path, workers, number):
    server = process(settings_in(tmp_path, workers=workers)).wait()
    server.client.post("/v1/leads", json={"lead_id": "L-1"}).raise_for_status()
    callers, finish = Callers(server), begin(connect(server), server)
    callers.wait_for(30)
    server.process.send_signal(number)
    callers.join()
    server.process.send_signal(number)  # a second one changes nothing
    assert finish() == (202, "close")
    assert server.process.wait(timeout=40) == 0
    assert (callers.failures, callers.refused) == ([], 6)
    assert set(callers.statuses) == {200, 202}
    with closing(sqlite3.connect(tmp_path / "leadscore.db")) as store:
        assert store.execute("SELECT count(*) FROM activities").fetchone()[0] == callers.statuses.count(202)


def test_a_service_that_is_to_stop_is_alive_but_no_longer_ready(process, connect, tmp_path):
    server = process(settings_in(tmp_path)).wait()
    finish, alive, ready = begin(connect(server), server), connect(server), connect(server)
    for connection in (alive, ready):
        assert asked(connection, "/health/ready")[::2] == (200, None)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not is_listening(server))
    assert asked(alive, "/health/live")[::2] == (200, "close")
    status, told, kept = asked(ready, "/health/ready")
    assert (status, kept) == (503, "close")
    assert b"urn:leadscore:stopping" in told
    assert finish() == (202, "close")
    assert server.process.wait(timeout=40) == 0


def test_a_request_that_takes_longer_than_the_drain_is_given_up(process, connect, tmp_path):
    server = process(settings_in(tmp_path, drain_s=0.3)).wait()
    begin(connect(server), server)
    began = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - began < 20, "far above what stopping takes"


def test_a_process_that_is_killed_is_replaced_and_metrics_speak_for_all(process, tmp_path):
    """And once the crew itself is killed, none of its processes stays behind."""
    server = process(settings_in(tmp_path, workers=2)).wait()
    server.client.post("/v1/leads", json={"lead_id": "L-1"}).raise_for_status()
    before = members(server, count=2)
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        with httpx.Client(base_url=server.url, headers=server.headers, timeout=30) as client:
            assert client.get("/v1/leads/L-1/score").status_code == 200
    after = members(server, count=2, without=before[0])
    assert before[1] in after
    told = server.client.get("/metrics").text
    line = 'leadscore_request_seconds_count{method="GET",route="/v1/leads/{lead_id:path}/score",status="200"} 20.0'
    assert line in told.splitlines()
    assert "L-1" not in told
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not any(map(is_running, after)))


def wait_until(holds, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "this never came to be so"
        time.sleep(0.02)


def is_listening(server):
    """Say whether the kernel still lets callers connect to a server."""
    port = f"{httpx.URL(server.url).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port}") and row[3] == "0A" for row in rows)


def members(server, *, count, without=None):
    """Give the processes that answer, once there are so many."""
    wait_until(lambda: len(set(children(server.process.pid)) - {without}) == count)
    return [number for number in children(server.process.pid) if number != without]


def children(parent):
    return list(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


def is_running(number):
    """Say whether a process runs; one that has ended and that nobody has asked about yet does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"database": "sqlite:////dev/null/store.db"}, "cannot be opened as the store"),
        ({"playbook": "/nowhere"}, "/nowhere"),
    ],
)
def test_a_crew_that_cannot_answer_says_why_and_ends(tmp_path, wrong, said):
    settings = settings_in(tmp_path, workers=2, port=0, **wrong)
    done = subprocess.run(
        [sys.executable, "-c", CATCH, settings.model_dump_json()],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert said in done.stdout


def test_who_is_connected_is_let_in_after_newcomers_are_turned_away():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = socket.create_connection(listener.getsockname())
        turn_away(listener)
        listener.settimeout(5)
        let_in, _ = listener.accept()
        first.sendall(b"still here")
        assert let_in.recv(100) == b"still here"
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.3)
    for one in (first, let_in):
        one.close()


def test_a_signal_that_came_before_there_was_anything_to_stop_is_not_forgotten():
    done, stop = [], StopSignal()
    stop(signal.SIGTERM, None)
    stop.then(lambda: done.append("stopped"))
    stop(signal.SIGTERM, None)
    assert done == ["stopped"]
