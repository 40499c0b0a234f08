"""A process that takes long to start is waited for, and neither systemd nor the other processes wait with it."""

import os
import socket
import subprocess
import sys

import pytest

from tests.serving.conftest import ROOT, wait_until

HELD = """
import os, sys

if __name__ != "__main__":  # in the process that the supervisor starts: stay until the test opens the other end
    open(os.environ["HELD"]).read()

async def app(scope, receive, send):
    pass

if __name__ == "__main__":
    import socket
    import uvicorn
    from serving.server.supervisor import Supervisor

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, workers=1, log_config=None, lifespan="off", timeout_worker_healthcheck=300)
        counted = lambda: print("replaced", flush=True)
        Supervisor(config, [listener], address="here", count_replaced=counted).run()
"""


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """What is told to systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(120)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield channel


def test_a_process_that_takes_long_to_start_is_neither_replaced_nor_waited_for(systemd, tmp_path, monkeypatch):
    held = tmp_path / "held"
    os.mkfifo(held)
    monkeypatch.setenv("HELD", str(held))
    (tmp_path / "held_start.py").write_text(HELD)
    command = [sys.executable, str(tmp_path / "held_start.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert [systemd.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
            held.write_text("")
            wait_until(lambda: systemd.recv(100) == b"READY=1")
        finally:
            service.terminate()
        told, _ = service.communicate(timeout=60)
    assert told == ""
