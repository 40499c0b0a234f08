"""The backlog: leads with new facts are scored in the order in which the facts came."""

from dataclasses import dataclass

from sqlalchemy import func, select

from serving.clock import Clock
from serving.scores.crossings import CrossingRules
from serving.scores.rescoring import Rescorer
from serving.store.database import Database
from serving.store.tables import pending_scores

_BATCH = 100
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
    """

    database: Database
    clock: Clock
    rescoring: Rescorer
    crossing_rules: CrossingRules
    swept: int = 0

    def step(self, limit: int = _BATCH) -> int:
        """Score the leads that have waited longest and return how many no longer wait."""
        query = select(pending_scores.c.lead_id, pending_scores.c.since).order_by(pending_scores.c.since).limit(limit)
        with self.database.reading() as connection:
            due = {row.lead_id: row.since for row in connection.execute(query)}
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

    def backlog(self) -> Backlog:
        """Return how many leads wait to be scored, and since when."""
        with self.database.reading() as connection:
            count, oldest = connection.execute(
                select(func.count(), func.min(pending_scores.c.since)).select_from(pending_scores)
            ).one()
        return Backlog(count, oldest)
