"""The recorder: served scores wait in memory until the worker stores their receipts."""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from serving.scorers.live_scorer import KnownLead, LiveScorer, Score
from serving.scores.stored_receipts import ServedScore, build_receipts, save_receipts
from serving.store.database import Database
from serving.store.store_errors import STORE_ERRORS

_REMEMBERED = 50_000
_MOST_WAITING = 20_000
_BATCH = 1000
"""Receipts stored in one transaction; few, so that no other write waits long."""
_Summary = tuple[str, float, int | None, bool, bool]


class Recorder:
    """
    The scores that this process has served and that are not stored yet.

    Serving a score never waits for the disk: one that repeats the last costs a lookup in a dictionary, any other waits
    in memory for a fraction of a second. A kill loses the receipts of that moment, never a fact; the score can still be
    recomputed as of its instant.
    """

    def __init__(self) -> None:
        self._last_scores: OrderedDict[str, _Summary] = OrderedDict()
        self._waiting: list[tuple[LiveScorer, ServedScore]] = []
        self._lock = threading.Lock()
        self.lost = 0
        self.answered = 0

    @property
    def waiting(self) -> int:
        """The number of receipts in memory."""
        return len(self._waiting)

    def record(self, live: LiveScorer, scores: Iterable[Score]) -> None:
        """Record scores that were served as of now."""
        self.answered += 1
        for score in scores:
            receipt = score.receipt
            summary = (
                receipt.scorer.fingerprint,
                round(receipt.points, 2),
                score.newest_activity_at,
                score.degraded,
                score.beyond_history is not None,
            )
            if self._last_scores.get(receipt.lead_id) == summary:
                continue
            with self._lock:
                if len(self._waiting) >= _MOST_WAITING:
                    self.lost += 1
                    continue
                self._remember(receipt.lead_id, summary)
                known = KnownLead(score.newest_activity_at, score.values, score.beyond_history)
                self._waiting.append((live, ServedScore(receipt.lead_id, receipt.as_of, known)))

    def save(self, database: Database) -> int:
        """Store the receipts of served scores and return how many there were."""
        with self._lock:
            waiting, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        if not waiting:
            return 0
        try:
            _save(database, waiting)
        except STORE_ERRORS:
            self._put_back(waiting)
            raise
        except Exception:
            self._lose(waiting)
            raise
        return len(waiting)

    def _put_back(self, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
        """Put scores back, as far as there is room, while the store does not answer."""
        with self._lock:
            room = max(0, _MOST_WAITING - len(self._waiting))
            self._waiting = waiting[:room] + self._waiting
        self._lose(waiting[room:])

    def _lose(self, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
        """Count scores as lost; the next score of such a lead is recorded again."""
        with self._lock:
            self.lost += len(waiting)
            for _, served in waiting:
                self._last_scores.pop(served.lead_id, None)

    def forget(self, lead_id: str) -> None:
        """Forget a lead: nothing about it waits in memory any longer."""
        with self._lock:
            self._last_scores.pop(lead_id, None)
            self._waiting = [(live, score) for live, score in self._waiting if score.lead_id != lead_id]

    def _remember(self, lead_id: str, summary: _Summary) -> None:
        self._last_scores[lead_id] = summary
        self._last_scores.move_to_end(lead_id)
        if len(self._last_scores) > _REMEMBERED:
            self._last_scores.popitem(last=False)


def _save(database: Database, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
    by_scorer: dict[int, tuple[LiveScorer, list[ServedScore]]] = {}
    for live, served in waiting:
        by_scorer.setdefault(id(live), (live, []))[1].append(served)
    batches = [build_receipts(live, "champion", served=served) for live, served in by_scorer.values()]
    with database.writing() as connection:
        for batch in batches:
            save_receipts(connection, batch)
