"""
How fast an explained score leaves over HTTP, against an endpoint that does nothing and against `mlflow models serve`.

Real servers, one worker each, asked in turns over eight connections: by wrk where it is installed, else by a
client in Python that costs as much for all of them.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import select

from data.home import Home
from data.simulation import simulate
from data.words.playbook import Playbook, load_playbook
from data.workspace import Workspace
from models.champion import read_pointer
from serving.settings import settings_for
from serving.store.database import Database
from serving.store.tables import leads, store_state
from serving.verbs.load_and_serve import load
from serving.verbs.manage_keys import create

ROOT = Path(__file__).resolve().parents[2]
LEADS, ASKED = 4_000, 1_000
CONNECTIONS, SECONDS, TURNS = 8, 2, 9
EMPTY = """
import uvicorn, fastapi
app = fastapi.FastAPI()

@app.get("/leads/{lead_id}/score")
async def read_nothing(lead_id: str):
    return {}

uvicorn.run(app, port=%d, access_log=False, log_level="warning")
"""
SERVE = """
from pathlib import Path
from serving.verbs.load_and_serve import run
from serving.settings import Settings

run(Settings(playbook=Path(%r), database=%r, models=Path(%r), port=%d, requests_per_s=0))
"""


def http_score_vs_empty():
    """
    Ask for explained scores of 1,000 leads in turn, and ask a FastAPI endpoint that gives ``{}``.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is a ratio of at least 0.25.
    """
    with ExitStack() as stack:
        ours, leads, key = _our_server(stack)
        empty = free_port()
        stack.enter_context(server([sys.executable, "-c", EMPTY % empty], empty, "/leads/a/score"))
        targets = [f"/v1/leads/{lead}/score" for lead in leads]
        rates = [(_rate(ours, targets, key=key), _rate(empty, ["/leads/a/score"])) for _ in range(TURNS)]
    return _result("http_score_vs_empty", rates, against="an empty FastAPI endpoint")


def http_score_vs_mlflow():
    """
    Ask for explained scores as of now, and ask `mlflow models serve` to predict from ready-made features.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is a ratio of at least 10.
    """
    with ExitStack() as stack:
        ours, leads, key = _our_server(stack)
        theirs, body = _mlflow_server(stack)
        targets = [f"/v1/leads/{lead}/score" for lead in leads]
        rates = [(_rate(ours, targets, key=key), _rate(theirs, ["/invocations"], body=body)) for _ in range(TURNS)]
    return _result("http_score_vs_mlflow", rates, against="mlflow models serve")


def _result(bench: str, rates: list[tuple[float, float]], *, against: str) -> dict[str, object]:
    """Give the medians over the turns; each turn asks both, so that what else the machine does hits both."""
    return {
        "bench": bench,
        "unit": "requests/s",
        "ours": statistics.median(ours for ours, _ in rates),
        "against": against,
        "theirs": statistics.median(theirs for _, theirs in rates),
        "ratio": statistics.median(ours / theirs for ours, theirs in rates),
    }


@cache
def home_of() -> Home:
    """Simulate, train, promote and load in a folder of our own, which the end of the process removes."""
    folder = tempfile.TemporaryDirectory(prefix="leadscore-bench-")
    _kept.append(folder)
    home = Home(Path(folder.name))
    simulate(home.root / "exports", leads=LEADS)
    from training.commands import promote, train

    playbook = playbook_of(home)
    train(Workspace(playbook, home))
    promote(Workspace(playbook, home), force=True, reason="a bench asks how fast it is, not how good")
    load(Workspace(playbook, home))
    return home


_kept: list["tempfile.TemporaryDirectory[str]"] = []


def playbook_of(home: Home) -> Playbook:
    return load_playbook(ROOT / "data" / "playbooks" / "demo", exports=home.root / "exports")


def _our_server(stack: ExitStack) -> tuple[int, list[str], str]:
    """Start the service and give its port, leads to ask for, and a key."""
    home, port = home_of(), free_port()
    settings = settings_for(Workspace(playbook_of(home), home))
    key = create(Workspace(playbook_of(home), home), "bench", scopes=["scores:read"]).secret
    script = SERVE % (str(settings.playbook), settings.database, str(settings.models), port)
    stack.enter_context(server([sys.executable, "-c", script], port, "/health/ready"))
    model = json.loads(_get(port, "/v1/model", key=key))
    assert not model["degraded"], model["problem"]
    wait_for_sweep(settings.database)
    return port, _some_leads(settings.database), key


def wait_for_sweep(url: str) -> None:
    """Wait until the first sweep is over: what is measured is the service as it runs all day."""
    database = Database(url)
    try:
        for _ in range(600):
            with database.reading() as connection:
                if connection.execute(select(store_state.c.name).where(store_state.c.name == "swept_at")).first():
                    return
            time.sleep(0.1)
    finally:
        database.close()


def _some_leads(url: str) -> list[str]:
    database = Database(url)
    try:
        with database.reading() as connection:
            return list(connection.execute(select(leads.c.lead_id).order_by(leads.c.lead_id).limit(ASKED)).scalars())
    finally:
        database.close()


def _mlflow_server(stack: ExitStack) -> tuple[int, bytes]:
    """Serve the registered champion, and give a body with the features of one lead."""
    home, port = home_of(), free_port()
    pointer = read_pointer(home.models("demo"))
    tracking = f"sqlite:///{home.registry / 'mlflow.db'}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "MLFLOW_TRACKING_URI": tracking, "PYTHONPATH": str(ROOT), "PATH": path}
    model = f"models:/leadscore-demo/{pointer.version}"
    command = [str(Path(sys.executable).parent / "mlflow"), "models", "serve", "-m", model]
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stack.enter_context(server([*command, *options], port, "/ping", environment=environment))
    example = home.models("demo") / pointer.bundle / "golden.json"
    catalog = json.loads((example.parent / "catalog.json").read_text())
    names = [feature["name"] for feature in catalog["features"]]
    rows = [json.loads(example.read_text())[0]["values"]]
    asked = {"dataframe_split": {"columns": names, "data": rows}, "params": {"predict_method": "scores"}}
    return port, json.dumps(asked).encode()


@contextmanager
def server(
    command: list[str], port: int, ping: str, *, environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends; give its process once it answers."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
        try:
            if not _answers(process, port, ping):
                said.seek(0)
                message = f"{command[0]} did not start: {said.read().decode(errors='replace')[-2000:]}"
                raise RuntimeError(message)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _answers(process: subprocess.Popen[bytes], port: int, ping: str) -> bool:
    """Wait until a server answers; False if it ends before, or takes two minutes."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        try:
            _get(port, ping)
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
        else:
            return True
    return False


def _get(port: int, path: str, *, key: str | None = None) -> bytes:
    url = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=_with(key))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - it begins with http
        content: bytes = answer.read()
        return content


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _with(key: str | None) -> dict[str, str]:
    """Give the headers that every request of a measurement carries."""
    return {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}


def _rate(port: int, targets: list[str], *, body: bytes | None = None, key: str | None = None) -> float:
    """Give the requests a second that were answered well."""
    measure = _wrk if shutil.which("wrk") else _python
    return measure(port, targets, body=body, headers=_with(key))


WRK = """
local targets = {%s}
local at = 0
wrk.method = "%s"
wrk.body = %s
wrk.headers = {%s}
request = function()
  at = at %% #targets + 1
  return wrk.format(nil, targets[at])
end
done = function(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("answered %%d failed %%d us %%d\\n", summary.requests, failed, summary.duration))
end
"""


def _wrk(port: int, targets: list[str], *, body: bytes | None, headers: dict[str, str]) -> float:
    listed = ", ".join(json.dumps(target) for target in targets)
    sent = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    script = WRK % (listed, "POST" if body else "GET", f"[==[{body.decode()}]==]" if body else "nil", sent)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", file.name, f"http://127.0.0.1:{port}"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS + 60).stdout
    words = said[said.index("answered") :].split()
    answered, failed, spent_us = int(words[1]), int(words[3]), int(words[5])
    assert failed == 0, said
    return answered / spent_us * 1e6


def _python(port: int, targets: list[str], *, body: bytes | None, headers: dict[str, str]) -> float:
    """Ask over eight connections from eight threads, for as long as wrk would."""
    until = time.monotonic() + SECONDS
    counts = [0] * CONNECTIONS

    def ask(number: int) -> None:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < until:
            target = targets[(counts[number] * CONNECTIONS + number) % len(targets)]
            connection.request("POST" if body else "GET", target, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


if __name__ == "__main__":
    print(http_score_vs_empty())
    print(http_score_vs_mlflow())
