"""
Quarantine: facts whose instant cannot be right yet are kept as they were sent, and nothing counts them.

They are taken in once their instant has passed and they are sent again, or once somebody releases them, or never.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from data.instants import iso
from serving.errors import ConflictError, SettledError, UnknownFactError
from serving.facts import ActivityFact, Fact, LeadFact, OutcomeFact, read_as, shown
from serving.tables import quarantine

Kind = Literal["leads", "activities", "outcomes"]
AnyFact = LeadFact | ActivityFact | OutcomeFact
MODELS: Mapping[Kind, type[AnyFact]] = {"leads": LeadFact, "activities": ActivityFact, "outcomes": OutcomeFact}
IDS: Mapping[Kind, str] = {"leads": "lead_id", "activities": "activity_id", "outcomes": "outcome_id"}
INSTANTS: Mapping[Kind, str] = {"leads": "created_at", "activities": "occurred_at", "outcomes": "reached_at"}
_SECOND_US = 1_000_000
_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class Suspect:
    """
    A fact that is to be quarantined.

    Attributes:
        kind: what it is.
        sent: the fact as it was sent.
        why: why it cannot be right yet.
    """

    kind: Kind
    sent: Mapping[str, Any]
    why: str

    @property
    def fact_id(self) -> str:
        """Give the id that the fact has of its own."""
        return str(self.sent[IDS[self.kind]])


@dataclass(frozen=True, slots=True)
class Held:
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

    def clamped(self, latest: int) -> dict[str, Any]:
        """Give the fact with its instant no later than another one."""
        name = INSTANTS[self.kind]
        told = getattr(read_as(MODELS[self.kind], dict(self.sent)), name)
        return dict(self.sent) if told is None or told <= latest else {**self.sent, name: iso(latest)}


def suspicion(kind: Kind, fact: Fact, *, now: int, skew_us: int) -> str | None:
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


def hold(connection: Connection, suspect: Suspect, *, at: int) -> Literal["quarantined", "duplicate"]:
    """
    Quarantine a fact; the same one again is a duplicate.

    A lead's newest version takes the place of one that waits, since a lead has but one id for all its versions.

    Args:
        connection: holds the write lock.
        suspect: the fact; it is none that is stored already.
        at: now [us since 1970 UTC].

    Raises:
        ConflictError: another fact with the same id is in quarantine.
    """
    there = waiting(connection, suspect.kind, [suspect.fact_id]).get(suspect.fact_id)
    if there is not None and _same(suspect.kind, there.sent, suspect.sent):
        return "duplicate"
    if there is not None and suspect.kind != "leads":
        raise in_quarantine(suspect.kind, suspect.fact_id)
    mine = (quarantine.c.kind == suspect.kind, quarantine.c.fact_id == suspect.fact_id)
    connection.execute(delete(quarantine).where(*mine))
    sent = json.dumps(suspect.sent, ensure_ascii=False, sort_keys=True)
    names = {"kind": suspect.kind, "fact_id": suspect.fact_id, "lead_id": suspect.sent["lead_id"]}
    connection.execute(insert(quarantine).values(**names, fact=sent, why=suspect.why, received_at=at))
    return "quarantined"


def waiting(connection: Connection, kind: Kind, fact_ids: Iterable[str]) -> dict[str, Held]:
    """Give those of many facts that are in quarantine, by their ids."""
    mine = (quarantine.c.kind == kind, quarantine.c.fact_id.in_(set(fact_ids)), quarantine.c.released_at.is_(None))
    return {row.fact_id: _held(row) for row in connection.execute(select(quarantine).where(*mine))}


def refusal(there: Held | None, sent: Fact) -> ConflictError | None:
    """
    Say why a fact that may be taken in is refused because of one in quarantine.

    Args:
        there: what is in quarantine under its id, if anything is.
        sent: the fact.

    Returns:
        An error where the two differ; a lead's versions may always differ.
    """
    if there is None or there.kind == "leads" or read_as(MODELS[there.kind], dict(there.sent)) == sent:
        return None
    return in_quarantine(there.kind, there.fact_id)


def in_quarantine(kind: Kind, fact_id: str) -> ConflictError:
    """Give the error for a fact whose id another one in quarantine has."""
    message = f"{IDS[kind]} {shown(fact_id)} is in quarantine with other content: let an administrator discard that one"
    return ConflictError(f"{message}, or give every fact an id of its own.")


def settle(connection: Connection, kind: Kind, fact_ids: Iterable[str], *, at: int) -> None:
    """
    Let facts out of quarantine that are stored now.

    Args:
        connection: in the transaction that stores them.
        kind: what they are.
        fact_ids: all that are stored; most were never in quarantine.
        at: now [us since 1970 UTC].
    """
    mine = (quarantine.c.kind == kind, quarantine.c.fact_id.in_(set(fact_ids)), quarantine.c.released_at.is_(None))
    connection.execute(update(quarantine).where(*mine).values(released_at=at))


def newest_held(connection: Connection, limit: int) -> list[Held]:
    """Give the facts in quarantine, newest first."""
    is_in = quarantine.c.released_at.is_(None)
    asked = select(quarantine).where(is_in).order_by(quarantine.c.id.desc()).limit(limit)
    return [_held(row) for row in connection.execute(asked)]


def held(connection: Connection, number: int) -> Held:
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


def discard(connection: Connection, number: int) -> Held:
    """
    Throw away a fact that is in quarantine.

    Raises:
        UnknownFactError: none has this number.
        SettledError: it was released, or taken in when it was sent again.
    """
    found = held(connection, number)
    connection.execute(delete(quarantine).where(quarantine.c.id == number))
    return found


def _held(row: Any) -> Held:
    told = (row.fact_id, row.lead_id, json.loads(row.fact), row.why, row.received_at, row.released_at)
    return Held(row.id, row.kind, *told)


def _same(kind: Kind, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return read_as(MODELS[kind], dict(one)) == read_as(MODELS[kind], dict(other))


def _long(span_us: int) -> str:
    """
    Say how long a span is, in the largest unit of which there are two.

    >>> _long(90 * 60 * 1_000_000), _long(3 * 86_400 * 1_000_000), _long(1)
    ('90 minutes', '3 days', '0 seconds')
    """
    seconds = span_us // _SECOND_US
    many, unit = next(((seconds // size, unit) for size, unit in _UNITS if seconds >= 2 * size), (seconds, "seconds"))
    return f"{many:,} {unit}"
