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
class Standing:
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
            return points is None or points >= floor or (live.degraded and self._is_of_another(live))
        return self._is_of_another(live) and points is not None and points >= live.scorer.bands.threshold

    def after(self, live: LiveScorer, *, was_above: bool, points: float, floor: float) -> "Standing":
        """
        Give how a lead stands once facts about it are stored.

        Args:
            live: the scorer in use.
            was_above: how it stood just before.
            points: what the scorer gives with the facts.
            floor: points below which a lead falls.
        """
        threshold, of_another = live.scorer.bands.threshold, self._is_of_another(live)
        if live.degraded and self.is_above and of_another:
            return self
        now = points >= (floor if was_above else threshold)
        crossed = now and not was_above
        if live.stands_in and not crossed and (of_another or self.above_for is None) and not self.is_above:
            return self
        return Standing(now, live.scorer.id.fingerprint)

    def _is_of_another(self, live: LiveScorer) -> bool:
        return self.above_for is not None and self.above_for != live.scorer.id.fingerprint


@dataclass(frozen=True, slots=True)
class Watch:
    """The open leads that facts are about to move: how they stand, and which of them count as above."""

    standing: Mapping[str, Standing]
    above: frozenset[str]


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

        Args:
            connection: holds the write lock.
            live: the scorer in use.
            lead_ids: leads that are about to move.
            as_of: now, before the facts.
        """
        standing = self._open(connection, sorted(lead_ids))
        fingerprint, floor = live.scorer.id.fingerprint, self._floor(live)
        asked = [one for one, found in standing.items() if found.is_above or found.above_for not in {None, fingerprint}]
        points = live.points(raw(connection), asked, as_of=as_of)
        above = (one for one in asked if standing[one].was_above(live, points.get(one), floor=floor))
        return Watch(standing, frozenset(above))

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
        points = live.points(raw(connection), sorted(watch.standing), as_of=as_of)
        threshold, floor = live.scorer.bands.threshold, self._floor(live)
        crossed = [one for one, now in points.items() if now >= threshold and one not in watch.above]
        after = {
            one: watch.standing[one].after(live, was_above=one in watch.above, points=now, floor=floor)
            for one, now in points.items()
        }
        _remember(connection, {one: now for one, now in after.items() if now != watch.standing[one]})
        scores = live.scores(raw(connection), crossed, as_of=as_of, top=_REASONS)
        if scores:
            connection.execute(insert(routes), [_row(score, threshold) for score in scores.values()])
        return crossed

    def settle(self, connection: Connection, live: LiveScorer, *, lead_ids: Sequence[str], as_of: int) -> None:
        """Take loaded leads as they stand: those above the threshold count as above, and none is routed."""
        below = [one for one, found in self._open(connection, lead_ids).items() if not found.is_above]
        points = live.points(raw(connection), below, as_of=as_of)
        threshold, fingerprint = live.scorer.bands.threshold, live.scorer.id.fingerprint
        _remember(connection, {one: Standing(now >= threshold, fingerprint) for one, now in points.items()})

    def _floor(self, live: LiveScorer) -> float:
        return live.scorer.bands.threshold - self._hysteresis

    def _open(self, connection: Connection, lead_ids: Sequence[str]) -> dict[str, Standing]:
        """Give the leads that no outcome has closed, and how they stand."""
        closed = select(outcomes.c.lead_id).where(
            outcomes.c.lead_id == leads.c.lead_id, outcomes.c.stage.in_(self._closing)
        )
        asked = select(leads).where(leads.c.lead_id.in_(lead_ids), ~closed.exists())
        return {row.lead_id: Standing(bool(row.is_above), row.above_for) for row in connection.execute(asked)}


def _remember(connection: Connection, standing: Mapping[str, Standing]) -> None:
    """Keep how leads stand."""
    if standing:
        lead = leads.c.lead_id == bindparam("lead")
        statement = update(leads).where(lead).values(is_above=bindparam("now"), above_for=bindparam("scorer"))
        told = [{"lead": one, "now": int(now.is_above), "scorer": now.above_for} for one, now in standing.items()]
        connection.execute(statement, told)


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
