"""Ingestion: each fact is stored once, by its id, and a batch is one transaction; scores follow later."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import Connection, insert, text

from data.instants import SECOND_US
from data.words.id_rules import IdForms
from data.words.playbook import Business
from serving.callers.keys import ANYBODY
from serving.clock import Clock
from serving.errors import ErasedError, InvalidError, RequestError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, check_activity, check_lead, check_outcome, read_as
from serving.intake.fact_tables import FactTable, existing_leads, fact_table_for
from serving.intake.machine_activities import MachineMarker
from serving.intake.quarantined_facts import IDS, MODELS, AnyFact, Kind, Quarantine, SuspectFact, suspicion
from serving.intake.rejected_items import RejectedItem, own_id, save_rejected
from serving.store.database import Database
from serving.store.merged_leads import survivors
from serving.store.rows import insert_rows, run_rows
from serving.store.tables import leads
from serving.store.tombstones import erased_lead_error, find_erased

Status = Literal["stored", "duplicate", "quarantined", "rejected"]
Values = dict[str, Any]
_ANY_INSTANT = 2**62
_IN_FORM: tuple[str, ...] = ("lead_id", "account_id")
_QUEUE = text(
    "INSERT INTO pending_scores (lead_id, since, newest) VALUES (:lead_id, :since, :newest)"
    " ON CONFLICT (lead_id) DO UPDATE SET newest ="
    " CASE WHEN excluded.newest > pending_scores.newest THEN excluded.newest ELSE pending_scores.newest END"
)


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """
    What became of one item of a request.

    Its error is kept as a value, without the frames that it was raised in: they lead to all items of the request, and
    those back to it. Such a circle of 1,000 items takes a full collection, in which nobody is answered for 50 ms.
    """

    id: str | None
    status: Status
    error: RequestError | None = None

    def __post_init__(self) -> None:
        """Take the frames from the error."""
        if self.error is not None:
            self.error.__traceback__ = self.error.__context__ = None


BeforeCommit = Callable[[Connection, Sequence[ItemOutcome]], None]
"""What is called in the transaction that stores facts, with what becomes of each item."""


@dataclass(frozen=True, slots=True)
class Ingestion:
    """
    Stores facts that callers send.

    Args:
        business: which kinds and attributes exist.
        database: where facts are stored.
        clock: says when a fact became known.
        clock_skew_s: how far ahead of our clock an instant may be and still count as now.
        on_stored: called after new facts are committed.

    Attributes:
        outcomes: how many items this process has taken, by kind and by what became of them.
        rejected_by: how many of them were rejected, by the id of the key that sent them.
    """

    business: Business
    database: Database
    clock: Clock
    clock_skew_s: float
    on_stored: Callable[[], None] = lambda: None
    outcomes: Counter[tuple[Kind, Status]] = field(default_factory=Counter)
    rejected_by: Counter[str] = field(default_factory=Counter)

    def ingest(
        self,
        kind: Kind,
        items: Sequence[object],
        *,
        caller: str = ANYBODY.key_id,
        before_commit: BeforeCommit | None = None,
    ) -> list[ItemOutcome]:
        """
        Store the items that are valid and new; on return they are on disk, and their leads wait to be scored.

        Args:
            kind: what they are.
            items: as parsed from JSON.
            caller: the id of the key that sent them; it can list those that are rejected.
            before_commit: called in the transaction that stores the facts, so that a kill cannot separate the two.

        Returns:
            One result per item, in order.
        """
        if not items and before_commit is None:
            return []
        read = [self._read(kind, item) for item in items]
        with self.database.writing_facts(self.clock) as (connection, at):
            results = self.store(connection, kind, read=read)
            rejected = _rejected(kind, items, results, self.business.id_forms)
            save_rejected(connection, rejected, key_id=caller, at=at)
            if before_commit is not None:
                before_commit(connection, results)
        self.count(kind, results)
        self.rejected_by[caller] += len(rejected)
        if any(result.status == "stored" for result in results):
            self.on_stored()
        return results

    def count(self, kind: Kind, results: Sequence[ItemOutcome]) -> None:
        """Count what became of items, once that is committed."""
        self.outcomes.update((kind, result.status) for result in results)

    def parse(self, kind: Kind, item: object) -> AnyFact:
        """
        Parse one fact and check it against the playbook, except whether its instant has come.

        Raises:
            InvalidError: it is not a fact of this kind.
        """
        fact = read_as(MODELS[kind], item, self.business.id_forms)
        match fact:
            case LeadFact():
                check_lead(fact, self.business, latest=_ANY_INSTANT)
            case ActivityFact():
                check_activity(fact, self.business, latest=_ANY_INSTANT)
            case OutcomeFact():
                check_outcome(fact, self.business, latest=_ANY_INSTANT)
        return fact

    def store(
        self, connection: Connection, kind: Kind, *, read: Sequence[AnyFact | SuspectFact | ItemOutcome]
    ) -> list[ItemOutcome]:
        """Under the write lock, store what is new, queue its leads, and quarantine what cannot be right yet."""
        facts = [_fact(item) for item in read if not isinstance(item, ItemOutcome)]
        lead_ids = {fact.lead_id for fact in facts}
        survivor_of = survivors(connection, lead_ids)
        marker = self._marker(connection, facts, survivor_of) if kind == "activities" else None
        batch = _Batch(
            table=fact_table_for(connection, kind, facts=facts, survivor_of=survivor_of, marker=marker),
            quarantine=Quarantine(connection, kind, (str(getattr(fact, IDS[kind])) for fact in facts)),
            erased=find_erased(connection, lead_ids),
        )
        results = [item if isinstance(item, ItemOutcome) else batch.place(item, self.clock.tick()) for item in read]
        rows = batch.table.rows
        if kind == "leads":
            _add_leads(connection, {row["lead_id"] for row in rows})
        if rows:
            insert_rows(connection, batch.table.table, rows)
            run_rows(connection, _QUEUE, _pending(rows))
            batch.quarantine.settle((row[IDS[kind]] for row in rows), self.clock.tick())
        return results

    def _marker(
        self, connection: Connection, facts: Sequence[AnyFact], survivor_of: Mapping[str, str]
    ) -> MachineMarker | None:
        """Return what tells the activities of machines, if the playbook has rules for that."""
        if not self.business.machines:
            return None
        happened = [fact for fact in facts if isinstance(fact, ActivityFact)]
        merged = [lead_id for lead_id, survivor in survivor_of.items() if lead_id != survivor]
        now = self.clock.now()
        return MachineMarker(connection, self.business.machines, happened, merged=merged, now=now)

    def _read(self, kind: Kind, item: object) -> AnyFact | SuspectFact | ItemOutcome:
        """Parse one item, or return why it is rejected; a fact from the future is suspect."""
        try:
            fact = self.parse(kind, item)
        except InvalidError as error:
            return ItemOutcome(own_id(kind, item, self.business.id_forms), "rejected", error)
        reason = suspicion(kind, fact, now=self.clock.now(), skew_us=int(self.clock_skew_s * SECOND_US))
        return SuspectFact(kind, fact, _as_kept(cast("dict[str, Any]", item), fact), reason) if reason else fact


@dataclass(frozen=True, slots=True)
class _Batch:
    """Where the facts of a batch go: into their table, into quarantine, or nowhere."""

    table: FactTable
    quarantine: Quarantine
    erased: Collection[str]

    def place(self, item: AnyFact | SuspectFact, known_at: int) -> ItemOutcome:
        """Place a fact that becomes known at this instant."""
        fact = _fact(item)
        fact_id = self.table.id_of(fact)
        try:
            return ItemOutcome(fact_id, self._place(item, fact, known_at))
        except ErasedError as error:
            return ItemOutcome(None if isinstance(fact, LeadFact) else fact_id, "rejected", error)
        except RequestError as error:
            return ItemOutcome(fact_id, "rejected", error)

    def _place(self, item: AnyFact | SuspectFact, fact: AnyFact, known_at: int) -> Status:
        if fact.lead_id in self.erased:
            raise erased_lead_error()
        row = self.table.new_row(fact, known_at)
        if row is None:
            return "duplicate"
        if isinstance(item, SuspectFact):
            return self.quarantine.hold(item, known_at)
        self.quarantine.check(self.table.id_of(fact), fact)
        self.table.add(row)
        return "stored"


def _rejected(
    kind: Kind, items: Sequence[object], results: Sequence[ItemOutcome], forms: IdForms
) -> list[RejectedItem]:
    return [
        RejectedItem.of(kind, item, reason=str(result.error), forms=forms)
        for item, result in zip(items, results, strict=True)
        if result.error is not None
    ]


def _as_kept(item: dict[str, Any], fact: AnyFact) -> dict[str, Any]:
    """Return an item as it was sent, but with the ids that its lead and account have here."""
    return {**item, **{name: getattr(fact, name) for name in _IN_FORM if name in item}}


def _fact(item: AnyFact | SuspectFact) -> AnyFact:
    return item.fact if isinstance(item, SuspectFact) else item


def _pending(rows: Sequence[Values]) -> list[Values]:
    """Return, for each lead, the earliest and the latest instant at which its new facts became known."""
    pending: dict[str, Values] = {}
    for row in rows:
        lead_id, known_at = row["lead_id"], row["known_at"]
        lead = pending.setdefault(lead_id, {"lead_id": lead_id, "since": known_at, "newest": known_at})
        lead["newest"] = max(lead["newest"], known_at)
    return list(pending.values())


def _add_leads(connection: Connection, lead_ids: set[str]) -> None:
    """Add the leads that are new."""
    known = existing_leads(connection, lead_ids)
    new = [{"lead_id": lead_id} for lead_id in sorted(lead_ids - known)]
    if new:
        connection.execute(insert(leads), new)
