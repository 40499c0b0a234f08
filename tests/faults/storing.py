"""
Kill the process that stores, at random moments, many times, and check what is left.

Each round forks a process that stores batches of facts and reports each only once it is stored. It is killed in the
middle. Then every batch that it acknowledged must be there whole and once, and the one it was about to store must be
there whole or not at all. Run as ``python -m tests.faults.storing KILLS [URL]``; prints one JSON object.
"""

import json
import os
import random
import signal
import struct
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select, text

from data.instants import iso, now_us
from data.words.playbook import load_playbook
from serving.clock import Clock
from serving.intake.ingestion import Ingestion
from serving.store.database import Database
from serving.store.tables import activities, leads, pending_scores

PLAYBOOK = Path(__file__).resolve().parents[2] / "data" / "playbooks" / "demo"
BATCH, LEADS = 20, 50
_NUMBER = struct.Struct("<q")
_LONGEST_S = 0.1


@dataclass
class KillReport:
    """What was left after all kills; acknowledged in batches, the rest in facts."""

    kills: int = 0
    acknowledged: int = 0
    kept_unasked: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    waiting_lost: int = 0
    integrity: str = ""
    seconds: float = 0.0


def kill_often(kills: int, url: str, *, seed: int = 7) -> KillReport:
    """
    Kill the storing process again and again.

    Args:
        kills: how often.
        url: the store.
        seed: of the random moments.
    """
    rng, report, started = random.Random(seed), KillReport(), time.monotonic()  # noqa: S311 - moments, no secrets
    first = 0
    for _ in range(kills):
        acknowledged = _killed(url, first, rng.uniform(0, _LONGEST_S))
        report.kills += 1
        report.acknowledged += acknowledged - first
        first = check(url, first, acknowledged, report)
    check_whole(url, report)
    report.seconds = round(time.monotonic() - started, 1)
    return report


def _killed(url: str, first: int, after_s: float) -> int:
    """Let a process store batches from a number on and kill it; return the number after the last it acknowledged."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            _store(url, first, writing)
        finally:
            os._exit(1)
    os.close(writing)
    acknowledged = first
    with os.fdopen(reading, "rb") as told:
        told.read(_NUMBER.size)  # it has begun
        time.sleep(after_s)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        for (number,) in _NUMBER.iter_unpack(_whole(told.read())):
            acknowledged = number + 1
    return acknowledged


def _whole(told: bytes) -> bytes:
    return told[: len(told) // _NUMBER.size * _NUMBER.size]


def _store(url: str, first: int, told: int) -> None:
    """Store batch after batch, for ever, and report the number of each once it is stored."""
    database = Database(url)
    ingestion = Ingestion(load_playbook(PLAYBOOK).business, database, clock=Clock(), clock_skew_s=300)
    ingestion.ingest("leads", [{"lead_id": f"L-{at}"} for at in range(LEADS)])
    os.write(told, _NUMBER.pack(first))
    number = first
    while True:
        results = ingestion.ingest("activities", batch(number))
        assert all(result.status == "stored" for result in results), results
        os.write(told, _NUMBER.pack(number))
        number += 1


def batch(number: int) -> list[dict[str, str]]:
    """Return the facts of a batch."""
    at = iso(now_us() - 60_000_000)
    told = {"kind": "page_view", "subject": "pricing", "occurred_at": at}
    return [
        {**told, "activity_id": f"b{number:07}-{item:02}", "lead_id": f"L-{(number + item) % LEADS}"}
        for item in range(BATCH)
    ]


def check(url: str, first: int, acknowledged: int, report: KillReport) -> int:
    """Check the batches of a round; return the number of the first that is missing."""
    database = Database(url)
    try:
        with database.reading() as connection:
            number = func.substr(activities.c.activity_id, 1, 8).label("number")
            asked = select(number, func.count(), func.count(activities.c.activity_id.distinct())).group_by(number)
            new = asked.where(activities.c.activity_id >= f"b{first:07}")
            there = {name: (count, distinct) for name, count, distinct in connection.execute(new)}
            waiting = set(connection.execute(select(pending_scores.c.lead_id)).scalars())
    finally:
        database.close()
    report.lost += sum(BATCH - there.get(f"b{at:07}", (0, 0))[0] for at in range(first, acknowledged))
    report.doubled += sum(count - distinct for count, distinct in there.values())
    report.torn += sum(count not in {0, BATCH} for count, _ in there.values())
    report.kept_unasked += sum(count for name, (count, _) in there.items() if int(name[1:]) >= acknowledged)
    if acknowledged > first:
        report.waiting_lost += LEADS - len(waiting) if acknowledged - first >= LEADS else 0
    return max([acknowledged, *(int(name[1:]) + 1 for name in there)])


def check_whole(url: str, report: KillReport) -> None:
    """Check the integrity of the whole store."""
    database = Database(url)
    try:
        with database.reading() as connection:
            if database.dialect == "sqlite":
                said = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
                said += [str(row) for row in connection.execute(text("PRAGMA foreign_key_check"))]
                report.integrity = "; ".join(said)
            else:
                orphans = select(func.count()).where(activities.c.lead_id.not_in(select(leads.c.lead_id)))
                report.integrity = "ok" if connection.execute(orphans).scalar_one() == 0 else "orphans"
    finally:
        database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="leadscore-faults-") as folder:
        given = sys.argv[2] if len(sys.argv) > 2 else str(Path(folder) / "store.db")
        print(json.dumps(asdict(kill_often(int(sys.argv[1]), given))))
