"""
What the live service bears: many scores at once, facts by the thousand, a sweep, a year of history, a steady hour.

Real server processes on SQLite, with keys checked, asked over HTTP by another process.
"""

import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import text

from data.importing.warehouse import import_history
from data.instants import iso, now_us
from data.workspace import Workspace
from leadscore_client import Client
from serving.app import open_service
from serving.settings import Settings, settings_for
from serving.store.bulk_insert import COLUMNS
from serving.store.database import Database
from serving.verbs.load_and_serve import load
from serving.verbs.manage_keys import create
from tests.bench.http import SERVE, free_port, home_of, playbook_of, server, wait_for_sweep

SCORED_AT_ONCE, ROUNDS = 1_000, 15
INGESTED, AT_ONCE, SENDERS = 30_000, 100, 2
OPEN_LEADS = 100_000
RATE, STEADY_S, CALLERS, INGEST_PER_S = 200, 60, 8, 500


def scores_at_once():
    """
    Ask for the explained scores of 1,000 leads at once, again and again, over one connection.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is 5,000 leads a second on one core.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(running_server())
        leads = ours.leads(SCORED_AT_ONCE)
        client = stack.enter_context(ours.client())
        _asked(client, leads)
        before = ours.cpu_s()
        spent = [_asked(client, leads) for _ in range(ROUNDS)]
        cpu_s = ours.cpu_s() - before
    rate = SCORED_AT_ONCE / statistics.median(spent)
    said = f"at least 5,000; {SCORED_AT_ONCE * ROUNDS / cpu_s:,.0f} a second of the server's CPU"
    return _result("scores_at_once", "leads/s", rate, 5_000, said)


def _asked(client: httpx.Client, leads: list[str]) -> float:
    started = time.perf_counter()
    answer = client.post("/v1/scores", json={"lead_ids": leads})
    spent = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    assert all("points" in score for score in answer.json()["scores"])
    return spent


def ingest():
    """
    Send activities in batches of 100 from two callers, then wait until every score has followed.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is 5,000 activities a second, and for
        a backlog that is drained within the same time again.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(running_server())
        leads = ours.leads(1_000_000)
        started = time.perf_counter()
        senders = [threading.Thread(target=_send, args=(ours, leads, number)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        sent_s = time.perf_counter() - started
        kept = _count(ours.settings, "SELECT count(*) FROM activities WHERE activity_id LIKE 'bench-%'")
        assert kept == INGESTED, kept
        while _count(ours.settings, "SELECT count(*) FROM pending_scores"):
            time.sleep(0.02)
        drained_s = time.perf_counter() - started - sent_s
    said = f"at least 5,000; the backlog was drained {drained_s / sent_s:.2f} times that time later, 1 at most"
    assert drained_s <= sent_s, said
    return _result("ingest", "activities/s", INGESTED / sent_s, 5_000, said)


def _send(server: "Server", leads: list[str], number: int) -> None:
    at = iso(now_us() - 60_000_000)
    share = range(number, INGESTED // AT_ONCE, SENDERS)
    with Client(server.url, key=server.key) as client:
        for batch in share:
            client.send_activities(_facts(leads, batch * AT_ONCE, at))


def _facts(leads: list[str], first: int, at: str) -> list[dict[str, str]]:
    told = {"kind": "page_view", "subject": "pricing", "occurred_at": at}
    return [
        {**told, "activity_id": f"bench-{number}", "lead_id": leads[number * 7 % len(leads)]}
        for number in range(first, first + AT_ONCE)
    ]


def steady():
    """
    Ask for 200 scores a second for a minute while 500 activities a second come in; give the slowest of a hundred.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is 20 ms at most, and flat memory.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(running_server())
        leads = ours.leads(1_000)
        over = threading.Event()
        sender = threading.Thread(target=_trickle, args=(ours, leads, over))
        asking = [_Asking(ours, leads, number) for number in range(CALLERS)]
        memory = [ours.memory_mb()]
        for thread in (sender, *asking):
            thread.start()
        for _ in range(6):
            time.sleep(STEADY_S / 6)
            memory.append(ours.memory_mb())
        for thread in asking:
            thread.join()
        over.set()
        sender.join()
    spent = sorted(took for one in asking for took in one.spent)
    assert not any(one.wrong for one in asking), "every answer must be a score"
    p99_ms = spent[int(len(spent) * 0.99)] * 1000
    grown = memory[-1] - memory[1]
    said = (
        f"at most 20 ms; {len(spent) / STEADY_S:,.0f} scores/s, median {spent[len(spent) // 2] * 1000:.1f} ms;"
        f" memory {memory[1]:,.0f} MB after 10 s, {grown:+.0f} MB in the 50 s after"
    )
    return {"bench": "steady", "unit": "ms (p99)", "ours": p99_ms, "against": said, "theirs": 20, "ratio": 20 / p99_ms}


class _Asking(threading.Thread):
    """Asks on its own beat, whether or not the answer before was quick."""

    def __init__(self, server: "Server", leads: list[str], number: int) -> None:
        super().__init__()
        self._server, self._leads, self._number = server, leads, number
        self.spent: list[float] = []
        self.wrong = 0

    def run(self) -> None:
        beat_s = CALLERS / RATE
        with self._server.client() as client:
            client.get("/health/live")  # connecting is not what is measured
            first = time.perf_counter() + self._number / RATE
            for at in range(int(STEADY_S / beat_s)):
                due = first + at * beat_s
                time.sleep(max(0.0, due - time.perf_counter()))
                lead_id = self._leads[(at * CALLERS + self._number) % len(self._leads)]
                answer = client.get(f"/v1/leads/{lead_id}/score")
                self.spent.append(time.perf_counter() - due)  # a late start counts, too
                self.wrong += answer.status_code != 200


def _trickle(server: "Server", leads: list[str], over: threading.Event) -> None:
    with Client(server.url, key=server.key) as client:
        number, first = 0, time.perf_counter()
        while not over.is_set():
            client.send_activities(_facts(leads, number * AT_ONCE, iso(now_us() - 60_000_000)))
            number += 1
            over.wait(max(0.0, first + number * AT_ONCE / INGEST_PER_S - time.perf_counter()))


def sweep():
    """
    Score 100,000 open leads though nothing happened to them.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is 60 seconds at most.
    """
    with _store() as settings:
        service = open_service(settings)
        _multiply(service.database)
        started, after, steps = time.perf_counter(), "", 0
        while (after := service.worker.backlog_follower.sweep(after)) is not None:
            steps += 1
        spent_s = time.perf_counter() - started
        service.close()
        stored = _count(settings, "SELECT count(*) FROM scores")
    assert stored >= OPEN_LEADS, stored
    return _result("sweep", "s", spent_s, 60, f"at most 60 s; {stored:,} leads, each with a new receipt", rises=False)


def load_year():
    """
    Load 18 months of history into an empty store.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; the goal is 50,000 rows a second.
    """
    folder, home = playbook_of(home_of()), home_of()
    import_history(Workspace(folder, home))  # reading exports is not what is measured
    with _store(empty=True):
        started = time.perf_counter()
        loaded = load(Workspace(folder, home))
        spent_s = time.perf_counter() - started
    return _result("load_year", "rows/s", loaded.rows / spent_s, 50_000, f"at least 50,000; {loaded.rows:,} rows")


def _result(bench: str, unit: str, ours: float, bar: float, said: str, *, rises: bool = True) -> dict[str, object]:
    ratio = ours / bar if rises else bar / ours
    return {"bench": bench, "unit": unit, "ours": ours, "against": said, "theirs": bar, "ratio": ratio}


class Server:
    """A server process on a copy of the bench's store."""

    def __init__(self, settings: Settings, port: int, key: str, process: psutil.Process) -> None:
        self.settings, self.key, self._process = settings, key, process
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)

    def leads(self, limit: int) -> list[str]:
        return _column(self.settings, f"SELECT lead_id FROM leads ORDER BY lead_id LIMIT {limit}")

    def cpu_s(self) -> float:
        spent = self._process.cpu_times()
        return spent.user + spent.system

    def memory_mb(self) -> float:
        return self._process.memory_info().rss / 2**20


@contextmanager
def running_server() -> Iterator[Server]:
    with _store() as settings, ExitStack() as stack:
        home, port = home_of(), free_port()
        key = create(Workspace(playbook_of(home), home), "bench", scopes=["events:write", "scores:read"]).secret
        script = SERVE % (str(settings.playbook), settings.database, str(settings.models), port)
        process = stack.enter_context(server([sys.executable, "-c", script], port, "/health/ready"))
        wait_for_sweep(settings.database)
        yield Server(settings, port, key, psutil.Process(process.pid))


@contextmanager
def _store(*, empty: bool = False) -> Iterator[Settings]:
    """Give settings whose store may be changed: the bench's own is put back afterwards."""
    home = home_of()
    settings = settings_for(Workspace(playbook_of(home), home), keys="required", requests_per_s=0)
    path = settings.database_file
    assert path is not None
    kept = path.with_name("kept.db")
    shutil.copy(path, kept)
    try:
        if empty:
            _remove(path)
        yield settings
    finally:
        _remove(path)
        kept.rename(path)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-processes"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _multiply(database: Database) -> None:
    """Copy the open leads until there are enough of them, each with all that is known of it."""
    copied = {
        "leads": "{name}",
        "lead_versions": "{name}, known_at, account_id || '-{at}', created_at, attributes",
        "activities": "{name}, known_at, activity_id || '-{at}', kind, occurred_at, subject, value",
    }
    of_open = (
        "FROM {table} AS t WHERE t.lead_id NOT LIKE '%-%' AND NOT EXISTS"
        " (SELECT 1 FROM outcomes AS o WHERE o.lead_id = t.lead_id AND o.stage <> 'mql')"
    )
    with database.writing() as connection:
        connection.execute(text("DELETE FROM pending_scores"))
        found = connection.execute(text(f"SELECT count(*) {of_open.format(table='leads')}")).scalar_one()
        for at in range(-(-OPEN_LEADS // found)):
            for table, columns in copied.items():
                what = columns.format(name=f"t.lead_id || '-{at}'", at=at)
                into = f"INSERT INTO {table} ({', '.join(COLUMNS[table])})"
                connection.execute(text(f"{into} SELECT {what} {of_open.format(table=table)}"))


def _count(settings: Settings, statement: str) -> int:
    return int(_column(settings, statement)[0])


def _column(settings: Settings, statement: str) -> list:
    import sqlite3

    store = sqlite3.connect(settings.database_file)
    try:
        return [value for (value,) in store.execute(statement)]
    finally:
        store.close()
