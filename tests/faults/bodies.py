"""
Send a real server bodies of every shape, up to the largest it takes, and see whether others notice.

Two callers send bodies made by a grammar of JSON and its mistakes, and another asks ``/health/live`` all the while.
Run as ``python -m tests.faults.bodies BODIES``; prints one JSON object.
"""

import json
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from tests.serving.conftest import Process, settings_in

LARGEST = 8 * 2**20
ADDRESSES = ["/v1/leads", "/v1/activities", "/v1/outcomes", "/v1/scores", "/v1/scores/preview"]
SENDERS = 2
_SCALARS = ["0", "-1.5e3", "1e999", "true", "null", '""', '"a"', '"\\ud83d\\ude42"', '"\u00e9\u4e2d"', "NaN", "01"]
_NAMES = ["lead_id", "lead_ids", "attributes", "activity_id", "kind", "occurred_at", "lead", "activities", "a"]


@dataclass
class BodiesReport:
    """
    What the others noticed.

    Attributes:
        bodies: how many were answered.
        largest_bytes: the largest of them.
        statuses: how often each HTTP status was answered.
        alive_asked: how often `/health/live` was asked.
        longest_alive_ms: its slowest answer.
        longest_idle_ms: the slowest answer of an idle process that was asked in turn with it: what the machine adds.
        grown_mb: the most memory that the server held above what it held before the first body.
        seconds: how long it took.
    """

    bodies: int
    largest_bytes: int
    statuses: dict[int, int]
    alive_asked: int
    longest_alive_ms: float
    longest_idle_ms: float
    grown_mb: float
    seconds: float


def body_of(rng: random.Random) -> bytes:
    """Make a body: one of the shapes, as large as chance has it, sometimes broken off or with a byte changed."""
    size = int(min(LARGEST, 10 ** rng.uniform(1, 4.3) if rng.random() < 0.98 else 10 ** rng.uniform(5, 6.93)))
    body = rng.choice(_SHAPES)(rng, size)[:LARGEST]
    if rng.random() < 0.2:
        body = body[: rng.randrange(len(body) + 1)]
    if body and rng.random() < 0.2:
        at = rng.randrange(len(body))
        body = body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
    return body


def _object(rng: random.Random, size: int) -> bytes:
    parts, made = [], 0
    while made < size:
        name = rng.choice(_NAMES) if rng.random() < 0.3 else f"n{rng.randrange(10**7)}"
        parts.append(f'"{name}":{rng.choice(_SCALARS)}')
        made += len(parts[-1])
    return ("{" + ",".join(parts) + "}").encode()


def _doubled(rng: random.Random, size: int) -> bytes:
    return b"{" + b",".join(b'"n%d":0' % number for number in range(size // 12)) + b',"n0":%d}' % rng.randrange(9)


def _list(rng: random.Random, size: int) -> bytes:
    unit = rng.choice(["[]", "{}", "0", '""', "[[]]", '{"a":{}}', '"\\u0000"', '{"lead_id":"L-1","lead_id":"L-2"}'])
    return ("[" + ",".join([unit] * max(1, size // (len(unit) + 1))) + "]").encode()


def _items(rng: random.Random, size: int) -> bytes:
    count = rng.randrange(1, 1200)
    return b"[" + b",".join(_object(rng, size // count) for _ in range(count)) + b"]"


def _leads(rng: random.Random, size: int) -> bytes:
    ids = [f"L-{rng.randrange(100)}" for _ in range(max(1, size // 10))]
    return json.dumps({"lead_ids": ids}).encode()


def _preview(rng: random.Random, size: int) -> bytes:
    activities = b",".join(_object(rng, 200) for _ in range(max(1, size // 250)))
    return b'{"lead":' + _object(rng, size // 5) + b',"activities":[' + activities + b"]}"


def _text(rng: random.Random, size: int) -> bytes:
    unit = rng.choice(["a", "\\u0041", "\\", "\u00e9", "\U0001f642", "[", '{"'])
    return ('{"lead_id":"' + unit * (size // len(unit.encode()) + 1) + '"}').encode()


def _number(rng: random.Random, size: int) -> bytes:
    return rng.choice([b"1", b"0.1", b"-", b"1e", b"1."]) + b"1" * size


def _deep(rng: random.Random, size: int) -> bytes:
    unit = rng.choice([b"[", b'{"a":', b"[{", b'[[],{"a":['])
    return unit * (size // len(unit) + 1)


def _noise(rng: random.Random, size: int) -> bytes:
    return rng.randbytes(size)


_SHAPES = [_object, _doubled, _list, _items, _leads, _preview, _text, _number, _deep, _noise]


def _sent(url: str, headers: dict[str, str], share: int, seed: int) -> tuple[Counter[int], int]:
    """Send a share of the bodies; return how often each status was answered, and the largest body [bytes]."""
    rng, statuses, largest = random.Random(seed), Counter[int](), 0  # noqa: S311 - bodies, no secrets
    with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
        for _ in range(share):
            body = body_of(rng)
            statuses[client.post(rng.choice(ADDRESSES), content=body).status_code] += 1
            largest = max(largest, len(body))
    return statuses, largest


def send(bodies: int, folder: Path, *, seed: int = 11) -> BodiesReport:
    """
    Send bodies to a server of one process, with a store in a folder.

    Args:
        bodies: how many.
        folder: where the store and the log are.
        seed: of the bodies.
    """
    server = Process(settings_in(folder, requests_per_s=0), log=folder / "log").wait()
    memory, started = psutil.Process(server.process.pid), time.monotonic()
    before, grown, alive, idle = memory.memory_info().rss, 0, [], []
    with (
        ProcessPoolExecutor(SENDERS) as pool,
        httpx.Client(base_url=server.url, timeout=120) as client,
        _idle_process() as other,
    ):
        shares = [pool.submit(_sent, server.url, server.headers, bodies // SENDERS, seed + at) for at in range(SENDERS)]
        while not all(share.done() for share in shares):
            alive.append(_asked(client))
            idle.append(_asked(other))
            grown = max(grown, memory.memory_info().rss - before)
            time.sleep(0.005)
        results = [share.result() for share in shares]
    assert server.end() == 0, server.log.read_text()[-2000:]
    counts = sum((statuses for statuses, _ in results), Counter[int]())
    return BodiesReport(
        bodies=sum(counts.values()),
        largest_bytes=max(largest for _, largest in results),
        statuses=dict(sorted(counts.items())),
        alive_asked=len(alive),
        longest_alive_ms=round(max(alive) * 1000, 1),
        longest_idle_ms=round(max(idle) * 1000, 1),
        grown_mb=round(grown / 2**20, 1),
        seconds=round(time.monotonic() - started, 1),
    )


def _asked(client: httpx.Client) -> float:
    """Return how long an answer took [s]."""
    asked = time.perf_counter()
    assert client.get("/health/live").status_code == 200
    return time.perf_counter() - asked


@contextmanager
def _idle_process() -> Iterator[httpx.Client]:
    """Start a process that does nothing but answer, and yield a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        process = multiprocessing.get_context("fork").Process(target=_answer, args=(listening,), daemon=True)
        process.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            yield client
        process.kill()
        process.join()


def _answer(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    while connection.recv(65_536):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="leadscore-bodies-") as folder:
        print(json.dumps(asdict(send(int(sys.argv[1]), Path(folder)))))
