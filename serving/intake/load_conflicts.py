"""Conflicts: rows of a load that are neither new nor equal to what the store holds under their id."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from serving.intake.quarantined_facts import IDS, INSTANTS, Kind
from serving.store.bulk_insert import COLUMNS, Row

_KINDS: Mapping[str, Kind] = {"lead_versions": "leads", "activities": "activities", "outcomes": "outcomes"}
_KEPT = 1000


@dataclass(frozen=True, slots=True)
class LoadConflict:
    """
    A row of history that contradicts the store.

    Attributes:
        kind: leads, activities or outcomes.
        id: the id of the lead, activity or outcome.
        differs: the columns in which they differ.
    """

    kind: Kind
    id: str
    differs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"kind": self.kind, "id": self.id, "differs": list(self.differs)}


class ConflictList:
    """
    The conflicts of one load, counted by kind; the first 1,000 are named.

    Args:
        survivor_of: for each merged lead the one that it has become, whose facts are the same facts.
        machines: for each kind of activity what it becomes where it is a machine's.
    """

    def __init__(self, survivor_of: Mapping[str, str], machines: Mapping[str, str] = MappingProxyType({})) -> None:
        self.survivor_of = survivor_of
        self._machines = machines
        self.counts: Counter[str] = Counter()
        self.named: list[LoadConflict] = []
        self.known_otherwise = 0

    def add(self, table: str, different: Iterable[tuple[Row, Row]]) -> None:
        """
        Add rows of a table, each with the stored row under its id.

        An activity or an outcome that was sent to the service is known from then on, whatever an export says later: it
        is the same fact, and is counted by itself.
        """
        for arriving, stored in different:
            differs = self._differences(table, arriving, stored)
            if not differs:
                continue
            if differs == ("known_at",):
                self.known_otherwise += 1
                continue
            kind = _KINDS[table]
            self.counts[kind] += 1
            if len(self.named) < _KEPT:
                fact_id = arriving[COLUMNS[table].index(IDS[kind])]
                self.named.append(LoadConflict(kind, fact_id, differs))

    def _differences(self, table: str, arriving: Row, stored: Row) -> tuple[str, ...]:
        names = COLUMNS[table]
        new, old = (dict(zip(names, row, strict=True)) for row in (arriving, stored))
        old["lead_id"] = self.survivor_of.get(old["lead_id"], old["lead_id"])
        if (
            table != "lead_versions"
        ):  # what is sent to the service has happened by then, whatever the sender's clock says
            instant = INSTANTS[_KINDS[table]]
            new[instant] = min(new[instant], old["known_at"])
        if table == "activities" and new["known_at"] != old["known_at"] and self._are_one_kind(new, old):
            new["kind"] = old["kind"]  # what is a machine's follows from what was known by then
        return tuple(name for name in names if new[name] != old[name])

    def _are_one_kind(self, new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
        """Return whether one kind is what the other becomes where it is a machine's."""
        return old["kind"] in {self._machines.get(new["kind"]), *self._sent_as(new["kind"])}

    def _sent_as(self, kind: str) -> set[str]:
        return {sent for sent, made in self._machines.items() if made == kind}
