"""A process that stands still is ended and replaced, and systemd is told that the service lives."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from serving.server.run import delete_abandoned_folders
from serving.server.watchdog import notify_systemd
from tests.serving.conftest import ROOT, settings_in, wait_until

STUCK = """
import asyncio, re, time
from serving.server import watchdog

watchdog.STUCK_S = 0.5

def stand_still():
    {how}

async def main():
    beat = asyncio.create_task(watchdog.send_heartbeats())
    await asyncio.sleep(0)
    {then}

asyncio.run(main())
time.sleep(1)
print("done")
"""
WAYS = {"in Python": "while True: pass", "in compiled code": "re.match('(a+)+$', 'a' * 60 + 'b')"}


@pytest.fixture
def engine():
    """Processes are watched in the same way on both engines."""
    return "sqlite"


def run(script):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("how", WAYS)
def test_a_loop_that_stands_still_ends_its_process_and_says_where(how):
    done = run(STUCK.format(how=WAYS[how], then="stand_still()"))
    assert done.returncode == 1
    assert "stand_still" in done.stderr


def test_a_loop_that_was_closed_leaves_no_timer_behind():
    done = run(STUCK.format(how="pass", then="beat.cancel()"))
    assert done.stdout.strip() == "done", done.stderr


@pytest.mark.slow
def test_a_process_that_is_stopped_is_replaced_logged_and_counted(process, tmp_path):
    server = process(settings_in(tmp_path, workers=2)).wait()
    members = {child.pid for child in psutil.Process(server.process.pid).children() if is_member(child)}
    assert len(members) == 2
    stuck = members.pop()
    os.kill(stuck, signal.SIGSTOP)
    wait_until(lambda: f"Process {stuck} ended with code -9" in server.log.read_text())
    wait_until(lambda: not psutil.pid_exists(stuck))
    wait_until(lambda: "leadscore_processes_replaced_total 1.0" in server.client.get("/metrics").text)
    assert server.end() == 0


def is_member(child):
    return "spawn_main" in " ".join(child.cmdline()) and "resource_tracker" not in " ".join(child.cmdline())


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_systemd_is_told_of_the_start_the_life_and_the_end(process, tmp_path, monkeypatch, workers):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(120)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        server = process(settings_in(tmp_path, workers=workers)).wait()
        told = set()
        while not {"READY=1", "WATCHDOG=1"} <= told:
            told.add(systemd.recv(100).decode())
        server.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in told:
            told.add(systemd.recv(100).decode())
        assert server.process.wait(timeout=60) == 0
    assert told == {"READY=1", "WATCHDOG=1", "STOPPING=1"}


def test_a_service_goes_on_where_systemd_reads_nothing(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.setblocking(False)  # reads what there is
        room = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
        for _ in range(room + 5):
            notify_systemd("WATCHDOG=1", patience_s=0.01)
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_folders_of_metrics_that_a_killed_service_left_are_deleted_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"leadscore-metrics-{ended.pid}-abc"
    others = [
        tmp_path / f"leadscore-metrics-{os.getpid()}-abc",
        tmp_path / f"leadscore-metrics-{ended.pid}x-abc",
        tmp_path / f"leadscore-metrics-{ended.pid}-mine",
        tmp_path / "leadscore-metrics-mine",
    ]
    for folder in (left, *others):
        folder.mkdir()
    (left / "gauge_livesum_1.db").touch()
    (others[2] / "notes.txt").touch()
    delete_abandoned_folders()
    assert not left.exists()
    assert all(folder.exists() for folder in others)
