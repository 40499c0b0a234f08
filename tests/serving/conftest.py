"""A service on a store of its own, with a clock that tests can move."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from data.instants import iso, now_us, parse
from data.words.playbook import load_playbook
from models.bundle import save_bundle
from models.champion import Champion, point_to
from serving.app import create_app
from serving.callers.keys import create_key
from serving.settings import Settings
from serving.store.database import Database
from tests.conftest import forget_identity
from tests.models.small import fitted, golden

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "data" / "playbooks" / "demo"
NOON = parse("2026-03-01T12:00:00Z")
DAY_US = 86_400_000_000


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now_us=NOON):
        self.now_us = now_us

    def __call__(self):
        self.now_us += 1000
        return self.now_us

    def pass_days(self, days):
        self.now_us += int(days * DAY_US)

    def before(self, days=0.0):
        return iso(self.now_us - int(days * DAY_US))


@dataclass
class Store:
    """A running app, with shortcuts for tests."""

    client: TestClient
    clock: MovableClock
    settings: Settings

    @property
    def service(self):
        return self.client.app.state.service

    def lead(self, lead_id="L-1", **content):
        return self._send("leads", {"lead_id": lead_id, **content})

    def activity(self, activity_id, kind="demo_request", lead_id="L-1", **content):
        fact = {"activity_id": activity_id, "lead_id": lead_id, "kind": kind, "occurred_at": self.clock.before()}
        return self._send("activities", {**fact, **content})

    def outcome(self, outcome_id, stage, lead_id="L-1"):
        fact = {"outcome_id": outcome_id, "lead_id": lead_id, "stage": stage, "reached_at": self.clock.before()}
        return self._send("outcomes", fact)

    def _send(self, kind, fact):
        """Send a fact and let the worker score its lead, as happens after every answer."""
        answer = self.client.post(f"/v1/{kind}", json=fact)
        self.catch_up()
        return answer

    def score(self, lead_id="L-1", **query):
        answer = self.client.get(f"/v1/leads/{lead_id}/score", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def catch_up(self):
        """Run the worker until nothing is left to do."""
        self.service.worker.catch_up()

    def routes(self):
        self.catch_up()
        return self.client.get("/v1/routes").json()["routes"]

    def rows(self, table):
        with self.service.database.reading() as connection:
            return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]


def settings_in(folder, **given):
    """Name settings; bundles of tests are unsigned but where a test signs them."""
    places = {"playbook": PLAYBOOK, "database": folder / "leadscore.db", "models": folder / "models"}
    usual = {**places, "unsigned_bundles": "accept"}
    return Settings(**usual | given)


@pytest.fixture(scope="session")
def template_file(tmp_path_factory):
    """A SQLite file with the store's tables, to be copied as well."""
    path = tmp_path_factory.mktemp("template") / "leadscore.db"
    database = Database(str(path))
    forget_identity(database)
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request):
    """The engine under the store: what a test claims, it claims for both."""
    return request.param


@pytest.fixture
def settings(engine, request, tmp_path):
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("template_file"), tmp_path / "leadscore.db")
        yield settings_in(tmp_path)
        return
    postgres, template = request.getfixturevalue("postgres"), request.getfixturevalue("template")
    url = postgres.fresh(template)
    yield settings_in(tmp_path, database=url)
    postgres.drop(url.partition("?")[0].rpartition("/")[2])


@pytest.fixture(scope="session", autouse=True)
def read_once():
    """Read each playbook once, however many services these tests open on it: it is a frozen value."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.app.load_playbook", cache(load_playbook))
        yield


def opened(settings, clock=None):
    """Open a service on these settings."""
    clock = clock or MovableClock()
    client = TestClient(create_app(settings, now=clock, works_behind=False), raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {key_in(client.app.state.service.database)}"
    return Store(client, clock, settings)


def key_in(database, scopes=("admin",), **given):
    """Make a key in a store; give its secret."""
    with database.writing() as connection:
        return create_key(connection, "tests", scopes=scopes, **{"now": now_us(), **given})[1]


def key_of(settings, scopes=("admin",)):
    """Make a key in the store that settings name; give its secret."""
    database = Database(settings.database)
    try:
        return key_in(database, scopes)
    finally:
        database.close()


@pytest.fixture
def store(settings):
    found = opened(settings)
    with found.client:
        yield found


def promote(models, name="one", version="1"):
    """Promote the small model; give its folder."""
    model, booster = fitted()
    folder = models / "bundles" / name
    facts = {"of": name, "gates": [{"name": "never use", "passed": True}]}
    saved = save_bundle(model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts=facts)
    point_to(models, Champion(version, saved.fingerprint, f"bundles/{name}"))
    return folder


@pytest.fixture(scope="session")
def promoted(tmp_path_factory):
    """A folder of models in which the small model is champion; shared, so do not change it."""
    models = tmp_path_factory.mktemp("models")
    promote(models)
    return models


SERVE = """
import sys
from serving.server.run import run
from serving.settings import Settings

run(Settings.model_validate_json(sys.argv[1]))
"""
STARTED_WITHIN_S = 300
"""Far above the three seconds of a quiet machine."""


class Process:
    """
    A real server on a store, in a process of its own, or in several.

    It takes a free port by itself, and its log says which: a port that was looked up beforehand could be taken by
    another program meanwhile.

    Attributes:
        log: the file that it writes its log to.
        url: where it listens; known once it has been waited for.
    """

    def __init__(self, settings, *, log, port=0):
        self.log = log
        self.url = ""
        self.headers = {"Authorization": f"Bearer {key_of(settings)}"}
        self.client = httpx.Client(headers=self.headers, timeout=60)
        content = settings.model_copy(update={"port": port}).model_dump_json()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, content], cwd=ROOT, env=environment, stderr=file
            )

    def wait(self):
        """Wait until every process of the server answers."""
        wait_until(lambda: self.process.poll() is not None or self._address(), seconds=STARTED_WITHIN_S)
        assert self.process.poll() is None, self.log.read_text()
        self.url = self._address()
        self.client.base_url = self.url
        return self

    def end(self, number=signal.SIGTERM):
        """Stop the server; return its exit code."""
        self.process.send_signal(number)
        self.client.close()
        return self.process.wait(timeout=60)

    def kill(self):
        self.client.close()
        self.process.kill()
        self.process.wait()

    def _address(self):
        listening = re.search(r"Listening on (http://[0-9.]+:[0-9]+)", self.log.read_text())
        return listening and listening[1]


def wait_until(holds, seconds=60):
    """Wait until a condition holds; fail where it does not in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "the condition never came to hold"
        time.sleep(0.02)


@pytest.fixture
def process(settings, tmp_path_factory):
    """Return what starts a server on the settings; servers that still run at the end of the test are killed."""
    started = []

    def start(given=settings, **how):
        started.append(Process(given, log=tmp_path_factory.mktemp("server") / "log", **how))
        return started[-1]

    yield start
    for server in started:
        server.kill()
