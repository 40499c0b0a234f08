"""Ingestion: facts are kept once, by their id, and a batch is one transaction; scores follow behind."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from sqlalchemy import Connection, insert, text

from data.instants import SECOND_US
from data.playbook import Business
from serving.clock import Clock
from serving.errors import ErasedError, InvalidError, RequestError
from serving.facts import (
    ActivityFact,
    LeadFact,
    OutcomeFact,
    check_activity,
    check_lead,
    check_outcome,
    is_id,
    read_as,
)
from serving.intake.fact_tables import FactTable, existing_leads, fact_table_for
from serving.intake.quarantined_facts import IDS, MODELS, AnyFact, Kind, Quarantine, SuspectFact, suspicion
from serving.store.database import Database
from serving.store.merged_leads import survivors
from serving.store.rows import insert_rows, run_rows
from serving.store.tables import leads
from serving.store.tombstones import erased_lead_error, find_erased

Status = Literal["stored", "duplicate", "quarantined", "rejected"]
Values = dict[str, Any]
_WHENEVER = 2**62
_MOVED = text(
    "INSERT INTO pending_scores (lead_id, since, newest) VALUES (:lead_id, :since, :newest)"
    " ON CONFLICT (lead_id) DO UPDATE SET newest ="
    " CASE WHEN excluded.newest > pending_scores.newest THEN excluded.newest ELSE pending_scores.newest END"
)


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item that was sent."""

    id: str | None
    status: Status
    error: RequestError | None = None

    def as_json(self) -> dict[str, str | None]:
        """Write it as the API gives it."""
        said = {} if self.error is None else {"error": str(self.error)}
        return {"id": self.id, "status": self.status, **said}


def summary(results: Sequence[ItemOutcome]) -> dict[str, Any]:
    """
    Write what became of all items.

    >>> summary([ItemOutcome("a", "stored"), ItemOutcome("b", "duplicate")])["duplicates"]
    1
    """
    states = [result.status for result in results]
    return {
        "results": [result.as_json() for result in results],
        "stored": states.count("stored"),
        "duplicates": states.count("duplicate"),
        "quarantined": states.count("quarantined"),
        "rejected": states.count("rejected"),
    }


class ResponseKeeper(Protocol):
    """What keeps the answer to a request together with its facts, so that a kill cannot part them."""

    def finish(self, connection: Connection, results: Sequence[ItemOutcome]) -> None:
        """Keep what the request is answered, in the transaction that keeps its facts."""


class Ingestion:
    """
    Takes facts in.

    Args:
        playbook: what may be told.
        database: where facts are kept.
        clock: says when a fact became known.
        clock_skew_s: how far ahead of our clock an instant may be and still count as now.
        moved: is called once facts are kept that move scores.
    """

    def __init__(
        self,
        business: Business,
        database: Database,
        *,
        clock: Clock,
        clock_skew_s: float,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._business = business
        self._database = database
        self._clock = clock
        self._skew_us = int(clock_skew_s * SECOND_US)
        self._moved = moved

    def ingest(self, kind: Kind, items: Sequence[object], *, ticket: ResponseKeeper | None = None) -> list[ItemOutcome]:
        """
        Keep the items that can be kept; after the return they are on disk, and their leads wait to be scored.

        Args:
            kind: what they are.
            items: as parsed from JSON.
            ticket: keeps the answer, where the request came with a key of its own.

        Returns:
            One result per item, in order.
        """
        read = [self._read(kind, item) for item in items]
        if ticket is None and all(isinstance(fact, ItemOutcome) for fact in read):
            return [result for result in read if isinstance(result, ItemOutcome)]
        with self._database.writing_facts(self._clock) as (connection, _):
            results = self.keep(connection, kind, read=read)
            if ticket is not None:
                ticket.finish(connection, results)
        if any(result.status == "stored" for result in results):
            self._moved()
        return results

    def checked(self, kind: Kind, item: object) -> AnyFact:
        """
        Read one fact and check it against the playbook, but for whether its instant has come.

        Raises:
            InvalidError: it is not a fact of this kind.
        """
        fact = read_as(MODELS[kind], item)
        match fact:
            case LeadFact():
                check_lead(fact, self._business, latest=_WHENEVER)
            case ActivityFact():
                check_activity(fact, self._business, latest=_WHENEVER)
            case OutcomeFact():
                check_outcome(fact, self._business, latest=_WHENEVER)
        return fact

    def keep(
        self, connection: Connection, kind: Kind, *, read: Sequence[AnyFact | SuspectFact | ItemOutcome]
    ) -> list[ItemOutcome]:
        """
        Store what is new, put its leads among those that wait to be scored, and quarantine what cannot be right yet.

        Args:
            connection: holds the write lock.
            kind: what the facts are.
            read: facts that were checked, or what became of those that could not be read.
        """
        facts = [_fact(one) for one in read if not isinstance(one, ItemOutcome)]
        lead_ids = {fact.lead_id for fact in facts}
        batch = _Batch(
            shelf=fact_table_for(connection, kind, facts=facts, became=survivors(connection, lead_ids)),
            quarantine=Quarantine(connection, kind, (str(getattr(fact, IDS[kind])) for fact in facts)),
            erased=find_erased(connection, lead_ids),
        )
        results = [one if isinstance(one, ItemOutcome) else batch.place(one, self._clock.tick()) for one in read]
        rows = batch.shelf.rows
        if kind == "leads":
            _greet(connection, {row["lead_id"] for row in rows})
        if rows:
            insert_rows(connection, batch.shelf.table, rows)
            run_rows(connection, _MOVED, _moves(rows))
            batch.quarantine.settle((row[IDS[kind]] for row in rows), self._clock.tick())
        return results

    def _read(self, kind: Kind, item: object) -> AnyFact | SuspectFact | ItemOutcome:
        """Read one item, or say why it is rejected; one whose instant has not come is suspect."""
        try:
            fact = self.checked(kind, item)
        except InvalidError as error:
            named = item.get(IDS[kind]) if isinstance(item, dict) else None
            return ItemOutcome(named if is_id(named) else None, "rejected", error)
        why = suspicion(kind, fact, now=self._clock.now(), skew_us=self._skew_us)
        return SuspectFact(kind, fact, cast("dict[str, Any]", item), why) if why else fact


@dataclass(frozen=True, slots=True)
class _Batch:
    """Where the facts of a batch go: to the others, into quarantine, or nowhere."""

    shelf: FactTable
    quarantine: Quarantine
    erased: Collection[str]

    def place(self, one: AnyFact | SuspectFact, known_at: int) -> ItemOutcome:
        """Say what becomes of a fact that we know of from this instant on."""
        fact = _fact(one)
        fact_id = self.shelf.name_of(fact)
        try:
            return ItemOutcome(fact_id, self._placed(one, fact, known_at))
        except ErasedError as error:
            return ItemOutcome(None if isinstance(fact, LeadFact) else fact_id, "rejected", error)
        except RequestError as error:
            return ItemOutcome(fact_id, "rejected", error)

    def _placed(self, one: AnyFact | SuspectFact, fact: AnyFact, known_at: int) -> Status:
        if fact.lead_id in self.erased:
            raise erased_lead_error()
        row = self.shelf.new_row(fact, known_at)
        if row is None:
            return "duplicate"
        if isinstance(one, SuspectFact):
            return self.quarantine.hold(one, known_at)
        self.quarantine.check(self.shelf.name_of(fact), fact)
        self.shelf.add(row)
        return "stored"


def _fact(one: AnyFact | SuspectFact) -> AnyFact:
    return one.fact if isinstance(one, SuspectFact) else one


def _moves(rows: Sequence[Values]) -> list[Values]:
    """Give since when, and until when, facts moved each lead."""
    moved: dict[str, Values] = {}
    for row in rows:
        lead_id, known_at = row["lead_id"], row["known_at"]
        one = moved.setdefault(lead_id, {"lead_id": lead_id, "since": known_at, "newest": known_at})
        one["newest"] = max(one["newest"], known_at)
    return list(moved.values())


def _greet(connection: Connection, lead_ids: set[str]) -> None:
    """Add the leads that nobody has told us of before."""
    known = existing_leads(connection, lead_ids)
    new = [{"lead_id": lead_id} for lead_id in sorted(lead_ids - known)]
    if new:
        connection.execute(insert(leads), new)
