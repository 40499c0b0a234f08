"""Rescoring: leads with new facts, or whose time has come, get stored scores, receipts and routes."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from models.receipt import displayed
from serving.clock import Clock
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_facts import Question
from serving.scorers.live_scorer import KnownLead, LiveScorer
from serving.scores.crossings import (
    MOST_REASONS,
    CrossingRules,
    Crossings,
    ThresholdState,
    forget_threshold_states,
    save_threshold_states,
    write_routes,
)
from serving.scores.stored_receipts import ReceiptRow, ServedScore, build_receipts, save_receipts
from serving.store.database import Database, raw_connection
from serving.store.rows import insert_rows
from serving.store.tables import pending_scores, scores

_LOG = logging.getLogger("leadscore.serving")


Due = Mapping[str, int | None]
"""Leads that are due, each with when the earliest of its new facts became known; None if only time has passed."""


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """What scoring a batch of leads found, before any of it is written."""

    live: LiveScorer
    as_of: int
    due: Due
    states: Mapping[str, ThresholdState]
    crossings: Crossings
    receipts: Sequence[ReceiptRow]
    shadow_receipts: Sequence[ReceiptRow]
    crossing: Mapping[str, KnownLead]


@dataclass(slots=True)
class Rescorer:
    """
    Scores leads and writes the results.

    Everything is computed on a snapshot, then written in one short transaction; leads that changed meanwhile (were
    merged, erased or loaded) are left out and stay due.

    Attributes:
        handed_over: how many leads this process has handed over.
    """

    database: Database
    clock: Clock
    active_scorer: ActiveScorer
    crossing_rules: CrossingRules
    handed_over: int = 0

    def rescore(self, due: Due) -> int:
        """
        Score leads as of now, and hand over those that crossed.

        Returns:
            How many leads are no longer due.
        """
        if not due:
            return 0
        batch = self._score(due)
        with self.database.writing() as connection:
            settled, handed_over = self._write(connection, batch)
        self.handed_over += handed_over
        return settled

    def _score(self, due: Due) -> ScoredBatch:
        as_of = self.clock.as_of(self.database.other_writer_since)
        live, shadow = self.active_scorer.current, self.active_scorer.shadow
        with self.database.reading() as connection:
            states = self.crossing_rules.open_leads(connection, list(due))
            reopened = self.crossing_rules.reopened(connection, [each for each in states if due[each] is not None])
            query = [(lead_id, as_of) for lead_id in states]
            earlier = _just_before(live, due, states)
            found = live.known_then(raw_connection(connection), [*query, *earlier])
        known = {lead_id: found[lead_id, as_of] for lead_id in states if (lead_id, as_of) in found}
        before = live.points_of({each[0]: found[each] for each in earlier if each in found})
        receipts = build_receipts(live, "champion", served=_served(known, as_of))
        shadow_receipts = [] if shadow is None else self._shadow_receipts(shadow, query, as_of)
        after = {receipt.row["lead_id"]: receipt.points for receipt in receipts}
        crossings = self.crossing_rules.decide(
            live, states, before=before, after=after, reopened=reopened & after.keys()
        )
        crossing = {lead_id: known[lead_id] for lead_id in crossings.crossed}
        return ScoredBatch(live, as_of, due, states, crossings, receipts, shadow_receipts, crossing)

    def _shadow_receipts(self, shadow: LiveScorer, query: Sequence[tuple[str, int]], as_of: int) -> list[ReceiptRow]:
        """Build the shadow's receipts; whatever is wrong with the shadow, it must not hold up the champion."""
        try:
            with self.database.reading() as connection:
                return build_receipts(
                    shadow, "shadow", served=_served(shadow.known(raw_connection(connection), query), as_of)
                )
        except Exception:  # noqa: BLE001 - a store that is gone shows in the champion's part as well
            _LOG.exception("the shadow could not score")
            return []

    def _write(self, connection: Connection, batch: ScoredBatch) -> tuple[int, int]:
        """Write what was found; return how many leads are no longer due, and how many were handed over."""
        lead_ids = self._unchanged(connection, batch)
        receipts = [each for each in batch.receipts if each.row["lead_id"] in lead_ids]
        by_time = {each for each in lead_ids if batch.due[each] is None and each not in batch.crossing}
        shadow_receipts = [each for each in batch.shadow_receipts if each.row["lead_id"] in lead_ids]
        ids = save_receipts(connection, receipts, only_notable=by_time)
        save_receipts(connection, shadow_receipts, only_notable=by_time)
        _store(connection, receipts, ids=ids, lead_ids=lead_ids)
        save_threshold_states(
            connection, {each: state for each, state in batch.crossings.changed.items() if each in lead_ids}
        )
        forget_threshold_states(connection, lead_ids - batch.states.keys())
        crossed = [each for each in batch.crossings.crossed if each in lead_ids]
        write_routes(
            connection,
            [
                batch.live.score_known(each, batch.as_of, known=batch.crossing[each], top=MOST_REASONS)
                for each in crossed
            ],
        )
        return _settle(connection, batch, lead_ids), len(crossed)

    def _unchanged(self, connection: Connection, batch: ScoredBatch) -> set[str]:
        """Return the leads that have not changed since they were scored."""
        lead_ids = list(batch.due)
        now = self.crossing_rules.open_leads(connection, lead_ids)
        query = select(pending_scores.c.lead_id, pending_scores.c.since).where(pending_scores.c.lead_id.in_(lead_ids))
        waiting = {row.lead_id: row.since for row in connection.execute(query)}
        return {
            lead_id
            for lead_id, since in batch.due.items()
            if now.get(lead_id) == batch.states.get(lead_id) and waiting.get(lead_id) == since
        }


def _just_before(live: LiveScorer, due: Due, states: Mapping[str, ThresholdState]) -> list[Question]:
    """Return the leads of which it matters how they stood just before their new facts, and when that was."""
    return [
        (lead_id, since)
        for lead_id, state in states.items()
        if (since := due[lead_id]) is not None and state.needs_before(live)
    ]


def _served(known: Mapping[str, KnownLead], as_of: int) -> list[ServedScore]:
    return [ServedScore(lead_id, as_of, what) for lead_id, what in known.items()]


def _store(
    connection: Connection, receipts: Sequence[ReceiptRow], *, ids: Mapping[str, str], lead_ids: Iterable[str]
) -> None:
    """Replace the stored scores of leads; a lead that is closed by now gets none."""
    connection.execute(delete(scores).where(scores.c.lead_id.in_(list(lead_ids))))
    insert_rows(connection, scores, [_score_row(each, ids[each.row["lead_id"]]) for each in receipts])


def _score_row(receipt: ReceiptRow, receipt_id: str) -> dict[str, object]:
    copied = {name: receipt.row[name] for name in ("lead_id", "as_of", "points", "scorer")}
    return {
        **copied,
        "score": displayed(receipt.points),
        "grade": receipt.grade,
        "probability": receipt.probability,
        "newest_activity_at": receipt.newest_activity_at,
        "receipt_id": receipt_id,
        "beyond_history": receipt.beyond_history,
    }


def _settle(connection: Connection, batch: ScoredBatch, lead_ids: Iterable[str]) -> int:
    """Take leads off the list of pending scores; those with even newer facts stay on it."""
    scored = pending_scores.c.lead_id.in_([each for each in lead_ids if batch.due[each] is not None])
    settled: int = connection.execute(
        delete(pending_scores).where(scored, pending_scores.c.newest < batch.as_of)
    ).rowcount
    connection.execute(
        update(pending_scores).where(scored, pending_scores.c.since < batch.as_of).values(since=batch.as_of)
    )
    return settled
