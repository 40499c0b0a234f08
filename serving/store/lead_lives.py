"""Who is closed in the store, and where leads stand; the rule is `data.lifecycle.lead_lifecycle`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Exists, Select, or_, select

from data.instants import DAY_US
from data.lifecycle.lead_lifecycle import NEW_LEAD, LeadState, Lifecycle, ReachedStage
from serving.store.tables import activities, outcomes, pending_scores

OccurredAndKnown = tuple[int, int]
"""When something occurred, and when it was known [us since 1970 UTC]."""


@dataclass(frozen=True, slots=True)
class LeadLives:
    """
    What the store holds of the ends of some leads.

    Attributes:
        lifecycle: what closes a lead, and what opens it again.
        reached: the stages of each lead.
        opened: when each lead that was closed did what opens leads again.
    """

    lifecycle: Lifecycle
    reached: Mapping[str, Sequence[ReachedStage]]
    opened: Mapping[str, Sequence[OccurredAndKnown]]

    @classmethod
    def read(cls, connection: Connection, lead_ids: Iterable[str], lifecycle: Lifecycle) -> "LeadLives":
        """Read them for a page of leads."""
        columns = (outcomes.c.lead_id, outcomes.c.stage, outcomes.c.reached_at, outcomes.c.known_at)
        reached: dict[str, list[ReachedStage]] = defaultdict(list)
        for lead_id, *what in connection.execute(select(*columns).where(outcomes.c.lead_id.in_(set(lead_ids)))):
            reached[lead_id].append(ReachedStage(*what))
        ended = {lead_id for lead_id, own in reached.items() if any(each.stage in lifecycle.closing for each in own)}
        return cls(lifecycle, reached, _opened(connection, ended, lifecycle))

    def state(self, lead_id: str, as_of: int) -> LeadState:
        """Return where a lead stood by what was known before an instant [us since 1970 UTC]."""
        own = self.reached.get(lead_id)
        if own is None:
            return NEW_LEAD
        opened = [at for at, known_at in self.opened.get(lead_id, ()) if known_at < as_of]
        return self.lifecycle.state([each for each in own if each.known_at < as_of], opened)


def _opened(
    connection: Connection, lead_ids: Collection[str], lifecycle: Lifecycle
) -> dict[str, list[OccurredAndKnown]]:
    found: dict[str, list[OccurredAndKnown]] = defaultdict(list)
    if lead_ids and lifecycle.reopens:
        columns = (activities.c.lead_id, activities.c.occurred_at, activities.c.known_at)
        query = select(*columns).where(activities.c.lead_id.in_(lead_ids), _opens(lifecycle))
        for lead_id, occurred_at, known_at in connection.execute(query):
            found[lead_id].append((occurred_at, known_at))
    return found


def is_closed(lead_id: ColumnElement[str], lifecycle: Lifecycle) -> Exists:
    """Return a condition: whether an outcome has closed a lead, and nothing since has opened it again."""
    ended = (outcomes.c.lead_id == lead_id) & outcomes.c.stage.in_(sorted(lifecycle.closing))
    if not lifecycle.reopens:
        return select(outcomes.c.lead_id).where(ended).exists()
    for_good = outcomes.c.stage.in_(sorted(lifecycle.final))
    opened_later = select(activities.c.lead_id).where(_came_after(lifecycle)).correlate(outcomes).exists()
    return select(outcomes.c.lead_id).where(ended, or_(for_good, ~opened_later)).exists()


def came_back(lead_ids: Collection[str], lifecycle: Lifecycle) -> Select[Any]:
    """Return a query for those of some open leads whose new facts first closed them and then opened them again."""
    ended = outcomes.c.lead_id.in_(lead_ids) & outcomes.c.stage.in_(sorted(lifecycle.closing))
    are_new = (outcomes.c.known_at >= pending_scores.c.since) & (activities.c.known_at >= pending_scores.c.since)
    return (
        select(outcomes.c.lead_id)
        .distinct()
        .join(pending_scores, pending_scores.c.lead_id == outcomes.c.lead_id)
        .join(activities, _came_after(lifecycle))
        .where(ended, are_new)
    )


def _came_after(lifecycle: Lifecycle) -> ColumnElement[bool]:
    """Return a condition: whether an activity opens the lead again that an outcome has closed."""
    is_after = or_(
        activities.c.occurred_at > outcomes.c.known_at, activities.c.occurred_at > outcomes.c.reached_at + DAY_US
    )
    return (activities.c.lead_id == outcomes.c.lead_id) & _opens(lifecycle) & is_after


def _opens(lifecycle: Lifecycle) -> ColumnElement[bool]:
    return activities.c.kind.in_(sorted(lifecycle.reopening))
