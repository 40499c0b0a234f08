"""Routing: a lead whose score passes the threshold is handed over once, until it has fallen well below."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from data.instants import iso
from data.playbook import PlaybookFolder
from models.receipt import scorer_json
from serving.database import raw
from serving.scoring import LiveScorer, Score
from serving.tables import leads, outcomes, routes

_REASONS = 5
_NEWEST = "SELECT id, lead_id, score, grade, threshold, routed_at, reasons FROM routes ORDER BY id DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Watch:
    """The open leads that facts are about to move, and which of them stand above the threshold already."""

    above: Mapping[str, bool]
    fallen: frozenset[str]


class Routing:
    """
    The crossings of a playbook.

    Args:
        folder: says which stages close a lead and how far a score must fall before it may cross again.
    """

    def __init__(self, folder: PlaybookFolder) -> None:
        self._closing = sorted(folder.playbook.closing_stages)
        self._hysteresis = folder.routing.hysteresis_points

    def watch(self, connection: Connection, live: LiveScorer, *, lead_ids: Collection[str], as_of: int) -> Watch:
        """
        Look at leads just before facts about them are stored.

        Scores fall without events, so a lead that was above may long be below: it counts as fallen.

        Args:
            connection: holds the write lock.
            live: the scorer in use.
            lead_ids: leads that are about to move.
            as_of: now, before the facts.
        """
        above = self._open(connection, sorted(lead_ids))
        risen = [lead_id for lead_id, is_above in above.items() if is_above]
        points = live.points(raw(connection), risen, as_of=as_of)
        floor = self._floor(live)
        return Watch(above, frozenset(lead_id for lead_id in risen if points.get(lead_id, floor) < floor))

    def route(self, connection: Connection, live: LiveScorer, *, watch: Watch, as_of: int) -> list[str]:
        """
        Write a route for each watched lead that has crossed, within the transaction that stored its facts.

        Args:
            connection: holds the write lock.
            live: the scorer in use.
            watch: the leads as they were before.
            as_of: now, after the facts.

        Returns:
            The leads that were routed.
        """
        points = live.points(raw(connection), sorted(watch.above), as_of=as_of)
        threshold, floor = live.scorer.bands.threshold, self._floor(live)
        was_above = {lead_id: watch.above[lead_id] and lead_id not in watch.fallen for lead_id in points}
        crossed = [lead_id for lead_id, now in points.items() if now >= threshold and not was_above[lead_id]]
        is_above = {lead_id: now >= (floor if was_above[lead_id] else threshold) for lead_id, now in points.items()}
        set_above(connection, {lead_id: now for lead_id, now in is_above.items() if now != watch.above[lead_id]})
        scores = live.scores(raw(connection), crossed, as_of=as_of, top=_REASONS)
        if scores:
            connection.execute(insert(routes), [_row(score, threshold) for score in scores.values()])
        return crossed

    def settle(self, connection: Connection, live: LiveScorer, *, lead_ids: Sequence[str], as_of: int) -> None:
        """Take loaded leads as they stand: those above the threshold count as above, and none is routed."""
        known = self._open(connection, lead_ids)
        points = live.points(raw(connection), list(known), as_of=as_of)
        threshold = live.scorer.bands.threshold
        set_above(
            connection, {lead_id: True for lead_id, now in points.items() if now >= threshold and not known[lead_id]}
        )

    def _floor(self, live: LiveScorer) -> float:
        return live.scorer.bands.threshold - self._hysteresis

    def _open(self, connection: Connection, lead_ids: Sequence[str]) -> dict[str, bool]:
        """Give the leads that no outcome has closed, and whether they stand above."""
        closed = select(outcomes.c.lead_id).where(
            outcomes.c.lead_id == leads.c.lead_id, outcomes.c.stage.in_(self._closing)
        )
        asked = select(leads.c.lead_id, leads.c.is_above).where(leads.c.lead_id.in_(lead_ids), ~closed.exists())
        return {lead_id: bool(is_above) for lead_id, is_above in connection.execute(asked)}


def set_above(connection: Connection, above: Mapping[str, bool]) -> None:
    """Remember which leads stand above the threshold."""
    if above:
        statement = update(leads).where(leads.c.lead_id == bindparam("lead")).values(is_above=bindparam("above"))
        connection.execute(statement, [{"lead": lead_id, "above": int(now)} for lead_id, now in above.items()])


def newest_routes(store: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Give the newest routes first, as the API writes them."""
    return [
        {
            "id": number,
            "lead_id": lead_id,
            "score": score,
            "grade": grade,
            "threshold": threshold,
            "routed_at": iso(routed_at),
            "reasons": json.loads(reasons),
        }
        for number, lead_id, score, grade, threshold, routed_at, reasons in store.execute(_NEWEST, (limit,))
    ]


def _row(score: Score, threshold: float) -> dict[str, Any]:
    receipt = score.receipt
    content = score.as_json()
    return {
        "lead_id": receipt.lead_id,
        "points": receipt.points,
        "score": receipt.score,
        "grade": receipt.grade,
        "threshold": threshold,
        "routed_at": receipt.as_of,
        "reasons": json.dumps(content["reasons"]),
        "scorer": json.dumps(scorer_json(receipt.scorer)),
    }
