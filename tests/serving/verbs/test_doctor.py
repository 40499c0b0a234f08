"""The doctor says what an on-call person must know, one line for each thing, and changes nothing."""

import io
import json
import re
import subprocess
import sys

import pytest
from rich.console import Console
from sqlalchemy import delete, text

from data.command_line import Context
from data.instants import DAY_US, now_us
from data.progress import silent
from serving.settings import database_url
from serving.store.database import Database
from serving.store.state import NEWEST_FACT, write_state
from serving.store.tables import api_keys
from serving.verbs.doctor import Diagnosis, doctor
from serving.verbs.examination import fine, warning, wrong
from serving.worker import SWEPT
from tests.serving.conftest import PLAYBOOK, ROOT, key_in, promote

HOUR_US = DAY_US // 24


@pytest.fixture
def context():
    return Context(PLAYBOOK, None, silent, Console(file=io.StringIO()), lambda _result: None)


@pytest.fixture
def examined(settings, context, monkeypatch):
    """Return what examines the store of the settings, whose service does not run."""
    monkeypatch.setenv("LEADSCORE_DATABASE", settings.database)
    monkeypatch.setenv("LEADSCORE_MODELS", str(settings.models))
    monkeypatch.setenv("LEADSCORE_PORT", "1")
    monkeypatch.delenv("LEADSCORE_KEY", raising=False)

    def examine():
        return {finding.subject: finding for finding in doctor(context).findings}

    return examine


@pytest.fixture
def well(settings):
    """A store as it is an hour after its service began."""
    database = Database(settings.database)
    key_in(database)
    with database.writing() as connection:
        write_state(connection, SWEPT, str(now_us() - HOUR_US))
    yield database
    database.close()


def states(found):
    return {subject: finding.state for subject, finding in found.items() if finding.state != "ok"}


def run(sql):
    def act(connection):
        connection.execute(text(sql))

    return act


WAITS = f"INSERT INTO pending_scores (lead_id, since, newest) VALUES ('L-1', {now_us() - HOUR_US}, 1)"
HELD = "INSERT INTO quarantine (kind, fact_id, lead_id, fact, why, received_at) VALUES ('leads', 'L', 'L', '{}', '', 1)"
TROUBLE = {
    "backlog": ("wrong", "1 leads wait", [run("INSERT INTO leads (lead_id) VALUES ('L-1')"), run(WAITS)]),
    "sweep": ("wrong", "5 hours ago", [lambda store: write_state(store, SWEPT, str(now_us() - 5 * HOUR_US - 1))]),
    "clock": ("wrong", "behind", [lambda store: write_state(store, NEWEST_FACT, str(now_us() + HOUR_US))]),
    "quarantine": ("warning", "1 facts", [run(HELD)]),
    "keys": ("wrong", "there is none", [lambda store: store.execute(delete(api_keys))]),
}


def test_a_store_that_is_well_has_nothing_wrong_but_a_service_that_does_not_run(examined, well):
    found = examined()
    assert states(found) == {"champion": "warning", "service": "wrong"}
    assert "nothing answers at http://127.0.0.1:1" in found["service"].says


@pytest.mark.parametrize("subject", TROUBLE)
def test_what_is_wrong_is_said_with_its_cure(examined, well, subject):
    state, says, acts = TROUBLE[subject]
    with well.writing() as connection:
        for act in acts:
            act(connection)
    found = examined()
    assert states(found) == {"champion": "warning", "service": "wrong", subject: state}
    assert says in found[subject].says
    assert found[subject].cure


def test_keys_that_expire_soon_are_named(examined, well):
    key_in(well, expires_at=now_us() + 13 * DAY_US)
    assert states(examined())["keys"] == "warning"
    assert "1 of 2 expire within 14 days: tests (" in examined()["keys"].says


def test_a_promotion_that_is_not_in_force_and_a_log_that_is_damaged_are_found(examined, well, settings):
    promote(settings.models)
    (settings.models / "history.jsonl").write_text(
        '{"action": "promote", "who": "ada", "at": "2026-03-01T12:00:00Z"}\n'
    )
    found = examined()
    assert states(found)["promoted"] == "warning"
    assert found["promotions"].says == "1 logged, the last promote by ada, 2026-03-01T12:00Z"
    (settings.models / "history.jsonl").write_text("{")
    assert states(examined())["promotions"] == "wrong"


def test_a_store_of_another_release_is_not_migrated(examined, well):
    with well.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2'"))
    found = examined()
    assert found["schema"].state == "wrong"
    assert "backlog" not in found
    with well.writing() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "2"


def test_a_store_that_is_not_there_is_not_made(examined, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADSCORE_DATABASE", database_url(tmp_path / "elsewhere" / "none.db"))
    assert states(examined())["store"] == "wrong"
    assert not (tmp_path / "elsewhere").exists()


def test_a_playbook_with_mistakes_is_a_finding(context, tmp_path):
    found = doctor(Context(tmp_path / "nowhere", None, silent, context.console, context.answer))
    assert [finding.subject for finding in found.findings] == ["playbook"]
    assert found.exit_code == 1


def test_a_running_service_is_asked(engine, settings, process, examined, monkeypatch):
    server = process().wait()
    monkeypatch.setenv("LEADSCORE_PORT", server.url.rpartition(":")[2])
    assert "LEADSCORE_KEY holds no key" in examined()["metrics"].says
    monkeypatch.setenv("LEADSCORE_KEY", server.headers["Authorization"].removeprefix("Bearer "))
    found = examined()
    assert found["service"].state == "warning", "a stand-in answers, since there is no model"
    assert found["metrics"].says == "no trouble counted since the start"
    server.client.post("/v1/leads", json=[{"lead_id": ""}])
    assert examined()["metrics"].says == "since the start: 1 items rejected"
    server.end()


def test_each_finding_is_a_line_of_80_columns_and_its_cure_another():
    console = Console(file=io.StringIO(), width=80)
    Diagnosis([fine("disk", "9 MiB free"), warning("keys", "x " * 60, cure="rotate"), wrong("a", "b", cure="c")]).show(
        console
    )
    lines = console.file.getvalue().splitlines()
    assert re.fullmatch(r"✓ disk +9 MiB free *", lines[0])
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[0] for line in lines] == ["✓", "!", "x", "→", "✗", "→"]


def test_the_command_line_exits_with_1_where_something_is_wrong(tmp_path):
    command = [sys.executable, "leadscore.py", "doctor", "--json"]
    environment = {"PATH": "", "LEADSCORE_HOME": str(tmp_path), "LEADSCORE_PORT": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    content = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, content["healthy"]) == (1, False), done.stderr
    assert {"subject", "state", "says", "cure"} == set(content["findings"][0])
