"""The demo's replay: the last day of a history is sent to the service as if it happened now, to see handovers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from data.contract import AttributeType
from data.instants import DAY_US, iso
from data.playbook import Business
from data.progress import Progress, silent
from data.workspace import Workspace
from serving.app import open_service
from serving.intake.loading import HistoryTables, LoadResult, import_playbook_history, load_history
from serving.intake.quarantined_facts import Kind
from serving.scores.handovers import Handover, newest_handovers
from serving.service import Service
from serving.settings import Settings, settings_for
from serving.store.writes_in_flight import SLOTS_SUFFIX

_BATCH = 100
_SHOWN, _REASONS = 5, 3


@dataclass(frozen=True, slots=True)
class DemoReplayResult:
    """
    The result of the replay.

    Attributes:
        loaded: what the store held before it.
        stored: facts of the last day that were stored, by kind.
        routes: the leads that were handed over, newest first.
    """

    loaded: LoadResult
    stored: dict[str, int]
    routes: list[Handover]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"loaded": self.loaded.as_json(), "told": self.stored, "routes": len(self.routes)}

    def show(self, console: Console) -> None:
        """Print which leads were handed over and why."""
        self.loaded.show(console)
        stored = ", ".join(f"{count:,} {kind}" for kind, count in self.stored.items())
        console.print(f"Then its last day, as if it happened now: {stored}; {len(self.routes):,} leads handed over.")
        if not self.routes:
            return
        table = Table("lead", "score", "grade", "because", title="Handed over just now", title_justify="left")
        for route in self.routes[:_SHOWN]:
            reasons_for = [reason["says"] for reason in route.reasons if reason["points"] > 0]
            reasons = "; ".join(reasons_for[:_REASONS])
            table.add_row(route.lead_id, str(route.score), route.grade, reasons)
        console.print(table)


@dataclass(frozen=True, slots=True)
class HistoryBefore:
    """A history as it was known before an instant [us since 1970 UTC]."""

    whole: HistoryTables
    instant: int

    @property
    def leads(self) -> Any:
        """The versions known by then."""
        return self.whole.leads.filter(self.whole.leads.known_at < self.instant)

    @property
    def activities(self) -> Any:
        """The activities known by then, of leads known by then."""
        return self._of_known_leads(self.whole.activities)

    @property
    def outcomes(self) -> Any:
        """The outcomes known by then, of leads known by then."""
        return self._of_known_leads(self.whole.outcomes)

    def _of_known_leads(self, table: Any) -> Any:
        return table.filter(table.known_at < self.instant).semi_join(self.leads, "lead_id")


def replay_last_day(workspace: Workspace, *, progress: Progress = silent) -> DemoReplayResult:
    """
    Load a history except its last day into a new store, then send that day to the service.

    A store that is there already is moved aside, to ``leadscore.previous.db``.

    Args:
        workspace: the playbook, and where tables and models are stored.
        progress: called with how far it has come.

    Raises:
        DataError: the exports do not match the playbook.
        ServingError: the store cannot be opened.
    """
    history = import_playbook_history(workspace, progress=progress)
    settings = settings_for(workspace)
    _set_aside(settings)
    instant = history.cutoff_us - DAY_US
    service = open_service(settings)
    try:
        before = HistoryBefore(history, instant)
        live = service.active_scorer.current
        loaded = load_history(before, service.database, playbook=workspace.playbook, live=live, progress=progress)
        stored = _send(service, history, instant, progress=progress)
        service.worker.catch_up()
        with service.database.reading() as connection:
            routes = newest_handovers(connection, 1000)
    finally:
        service.close()
    return DemoReplayResult(loaded, stored, routes)


def _set_aside(settings: Settings) -> None:
    """Make room for a new store; one on PostgreSQL stays, and gets only what it lacks."""
    database = settings.database_file
    if database is None:
        return
    for ending in ("", "-wal", "-shm", SLOTS_SUFFIX):
        file = database.with_name(database.name + ending)
        if file.exists():
            file.replace(database.with_name(f"{database.stem}.previous{database.suffix}{ending}"))


def _send(service: Service, history: HistoryTables, instant: int, *, progress: Progress) -> dict[str, int]:
    """Send what became known from an instant on, in that order; return how many facts were stored, by kind."""
    facts: dict[Kind, list[dict[str, Any]]] = {
        "leads": _leads(history, instant, business=service.playbook.business),
        "activities": [_fact(row, "occurred_at") for row in _rows(history.activities, instant)],
        "outcomes": [_fact(row, "reached_at") for row in _rows(history.outcomes, instant)],
    }
    return {kind: _send_all(service, kind, rows, progress=progress) for kind, rows in facts.items()}


def _send_all(service: Service, kind: Kind, facts: list[dict[str, Any]], *, progress: Progress) -> int:
    stored = 0
    for start in range(0, len(facts), _BATCH):
        results = service.ingestion.ingest(kind, facts[start : start + _BATCH])
        stored += sum(result.status == "stored" for result in results)
        progress(f"sending {kind}", min(start + _BATCH, len(facts)), len(facts))
    return stored


def _rows(table: Any, instant: int) -> Iterator[dict[str, Any]]:
    """Yield the rows known from an instant on, in that order, without missing values."""
    for row in table.filter(table.known_at >= instant).order_by("known_at").to_pyarrow().to_pylist():
        yield {name: value for name, value in row.items() if value is not None}


def _leads(history: HistoryTables, instant: int, *, business: Business) -> list[dict[str, Any]]:
    def attributes(row: dict[str, Any]) -> dict[str, Any]:
        kinds = {name: kind for name, kind in business.attribute_types.items() if name in row}
        return {name: bool(row[name]) if kind is AttributeType.BOOLEAN else row[name] for name, kind in kinds.items()}

    return [
        {"lead_id": row["lead_id"], "created_at": iso(row["created_at"]), "attributes": attributes(row)}
        | ({"account_id": row["account_id"]} if "account_id" in row else {})
        for row in _rows(history.leads, instant)
    ]


def _fact(row: dict[str, Any], instant: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "known_at"} | {instant: iso(row[instant])}
