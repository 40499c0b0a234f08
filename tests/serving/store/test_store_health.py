"""Readiness tells the truth: of a disk that takes nothing, of a clock that is behind, and of neither."""

import os
import shutil
import subprocess
from contextlib import suppress

import pytest
from sqlalchemy import delete

from serving.store.state import NEWEST_FACT
from serving.store.store_health import newest_fact_at, prove_writable, size_bytes
from serving.store.tables import store_state
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import NOON, MovableClock, opened, settings_in

HOUR_US = 3_600_000_000


def test_a_store_that_takes_writes_is_ready(store):
    assert store.client.get("/health/ready").status_code == 200
    assert size_bytes(store.service.database) > 0


def test_a_clock_behind_the_store_is_not_ready_and_says_so(store, settings):
    store.lead()
    restored = opened(settings, MovableClock(NOON - 2 * HOUR_US))
    with restored.client:
        answer = restored.client.get("/health/ready")
        detail = is_problem(answer, 503)["detail"]
        assert "set the clock" in detail
        assert "2026-03-01T10:" in detail
        behind = [line for line in restored.client.get("/metrics").text.splitlines() if "clock_behind_seconds " in line]
        assert float(behind[-1].split()[1]) == pytest.approx(7200, abs=5)
        restored.clock.now_us = NOON
        assert restored.client.get("/health/ready").status_code == 200


def test_the_newest_fact_of_an_older_store_is_looked_up(store):
    store.lead()
    database = store.service.database
    with database.reading() as connection:
        noted = newest_fact_at(connection)
    with database.writing() as connection:
        connection.execute(delete(store_state).where(store_state.c.name == NEWEST_FACT))
    with database.reading() as connection:
        looked_up = newest_fact_at(connection)
    assert 0 <= looked_up - noted <= 10_000, "a write begins a little before its facts are known"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 40 megabytes, where the system allows to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk], check=False).returncode:
        pytest.skip("a disk of a known size needs the right to mount one")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk):
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        for size in (2**16, 2**10, 1):
            with suppress(OSError):
                while filler.write(b"x" * size) == size:
                    pass


def test_a_full_disk_is_not_ready_and_is_named(small_disk):
    store = opened(settings_in(small_disk, requests_per_s=0))
    with store.client:
        assert store.client.get("/health/ready").status_code == 200
        fill(small_disk)
        assert "make room" in is_problem(store.client.get("/health/ready"), 503)["detail"]
        leads = [{"lead_id": f"L-{number}"} for number in range(1000)]
        statuses = {
            store.client.post("/v1/leads", json=[{**lead, "account_id": f"A-{turn}"} for lead in leads]).status_code
            for turn in range(30)
        }
        assert 503 in statuses
        metrics = store.client.get("/metrics").text
        assert 'leadscore_store_errors_total{error="SQLITE_FULL"}' in metrics
        (small_disk / "filler").unlink()
        assert store.client.get("/health/ready").status_code == 200
        assert store.client.post("/v1/leads", json=leads).status_code == 202


def test_a_file_that_is_being_written_is_writable(store):
    database = store.service.database
    if database.path is None:
        pytest.skip("a server has its own queue of writers")
    with database.writing():
        prove_writable(database)
