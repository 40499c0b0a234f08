"""Scoring leads because something happened to them or because time passed: stored scores, receipts and routes."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from models.receipt import displayed
from serving.clock import Clock
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_scorer import KnownLead, LiveScorer
from serving.scores.crossings import (
    MOST_REASONS,
    CrossingRules,
    Crossings,
    ThresholdState,
    save_threshold_states,
    write_routes,
)
from serving.scores.stored_receipts import ReceiptRow, ServedScore, build_receipts, save_receipts
from serving.store.database import Database, raw_connection
from serving.store.rows import insert_rows
from serving.store.tables import pending_scores, scores

_LOG = logging.getLogger("leadscore.serving")


@dataclass(frozen=True, slots=True)
class DueLead:
    """
    A lead that is due to be scored.

    Attributes:
        lead_id: whose score it is.
        since: facts known from this instant on are why; None where only time has passed.
    """

    lead_id: str
    since: int | None


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """What a look at leads found, before anything of it is written."""

    live: LiveScorer
    as_of: int
    due: Mapping[str, DueLead]
    standing: Mapping[str, ThresholdState]
    judged: Crossings
    drawn: Sequence[ReceiptRow]
    shadows: Sequence[ReceiptRow]
    crossing: Mapping[str, KnownLead]


class Rescorer:
    """
    Scores leads and writes down what follows.

    Everything is computed on what a reader sees, and then written in one short transaction, in which leads that were
    changed meanwhile (merged, erased, loaded) are left for the next look.

    Args:
        database: the store.
        clock: says what now is.
        active_scorer: the scorers in use.
        crossing_rules: who is handed over.
    """

    def __init__(
        self, database: Database, clock: Clock, *, active_scorer: ActiveScorer, crossing_rules: CrossingRules
    ) -> None:
        self._database = database
        self._clock = clock
        self._active_scorer = active_scorer
        self._crossing_rules = crossing_rules

    def rescore(self, due: Sequence[DueLead]) -> int:
        """
        Score leads as of now, and hand over those that crossed.

        Returns:
            How many leads need not be looked at again because of what they were due for.
        """
        if not due:
            return 0
        looked = self._looked(due)
        with self._database.writing() as connection:
            return self._write(connection, looked)

    def _looked(self, due: Sequence[DueLead]) -> ScoredBatch:
        as_of = self._clock.as_of(self._database.other_writer_since)
        live, shadow = self._active_scorer.current, self._active_scorer.shadow
        by_id = {one.lead_id: one for one in due}
        with self._database.reading() as connection:
            standing = self._crossing_rules.open_leads(connection, list(by_id))
            store = raw_connection(connection)
            asked = [(lead_id, as_of) for lead_id in standing]
            known = live.known(store, asked)
            before = self._before(live, connection, due=by_id, standing=standing)
        drawn = build_receipts(live, "champion", given=_given(known, as_of))
        shadows = [] if shadow is None else self._shadowed(shadow, asked, as_of)
        after = {one.row["lead_id"]: one.points for one in drawn}
        judged = self._crossing_rules.decide(live, standing, before=before, after=after)
        crossing = {lead_id: known[lead_id] for lead_id in judged.crossed}
        return ScoredBatch(live, as_of, by_id, standing, judged, drawn, shadows, crossing)

    def _shadowed(self, shadow: LiveScorer, asked: Sequence[tuple[str, int]], as_of: int) -> list[ReceiptRow]:
        """Draw up what a shadow would have said; whatever is wrong with it, it must not hold up the champion."""
        try:
            with self._database.reading() as connection:
                return build_receipts(
                    shadow, "shadow", given=_given(shadow.known(raw_connection(connection), asked), as_of)
                )
        except Exception:  # noqa: BLE001 - a store that is gone shows in the champion's part as well
            _LOG.exception("the shadow could not score")
            return []

    def _before(
        self,
        live: LiveScorer,
        connection: Connection,
        *,
        due: Mapping[str, DueLead],
        standing: Mapping[str, ThresholdState],
    ) -> dict[str, float]:
        """Give the points that leads had just before the facts that are why they are looked at."""
        asked = []
        for lead_id, found in standing.items():
            since = due[lead_id].since
            if since is not None and found.needs_before(live):
                asked.append((lead_id, since))
        return live.points(raw_connection(connection), asked)

    def _write(self, connection: Connection, looked: ScoredBatch) -> int:
        lead_ids = self._unchanged(connection, looked)
        drawn = [one for one in looked.drawn if one.row["lead_id"] in lead_ids]
        ids = save_receipts(connection, drawn)
        save_receipts(connection, [one for one in looked.shadows if one.row["lead_id"] in lead_ids])
        _store(connection, drawn, ids=ids, instead_of=lead_ids)
        save_threshold_states(connection, {one: now for one, now in looked.judged.standing.items() if one in lead_ids})
        crossed = [one for one in looked.judged.crossed if one in lead_ids]
        write_routes(
            connection,
            [looked.live.of(one, looked.as_of, known=looked.crossing[one], top=MOST_REASONS) for one in crossed],
        )
        return _done(connection, looked, lead_ids)

    def _unchanged(self, connection: Connection, looked: ScoredBatch) -> set[str]:
        """Give the leads that stand as they did when they were looked at."""
        lead_ids = list(looked.due)
        now = self._crossing_rules.open_leads(connection, lead_ids)
        asked = select(pending_scores.c.lead_id, pending_scores.c.since).where(pending_scores.c.lead_id.in_(lead_ids))
        waiting = {row.lead_id: row.since for row in connection.execute(asked)}
        return {
            lead_id
            for lead_id, due in looked.due.items()
            if now.get(lead_id) == looked.standing.get(lead_id) and waiting.get(lead_id) == due.since
        }


def _given(known: Mapping[str, KnownLead], as_of: int) -> list[ServedScore]:
    return [ServedScore(lead_id, as_of, what) for lead_id, what in known.items()]


def _store(
    connection: Connection, drawn: Sequence[ReceiptRow], *, ids: Mapping[str, str], instead_of: Iterable[str]
) -> None:
    """Put scores in the place of those that were stored; a lead that is closed by now keeps none."""
    connection.execute(delete(scores).where(scores.c.lead_id.in_(list(instead_of))))
    insert_rows(connection, scores, [_stored(one, ids[one.row["lead_id"]]) for one in drawn])


def _stored(one: ReceiptRow, receipt_id: str) -> dict[str, object]:
    copied = {name: one.row[name] for name in ("lead_id", "as_of", "points", "scorer")}
    return {
        **copied,
        "score": displayed(one.points),
        "grade": one.grade,
        "probability": one.probability,
        "newest_activity_at": one.newest_activity_at,
        "receipt_id": receipt_id,
    }


def _done(connection: Connection, looked: ScoredBatch, lead_ids: Iterable[str]) -> int:
    """Take leads off the list of those that wait; who moved again meanwhile waits for what came since."""
    mine = pending_scores.c.lead_id.in_([one for one in lead_ids if looked.due[one].since is not None])
    settled: int = connection.execute(
        delete(pending_scores).where(mine, pending_scores.c.newest < looked.as_of)
    ).rowcount
    connection.execute(
        update(pending_scores).where(mine, pending_scores.c.since < looked.as_of).values(since=looked.as_of)
    )
    return settled
