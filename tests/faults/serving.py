"""
Kill the whole service under load, at random moments, and check what is left.

A real server takes facts over HTTP from several callers and answers scores meanwhile. After each kill another one
starts on the same store; every fact that was answered 202 must be there, once. Run as
``python -m tests.faults.serving KILLS [URL]``; prints one JSON object.
"""

import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from sqlalchemy import func, select, text

from data.instants import iso, now_us
from serving.store.database import Database
from serving.store.tables import activities, routes
from tests.serving.conftest import Process, key_of, settings_in, wait_until

CALLERS, BATCH, LEADS = 3, 10, 40
_LONGEST_S = 1.0


@dataclass
class ServiceKillReport:
    """What was left after all kills, in facts."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    routed_twice: int = 0
    wrong_answers: int = 0
    integrity: str = ""
    seconds: float = 0.0


def kill_often(kills: int, folder: Path, url: str | None = None, *, seed: int = 7) -> ServiceKillReport:
    """
    Kill the service again and again.

    Args:
        kills: how often.
        folder: where the store and the models are.
        url: the store; by default a file in the folder.
        seed: of the random moments.
    """
    settings = settings_in(folder) if url is None else settings_in(folder, database=url)
    key, rng, report, started = key_of(settings), random.Random(seed), ServiceKillReport(), time.monotonic()  # noqa: S311 - moments, no secrets
    acknowledged: dict[str, None] = {}
    for at in range(kills):
        server = Process(settings, log=folder / "log").wait()
        callers = [_Caller(server.url, key, f"{at}-{number}") for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        wait_until(lambda: all(caller.kept for caller in callers))  # noqa: B023 - waited for before the next round
        time.sleep(rng.uniform(0, _LONGEST_S))
        server.kill()
        for caller in callers:
            caller.join()
            acknowledged |= dict.fromkeys(caller.kept)
            report.wrong_answers += caller.wrong
        report.kills += 1
        _check(settings.database, acknowledged, report)
    report.acknowledged = len(acknowledged)
    report.seconds = round(time.monotonic() - started, 1)
    return report


class _Caller(threading.Thread):
    """Sends facts and reads scores until the service is gone."""

    def __init__(self, url: str, key: str, name: str) -> None:
        super().__init__()
        self._client = httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {key}"})
        self._name = name
        self.kept: list[str] = []
        self.wrong = 0

    def run(self) -> None:
        number = 0
        with contextlib.suppress(httpx.TransportError), self._client:
            leads = [{"lead_id": f"L-{at}", "attributes": {"seniority": "vp", "employees": 500}} for at in range(LEADS)]
            self._client.post("/v1/leads", json=leads).raise_for_status()
            while True:
                items = [self._fact(number * BATCH + at) for at in range(BATCH)]
                sent = self._client.post(
                    "/v1/activities", json=items, headers={"Idempotency-Key": f"{self._name}-{number}"}
                )
                score = self._client.get(f"/v1/leads/L-{number % LEADS}/score")
                self.wrong += (sent.status_code != 202) + (score.status_code != 200)
                if sent.status_code == 202:
                    self.kept += [item["activity_id"] for item in items]
                number += 1

    def _fact(self, number: int) -> dict[str, str]:
        at = iso(now_us() - 60_000_000)
        lead_id = f"L-{number % LEADS}"
        return {"activity_id": f"{self._name}-{number}", "lead_id": lead_id, "kind": "demo_request", "occurred_at": at}


def _check(url: str, acknowledged: dict[str, None], report: ServiceKillReport) -> None:
    database = Database(url)
    try:
        with database.reading() as connection:
            there = list(connection.execute(select(activities.c.activity_id)).scalars())
            twice = select(routes.c.lead_id).group_by(routes.c.lead_id).having(func.count() > 1)
            report.routed_twice = len(list(connection.execute(twice)))
            if database.dialect == "sqlite":
                report.integrity = "; ".join(row[0] for row in connection.execute(text("PRAGMA integrity_check")))
    finally:
        database.close()
    report.lost = len(acknowledged.keys() - set(there))
    report.doubled = len(there) - len(set(there))
    whole: dict[str, int] = {}
    for name in there:
        caller, number = name.rsplit("-", 1)
        batch = f"{caller}-{int(number) // BATCH}"
        whole[batch] = whole.get(batch, 0) + 1
    report.torn = sum(count != BATCH for count in whole.values())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="leadscore-faults-") as folder:
        print(json.dumps(asdict(kill_often(int(sys.argv[1]), Path(folder), *sys.argv[2:3]))))
