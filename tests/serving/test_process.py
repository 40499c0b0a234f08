"""A real server keeps what it accepted, through restarts and kills, and stops on SIGTERM."""

import contextlib
import signal
import subprocess
import sys
import threading

import httpx
import psutil
import pytest

from data.instants import iso, now_us
from tests.serving.conftest import ROOT, wait_until

LEAD = {"lead_id": "L-1", "attributes": {"seniority": "vp", "employees": 500}}
DEMO = {"lead_id": "L-1", "kind": "demo_request", "occurred_at": iso(now_us() - 3_600_000_000)}


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_a_server_starts_fast_serves_over_a_restart_stops_cleanly_and_loses_nothing_by_a_kill(process):
    """One story, since each start costs seconds."""
    first = process().wait()
    spent = psutil.Process(first.process.pid).cpu_times()
    assert spent.user + spent.system < 10, "twice as much as was measured; CPU time, since other programs run as well"
    assert first.client.post("/v1/leads", json=LEAD).status_code == 202
    assert first.client.post("/v1/activities", json={"activity_id": "a", **DEMO}).status_code == 202
    before = first.client.get("/v1/leads/L-1/score").json()
    routes = _routes_once_followed(first)
    assert len(routes["routes"]) == 1
    assert first.end(signal.SIGTERM) == 0
    second = process().wait()
    assert second.client.get("/v1/leads/L-1/score", params={"as_of": before["as_of"]}).json() == before
    assert second.client.get("/v1/routes").json() == routes
    _loses_nothing_by_a_kill(second, process)


def _loses_nothing_by_a_kill(server, process):
    """Kill a server amid writes; the next one has every fact that was accepted, and no second route."""
    accepted = []

    def send():
        with contextlib.suppress(httpx.TransportError):  # the server is gone, as it should be
            while True:
                name = f"a-{len(accepted)}"
                server.client.post("/v1/activities", json={"activity_id": name, **DEMO}).raise_for_status()
                accepted.append(name)

    sending = threading.Thread(target=send)
    sending.start()
    wait_until(lambda: len(accepted) >= 50)
    server.process.kill()
    sending.join()
    again = process().wait()
    items = [{"activity_id": name, **DEMO} for name in accepted[:1000]]
    assert again.client.post("/v1/activities", json=items).json()["duplicates"] == len(items)
    assert len(_routes_once_followed(again)["routes"]) == 1


def _routes_once_followed(server):
    """Return the routes once no lead waits to be scored any more."""
    wait_until(lambda: "leadscore_queue_leads 0.0" in server.client.get("/metrics").text.splitlines())
    return server.client.get("/v1/routes").json()


def test_the_server_needs_nothing_that_only_training_or_history_need():
    script = (
        "import sys, serving.app, serving.verbs.load_and_serve;"
        "print(sorted({'lightgbm', 'mlflow', 'shap', 'sklearn', 'duckdb', 'training'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
