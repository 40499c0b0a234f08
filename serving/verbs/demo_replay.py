"""The rehearsal: a history's last day told to the service as if it happened now, to see leads handed over."""

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
from serving.scores.crossings import newest_routes
from serving.service import Service
from serving.settings import Settings, settings_for

_AT_ONCE = 100
_SHOWN, _REASONS = 5, 3


@dataclass(frozen=True, slots=True)
class DemoReplayResult:
    """
    What became of the last day.

    Attributes:
        loaded: what the store held before it.
        told: facts of the last day that were kept, by kind.
        routes: the leads that were handed over, newest first.
    """

    loaded: LoadResult
    told: dict[str, int]
    routes: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return {"loaded": self.loaded.as_json(), "told": self.told, "routes": len(self.routes)}

    def show(self, console: Console) -> None:
        """Say which leads were handed over and why."""
        self.loaded.show(console)
        told = ", ".join(f"{count:,} {kind}" for kind, count in self.told.items())
        console.print(f"Then its last day, as if it happened now: {told}; {len(self.routes):,} leads handed over.")
        if not self.routes:
            return
        table = Table("lead", "score", "grade", "because", title="Handed over just now", title_justify="left")
        for route in self.routes[:_SHOWN]:
            speaking_for = [reason["says"] for reason in route["reasons"] if reason["points"] > 0]
            reasons = "; ".join(speaking_for[:_REASONS])
            table.add_row(route["lead_id"], str(route["score"]), route["grade"], reasons)
        console.print(table)


@dataclass(frozen=True, slots=True)
class HistoryBefore:
    """A history as it was known before an instant [us since 1970 UTC]."""

    whole: HistoryTables
    instant: int

    @property
    def leads(self) -> Any:
        """Give the versions known by then."""
        return self.whole.leads.filter(self.whole.leads.known_at < self.instant)

    @property
    def activities(self) -> Any:
        """Give the activities known by then, of leads known by then."""
        return self._of_known_leads(self.whole.activities)

    @property
    def outcomes(self) -> Any:
        """Give the outcomes known by then, of leads known by then."""
        return self._of_known_leads(self.whole.outcomes)

    def _of_known_leads(self, table: Any) -> Any:
        return table.filter(table.known_at < self.instant).semi_join(self.leads, "lead_id")


def replay_last_day(workspace: Workspace, *, progress: Progress = silent) -> DemoReplayResult:
    """
    Load a history but for its last day into a new store, then tell the service that day.

    A store that stands there already is set aside beside it, as ``leadscore.previous.db``.

    Args:
        workspace: the playbook, and where tables and models are kept.
        progress: hears how far it has come.

    Raises:
        DataError: the exports cannot be read as the playbook says.
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
        told = _tell(service, history, instant, progress=progress)
        service.worker.catch_up()
        with service.database.reading() as connection:
            routes = newest_routes(connection, 1000)
    finally:
        service.close()
    return DemoReplayResult(loaded, told, routes)


def _set_aside(settings: Settings) -> None:
    """Make room for a new store; one on PostgreSQL stays, and only what it lacks is loaded."""
    database = settings.database_file
    if database is None:
        return
    for ending in ("", "-wal", "-shm", "-processes"):
        standing = database.with_name(database.name + ending)
        if standing.exists():
            standing.replace(database.with_name(f"{database.stem}.previous{database.suffix}{ending}"))


def _tell(service: Service, history: HistoryTables, instant: int, *, progress: Progress) -> dict[str, int]:
    """Tell what became known from an instant on, in the order in which it did; give how many facts were kept."""
    facts: dict[Kind, list[dict[str, Any]]] = {
        "leads": _leads(history, instant, business=service.playbook.business),
        "activities": [_fact(row, "occurred_at") for row in _rows(history.activities, instant)],
        "outcomes": [_fact(row, "reached_at") for row in _rows(history.outcomes, instant)],
    }
    return {kind: _tell_all(service, kind, rows, progress=progress) for kind, rows in facts.items()}


def _tell_all(service: Service, kind: Kind, facts: list[dict[str, Any]], *, progress: Progress) -> int:
    kept = 0
    for at in range(0, len(facts), _AT_ONCE):
        results = service.ingestion.ingest(kind, facts[at : at + _AT_ONCE])
        kept += sum(result.status == "stored" for result in results)
        progress(f"telling the service about {kind}", min(at + _AT_ONCE, len(facts)), len(facts))
    return kept


def _rows(table: Any, instant: int) -> Iterator[dict[str, Any]]:
    """Give the rows known from an instant on, in the order in which they became known, without what is missing."""
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
