"""Activities of machines: told apart when they are stored, by the rules of the playbook and what is stored by then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from data.words.machine_rules import MachineRule, Occurrence, Timeline, becomes
from serving.facts import ActivityFact
from serving.store.tables import activities, merges

_LEADS: BindParameter[str] = bindparam("leads", expanding=True)
_KINDS: BindParameter[str] = bindparam("kinds", expanding=True)
_FIRST: BindParameter[int] = bindparam("first")
_LAST: BindParameter[int] = bindparam("last")
_COLUMNS = (activities.c.occurred_at, activities.c.known_at, activities.c.activity_id, activities.c.kind)
_IN_TIME = activities.c.kind.in_(_KINDS) & activities.c.occurred_at.between(_FIRST, _LAST)
_OWN: Select[Any] = select(activities.c.lead_id, *_COLUMNS).where(activities.c.lead_id.in_(_LEADS), _IN_TIME)
_SINCE_MERGED: Select[Any] = (
    select(merges.c.lead_id, *_COLUMNS)
    .join(
        activities,
        (activities.c.lead_id == merges.c.into_lead_id) & (activities.c.known_at > merges.c.merged_at),
    )
    .where(merges.c.lead_id.in_(_LEADS), _IN_TIME)
)
"""What was sent about merged leads since, which lies under the lead that each has become; copies lie before that."""


class MachineMarker:
    """
    Gives activities that are about to be stored the kind that the playbook's rules say.

    A lead is the one that the sender names, as in the exports, also if it was merged into another one.

    Args:
        connection: holds the write lock.
        rules: the playbook's.
        facts: all that may be stored.
        merged: those of their leads that were merged into another one.
        now: the present instant; what is said to happen later is stored as happening now [us since 1970 UTC].
    """

    def __init__(
        self,
        connection: Connection,
        rules: Sequence[MachineRule],
        facts: Iterable[ActivityFact],
        *,
        merged: Iterable[str],
        now: int,
    ) -> None:
        self._rules = rules
        self._becomes = becomes(rules)
        self._lead_of: dict[str, str] = {}
        self._timelines: defaultdict[str, Timeline] = defaultdict(Timeline)
        self._looked_at = frozenset(kind for rule in rules for kind in rule.looks_at)
        suspects = [fact for fact in facts if fact.kind in self._becomes]
        if suspects:
            self._look_up(connection, suspects, merged=frozenset(merged), now=now)

    def kind_of(self, fact: ActivityFact, row: Mapping[str, Any]) -> str:
        """Return the kind of an activity whose row is to be stored."""
        self._lead_of[fact.activity_id] = fact.lead_id
        return self._timelines[fact.lead_id].kind_of(self._rules, _occurrence(row))

    def same_kind(self, stored: str, sent: str) -> str:
        """Return the stored kind if it is what the kind that was sent became, else the one that was sent."""
        return stored if self._becomes.get(sent) == stored else sent

    def add(self, row: Mapping[str, Any]) -> None:
        """Add an activity that will be stored, so that those after it see it."""
        if row["kind"] in self._looked_at:
            self._timelines[self._lead_of[row["activity_id"]]].add(_occurrence(row))

    def _look_up(
        self, connection: Connection, suspects: Sequence[ActivityFact], *, merged: frozenset[str], now: int
    ) -> None:
        """Read what is stored about the leads of suspects in the time that matters."""
        times = [fact.occurred_at for fact in suspects]
        lead_ids = sorted({fact.lead_id for fact in suspects})
        wanted = {
            "leads": lead_ids,
            "kinds": sorted(self._looked_at),
            "first": min(*times, now) - max(rule.within_us for rule in self._rules),
            "last": max(times),
        }
        rows = list(connection.execute(_OWN, wanted))
        if merged & set(lead_ids):
            rows += connection.execute(_SINCE_MERGED, wanted)
        for lead_id, *columns in rows:
            self._timelines[lead_id].add(Occurrence(*columns))


def _occurrence(row: Mapping[str, Any]) -> Occurrence:
    return Occurrence(row["occurred_at"], row["known_at"], row["activity_id"], row["kind"])
