"""The tables that facts go into: which facts are stored already, and the rows of those that are new."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, func, select

from serving.errors import ConflictError, InvalidError, MergedError
from serving.facts import ActivityFact, LeadFact, OutcomeFact, canonical
from serving.intake.machine_activities import MachineMarker
from serving.intake.quarantined_facts import IDS, INSTANTS, AnyFact, Kind
from serving.lead_ids import shown
from serving.store.merged_leads import survivors
from serving.store.tables import activities, lead_versions, leads, outcomes

Values = dict[str, Any]
Event = ActivityFact | OutcomeFact
_IDS_WANTED: BindParameter[str] = bindparam("ids", expanding=True)
_EXISTING_LEADS = select(leads.c.lead_id).where(leads.c.lead_id.in_(_IDS_WANTED))
_STORED_FACTS: Mapping[Kind, Select[Any]] = {
    "activities": select(activities).where(activities.c.activity_id.in_(_IDS_WANTED)),
    "outcomes": select(outcomes).where(outcomes.c.outcome_id.in_(_IDS_WANTED)),
}


def fact_table_for(
    connection: Connection,
    kind: Kind,
    *,
    facts: Sequence[AnyFact],
    survivor_of: Mapping[str, str],
    marker: MachineMarker | None = None,
) -> "FactTable":
    """
    Return the table for facts of a kind.

    Args:
        connection: holds the write lock.
        kind: what the facts are.
        facts: all that may be added to it.
        survivor_of: for each of their leads the one that it has become by merges.
        marker: tells which activities are a machine's, if the playbook has rules for that.
    """
    if kind == "leads":
        return _Versions(connection, cast("Sequence[LeadFact]", facts), survivor_of=survivor_of)
    if marker is not None:
        return _Activities(connection, cast("Sequence[Event]", facts), survivor_of=survivor_of, marker=marker)
    return _Events(connection, kind, facts=cast("Sequence[Event]", facts), survivor_of=survivor_of)


def existing_leads(connection: Connection, lead_ids: Iterable[str]) -> set[str]:
    """Return which of these leads are known."""
    return set(connection.execute(_EXISTING_LEADS, {"ids": list(set(lead_ids))}).scalars())


class FactTable(ABC):
    """A table of facts: it looks up which are stored already and collects rows for the new ones."""

    def __init__(self, kind: Kind, table: Table) -> None:
        self.table = table
        self.rows: list[Values] = []
        self._id = IDS[kind]

    def id_of(self, fact: AnyFact) -> str:
        """Return the id of a fact."""
        return str(getattr(fact, self._id))

    @abstractmethod
    def new_row(self, fact: Any, known_at: int) -> Values | None:
        """
        Return the row of a fact that becomes known at this instant; None if it is stored already.

        Raises:
            RequestError: it can never be stored.
        """

    def add(self, row: Values) -> None:
        """Add a row."""
        self.rows.append(row)


class _Versions(FactTable):
    """Versions of leads: a new one only if something changed."""

    def __init__(self, connection: Connection, facts: Sequence[LeadFact], *, survivor_of: Mapping[str, str]) -> None:
        super().__init__("leads", lead_versions)
        self._survivor_of = survivor_of
        lead_ids = {fact.lead_id for fact in facts}
        newest = (
            select(lead_versions.c.lead_id, func.max(lead_versions.c.known_at).label("known_at"))
            .where(lead_versions.c.lead_id.in_(lead_ids))
            .group_by(lead_versions.c.lead_id)
            .subquery()
        )
        same = (lead_versions.c.lead_id == newest.c.lead_id) & (lead_versions.c.known_at == newest.c.known_at)
        rows = connection.execute(select(lead_versions).join(newest, same))
        self._newest: dict[str, Values] = {row.lead_id: row._asdict() for row in rows}

    def new_row(self, fact: LeadFact, known_at: int) -> Values | None:
        """Return the lead's next version; a version of a merged lead would be ambiguous, so it is refused."""
        survivor = self._survivor_of[fact.lead_id]
        if survivor != fact.lead_id:
            message = f"lead_id: {shown(fact.lead_id)} was merged into {shown(survivor)}; send changes of that lead."
            raise MergedError(message)
        newest = self._newest.get(fact.lead_id)
        if newest is not None:
            known_at = max(known_at, newest["known_at"] + 1)
        row = _version(fact, newest, known_at)
        same = newest is not None and all(newest[name] == row[name] for name in row if name != "known_at")
        return None if same else row

    def add(self, row: Values) -> None:
        """Add a version, with which the next one is compared."""
        super().add(row)
        self._newest[row["lead_id"]] = row


def _version(fact: LeadFact, newest: Values | None, known_at: int) -> Values:
    return {
        "lead_id": fact.lead_id,
        "known_at": known_at,
        "account_id": fact.account_id,
        "created_at": _created_at(fact.created_at, newest, known_at),
        "attributes": canonical(fact.attributes),
    }


def _created_at(sent_at: int | None, newest: Values | None, known_at: int) -> int:
    """Return since when a lead exists: as sent, but never after it became known; else as before, or else now."""
    if newest is None:
        return known_at if sent_at is None else min(sent_at, known_at)
    before: int = newest["created_at"]
    if sent_at is None or min(sent_at, newest["known_at"]) == before:
        return before
    return min(sent_at, known_at)


class _Events(FactTable):
    """Activities or outcomes: stored once by their id."""

    def __init__(
        self, connection: Connection, kind: Kind, *, facts: Sequence[Event], survivor_of: Mapping[str, str]
    ) -> None:
        super().__init__(kind, activities if kind == "activities" else outcomes)
        self._instant = INSTANTS[kind]
        self._leads = existing_leads(connection, (fact.lead_id for fact in facts))
        rows = connection.execute(_STORED_FACTS[kind], {"ids": [self.id_of(fact) for fact in facts]})
        self._stored: dict[str, Values] = {getattr(row, self._id): row._asdict() for row in rows}
        owners = {row["lead_id"] for row in self._stored.values()} - survivor_of.keys()
        self._survivor_of = {**survivor_of, **survivors(connection, owners)}

    def new_row(self, fact: Event, known_at: int) -> Values | None:
        """Return the row of an activity or outcome, whose lead must be known."""
        if fact.lead_id not in self._leads:
            message = f"lead_id: no lead {shown(fact.lead_id)} is known; send it to /v1/leads first."
            raise InvalidError(message)
        stored = self._stored.get(self.id_of(fact))
        if stored is None:
            return self._row(fact, known_at)
        if {**stored, "lead_id": self._survivor_of[stored["lead_id"]]} == self._row_beside(stored, fact):
            return None
        message = f"{self._id} {shown(self.id_of(fact))} is taken by other content; give every fact an id of its own."
        raise ConflictError(message)

    def add(self, row: Values) -> None:
        """Add an activity or outcome, whose id is taken from now on."""
        super().add(row)
        self._stored[row[self._id]] = row
        self._survivor_of.setdefault(row["lead_id"], row["lead_id"])

    def _row_beside(self, stored: Values, fact: Event) -> Values:
        """Return the row of a fact as it would be if it had been sent when the stored one was."""
        return self._row(fact, stored["known_at"])

    def _row(self, fact: Event, known_at: int) -> Values:
        """Return the row to store; its instant is at most ``known_at``, whatever the sender's clock said."""
        content = {**vars(fact), "lead_id": self._survivor_of[fact.lead_id]}
        return {**content, self._instant: min(content[self._instant], known_at), "known_at": known_at}


class _Activities(_Events):
    """Activities of a playbook with rules for machines: what is a machine's is stored under the kind of the rule."""

    def __init__(
        self,
        connection: Connection,
        facts: Sequence[Event],
        *,
        survivor_of: Mapping[str, str],
        marker: MachineMarker,
    ) -> None:
        super().__init__(connection, "activities", facts=facts, survivor_of=survivor_of)
        self._marker = marker

    def new_row(self, fact: Event, known_at: int) -> Values | None:
        """Return the row of an activity under the kind that it is stored as."""
        row = super().new_row(fact, known_at)
        return None if row is None else {**row, "kind": self._marker.kind_of(cast("ActivityFact", fact), row)}

    def add(self, row: Values) -> None:
        """Add an activity, which those after it may follow too fast."""
        super().add(row)
        self._marker.add(row)

    def _row_beside(self, stored: Values, fact: Event) -> Values:
        row = super()._row_beside(stored, fact)
        return {**row, "kind": self._marker.same_kind(stored["kind"], row["kind"])}
