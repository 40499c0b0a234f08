"""
Callers that ask for much and never read the answer, and what they hold of a real server.

Each asks for the scores of a thousand leads with all their reasons, and reads nothing. Run as
``python -m tests.faults.unread CALLERS``; prints one JSON object.
"""

import json
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from tests.serving.conftest import Process, settings_in

LEADS = 1000
PATIENCE_S = 60


@dataclass
class UnreadReport:
    """
    What callers hold that never read.

    Attributes:
        callers: how many.
        cut_off: how many of them the server cut off.
        answer_kb: the size of one answer.
        held_s: the longest from the first byte of an answer to its caller's being cut off.
        grown_mb: the most memory that the server held above what as many callers made it hold who read their answers.
    """

    callers: int
    cut_off: int
    answer_kb: float
    held_s: float
    grown_mb: float


def leave_unread(callers: int, folder: Path) -> UnreadReport:
    """
    Let callers ask a server of one process, with a store in a folder, and read nothing.

    Args:
        callers: how many.
        folder: where the store and the log are.
    """
    server = Process(settings_in(folder, requests_per_s=0, leads_per_s=0), log=folder / "log").wait()
    ids = [f"L-{number}" for number in range(LEADS)]
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
        client.post("/v1/leads", json=[{"lead_id": each} for each in ids]).raise_for_status()
        with ThreadPoolExecutor(callers) as readers:
            answers = list(readers.map(lambda _: client.post("/v1/scores", json={"lead_ids": ids}), range(callers)))
    memory = psutil.Process(server.process.pid)
    before, started = memory.memory_info().rss, time.monotonic()
    body = json.dumps({"lead_ids": ids}).encode()
    waiting = [_asked(server, body) for _ in range(callers)]
    grown, held, answered = 0, 0.0, dict[socket.socket, float]()
    while waiting and time.monotonic() - started < PATIENCE_S:
        grown, now = max(grown, memory.memory_info().rss - before), time.monotonic()
        for each in [each for each in waiting if _is_cut_off(each)]:
            held = max(held, now - answered.get(each, started))
            waiting.remove(each)
        answered |= {each: now for each in waiting if each not in answered and _has_answer(each)}
        time.sleep(0.1)
    assert server.end() == 0, server.log.read_text()[-2000:]
    return UnreadReport(
        callers=callers,
        cut_off=callers - len(waiting),
        answer_kb=round(len(answers[0].content) / 2**10, 1),
        held_s=round(held, 1),
        grown_mb=round(grown / 2**20, 1),
    )


def _asked(server: Process, body: bytes) -> socket.socket:
    """Send a request over a connection that takes in little, and return the connection."""
    address = urlsplit(server.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((address.hostname, address.port))
    head = {**server.headers, "host": address.netloc, "content-length": str(len(body))}
    lines = ["POST /v1/scores HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def _is_cut_off(connection: socket.socket) -> bool:
    """Return whether the server has reset a connection, without reading from it."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _has_answer(connection: socket.socket) -> bool:
    """Return whether an answer has begun to arrive, and leave it unread."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="leadscore-unread-") as folder:
        print(json.dumps(asdict(leave_unread(int(sys.argv[1]), Path(folder)))))
