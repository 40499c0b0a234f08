"""
Kill the database server under the process that stores, and check what is left.

Run as ``python -m tests.faults.database_server KILLS``; prints one JSON object.
"""

import json
import random
import sys
import threading
import time
from dataclasses import asdict

from sqlalchemy.exc import DBAPIError

from data.words.playbook import load_playbook
from serving.clock import Clock
from serving.intake.ingestion import Ingestion
from serving.store.database import Database
from tests.faults.storing import LEADS, PLAYBOOK, KillReport, batch, check, check_whole
from tests.postgres import Postgres, start_postgres

_LONGEST_S = 0.3


def kill_often(kills: int, postgres: Postgres, *, seed: int = 7) -> KillReport:
    """
    Kill the server again and again while one process stores facts through one pool of connections.

    Args:
        kills: how often.
        postgres: a server of our own.
        seed: of the random moments.
    """
    rng, report, started, url = random.Random(seed), KillReport(), time.monotonic(), postgres.fresh()  # noqa: S311 - moments, no secrets
    database, first = Database(url, busy_timeout_s=5), 0
    ingestion = Ingestion(load_playbook(PLAYBOOK).business, database, clock=Clock(), clock_skew_s=300)
    ingestion.ingest("leads", [{"lead_id": f"L-{at}"} for at in range(LEADS)])
    for _ in range(kills):
        storing = _Storing(ingestion, first)
        storing.start()
        storing.kept.acquire()
        time.sleep(rng.uniform(0, _LONGEST_S))
        postgres.kill()
        storing.join()
        postgres.start()
        report.kills += 1
        report.acknowledged += storing.next - first
        first = check(url, first, storing.next, report)
    database.close()
    check_whole(url, report)
    report.seconds = round(time.monotonic() - started, 1)
    return report


class _Storing(threading.Thread):
    """Stores batch after batch until the server is gone."""

    def __init__(self, ingestion: Ingestion, first: int) -> None:
        super().__init__()
        self._ingestion = ingestion
        self.next = first
        self.kept = threading.Semaphore(0)

    def run(self) -> None:
        try:
            while True:
                results = self._ingestion.ingest("activities", batch(self.next))
                assert all(result.status == "stored" for result in results), results
                self.next += 1
                self.kept.release()
        except DBAPIError:
            self.kept.release()


if __name__ == "__main__":
    server = start_postgres()
    try:
        print(json.dumps(asdict(kill_often(int(sys.argv[1]), server))))
    finally:
        server.close()
