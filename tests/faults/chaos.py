"""
Everything at once: facts with overlapping ids, merges, erasures, deployments and scores, while processes are killed.

A real server of two processes on one store. At the end every fact that was acknowledged must be there, once, every
receipt must replay, and a recheck against the batch engine must be clean. Run as
``python -m tests.faults.chaos MINUTES KILLS [URL]``; prints one JSON object.
"""

import json
import random
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psutil
from sqlalchemy import select

from data.instants import iso, now_us
from data.words.playbook import load_playbook
from serving.feedback.reconciliation import recheck
from serving.scores.receipt_history import receipt_of, recompute_receipt
from serving.store.database import Database
from serving.store.tables import activities, pending_scores, receipts
from tests.serving.bundles import blob_of
from tests.serving.conftest import PLAYBOOK, Process, settings_in, wait_until

SENDERS, BATCH, LEADS, IDS = 3, 20, 60, 200_000
BEGAN = now_us() - 86_400_000_000


@dataclass
class ChaosReport:
    """What was left after all of it."""

    minutes: float
    kills: int = 0
    acknowledged: int = 0
    merges: int = 0
    erasures: int = 0
    deployments: int = 0
    scores: int = 0
    lost: int = 0
    doubled: int = 0
    wrong_answers: dict[str, int] = field(default_factory=dict)
    receipts: int = 0
    receipts_that_do_not_replay: int = 0
    recheck: str = ""


@dataclass
class _World:
    """What the callers share: where the server is, what it acknowledged, and when it is over."""

    headers: dict[str, str]
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)

    def repeat(self, act, seed):
        """Do something again and again, whatever happens to the server meanwhile."""
        rng = random.Random(seed)  # noqa: S311 - work, no secrets
        while not self.over.is_set():
            with (
                suppress(httpx.TransportError),
                httpx.Client(base_url=self.url, headers=self.headers, timeout=30) as client,
            ):
                while not self.over.is_set():
                    act(self, client, rng)
            self.over.wait(0.2)

    def note(self, answer, *right):
        """Count an answer that is neither right nor a refusal for the moment."""
        if answer.status_code not in {*right, 429, 503}:
            name = f"{answer.request.method} {answer.request.url.path.rsplit('/', 1)[-1]} {answer.status_code}"
            self.wrong[name] = self.wrong.get(name, 0) + 1
        return answer.status_code in right

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1


def _lead_of(number):
    return f"L-{number % LEADS}"


def _send(world, client, rng):
    """Send activities whose ids other callers send too; the same id always stands for the same fact."""
    first = rng.randrange(IDS)
    numbers = range(first, first + BATCH)
    items = [
        {
            "activity_id": f"a-{number}",
            "lead_id": _lead_of(number),
            "kind": "demo_request" if number % 7 == 0 else "page_view",
            "occurred_at": iso(BEGAN + number * 1000),
        }
        for number in numbers
    ]
    answer = client.post("/v1/activities", json=items, headers={"Idempotency-Key": f"{rng.random()}"})
    if world.note(answer, 202):
        for item, result in zip(items, answer.json()["results"], strict=True):
            if result["status"] in {"stored", "duplicate"}:
                world.acknowledged[item["activity_id"]] = item["lead_id"]


def _merge(world, client, rng):
    """Merge one of a pair of leads that only this caller uses into the other."""
    pair = rng.randrange(10**9)
    leads = [{"lead_id": f"M-{pair}-{side}", "attributes": {"seniority": "vp"}} for side in "ab"]
    fact = {"kind": "demo_request", "occurred_at": iso(BEGAN), "activity_id": f"m-{pair}", "lead_id": f"M-{pair}-a"}
    if not world.note(client.post("/v1/leads", json=leads), 202):
        return
    if world.note(client.post("/v1/activities", json=fact), 202):
        world.acknowledged[fact["activity_id"]] = fact["lead_id"]
        merged = client.post(f"/v1/leads/M-{pair}-a/merge", json={"into": f"M-{pair}-b"})
        if world.note(merged, 200):
            world.count("merges")
    time.sleep(0.3)


def _erase(world, client, rng):
    """Send a lead and its activity, then erase it."""
    lead_id = f"E-{rng.randrange(10**9)}"
    fact = {"kind": "demo_request", "occurred_at": iso(BEGAN), "activity_id": f"e-{lead_id}", "lead_id": lead_id}
    if world.note(client.post("/v1/leads", json={"lead_id": lead_id}), 202):
        world.note(client.post("/v1/activities", json=fact), 202)
        if world.note(client.delete(f"/v1/leads/{lead_id}"), 200):
            world.erased.add(fact["activity_id"])
            world.count("erasures")
    time.sleep(0.5)


def _deploy(world, client, rng):
    """Put one of three models in force."""
    seed = rng.choice([1, 2, 3])
    if world.note(client.put("/v1/model", content=blob_of(f"model {seed}", seed)), 200):
        world.count("deployments")
    time.sleep(2)


def _score(world, client, rng):
    """Ask for one score, or for many."""
    if rng.random() < 0.9:
        answer = client.get(f"/v1/leads/{_lead_of(rng.randrange(LEADS))}/score")
    else:
        answer = client.post("/v1/scores", json={"lead_ids": [_lead_of(number) for number in range(LEADS)]})
    if world.note(answer, 200):
        world.count("scores")
    time.sleep(0.02)


def run(minutes: float, kills: int, folder: Path, url: str | None = None, *, seed: int = 5) -> ChaosReport:
    """
    Let everything happen at once.

    Args:
        minutes: for how long.
        kills: how many processes are killed meanwhile: half of them the whole server, half of them one of its two.
        folder: where the store and the models are.
        url: the store; by default a file in the folder.
        seed: of the callers.
    """
    given = {} if url is None else {"database": url}
    settings = settings_in(folder, workers=2, requests_per_s=0, **given)
    report, rng = ChaosReport(minutes), random.Random(seed)  # noqa: S311 - moments, no secrets
    server = Process(settings, log=folder / "log").wait()
    world = _World(server.headers, server.url)
    attributes = {"seniority": "vp", "employees": 500}
    leads = [{"lead_id": _lead_of(number), "attributes": attributes} for number in range(LEADS)]
    assert server.client.post("/v1/leads", json=leads).status_code == 202
    acts = [*[_send] * SENDERS, _merge, _erase, _deploy, _score, _score]
    callers = [threading.Thread(target=world.repeat, args=(act, seed + at)) for at, act in enumerate(acts)]
    for caller in callers:
        caller.start()
    for _ in range(kills):
        time.sleep(minutes * 60 / (kills + 1) * rng.uniform(0.6, 1.2))
        server = _kill(server, settings, folder, whole=rng.random() < 0.5)
        world.url = server.url
        report.kills += 1
    world.over.set()
    for caller in callers:
        caller.join()
    _drain(settings.database)
    assert server.end() == 0, server.log.read_text()[-2000:]
    _check(settings.database, world, report)
    return report


def _kill(server: Process, settings, folder: Path, *, whole: bool) -> Process:
    """Kill the server and start another one, or kill one of its processes, which it replaces."""
    members = [
        child for child in psutil.Process(server.process.pid).children() if "spawn_main" in " ".join(child.cmdline())
    ]
    if whole or not members:
        server.kill()
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        return Process(settings, log=folder / "log").wait()
    members[0].kill()
    return server


def _drain(url: str) -> None:
    database = Database(url)

    def is_empty() -> bool:
        with database.reading() as connection:
            return connection.execute(select(pending_scores.c.lead_id).limit(1)).first() is None

    try:
        wait_until(is_empty, seconds=300)
    finally:
        database.close()


def _check(url: str, world: _World, report: ChaosReport) -> None:
    database, playbook = Database(url), load_playbook(PLAYBOOK)
    try:
        with database.reading() as connection:
            there = list(connection.execute(select(activities.c.activity_id)).scalars())
            ids = list(connection.execute(select(receipts.c.receipt_id)).scalars())
            for receipt_id in ids:
                replayed = recompute_receipt(connection, receipt_of(connection, receipt_id), database.dialect)
                report.receipts_that_do_not_replay += bool(replayed.differences)
        checked = recheck(database, playbook.business, now_us=now_us(), sample=5000, seed=1)
    finally:
        database.close()
    for name in ("merges", "erasures", "deployments", "scores"):
        setattr(report, name, world.counts.get(name, 0))
    report.acknowledged = len(world.acknowledged)
    report.lost = len(world.acknowledged.keys() - set(there))
    report.doubled = len(there) - len(set(there))
    report.wrong_answers = world.wrong
    report.receipts = len(ids)
    report.recheck = "clean" if checked.passed else f"{len(checked.differences)} values differ"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="leadscore-chaos-") as folder:
        print(json.dumps(asdict(run(float(sys.argv[1]), int(sys.argv[2]), Path(folder), *sys.argv[3:4]))))
