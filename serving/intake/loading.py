"""Loading: a company's history into the store, all of it or nothing; loading it again adds nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from rich.console import Console
from sqlalchemy import Connection, func, select

from data.contract import AttributeType
from data.instants import now_us as present_us
from data.progress import Progress, silent
from data.words.machine_rules import becomes
from data.words.playbook import Business, Playbook
from data.words.sources import StoreSource
from data.workspace import Workspace
from serving.errors import LoadError
from serving.facts import canonical
from serving.intake.load_conflicts import ConflictList, LoadConflict
from serving.scorers.live_scorer import LiveScorer
from serving.scores.crossings import CrossingRules
from serving.store.bulk_insert import COLUMNS, BulkInsert, open_bulk_insert
from serving.store.database import Database
from serving.store.merged_leads import survivors
from serving.store.tables import leads, merges
from serving.store.tombstones import find_erased, has_tombstones

_CHUNK = 50_000
_SCORED_AT_ONCE = 1000
_SHOWN = 20
_NOT_COUNTS = {"conflicts", "known_otherwise", "named", "keeps_stored"}
if TYPE_CHECKING:
    from data.importing.warehouse import Warehouse

Rows = Iterable[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class History:
    """
    Contract tables as Ibis tables with instants in microseconds, as in the warehouse.

    Attributes:
        leads: the versions of leads, with a column per attribute.
        activities: the activities.
        outcomes: the outcomes.
    """

    leads: Any
    activities: Any
    outcomes: Any


@dataclass(frozen=True, slots=True)
class LoadResult:
    """
    What a load added to the store.

    Attributes:
        rows: rows of history that were read: lead versions, activities and outcomes together.
        above: open leads of the store that are above the threshold.
        conflicts: rows whose id is taken by other content, by kind; what the store holds stays.
        named: the first 1,000 of them.
        known_otherwise: activities and outcomes that the store holds as known at another instant, which stays.
        keeps_stored: whether the user accepts conflicts.
    """

    database: str
    rows: int
    leads: int
    lead_versions: int
    activities: int
    outcomes: int
    above: int
    conflicts: dict[str, int] = field(default_factory=dict)
    named: tuple[LoadConflict, ...] = ()
    known_otherwise: int = 0
    keeps_stored: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing contradicts the store, or the user accepts that what it holds stays."""
        return self.keeps_stored or not self.conflicts

    def as_json(self) -> dict[str, Any]:
        """Return the counts; and where history says otherwise than the store, what and how often."""
        counts = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_COUNTS}
        otherwise = {"known_otherwise": self.known_otherwise} if self.known_otherwise else {}
        named = {"named": [each.as_json() for each in self.named]}
        return counts | otherwise | ({"conflicts": self.conflicts | named} if self.conflicts else {})

    def show(self, console: Console) -> None:
        """Print it."""
        console.print(
            f"Of {self.rows:,} rows of history, new in {self.database}: {self.leads:,} leads,"
            f" {self.lead_versions:,} versions of leads, {self.activities:,} activities, {self.outcomes:,} outcomes."
            f" {self.above:,} open leads are above the threshold; loading hands none of them over.",
            soft_wrap=True,
        )
        if self.known_otherwise:
            text = (
                f"{self.known_otherwise:,} activities and outcomes are stored as known at another instant, which stays."
            )
            console.print(text, soft_wrap=True)
        if self.conflicts:
            self._show_conflicts(console)

    def _show_conflicts(self, console: Console) -> None:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in self.conflicts.items())
        console.print(f"In conflict with the store, which was not changed: {counts}.", soft_wrap=True)
        for each in self.named[:_SHOWN]:
            text = f"- {each.kind} {each.id}: {', '.join(each.differs)}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        if sum(self.conflicts.values()) > _SHOWN:
            console.print("--json names the first 1,000.")
        if not self.passed:
            console.print("Correct the export, or add --keep-stored if what the store holds is right.", soft_wrap=True)


def import_playbook_history(workspace: Workspace, *, progress: Progress = silent) -> "Warehouse":
    """
    Import the history of a playbook's exports, to be loaded.

    Raises:
        LoadError: the playbook's source is the store itself, so there is nothing to load.
        DataError: the exports do not match the playbook.
    """
    from data.importing.warehouse import import_history  # noqa: PLC0415 - a server has no DuckDB, and needs none to serve

    if any(isinstance(source, StoreSource) for source in workspace.playbook.business.sources):
        message = (
            "this playbook's history is the service's store itself, so there is nothing to load: "
            "name a playbook whose sources are exports."
        )
        raise LoadError(message)
    return import_history(workspace, progress=progress)


def load_history(
    history: "History | Warehouse",
    database: Database,
    *,
    playbook: Playbook,
    live: LiveScorer,
    keeps_stored: bool = False,
    progress: Progress = silent,
    now_us: int | None = None,
) -> LoadResult:
    """
    Put history into the store, in one transaction.

    A lead that the load leaves above the threshold starts as "above" and is not handed over. Leads that get no new
    facts keep their state. New activities and outcomes of a merged lead go to the one that it has become, as they do
    when they are sent to the API; new versions of such a lead are left out, since they would be ambiguous. Rows that
    are neither new nor equal to what the store holds are conflicts: they are counted and named, and left out.

    Args:
        history: contract tables, without facts of leads that the tables lack; erased leads are left out.
        database: the store; what it holds already does not change.
        playbook: the playbook.
        live: the scorer in use, which decides who is above the threshold.
        keeps_stored: whether the user accepts that rows in conflict with the store are left out.
        progress: called with how far it has come.
        now_us: the present instant [us since 1970 UTC]; default: the clock's.
    """
    as_of = present_us() if now_us is None else now_us
    with database.writing() as connection:
        survivor_of = _survivors(connection)
        known = _without_erased(connection, History(history.leads, history.activities, history.outcomes))
        accepted = _without_merged(known, survivor_of)
        conflicts = ConflictList(survivor_of, becomes(playbook.business.machines))
        with open_bulk_insert(connection) as store:
            new = _insert_all(store, accepted, conflicts, business=playbook.business, progress=progress)
            changed = store.changed_leads()
        _set_initial_states(
            connection, live, crossing_rules=CrossingRules(playbook), lead_ids=changed, as_of=as_of, progress=progress
        )
        above = connection.execute(select(func.count()).select_from(leads).where(leads.c.is_above == 1)).scalar_one()
    rows = sum(_size(table) for table in (known.leads, known.activities, known.outcomes))
    return LoadResult(
        database.display_url,
        rows,
        **new,
        above=above,
        conflicts=dict(conflicts.counts),
        named=tuple(conflicts.named),
        known_otherwise=conflicts.known_otherwise,
        keeps_stored=keeps_stored,
    )


def _without_erased(connection: Connection, history: History) -> History:
    """Leave out the leads that were erased from the store although the exports still name them."""
    if not has_tombstones(connection):
        return history
    lead_ids = history.leads.select("lead_id").distinct().to_pyarrow()["lead_id"].to_pylist()
    erased = sorted(find_erased(connection, lead_ids))
    if not erased:
        return history
    tables = (
        table.filter(~table.lead_id.isin(erased)) for table in (history.leads, history.activities, history.outcomes)
    )
    return History(*tables)


def _survivors(connection: Connection) -> dict[str, str]:
    """Return, for each merged lead, the one that it has become."""
    return survivors(connection, connection.execute(select(merges.c.lead_id).distinct()).scalars())


def _without_merged(history: History, survivor_of: Mapping[str, str]) -> History:
    """Leave out versions of merged leads, which would be ambiguous."""
    if not survivor_of:
        return history
    versions = history.leads.filter(~history.leads.lead_id.isin(sorted(survivor_of)))
    return History(versions, history.activities, history.outcomes)


def _facts(table: Any, columns: Sequence[str], survivor_of: Mapping[str, str]) -> Iterator[Rows]:
    """Read activities or outcomes; those of merged leads go to the leads that they have become."""
    place = columns.index("lead_id")
    for rows in _chunks(table, columns):
        moved = ((*row[:place], survivor_of.get(row[place], row[place]), *row[place + 1 :]) for row in rows)
        yield moved if survivor_of else rows


def _insert_all(
    store: BulkInsert, history: History, conflicts: ConflictList, *, business: Business, progress: Progress
) -> dict[str, int]:
    """Insert every table in the order of its key, which is fastest on SQLite; return how many rows were new."""
    survivor_of = conflicts.survivor_of
    versioned, activities, outcomes = history.leads, history.activities, history.outcomes
    names = [name for name in business.attributes if name in versioned.columns]
    versions = _chunks(
        versioned.order_by(["lead_id", "known_at"]), ("lead_id", "known_at", "account_id", "created_at", *names)
    )
    activity_rows = activities.order_by(["lead_id", "known_at", "activity_id"])
    outcome_rows = outcomes.order_by("outcome_id")
    tables: list[tuple[str, int, Iterable[Rows]]] = [
        ("leads", 0, _chunks(versioned.select("lead_id").distinct().order_by("lead_id"), ("lead_id",))),
        ("lead_versions", _size(versioned), (_versions(rows, names, business) for rows in versions)),
        ("activities", _size(activities), _facts(activity_rows, COLUMNS["activities"], survivor_of)),
        ("outcomes", _size(outcomes), _facts(outcome_rows, COLUMNS["outcomes"], survivor_of)),
    ]
    return {
        table: _insert(store, table, conflicts, chunks=chunks, total=total, progress=progress)
        for table, total, chunks in tables
    }


def _size(table: Any) -> int:
    return int(table.count().execute())


def _chunks(table: Any, columns: Sequence[str]) -> Iterator[Rows]:
    """Read a table in chunks of rows."""
    for batch in table.select(*columns).to_pyarrow().to_batches(max_chunksize=_CHUNK):
        yield zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _versions(rows: Rows, names: Sequence[str], business: Business) -> Rows:
    """Turn the attribute columns into canonical JSON."""
    booleans = [business.attributes[name].type is AttributeType.BOOLEAN for name in names]
    for lead_id, known_at, account_id, created_at, *values in rows:
        known = zip(names, values, booleans, strict=True)
        attributes = {name: bool(value) if boolean and value is not None else value for name, value, boolean in known}
        yield lead_id, known_at, account_id, created_at, canonical(attributes)


def _insert(
    store: BulkInsert, table: str, conflicts: ConflictList, *, chunks: Iterable[Rows], total: int, progress: Progress
) -> int:
    """Insert rows that are not there yet and return how many were new; note those in conflict with what is there."""
    new, done = 0, 0
    for chunk in chunks:
        rows = list(chunk)
        inserted = store.insert(table, rows)
        new += inserted.new
        conflicts.add(table, inserted.different)
        done += len(rows)
        progress(f"loading {table.replace('_', ' ')}", done, total)
    return new


def _set_initial_states(
    connection: Connection,
    live: LiveScorer,
    *,
    crossing_rules: CrossingRules,
    lead_ids: Sequence[str],
    as_of: int,
    progress: Progress,
) -> None:
    """Set on which side of the threshold the loaded leads start."""
    for start in range(0, len(lead_ids), _SCORED_AT_ONCE):
        crossing_rules.set_initial_states(
            connection, live, lead_ids=lead_ids[start : start + _SCORED_AT_ONCE], as_of=as_of
        )
        progress("scoring loaded leads", min(start + _SCORED_AT_ONCE, len(lead_ids)), len(lead_ids))
