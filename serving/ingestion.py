"""Ingestion: facts are kept once, by their id, and a batch is one transaction; scores follow behind."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, Table, func, insert, select, text

from data.playbook import Playbook
from serving.clock import Clock
from serving.database import Database
from serving.errors import ConflictError, InvalidError, MergedError, RequestError
from serving.facts import (
    ActivityFact,
    LeadFact,
    OutcomeFact,
    attributes_json,
    check_activity,
    check_lead,
    check_outcome,
    is_id,
    read_as,
    shown,
)
from serving.merging import survivors
from serving.tables import activities, lead_versions, leads, outcomes

Kind = Literal["leads", "activities", "outcomes"]
Status = Literal["stored", "duplicate", "quarantined", "rejected"]
AnyFact = LeadFact | ActivityFact | OutcomeFact
Values = dict[str, Any]
_ID_OF: Mapping[Kind, str] = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}
_SECOND_US = 1_000_000
_MOVED = text(
    "INSERT INTO moves (lead_id, since, newest) VALUES (:lead_id, :since, :newest)"
    " ON CONFLICT (lead_id) DO UPDATE SET newest = excluded.newest"
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item that was sent."""

    id: str | None
    status: Status
    error: RequestError | None = None

    def as_json(self) -> dict[str, str | None]:
        """Write it as the API gives it."""
        said = {} if self.error is None else {"error": str(self.error)}
        return {"id": self.id, "status": self.status, **said}


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """
    Write what became of all items.

    >>> summary([Result("a", "stored"), Result("b", "duplicate")])["duplicates"]
    1
    """
    states = [result.status for result in results]
    return {
        "results": [result.as_json() for result in results],
        "stored": states.count("stored"),
        "duplicates": states.count("duplicate"),
        "rejected": states.count("rejected"),
    }


class Ticket(Protocol):
    """What keeps the answer to a request together with its facts, so that a kill cannot part them."""

    def finish(self, connection: Connection, results: Sequence[Result]) -> None:
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
        playbook: Playbook,
        database: Database,
        *,
        clock: Clock,
        clock_skew_s: float,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self._playbook = playbook
        self._database = database
        self._clock = clock
        self._skew_us = int(clock_skew_s * _SECOND_US)
        self._moved = moved

    def take(self, kind: Kind, items: Sequence[object], *, ticket: Ticket | None = None) -> list[Result]:
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
        if ticket is None and all(isinstance(fact, Result) for fact in read):
            return [result for result in read if isinstance(result, Result)]
        with self._database.telling(self._clock) as (connection, _):
            results = self._keep(connection, kind, read=read)
            if ticket is not None:
                ticket.finish(connection, results)
        if any(result.status == "stored" for result in results):
            self._moved()
        return results

    def _read(self, kind: Kind, item: object) -> AnyFact | Result:
        """Read one item, or say why it is rejected."""
        latest = self._clock.now() + self._skew_us
        try:
            if kind == "leads":
                check_lead(lead := read_as(LeadFact, item), self._playbook, latest=latest)
                return lead
            if kind == "activities":
                check_activity(activity := read_as(ActivityFact, item), self._playbook, latest=latest)
                return activity
            check_outcome(outcome := read_as(OutcomeFact, item), self._playbook, latest=latest)
        except InvalidError as error:
            named = item.get(_ID_OF[kind]) if isinstance(item, dict) else None
            return Result(named if is_id(named) else None, "rejected", error)
        return outcome

    def _keep(self, connection: Connection, kind: Kind, *, read: Sequence[AnyFact | Result]) -> list[Result]:
        """Store what is new, and put its leads among those that wait to be scored."""
        became = survivors(connection, (fact.lead_id for fact in read if not isinstance(fact, Result)))
        shelf = _shelf(connection, kind, read=read, became=became)
        results = [fact if isinstance(fact, Result) else shelf.place(fact, self._clock.tick()) for fact in read]
        if kind == "leads":
            _greet(connection, {row["lead_id"] for row in shelf.rows})
        if shelf.rows:
            connection.execute(insert(shelf.table), shelf.rows)
            connection.execute(_MOVED, _moves(shelf.rows))
        return results


def _shelf(
    connection: Connection, kind: Kind, *, read: Sequence[AnyFact | Result], became: Mapping[str, str]
) -> "Shelf":
    facts = [fact for fact in read if not isinstance(fact, Result)]
    if kind == "leads":
        return _Versions(connection, facts, became=became)
    return _Events(connection, kind, facts=facts, became=became)


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
    known = _known(connection, lead_ids)
    new = [{"lead_id": lead_id} for lead_id in sorted(lead_ids - known)]
    if new:
        connection.execute(insert(leads), new)


def _known(connection: Connection, lead_ids: Iterable[str]) -> set[str]:
    asked = select(leads.c.lead_id).where(leads.c.lead_id.in_(set(lead_ids)))
    return set(connection.execute(asked).scalars())


class Shelf(ABC):
    """Where facts of one kind go: it finds those that are there already and collects rows for the new ones."""

    table: Table
    rows: list[Values]

    @abstractmethod
    def place(self, fact: Any, known_at: int) -> Result:
        """Say what becomes of a fact that we know of from this instant on."""


class _Versions(Shelf):
    """Versions of leads: a new one only where something changed."""

    table = lead_versions

    def __init__(self, connection: Connection, facts: Sequence[AnyFact], *, became: Mapping[str, str]) -> None:
        self.rows = []
        self._became = became
        asked = {fact.lead_id for fact in facts}
        newest = (
            select(lead_versions.c.lead_id, func.max(lead_versions.c.known_at).label("known_at"))
            .where(lead_versions.c.lead_id.in_(asked))
            .group_by(lead_versions.c.lead_id)
            .subquery()
        )
        same = (lead_versions.c.lead_id == newest.c.lead_id) & (lead_versions.c.known_at == newest.c.known_at)
        found = connection.execute(select(lead_versions).join(newest, same))
        self._newest: dict[str, Values] = {row.lead_id: row._asdict() for row in found}

    def place(self, fact: LeadFact, known_at: int) -> Result:
        """Say what becomes of a lead that is known so from this instant on."""
        became = self._became[fact.lead_id]
        if became != fact.lead_id:
            message = f"lead_id: {shown(fact.lead_id)} was merged into {shown(became)}; tell what changed of that lead."
            return Result(fact.lead_id, "rejected", MergedError(message))
        newest = self._newest.get(fact.lead_id)
        if newest is not None:
            known_at = max(known_at, newest["known_at"] + 1)
        row = _version(fact, newest, known_at)
        if newest is not None and all(newest[name] == row[name] for name in row if name != "known_at"):
            return Result(fact.lead_id, "duplicate")
        self._newest[fact.lead_id] = row
        self.rows.append(row)
        return Result(fact.lead_id, "stored")


def _version(fact: LeadFact, newest: Values | None, known_at: int) -> Values:
    return {
        "lead_id": fact.lead_id,
        "known_at": known_at,
        "account_id": fact.account_id,
        "created_at": _created_at(fact.created_at, newest, known_at),
        "attributes": attributes_json(fact),
    }


def _created_at(told: int | None, newest: Values | None, known_at: int) -> int:
    """Give since when a lead exists: as told, never after we knew of it; else as told before, or else now."""
    if newest is None:
        return known_at if told is None else min(told, known_at)
    before: int = newest["created_at"]
    if told is None or min(told, newest["known_at"]) == before:
        return before
    return min(told, known_at)


class _Events(Shelf):
    """Activities or outcomes: kept once by their id."""

    def __init__(
        self, connection: Connection, kind: Kind, *, facts: Sequence[AnyFact], became: Mapping[str, str]
    ) -> None:
        self.table = activities if kind == "activities" else outcomes
        self._id, self._at = _ID_OF[kind], "occurred_at" if kind == "activities" else "reached_at"
        self.rows = []
        self._became = became
        self._leads = _known(connection, (fact.lead_id for fact in facts))
        column = self.table.c[self._id]
        found = connection.execute(select(self.table).where(column.in_([getattr(fact, self._id) for fact in facts])))
        self._there: dict[str, Values] = {getattr(row, self._id): row._asdict() for row in found}

    def place(self, fact: ActivityFact | OutcomeFact, known_at: int) -> Result:
        """Say what becomes of an activity or outcome that we know of from this instant on."""
        name = getattr(fact, self._id)
        if fact.lead_id not in self._leads:
            message = f"lead_id: no lead {shown(fact.lead_id)} is known; send it to /v1/leads first."
            return Result(name, "rejected", InvalidError(message))
        there = self._there.get(name)
        row = self._row(fact, known_at if there is None else there["known_at"])
        if there is not None and {**there, "lead_id": self._became.get(there["lead_id"], there["lead_id"])} == row:
            return Result(name, "duplicate")
        if there is not None:
            message = f"{self._id} {shown(name)} is taken by other content; give every fact an id of its own."
            return Result(name, "rejected", ConflictError(message))
        self._there[name] = row
        self.rows.append(row)
        return Result(name, "stored")

    def _row(self, fact: ActivityFact | OutcomeFact, known_at: int) -> Values:
        """Give the fact as it is kept; nothing happens after it is known, even if the sender's clock says so."""
        content = fact.model_dump() | {"lead_id": self._became[fact.lead_id]}
        return {**content, self._at: min(content[self._at], known_at), "known_at": known_at}
