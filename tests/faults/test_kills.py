"""Whatever is killed, and whenever: no fact is lost or doubled, and no batch is torn; who never reads holds little."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.database_server import kill_often as kill_database_server
from tests.postgres import start_postgres

ROOT = Path(__file__).resolve().parents[2]
NOTHING = {"lost": 0, "doubled": 0, "torn": 0}


def report_of(module, *arguments, timeout_s):
    """Run a module of faults in an interpreter of its own, since it forks; return its report."""
    command = [sys.executable, "-m", f"tests.faults.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def assert_nothing_lost(report, kills):
    assert report["kills"] == kills
    assert report["acknowledged"] > 0, "it must have been at work"
    assert {name: report[name] for name in NOTHING} == NOTHING
    assert report["integrity"] == "ok"


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_the_storing_process_is_killed_on_sqlite(kills):
    report = report_of("storing", kills, timeout_s=300)
    assert_nothing_lost(report, kills)
    assert report["waiting_lost"] == 0


@pytest.mark.slow
def test_the_storing_process_is_killed_on_postgres(postgres):
    assert_nothing_lost(report_of("storing", 30, postgres.fresh(), timeout_s=300), 30)


@pytest.mark.slow
def test_the_whole_service_is_killed_under_load():
    report = report_of("serving", 20, timeout_s=900)
    assert_nothing_lost(report, 20)
    assert report["wrong_answers"] == 0
    assert report["routed_twice"] == 0


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_the_database_server_is_killed_under_load(kills):
    server = start_postgres()
    try:
        report = vars(kill_database_server(kills, server))
    finally:
        server.close()
    assert_nothing_lost(report, kills)


@pytest.mark.slow
def test_everything_happens_at_once_while_processes_are_killed():
    report = report_of("chaos", 1, 3, timeout_s=900)
    assert report["acknowledged"] > 0
    assert (report["lost"], report["doubled"], report["wrong_answers"]) == (0, 0, {})
    assert report["receipts"] > 0
    assert report["receipts_that_do_not_replay"] == 0
    assert report["recheck"] == "clean"


@pytest.mark.slow
def test_callers_that_never_read_are_cut_off_and_hold_little():
    report = report_of("unread", 100, timeout_s=300)
    assert report["cut_off"] == 100
    assert report["grown_mb"] <= 30
