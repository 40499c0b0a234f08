"""
Crossings: a lead whose score passes the threshold is handed over once, until it has fallen well below.

A lead that is closed is forgotten: one that opens again crosses like a new one.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from data.words.playbook import Playbook
from models.receipt import scorer_json
from serving.scorers.live_scorer import LiveScorer, Score
from serving.store.database import raw_connection
from serving.store.lead_lives import came_back, is_closed
from serving.store.tables import leads, merges, pending_scores, routes

MOST_REASONS = 5
"""How many reasons a route shows."""


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """
    Whether a lead is above the threshold, and which scorer decided so.

    A stand-in for an unusable model is only temporary: it hands over leads that cross under it, but it neither lets a
    lead fall that another scorer raised, nor records of a lead that it was below.

    Attributes:
        is_above: it has crossed, and not fallen below the floor since.
        above_for: fingerprint of the scorer that decided so; None if only stand-ins have scored the lead.
    """

    is_above: bool
    above_for: str | None

    def was_above(self, live: LiveScorer, points: float | None, *, floor: float) -> bool:
        """
        Return whether a lead counts as above just before new facts about it.

        Scores fall without events, so a lead that was above may have sunk below long ago. A new scorer takes leads as
        it finds them: those above its threshold were so without crossing.

        Args:
            live: the scorer in use.
            points: its points without the new facts; None if the lead was not known.
            floor: points below which a lead falls.
        """
        if self.is_above:
            return points is None or points >= floor or (live.degraded and self.is_of_another(live))
        return self.is_of_another(live) and points is not None and points >= live.threshold

    def after(self, live: LiveScorer, *, was_above: bool, points: float, floor: float) -> "ThresholdState":
        """Return the state of a lead after new facts about it."""
        threshold, of_another = live.threshold, self.is_of_another(live)
        if live.degraded and self.is_above and of_another:
            return self
        now = points >= (floor if was_above else threshold)
        crossed = now and not was_above
        if live.stands_in and not crossed and (of_another or self.above_for is None) and not self.is_above:
            return self
        return ThresholdState(now, live.scorer.id.fingerprint)

    def needs_before(self, live: LiveScorer) -> bool:
        """Return whether the points before the new facts matter."""
        return self.is_above or self.is_of_another(live)

    def is_of_another(self, live: LiveScorer) -> bool:
        """Return whether another scorer than this one decided the state."""
        return self.above_for is not None and self.above_for != live.scorer.id.fingerprint


_NEVER_SCORED = ThresholdState(is_above=False, above_for=None)


@dataclass(frozen=True, slots=True)
class Crossings:
    """What became of scored leads: which crossed, and the states that changed."""

    crossed: tuple[str, ...]
    changed: Mapping[str, ThresholdState]


class CrossingRules:
    """
    The rules of a playbook that decide which leads are open and which cross.

    Args:
        playbook: says what closes a lead and what opens it again, and how far a score must fall before the lead may
            cross again.
    """

    def __init__(self, playbook: Playbook) -> None:
        self._lifecycle = playbook.business.lifecycle
        self._hysteresis = playbook.routing.hysteresis_points

    def open_leads(self, connection: Connection, lead_ids: Sequence[str]) -> dict[str, ThresholdState]:
        """Return the leads that are open and not merged, with their states."""
        query = self._open().where(leads.c.lead_id.in_(lead_ids))
        return {row.lead_id: ThresholdState(bool(row.is_above), row.above_for) for row in connection.execute(query)}

    def open_after(self, connection: Connection, lead_id: str, *, limit: int) -> list[str]:
        """Return the next open leads after one, by id, leaving out those that wait to be scored anyway."""
        waiting = select(pending_scores.c.lead_id).where(pending_scores.c.lead_id == leads.c.lead_id).exists()
        query = self._open().where(leads.c.lead_id > lead_id, ~waiting).order_by(leads.c.lead_id).limit(limit)
        return [row.lead_id for row in connection.execute(query)]

    def reopened(self, connection: Connection, lead_ids: Sequence[str]) -> set[str]:
        """Return those of some open leads that their new facts have closed and opened again."""
        if not self._lifecycle.reopens:
            return set()
        return set(connection.execute(came_back(lead_ids, self._lifecycle)).scalars())

    def decide(
        self,
        live: LiveScorer,
        states: Mapping[str, ThresholdState],
        *,
        before: Mapping[str, float],
        after: Mapping[str, float],
        reopened: Collection[str] = (),
    ) -> Crossings:
        """
        Decide which leads crossed and what their states are now.

        Args:
            live: the scorer in use.
            states: the states of the leads when they were last scored.
            before: points just before the new facts; leads that only time has changed are left out.
            after: points now.
            reopened: leads that were closed since and are open again; they count as never scored.
        """
        floor, stored = live.threshold - self._hysteresis, states
        states = {**states, **dict.fromkeys(reopened, _NEVER_SCORED)}
        above = {
            lead_id: states[lead_id].was_above(
                live, before.get(lead_id, _unchanged_points(live, states[lead_id], points)), floor=floor
            )
            for lead_id, points in after.items()
        }
        crossed = tuple(lead_id for lead_id, points in after.items() if points >= live.threshold and not above[lead_id])
        now = {
            lead_id: states[lead_id].after(live, was_above=above[lead_id], points=points, floor=floor)
            for lead_id, points in after.items()
        }
        return Crossings(crossed, {lead_id: state for lead_id, state in now.items() if state != stored[lead_id]})

    def set_initial_states(
        self, connection: Connection, live: LiveScorer, *, lead_ids: Sequence[str], as_of: int
    ) -> None:
        """Set the states of loaded leads: those above the threshold start as above, and none is handed over."""
        states = self.open_leads(connection, lead_ids)
        forget_threshold_states(connection, set(lead_ids) - states.keys())
        below = [(lead_id, as_of) for lead_id, state in states.items() if not state.is_above]
        points = live.points(raw_connection(connection), below)
        fingerprint = live.scorer.id.fingerprint
        save_threshold_states(
            connection,
            {lead_id: ThresholdState(reached >= live.threshold, fingerprint) for lead_id, reached in points.items()},
        )

    def _open(self) -> Select[Any]:
        merged = select(merges.c.lead_id).where(merges.c.lead_id == leads.c.lead_id)
        return select(leads).where(~is_closed(leads.c.lead_id, self._lifecycle), ~merged.exists())


def _unchanged_points(live: LiveScorer, state: ThresholdState, points: float) -> float | None:
    """Return the points before for a lead that only time has changed, unless another scorer gave them."""
    return points if state.is_of_another(live) else None


def save_threshold_states(connection: Connection, states: Mapping[str, ThresholdState]) -> None:
    """Store the states of leads."""
    if states:
        lead = leads.c.lead_id == bindparam("lead")
        statement = update(leads).where(lead).values(is_above=bindparam("now"), above_for=bindparam("scorer"))
        rows = [
            {"lead": lead_id, "now": int(state.is_above), "scorer": state.above_for}
            for lead_id, state in states.items()
        ]
        connection.execute(statement, rows)


def forget_threshold_states(connection: Connection, lead_ids: Collection[str]) -> None:
    """Forget how leads that are closed or merged were scored, so that one that opens again may cross again."""
    is_above = leads.c.lead_id.in_(lead_ids) & (leads.c.is_above == 1)
    connection.execute(update(leads).where(is_above).values(is_above=0, above_for=None))


def write_routes(connection: Connection, scores: Sequence[Score]) -> None:
    """Record that leads crossed, with the scores that made them cross."""
    if scores:
        connection.execute(insert(routes), [_row(score) for score in scores])


def _row(score: Score) -> dict[str, Any]:
    receipt = score.receipt.told(is_whole=False)
    return {
        "lead_id": receipt.lead_id,
        "points": receipt.points,
        "score": receipt.score,
        "grade": receipt.grade,
        "threshold": score.threshold,
        "routed_at": receipt.as_of,
        "reasons": json.dumps(receipt.as_json()["reasons"]),
        "scorer": json.dumps(scorer_json(receipt.scorer)),
    }
