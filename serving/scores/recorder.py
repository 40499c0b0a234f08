"""Recording: scores that were given as of now wait in memory until the worker keeps their receipts."""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from serving.scorers.live_scorer import KnownLead, LiveScorer, Score
from serving.scores.stored_receipts import ServedScore, build_receipts, save_receipts
from serving.store.database import STORE_ERRORS, Database

_REMEMBERED = 50_000
_MOST_WAITING = 20_000
_AT_ONCE = 1000
"""Receipts kept in one transaction, so that no other write waits long."""
_Said = tuple[str, float, int | None, bool]


class Recorder:
    """
    What this process answered and nobody has written down yet.

    Answering waits for no disk: an answer that says what the one before it said costs a look into a dictionary, any
    other waits in memory for a fraction of a second. A kill loses the receipts of that moment, never a fact; the
    score itself can still be asked for as of its instant.
    """

    def __init__(self) -> None:
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._waiting: list[tuple[LiveScorer, ServedScore]] = []
        self._lock = threading.Lock()
        self.lost = 0
        self.answered = 0

    @property
    def waiting(self) -> int:
        """Give how many receipts are in memory alone."""
        return len(self._waiting)

    def record(self, live: LiveScorer, scores: Iterable[Score]) -> None:
        """Note scores that were given as of now."""
        self.answered += 1
        for score in scores:
            receipt = score.receipt
            said = (receipt.scorer.fingerprint, round(receipt.points, 2), score.newest_activity_at, score.degraded)
            if self._said.get(receipt.lead_id) == said:
                continue
            with self._lock:
                if len(self._waiting) >= _MOST_WAITING:
                    self.lost += 1
                    continue
                self._remember(receipt.lead_id, said)
                known = KnownLead(score.newest_activity_at, score.values)
                self._waiting.append((live, ServedScore(receipt.lead_id, receipt.as_of, known)))

    def save(self, database: Database) -> int:
        """Keep the receipts of what was answered, and say how many answers there were."""
        with self._lock:
            waiting, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        if not waiting:
            return 0
        try:
            _keep(database, waiting)
        except STORE_ERRORS:
            self._put_back(waiting)
            raise
        except Exception:
            self._lose(waiting)
            raise
        return len(waiting)

    def _put_back(self, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
        """Let answers wait on, as far as there is room, since the store is gone for a while."""
        with self._lock:
            room = max(0, _MOST_WAITING - len(self._waiting))
            self._waiting = waiting[:room] + self._waiting
        self._lose(waiting[room:])

    def _lose(self, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
        """Count answers as lost; the next one about such a lead waits for its receipt anew."""
        with self._lock:
            self.lost += len(waiting)
            for _, given in waiting:
                self._said.pop(given.lead_id, None)

    def forget(self, lead_id: str) -> None:
        """Forget a lead: nothing of it waits here any longer."""
        with self._lock:
            self._said.pop(lead_id, None)
            self._waiting = [one for one in self._waiting if one[1].lead_id != lead_id]

    def _remember(self, lead_id: str, said: _Said) -> None:
        self._said[lead_id] = said
        self._said.move_to_end(lead_id)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)


def _keep(database: Database, waiting: list[tuple[LiveScorer, ServedScore]]) -> None:
    by_scorer: dict[int, tuple[LiveScorer, list[ServedScore]]] = {}
    for live, given in waiting:
        by_scorer.setdefault(id(live), (live, []))[1].append(given)
    drawn = [build_receipts(live, "champion", given=given) for live, given in by_scorer.values()]
    with database.writing() as connection:
        for each in drawn:
            save_receipts(connection, each)
