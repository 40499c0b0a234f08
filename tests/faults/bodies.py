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
from heapq import nlargest
from pathlib import Path

import httpx
import psutil

from tests.serving.conftest import Process, settings_in

LARGEST = 8 * 2**20
ADDRESSES = ["/v1/leads", "/v1/activities", "/v1/outcomes", "/v1/scores", "/v1/scores/preview"]
SENDERS = 2
_DESCRIBED = 5
_CPU_CLOCK = 2
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
        longest_alive_cpu_ms: the most that the server computed during one of them, on all threads; what others on the
            machine do adds little to it.
        slowest_alive: the five answers during which it computed most, each with the bodies that were sent meanwhile.
        grown_mb: the most memory that the server held above what it held before the first body.
        seconds: how long it took.
    """

    bodies: int
    largest_bytes: int
    statuses: dict[int, int]
    alive_asked: int
    longest_alive_ms: float
    longest_idle_ms: float
    longest_alive_cpu_ms: float
    slowest_alive: list[str]
    grown_mb: float
    seconds: float


@dataclass(frozen=True)
class SentBody:
    """A body, and from when to when it was being answered [s]."""

    name: str
    status: int
    size_bytes: int
    began_s: float
    ended_s: float

    def __str__(self) -> str:
        return f"{self.name} {self.size_bytes:,} B {self.status} {(self.ended_s - self.began_s) * 1000:.0f} ms"


@dataclass(frozen=True)
class _Answer:
    """When an answer was asked for, when it was there, and how long the server computed meanwhile [s]."""

    asked_s: float
    came_s: float
    cpu_s: float

    @property
    def took_s(self) -> float:
        return self.came_s - self.asked_s


def body_of(rng: random.Random) -> tuple[str, bytes]:
    """Make a body: one of the shapes, as large as chance has it, sometimes broken off or with a byte changed."""
    size = int(min(LARGEST, 10 ** rng.uniform(1, 4.3) if rng.random() < 0.98 else 10 ** rng.uniform(5, 6.93)))
    shape = rng.choice(_SHAPES)
    body = shape(rng, size)[:LARGEST]
    if rng.random() < 0.2:
        body = body[: rng.randrange(len(body) + 1)]
    if body and rng.random() < 0.2:
        at = rng.randrange(len(body))
        body = body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
    return shape.__name__.removeprefix("_"), body


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


def _sent(url: str, headers: dict[str, str], share: int, seed: int) -> list[SentBody]:
    """Send a share of the bodies, one after the other."""
    rng, sent = random.Random(seed), []  # noqa: S311 - bodies, no secrets
    with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
        for _ in range(share):
            (shape, body), address = body_of(rng), rng.choice(ADDRESSES)
            began_s = time.monotonic()
            status = client.post(address, content=body).status_code
            sent.append(SentBody(f"{address} {shape}", status, len(body), began_s, time.monotonic()))
    return sent


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
    before, grown = memory.memory_info().rss, 0
    alive: list[_Answer] = []
    idle: list[_Answer] = []
    with (
        ProcessPoolExecutor(SENDERS) as pool,
        httpx.Client(base_url=server.url, timeout=120) as client,
        _idle_process() as other,
    ):
        shares = [pool.submit(_sent, server.url, server.headers, bodies // SENDERS, seed + at) for at in range(SENDERS)]
        while not all(share.done() for share in shares):
            alive.append(_asked(client, server.process.pid))
            idle.append(_asked(other, server.process.pid))
            grown = max(grown, memory.memory_info().rss - before)
            time.sleep(0.005)
        sent = [body for share in shares for body in share.result()]
    assert server.end() == 0, server.log.read_text()[-2000:]
    return BodiesReport(
        bodies=len(sent),
        largest_bytes=max(body.size_bytes for body in sent),
        statuses=dict(sorted(Counter(body.status for body in sent).items())),
        alive_asked=len(alive),
        longest_alive_ms=_longest_ms(alive),
        longest_idle_ms=_longest_ms(idle),
        longest_alive_cpu_ms=round(max(answer.cpu_s for answer in alive) * 1000, 1),
        slowest_alive=_slowest(alive, sent),
        grown_mb=round(grown / 2**20, 1),
        seconds=round(time.monotonic() - started, 1),
    )


def _asked(client: httpx.Client, process: int) -> _Answer:
    """Ask whether a process lives."""
    asked_s, cpu_s = time.monotonic(), _cpu_s(process)
    assert client.get("/health/live").status_code == 200
    return _Answer(asked_s, time.monotonic(), _cpu_s(process) - cpu_s)


def _cpu_s(process: int) -> float:
    """Return how long a process has computed so far, by the clock that Linux keeps of each."""
    return time.clock_gettime((~process << 3) | _CPU_CLOCK)


def _longest_ms(answers: list[_Answer]) -> float:
    return round(max(answer.took_s for answer in answers) * 1000, 1)


def _slowest(answers: list[_Answer], sent: list[SentBody]) -> list[str]:
    """Describe the slowest answers, each with the bodies that were being answered meanwhile."""
    described = []
    for answer in nlargest(_DESCRIBED, answers, key=lambda answer: answer.cpu_s):
        meanwhile = [str(body) for body in sent if body.began_s < answer.came_s and answer.asked_s < body.ended_s]
        took = f"{answer.took_s * 1000:.0f} ms, {answer.cpu_s * 1000:.0f} ms of them computing"
        described.append(f"{took}: {', '.join(meanwhile)}")
    return described


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
