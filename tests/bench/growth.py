"""How much a store grows in a year: by an injected clock, with the demo's model, sweeps and usual facts."""

import random
import tempfile
from pathlib import Path

from sqlalchemy import text

from data.instants import iso, now_us
from data.workspace import Workspace
from serving.app import open_service
from serving.scores.receipt_retention import ReceiptRetention
from serving.service import Service
from serving.settings import settings_for
from serving.store.database import Database
from tests.bench.http import home_of, playbook_of

LEADS, DAYS, SWEEPS_A_DAY = 50, 365, 4
ACTIVITIES_A_MONTH = 2
DAY_US = 86_400_000_000
OPEN_LEADS, MOST_GB = 100_000, 20
_KINDS = ["page_view", "email_open", "email_click", "webinar", "call", "demo_request"]


def store_growth():
    """
    Let 50 open leads live for a year, and measure the store before and after.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is at most 20 GB a year for 100,000
        open leads.
    """
    with tempfile.TemporaryDirectory(prefix="leadscore-growth-") as folder:
        settings = settings_for(
            Workspace(playbook_of(home_of()), home_of()), database=str(Path(folder) / "year.db"), sweep_every_s=1.0
        )
        clock = _Clock(now_us())
        service = open_service(settings, now=clock)
        assert not service.active_scorer.current.degraded, "the model must answer"
        _send_leads(service, clock)
        before = _packed_bytes(service.database)
        _live(service, clock)
        grown = _packed_bytes(service.database) - before
        with service.database.reading() as connection:
            kept = connection.execute(text("SELECT count(*) FROM receipts")).scalar_one()
        service.close()
    gigabytes = grown / LEADS * OPEN_LEADS / 1e9
    return {
        "bench": "store_growth",
        "unit": "GB a year for 100,000 open leads",
        "ours": gigabytes,
        "against": f"at most {MOST_GB}; {kept / LEADS:,.0f} receipts a lead after a year with"
        f" {ACTIVITIES_A_MONTH} activities a month and {SWEEPS_A_DAY} sweeps a day",
        "theirs": MOST_GB,
        "ratio": MOST_GB / gigabytes,
    }


class _Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now


def _send_leads(service: Service, clock: _Clock) -> None:
    rng = random.Random(1)  # noqa: S311 - leads, no secrets
    attributes = [
        {"seniority": rng.choice(["senior", "manager", "director", "vp"]), "employees": rng.choice([10, 80, 500, 4000])}
        for _ in range(LEADS)
    ]
    leads = [{"lead_id": f"L-{at}", "attributes": each} for at, each in enumerate(attributes)]
    results = service.ingestion.ingest("leads", leads)
    assert {result.status for result in results} == {"stored"}, results[0]
    service.worker.catch_up()


def _live(service: Service, clock: _Clock) -> None:
    rng = random.Random(2)  # noqa: S311 - activities, no secrets
    number, retention = 0, ReceiptRetention(service.database, service.settings.keep_receipts_days)
    for _ in range(DAYS):
        retention.step(clock.now)
        for _ in range(SWEEPS_A_DAY):
            clock.now += DAY_US // SWEEPS_A_DAY
            due = [at for at in range(LEADS) if rng.random() < ACTIVITIES_A_MONTH / 30 / SWEEPS_A_DAY]
            facts = [
                {
                    "activity_id": f"a-{number + at}",
                    "lead_id": f"L-{lead}",
                    "kind": rng.choice(_KINDS),
                    "occurred_at": iso(clock.now - 60_000_000),
                }
                for at, lead in enumerate(due)
            ]
            number += len(facts)
            if facts:
                service.ingestion.ingest("activities", facts)
            service.worker.catch_up()


def _packed_bytes(database: Database) -> int:
    """Return the size of the store without unused pages, nor its log, which is as large in any store."""
    used = _number(database, "PRAGMA page_count") - _number(database, "PRAGMA freelist_count")
    return used * _number(database, "PRAGMA page_size")


def _number(database: Database, statement: str) -> int:
    with database.reading() as connection:
        return int(connection.exec_driver_sql(statement).scalar_one())
