"""
Quarantine: facts whose instant cannot be right yet are stored as they were sent, and nothing counts them.

They are ingested once their instant has passed and they are sent again, or once somebody releases them, or never.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from data.instants import iso, span_in_words
from serving.errors import ConflictError, SettledError, UnknownFactError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, read_as
from serving.lead_ids import shown
from serving.store.tables import quarantine

Kind = Literal["leads", "activities", "outcomes"]
AnyFact = LeadFact | ActivityFact | OutcomeFact
MODELS: Mapping[Kind, type[AnyFact]] = {"leads": LeadFact, "activities": ActivityFact, "outcomes": OutcomeFact}
IDS: Mapping[Kind, str] = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}
INSTANTS: Mapping[Kind, str] = {"leads": "created_at", "activities": "occurred_at", "outcomes": "reached_at"}
_ANY_FACT = select(quarantine.c.id).limit(1)


@dataclass(frozen=True, slots=True)
class SuspectFact:
    """A fact that is to be quarantined: as parsed, as it was sent, and why it cannot be right yet."""

    kind: Kind
    fact: AnyFact
    sent: Mapping[str, Any]
    why: str

    @property
    def fact_id(self) -> str:
        """The fact's own id."""
        return str(getattr(self.fact, IDS[self.kind]))


@dataclass(frozen=True, slots=True)
class QuarantinedFact:
    """A fact that is or was in quarantine."""

    number: int
    kind: Kind
    fact_id: str
    lead_id: str
    sent: Mapping[str, Any]
    why: str
    received_at: int
    released_at: int | None

    @property
    def fact(self) -> AnyFact:
        """The fact as parsed."""
        return read_as(MODELS[self.kind], dict(self.sent))


def suspicion(kind: Kind, fact: AnyFact, *, now: int, skew_us: int) -> str | None:
    """
    Return why a fact cannot be right yet; None if nothing is suspect.

    >>> from serving.facts import ActivityFact
    >>> sent = {"activity_id": "a", "lead_id": "L-1", "kind": "call", "occurred_at": "1970-01-03T00:00:00Z"}
    >>> suspicion("activities", ActivityFact(**sent), now=0, skew_us=300_000_000)
    'occurred_at is 2 days ahead of our clock'
    """
    name = INSTANTS[kind]
    instant: int | None = getattr(fact, name)
    return (
        None
        if instant is None or instant <= now + skew_us
        else f"{name} is {span_in_words(instant - now)} ahead of our clock"
    )


class Quarantine:
    """The quarantine, seen from a batch of facts; the connection holds the write lock."""

    def __init__(self, connection: Connection, kind: Kind, fact_ids: Iterable[str]) -> None:
        self._connection = connection
        self._kind = kind
        self._is_mine = (quarantine.c.kind == kind, quarantine.c.released_at.is_(None))
        self._waiting: dict[str, AnyFact] = {}
        if connection.execute(_ANY_FACT).first():  # mostly there is none, which one query tells
            query = select(quarantine).where(*self._is_mine, quarantine.c.fact_id.in_(set(fact_ids)))
            self._waiting = {row.fact_id: _quarantined(row).fact for row in connection.execute(query)}

    def hold(self, suspect: SuspectFact, at: int) -> Literal["quarantined", "duplicate"]:
        """
        Put a fact that is not stored yet into quarantine; the same one again is a duplicate.

        A new version of a lead replaces the one that waits, since all versions of a lead have one id.

        Raises:
            ConflictError: another fact with the same id is in quarantine.
        """
        if self._waiting.get(suspect.fact_id) == suspect.fact:
            return "duplicate"
        self.check(suspect.fact_id, suspect.fact)
        same = (quarantine.c.kind == self._kind, quarantine.c.fact_id == suspect.fact_id)
        self._connection.execute(delete(quarantine).where(*same))
        sent = json.dumps(suspect.sent, ensure_ascii=False, sort_keys=True)
        names = {"kind": self._kind, "fact_id": suspect.fact_id, "lead_id": suspect.fact.lead_id}
        self._connection.execute(insert(quarantine).values(**names, fact=sent, why=suspect.why, received_at=at))
        self._waiting[suspect.fact_id] = suspect.fact
        return "quarantined"

    def check(self, fact_id: str, fact: AnyFact) -> None:
        """
        Refuse a fact if another one with its id is in quarantine; versions of a lead may always differ.

        Raises:
            ConflictError: there is one.
        """
        if self._kind != "leads" and self._waiting.get(fact_id, fact) != fact:
            message = f"{IDS[self._kind]} {shown(fact_id)} is in quarantine with other content: discard that one first."
            raise ConflictError(message)

    def settle(self, fact_ids: Iterable[str], at: int) -> None:
        """Release the facts that were sent again and are stored now."""
        stored = self._waiting.keys() & set(fact_ids)
        if stored:
            release = update(quarantine).where(*self._is_mine, quarantine.c.fact_id.in_(stored))
            self._connection.execute(release.values(released_at=at))


def newest_quarantined(connection: Connection, limit: int) -> list[QuarantinedFact]:
    """Return the facts in quarantine, newest first."""
    waiting = quarantine.c.released_at.is_(None)
    query = select(quarantine).where(waiting).order_by(quarantine.c.id.desc()).limit(limit)
    return [_quarantined(row) for row in connection.execute(query)]


def read_quarantined(connection: Connection, number: int) -> QuarantinedFact:
    """
    Return a fact that is in quarantine.

    Raises:
        UnknownFactError: none has this number.
        SettledError: it was released, or stored when it was sent again.
    """
    row = connection.execute(select(quarantine).where(quarantine.c.id == number)).one_or_none()
    if row is None:
        message = f"No fact number {number} is in quarantine: see GET /v1/quarantine for those that are."
        raise UnknownFactError(message)
    if row.released_at is not None:
        message = f"Fact number {number} left the quarantine at {iso(row.released_at)}; there is nothing left to do."
        raise SettledError(message)
    return _quarantined(row)


def _quarantined(row: Any) -> QuarantinedFact:
    columns = (row.fact_id, row.lead_id, json.loads(row.fact), row.why, row.received_at, row.released_at)
    return QuarantinedFact(row.id, row.kind, *columns)
