"""
Quarantine: facts whose instant cannot be right yet are kept as they were sent, and nothing counts them.

They are taken in once their instant has passed and they are sent again, or once somebody releases them, or never.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from data.instants import SECOND_US, iso
from serving.errors import ConflictError, SettledError, UnknownFactError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, read_as, shown
from serving.store.tables import quarantine

Kind = Literal["leads", "activities", "outcomes"]
AnyFact = LeadFact | ActivityFact | OutcomeFact
MODELS: Mapping[Kind, type[AnyFact]] = {"leads": LeadFact, "activities": ActivityFact, "outcomes": OutcomeFact}
IDS: Mapping[Kind, str] = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}
INSTANTS: Mapping[Kind, str] = {"leads": "created_at", "activities": "occurred_at", "outcomes": "reached_at"}
_ANYBODY = select(quarantine.c.id).limit(1)
_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class SuspectFact:
    """
    A fact that is to be quarantined.

    Attributes:
        kind: what it is.
        fact: as it was read.
        sent: as it was sent.
        why: why it cannot be right yet.
    """

    kind: Kind
    fact: AnyFact
    sent: Mapping[str, Any]
    why: str

    @property
    def fact_id(self) -> str:
        """Give the id that the fact has of its own."""
        return str(getattr(self.fact, IDS[self.kind]))


@dataclass(frozen=True, slots=True)
class QuarantinedFact:
    """A fact in quarantine, or one that was there."""

    number: int
    kind: Kind
    fact_id: str
    lead_id: str
    sent: Mapping[str, Any]
    why: str
    received_at: int
    released_at: int | None

    def as_json(self) -> dict[str, Any]:
        """Write it as the API gives it."""
        said = {"id": self.number, "kind": self.kind, "fact_id": self.fact_id, "lead_id": self.lead_id}
        return {**said, "why": self.why, "received_at": iso(self.received_at), "fact": self.sent}

    @property
    def fact(self) -> AnyFact:
        """Give it as it was read."""
        return read_as(MODELS[self.kind], dict(self.sent))


def suspicion(kind: Kind, fact: AnyFact, *, now: int, skew_us: int) -> str | None:
    """
    Say why a fact cannot be right yet; None where nothing speaks against it.

    >>> from serving.facts import ActivityFact
    >>> sent = {"activity_id": "a", "lead_id": "L-1", "kind": "call", "occurred_at": "1970-01-03T00:00:00Z"}
    >>> suspicion("activities", ActivityFact(**sent), now=0, skew_us=300_000_000)
    'occurred_at is 2 days ahead of our clock'
    """
    name = INSTANTS[kind]
    told: int | None = getattr(fact, name)
    return None if told is None or told <= now + skew_us else f"{name} is {_long(told - now)} ahead of our clock"


class Quarantine:
    """
    The quarantine as a batch of facts meets it.

    Args:
        connection: holds the write lock.
        kind: what the facts are.
        fact_ids: all of theirs; most were never in quarantine.
    """

    def __init__(self, connection: Connection, kind: Kind, fact_ids: Iterable[str]) -> None:
        self._connection = connection
        self._kind = kind
        self._is_mine = (quarantine.c.kind == kind, quarantine.c.released_at.is_(None))
        self._waiting: dict[str, AnyFact] = {}
        if connection.execute(_ANYBODY).first():  # mostly nobody, and that is known at once
            asked = select(quarantine).where(*self._is_mine, quarantine.c.fact_id.in_(set(fact_ids)))
            self._waiting = {row.fact_id: _held(row).fact for row in connection.execute(asked)}

    def hold(self, suspect: SuspectFact, at: int) -> Literal["quarantined", "duplicate"]:
        """
        Keep a fact in quarantine; the same one again is a duplicate.

        A lead's newest version takes the place of one that waits, since a lead has but one id for all its versions.

        Args:
            suspect: the fact; it is none that is stored already.
            at: now [us since 1970 UTC].

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
        Refuse a fact whose id another one in quarantine has; a lead's versions may always differ.

        Raises:
            ConflictError: there is one.
        """
        if self._kind != "leads" and self._waiting.get(fact_id, fact) != fact:
            message = (
                f"{IDS[self._kind]} {shown(fact_id)} is in quarantine with other content: have that one discarded."
            )
            raise ConflictError(message)

    def settle(self, fact_ids: Iterable[str], at: int) -> None:
        """Let facts go that are stored now, whoever sent them again."""
        gone = self._waiting.keys() & set(fact_ids)
        if gone:
            left = update(quarantine).where(*self._is_mine, quarantine.c.fact_id.in_(gone))
            self._connection.execute(left.values(released_at=at))


def newest_quarantined(connection: Connection, limit: int) -> list[QuarantinedFact]:
    """Give the facts in quarantine, newest first."""
    is_in = quarantine.c.released_at.is_(None)
    asked = select(quarantine).where(is_in).order_by(quarantine.c.id.desc()).limit(limit)
    return [_held(row) for row in connection.execute(asked)]


def read_quarantined(connection: Connection, number: int) -> QuarantinedFact:
    """
    Give a fact that is in quarantine.

    Raises:
        UnknownFactError: none has this number.
        SettledError: it was released, or taken in when it was sent again.
    """
    row = connection.execute(select(quarantine).where(quarantine.c.id == number)).one_or_none()
    if row is None:
        message = f"No fact number {number} is in quarantine: see GET /v1/quarantine for those that are."
        raise UnknownFactError(message)
    if row.released_at is not None:
        message = f"Fact number {number} left the quarantine at {iso(row.released_at)}; there is nothing left to do."
        raise SettledError(message)
    return _held(row)


def mark_released(connection: Connection, number: int, at: int) -> None:
    """Let a fact out of quarantine."""
    connection.execute(update(quarantine).where(quarantine.c.id == number).values(released_at=at))


def delete_quarantined(connection: Connection, number: int) -> QuarantinedFact:
    """
    Throw away a fact that is in quarantine.

    Raises:
        UnknownFactError: none has this number.
        SettledError: it was released, or taken in when it was sent again.
    """
    found = read_quarantined(connection, number)
    connection.execute(delete(quarantine).where(quarantine.c.id == number))
    return found


def _held(row: Any) -> QuarantinedFact:
    told = (row.fact_id, row.lead_id, json.loads(row.fact), row.why, row.received_at, row.released_at)
    return QuarantinedFact(row.id, row.kind, *told)


def _long(span_us: int) -> str:
    """
    Say how long a span is, in the largest unit of which there are two.

    >>> _long(90 * 60 * 1_000_000), _long(3 * 86_400 * 1_000_000), _long(1)
    ('90 minutes', '3 days', '0 seconds')
    """
    seconds = span_us // SECOND_US
    many, unit = next(((seconds // size, unit) for size, unit in _UNITS if seconds >= 2 * size), (seconds, "seconds"))
    return f"{many:,} {unit}"
