"""Shelves: where facts of one kind go; what is there already is found, what is new is collected as rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, func, select

from serving.errors import ConflictError, InvalidError, MergedError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, attributes_json, shown
from serving.intake.quarantined_facts import IDS, INSTANTS, AnyFact, Kind
from serving.store.merged_leads import survivors
from serving.store.tables import activities, lead_versions, leads, outcomes

Values = dict[str, Any]
Event = ActivityFact | OutcomeFact
_THESE: BindParameter[str] = bindparam("these", expanding=True)
_KNOWN = select(leads.c.lead_id).where(leads.c.lead_id.in_(_THESE))
_THERE: Mapping[Kind, Select[Any]] = {
    "activities": select(activities).where(activities.c.activity_id.in_(_THESE)),
    "outcomes": select(outcomes).where(outcomes.c.outcome_id.in_(_THESE)),
}


def fact_table_for(
    connection: Connection, kind: Kind, *, facts: Sequence[AnyFact], became: Mapping[str, str]
) -> "FactTable":
    """
    Give the shelf for facts of a kind.

    Args:
        connection: holds the write lock.
        kind: what they are.
        facts: all that may be placed on it.
        became: for each of their leads the one that it has become by merges.
    """
    if kind == "leads":
        return _Versions(connection, cast("Sequence[LeadFact]", facts), became=became)
    return _Events(connection, kind, facts=cast("Sequence[Event]", facts), became=became)


def existing_leads(connection: Connection, lead_ids: Iterable[str]) -> set[str]:
    """Give which of these leads somebody told us of."""
    return set(connection.execute(_KNOWN, {"these": list(set(lead_ids))}).scalars())


class FactTable(ABC):
    """Where facts of one kind go: it finds those that are there already and collects rows for the new ones."""

    table: Table
    rows: list[Values]

    @abstractmethod
    def name_of(self, fact: Any) -> str:
        """Give the id of a fact."""

    @abstractmethod
    def new_row(self, fact: Any, known_at: int) -> Values | None:
        """
        Give the row of a fact that we know of from this instant on; None where it is there already.

        Raises:
            RequestError: it can never be kept.
        """

    def add(self, row: Values) -> None:
        """Take a row in."""
        self.rows.append(row)


class _Versions(FactTable):
    """Versions of leads: a new one only where something changed."""

    table = lead_versions

    def __init__(self, connection: Connection, facts: Sequence[LeadFact], *, became: Mapping[str, str]) -> None:
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

    def name_of(self, fact: LeadFact) -> str:
        """Give the lead's id."""
        return fact.lead_id

    def new_row(self, fact: LeadFact, known_at: int) -> Values | None:
        """Give the lead's next version; which lead would one of a lead be about that is another one by now?"""
        became = self._became[fact.lead_id]
        if became != fact.lead_id:
            message = f"lead_id: {shown(fact.lead_id)} was merged into {shown(became)}; tell what changed of that lead."
            raise MergedError(message)
        newest = self._newest.get(fact.lead_id)
        if newest is not None:
            known_at = max(known_at, newest["known_at"] + 1)
        row = _version(fact, newest, known_at)
        same = newest is not None and all(newest[name] == row[name] for name in row if name != "known_at")
        return None if same else row

    def add(self, row: Values) -> None:
        """Take a version in; the next one is compared with it."""
        super().add(row)
        self._newest[row["lead_id"]] = row


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


class _Events(FactTable):
    """Activities or outcomes: kept once by their id."""

    def __init__(
        self, connection: Connection, kind: Kind, *, facts: Sequence[Event], became: Mapping[str, str]
    ) -> None:
        self.table = activities if kind == "activities" else outcomes
        self._id, self._at = IDS[kind], INSTANTS[kind]
        self.rows = []
        self._leads = existing_leads(connection, (fact.lead_id for fact in facts))
        found = connection.execute(_THERE[kind], {"these": [self.name_of(fact) for fact in facts]})
        self._there: dict[str, Values] = {getattr(row, self._id): row._asdict() for row in found}
        whose = {row["lead_id"] for row in self._there.values()} - became.keys()
        self._became = {**became, **survivors(connection, whose)}

    def name_of(self, fact: Event) -> str:
        """Give the id of the activity or outcome."""
        return str(getattr(fact, self._id))

    def new_row(self, fact: Event, known_at: int) -> Values | None:
        """Give the row of an activity or outcome of a lead that somebody told us of."""
        if fact.lead_id not in self._leads:
            message = f"lead_id: no lead {shown(fact.lead_id)} is known; send it to /v1/leads first."
            raise InvalidError(message)
        there = self._there.get(self.name_of(fact))
        if there is None:
            return self._row(fact, known_at)
        if {**there, "lead_id": self._became[there["lead_id"]]} == self._row(fact, there["known_at"]):
            return None
        message = f"{self._id} {shown(self.name_of(fact))} is taken by other content; give every fact an id of its own."
        raise ConflictError(message)

    def add(self, row: Values) -> None:
        """Take an activity or outcome in; its id is taken from now on."""
        super().add(row)
        self._there[row[self._id]] = row
        self._became.setdefault(row["lead_id"], row["lead_id"])

    def _row(self, fact: Event, known_at: int) -> Values:
        """Give the fact as it is kept; nothing happens after it is known, even if the sender's clock says so."""
        content = {**vars(fact), "lead_id": self._became[fact.lead_id]}
        return {**content, self._at: min(content[self._at], known_at), "known_at": known_at}
