"""Routing: a lead whose score passes the threshold is handed over once, until it has fallen well below."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from data.instants import iso
from data.playbook import Playbook
from models.receipt import scorer_json
from serving.scorers.live_scorer import LiveScorer, Score
from serving.store.database import raw_connection
from serving.store.tables import leads, merges, outcomes, pending_scores, routes

MOST_REASONS = 5
"""Reasons that a route says."""


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """
    Whether a lead stands above the threshold, and which scorer says so.

    A stand-in for a model that cannot be used is there for a while only: it hands over who crosses under it, but
    neither lets a lead fall that another scorer raised nor says of one that it was below.

    Attributes:
        is_above: it crossed, and has not fallen below the floor since.
        above_for: fingerprint of the scorer that said so; None where only stand-ins have looked.
    """

    is_above: bool
    above_for: str | None

    def was_above(self, live: LiveScorer, points: float | None, *, floor: float) -> bool:
        """
        Say whether a lead counts as above just before facts about it are stored.

        Scores fall without events, so a lead that was above may long be below. Another scorer than the one that
        said so takes the lead as it finds it: who is above the threshold for it was so without crossing.

        Args:
            live: the scorer in use.
            points: what it gives without the facts; None where the lead was not known.
            floor: points below which a lead falls.
        """
        if self.is_above:
            return points is None or points >= floor or (live.degraded and self.is_of_another(live))
        return self.is_of_another(live) and points is not None and points >= live.threshold

    def after(self, live: LiveScorer, *, was_above: bool, points: float, floor: float) -> "ThresholdState":
        """
        Give how a lead stands once facts about it are stored.

        Args:
            live: the scorer in use.
            was_above: how it stood just before.
            points: what the scorer gives with the facts.
            floor: points below which a lead falls.
        """
        threshold, of_another = live.threshold, self.is_of_another(live)
        if live.degraded and self.is_above and of_another:
            return self
        now = points >= (floor if was_above else threshold)
        crossed = now and not was_above
        if live.stands_in and not crossed and (of_another or self.above_for is None) and not self.is_above:
            return self
        return ThresholdState(now, live.scorer.id.fingerprint)

    def needs_before(self, live: LiveScorer) -> bool:
        """Say whether it matters which points the lead had before the facts."""
        return self.is_above or self.is_of_another(live)

    def is_of_another(self, live: LiveScorer) -> bool:
        """Say whether another scorer than this one said how the lead stands."""
        return self.above_for is not None and self.above_for != live.scorer.id.fingerprint


@dataclass(frozen=True, slots=True)
class Crossings:
    """What became of leads that were looked at: which crossed, and how those stand now that stand otherwise."""

    crossed: tuple[str, ...]
    standing: Mapping[str, ThresholdState]


class CrossingRules:
    """
    The crossings of a playbook.

    Args:
        folder: says which stages close a lead and how far a score must fall before it may cross again.
    """

    def __init__(self, playbook: Playbook) -> None:
        self._closing = sorted(playbook.business.closing_stages)
        self._hysteresis = playbook.routing.hysteresis_points

    def open_leads(self, connection: Connection, lead_ids: Sequence[str]) -> dict[str, ThresholdState]:
        """Give the leads that nothing has closed, neither an outcome nor a merge, and how they stand."""
        asked = self._open().where(leads.c.lead_id.in_(lead_ids))
        return {row.lead_id: ThresholdState(bool(row.is_above), row.above_for) for row in connection.execute(asked)}

    def open_after(self, connection: Connection, lead_id: str, *, limit: int) -> list[str]:
        """Give the next open leads after one, by their ids, that do not wait to be scored anyway."""
        waits = select(pending_scores.c.lead_id).where(pending_scores.c.lead_id == leads.c.lead_id).exists()
        asked = self._open().where(leads.c.lead_id > lead_id, ~waits).order_by(leads.c.lead_id).limit(limit)
        return [row.lead_id for row in connection.execute(asked)]

    def decide(
        self,
        live: LiveScorer,
        standing: Mapping[str, ThresholdState],
        *,
        before: Mapping[str, float],
        after: Mapping[str, float],
    ) -> Crossings:
        """
        Say which leads crossed and how they stand now.

        Args:
            live: the scorer in use.
            standing: how leads stood when they were last looked at.
            before: points just before what happened to them; those that only time moved are left out.
            after: points now.
        """
        floor = live.threshold - self._hysteresis
        above = {
            one: standing[one].was_above(live, before.get(one, _unmoved(live, standing[one], now)), floor=floor)
            for one, now in after.items()
        }
        crossed = tuple(one for one, now in after.items() if now >= live.threshold and not above[one])
        stands = {
            one: standing[one].after(live, was_above=above[one], points=now, floor=floor) for one, now in after.items()
        }
        return Crossings(crossed, {one: now for one, now in stands.items() if now != standing[one]})

    def set_initial_states(
        self, connection: Connection, live: LiveScorer, *, lead_ids: Sequence[str], as_of: int
    ) -> None:
        """Take loaded leads as they stand: those above the threshold count as above, and none is routed."""
        below = [one for one, found in self.open_leads(connection, lead_ids).items() if not found.is_above]
        points = live.points(raw_connection(connection), [(lead_id, as_of) for lead_id in below])
        fingerprint = live.scorer.id.fingerprint
        save_threshold_states(
            connection, {one: ThresholdState(now >= live.threshold, fingerprint) for one, now in points.items()}
        )

    def _open(self) -> Select[Any]:
        closed = select(outcomes.c.lead_id).where(
            outcomes.c.lead_id == leads.c.lead_id, outcomes.c.stage.in_(self._closing)
        )
        merged = select(merges.c.lead_id).where(merges.c.lead_id == leads.c.lead_id)
        return select(leads).where(~closed.exists(), ~merged.exists())


def _unmoved(live: LiveScorer, standing: ThresholdState, now: float) -> float | None:
    """Give the points that a lead had before, where only time moved it: those of another scorer are not comparable."""
    return now if standing.is_of_another(live) else None


def save_threshold_states(connection: Connection, standing: Mapping[str, ThresholdState]) -> None:
    """Keep how leads stand."""
    if standing:
        lead = leads.c.lead_id == bindparam("lead")
        statement = update(leads).where(lead).values(is_above=bindparam("now"), above_for=bindparam("scorer"))
        told = [{"lead": one, "now": int(now.is_above), "scorer": now.above_for} for one, now in standing.items()]
        connection.execute(statement, told)


def write_routes(connection: Connection, scored: Sequence[Score]) -> None:
    """Write down that leads crossed, with the score that made them cross."""
    if scored:
        connection.execute(insert(routes), [_row(score) for score in scored])


def newest_routes(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Give the newest routes first, as the API writes them."""
    return [
        {
            "id": row.id,
            "lead_id": row.lead_id,
            "score": row.score,
            "grade": row.grade,
            "threshold": row.threshold,
            "routed_at": iso(row.routed_at),
            "reasons": json.loads(row.reasons),
        }
        for row in connection.execute(select(routes).order_by(routes.c.id.desc()).limit(limit))
    ]


def _row(score: Score) -> dict[str, Any]:
    receipt = score.receipt
    content = score.as_json()
    return {
        "lead_id": receipt.lead_id,
        "points": receipt.points,
        "score": receipt.score,
        "grade": receipt.grade,
        "threshold": score.threshold,
        "routed_at": receipt.as_of,
        "reasons": json.dumps(content["reasons"]),
        "scorer": json.dumps(scorer_json(receipt.scorer)),
    }
