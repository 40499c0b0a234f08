"""The backlog: leads with new facts are scored in the order in which the facts came."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from data.instants import SECOND_US
from serving.clock import Clock
from serving.scores.crossings import CrossingRules
from serving.scores.rescoring import Rescorer
from serving.store.database import Database
from serving.store.tables import pending_scores

_BATCH, _LARGEST_BATCH = 100, 1600
"""Leads scored in one step: few while few wait, so that each is soon scored; more while it takes many steps."""
_SWEEP_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many leads wait to be scored, and since when the first of them does [us since 1970 UTC]."""

    leads: int
    oldest_since: int | None


@dataclass
class BacklogFollower:
    """
    Scores the leads that have new facts, and from time to time all open leads, since time changes scores too.

    Attributes:
        swept: how many leads this process has scored in sweeps.
        waited_s: how long the first lead of the last step had waited [s].
    """

    database: Database
    clock: Clock
    rescoring: Rescorer
    crossing_rules: CrossingRules
    swept: int = 0
    waited_s: float = 0.0
    _batch: int = _BATCH

    def step(self) -> int:
        """Score the leads that have waited longest and return how many no longer wait."""
        waiting = select(pending_scores.c.lead_id, pending_scores.c.since).order_by(pending_scores.c.since)
        with self.database.reading() as connection:
            due = {row.lead_id: row.since for row in connection.execute(waiting.limit(self._batch))}
        self.waited_s = max(0, self.clock.now() - min(due.values())) / SECOND_US if due else 0.0
        self._batch = min(_LARGEST_BATCH, 2 * self._batch) if len(due) == self._batch else _BATCH
        return self.rescoring.rescore(due)

    def sweep(self, after: str = "", limit: int = _SWEEP_BATCH) -> str | None:
        """
        Score the next open leads although they have no new facts.

        Args:
            after: the lead that the last step ended with; empty for the first step.
            limit: how many leads.

        Returns:
            The lead that this step ended with; None at the end.
        """
        with self.database.reading() as connection:
            lead_ids = self.crossing_rules.open_after(connection, after, limit=limit)
        self.rescoring.rescore(dict.fromkeys(lead_ids))
        self.swept += len(lead_ids)
        return lead_ids[-1] if lead_ids else None

    def oldest_since(self) -> int | None:
        """Return since when the first lead waits to be scored [us since 1970 UTC]; None if none does."""
        with self.database.reading() as connection:
            return connection.execute(select(func.min(pending_scores.c.since))).scalar()

    def backlog(self) -> Backlog:
        """Return how many leads wait to be scored, and since when."""
        with self.database.reading() as connection:
            return read_backlog(connection)


def read_backlog(connection: Connection) -> Backlog:
    """Return how many leads wait to be scored, and since when."""
    query = select(func.count(), func.min(pending_scores.c.since)).select_from(pending_scores)
    count, oldest = connection.execute(query).one()
    return Backlog(count, oldest)
