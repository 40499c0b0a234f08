"""The worklist: stored scores, best first, each with how fresh it is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from data.instants import SECOND_US, iso
from models.receipt import Grade
from serving.store.tables import pending_scores, scores


@dataclass(frozen=True, slots=True)
class Freshness:
    """
    What a stored score must be so as not to be stale.

    Attributes:
        now: the present instant [us since 1970 UTC].
        fresh_for_us: how old it may be.
        scorer: the fingerprint of the scorer in use.
    """

    now: int
    fresh_for_us: int
    scorer: str

    def why_stale(self, as_of: int, scorer: str, waits_since: int | None) -> str | None:
        """
        Say why a stored score is stale; None where it is fresh.

        >>> Freshness(now=100, fresh_for_us=50, scorer="a").why_stale(40, "a", None)
        'it is older than the freshness that was promised'
        """
        if scorer != self.scorer:
            return "another scorer answers by now"
        if as_of < self.now - self.fresh_for_us:
            return "it is older than the freshness that was promised"
        if waits_since is not None and waits_since < self.now - self.fresh_for_us:
            return "facts that came later still wait to be counted"
        return None


def best_leads(
    connection: Connection, fresh: Freshness, *, limit: int, grade: Grade | None = None
) -> list[dict[str, Any]]:
    """
    Give the open leads with the highest stored scores.

    Args:
        connection: reads the store.
        fresh: what makes a stored score stale.
        limit: how many.
        grade: only those with this one.
    """
    asked = select(scores, pending_scores.c.since).join(
        pending_scores, pending_scores.c.lead_id == scores.c.lead_id, isouter=True
    )
    if grade is not None:
        asked = asked.where(scores.c.grade == grade)
    rows = connection.execute(asked.order_by(scores.c.points.desc(), scores.c.lead_id).limit(limit))
    return [_told(row, fresh) for row in rows]


def _told(row: Any, fresh: Freshness) -> dict[str, Any]:
    why = fresh.why_stale(row.as_of, row.scorer, row.since)
    return {
        "lead_id": row.lead_id,
        "as_of": iso(row.as_of),
        "score": row.score,
        "points": row.points,
        "grade": row.grade,
        "probability": row.probability,
        "newest_activity_at": None if row.newest_activity_at is None else iso(row.newest_activity_at),
        "receipt_id": row.receipt_id,
        "lag_s": max(0.0, (fresh.now - row.as_of) / SECOND_US),
        "waiting": row.since is not None,
        "stale": why is not None,
        "why_stale": why,
    }
