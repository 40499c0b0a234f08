"""The demo's replay: the last day of a history is sent to the service as if it happened now, to see handovers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from data.contract import AttributeType
from data.instants import DAY_US, iso
from data.progress import Progress, silent
from data.words.playbook import Business
from data.workspace import Workspace
from serving.api.schemas.handed_over_leads import HandoverOut
from serving.app import open_service
from serving.errors import StoreError
from serving.intake.loading import History, LoadResult, import_playbook_history, load_history
from serving.intake.quarantined_facts import Kind
from serving.scores.handovers import handovers
from serving.service import Service
from serving.settings import Settings, settings_for
from serving.store.lead_lives import LeadLives
from serving.store.writes_in_flight import SLOTS_SUFFIX

if TYPE_CHECKING:
    from data.importing.warehouse import Warehouse

_BATCH = 100
_SHOWN, _REASONS = 5, 3


@dataclass(frozen=True, slots=True)
class DemoReplayResult:
    """
    What the store held before, and what became of the last day.

    Attributes:
        loaded: what the store held before it.
        stored: facts of the last day that were stored, by kind.
        routes: the leads that were handed over, newest first.
        set_aside: where the store is that was there before; None if there was none.
    """

    loaded: LoadResult
    stored: dict[str, int]
    routes: list[HandoverOut]
    set_aside: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        set_aside = None if self.set_aside is None else str(self.set_aside)
        return {
            "loaded": self.loaded.as_json(),
            "told": self.stored,
            "routes": len(self.routes),
            "set_aside": set_aside,
        }

    def show(self, console: Console) -> None:
        """Print which leads were handed over and why."""
        if self.set_aside is not None:
            console.print(f"The store that was there is now {self.set_aside}.", soft_wrap=True, markup=False)
        self.loaded.show(console)
        stored = ", ".join(f"{count:,} {kind}" for kind, count in self.stored.items())
        console.print(f"Then its last day, as if it happened now: {stored}; {len(self.routes):,} leads handed over.")
        if not self.routes:
            return
        table = Table("lead", "score", "grade", "because", title="Handed over just now", title_justify="left")
        for route in self.routes[:_SHOWN]:
            reasons_for = [reason.says for reason in route.reasons if reason.points > 0]
            reasons = "; ".join(reasons_for[:_REASONS])
            table.add_row(route.lead_id, str(route.score), route.grade, reasons)
        console.print(table)


def replay_last_day(workspace: Workspace, *, progress: Progress = silent) -> DemoReplayResult:
    """
    Load a history except its last day into a new store, then send that day to the service.

    A store that is there already is moved aside, to ``leadscore.previous.db`` or another free name.

    Raises:
        DataError: the exports do not match the playbook.
        ServingError: the store cannot be opened.
    """
    history = import_playbook_history(workspace, progress=progress)
    settings = settings_for(workspace)
    aside = _set_aside(settings)
    instant = history.cutoff_us - DAY_US
    service = open_service(settings)
    try:
        before, live = _known_before(history, instant), service.active_scorer.current
        loaded = load_history(before, service.database, playbook=workspace.playbook, live=live, progress=progress)
        stored = _send(service, history, instant, progress=progress)
        service.worker.catch_up()
        with service.database.reading() as connection:
            rows = handovers(connection, since=None, position=None, limit=1000).rows
            lifecycle, now = workspace.playbook.business.lifecycle, service.clock.now()
            lives = LeadLives.read(connection, [row.lead_id for row in rows], lifecycle)
            routes = [HandoverOut.of(row, lives.state(row.lead_id, now)) for row in rows]
    finally:
        service.close()
    return DemoReplayResult(loaded, stored, routes, aside)


def _set_aside(settings: Settings) -> Path | None:
    """Make room for a new store, and return where the old one is; one on PostgreSQL stays, and gets what it lacks."""
    database = settings.database_file
    if database is None or not database.exists():
        return None
    aside = _free_place(database)
    for ending in ("", "-wal", "-shm", SLOTS_SUFFIX):
        file = database.with_name(database.name + ending)
        if file.exists():
            file.rename(aside.with_name(aside.name + ending))
    return aside


def _free_place(database: Path) -> Path:
    """Return a place beside a store where nothing lies: ``leadscore.previous.db``, or else with a number."""
    numbers = ("", *(f"-{number}" for number in range(2, 10_000)))
    places = (database.with_name(f"{database.stem}.previous{number}{database.suffix}") for number in numbers)
    free = next((place for place in places if not place.exists()), None)
    if free is None:
        message = f"{database.parent} holds too many earlier stores: delete those that nobody needs."
        raise StoreError(message)
    return free


def _known_before(history: "Warehouse", instant: int) -> History:
    """Return what was known before an instant [us since 1970 UTC], of leads known by then."""
    leads = history.leads.filter(history.leads.known_at < instant)
    facts = (table.filter(table.known_at < instant) for table in (history.activities, history.outcomes))
    return History(leads, *(table.semi_join(leads, "lead_id") for table in facts))


def _send(service: Service, history: "Warehouse", instant: int, *, progress: Progress) -> dict[str, int]:
    """Send what became known from an instant to the end of the history; return how many facts were stored, by kind."""
    facts: dict[Kind, list[dict[str, Any]]] = {
        "leads": _leads(history, instant, business=service.playbook.business),
        "activities": [_fact(row, "occurred_at") for row in _rows(history.activities, instant, history.cutoff_us)],
        "outcomes": [_fact(row, "reached_at") for row in _rows(history.outcomes, instant, history.cutoff_us)],
    }
    return {kind: _send_all(service, kind, rows, progress=progress) for kind, rows in facts.items()}


def _send_all(service: Service, kind: Kind, facts: list[dict[str, Any]], *, progress: Progress) -> int:
    stored = 0
    for start in range(0, len(facts), _BATCH):
        results = service.ingestion.ingest(kind, facts[start : start + _BATCH])
        stored += sum(result.status == "stored" for result in results)
        progress(f"sending {kind}", min(start + _BATCH, len(facts)), len(facts))
    return stored


def _rows(table: Any, instant: int, until: int) -> Iterator[dict[str, Any]]:
    """Yield the rows known from an instant to the end of the history, in that order, without missing values."""
    for row in table.filter(table.known_at.between(instant, until)).order_by("known_at").to_pyarrow().to_pylist():
        yield {name: value for name, value in row.items() if value is not None}


def _leads(history: "Warehouse", instant: int, *, business: Business) -> list[dict[str, Any]]:
    def attributes(row: dict[str, Any]) -> dict[str, Any]:
        kinds = {name: kind for name, kind in business.attribute_types.items() if name in row}
        return {name: bool(row[name]) if kind is AttributeType.BOOLEAN else row[name] for name, kind in kinds.items()}

    return [
        {"lead_id": row["lead_id"], "created_at": iso(row["created_at"]), "attributes": attributes(row)}
        | ({"account_id": row["account_id"]} if "account_id" in row else {})
        for row in _rows(history.leads, instant, history.cutoff_us)
    ]


def _fact(row: dict[str, Any], instant: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "known_at"} | {instant: iso(row[instant])}
