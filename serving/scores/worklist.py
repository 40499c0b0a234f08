"""The worklist: stored scores, best first, and which of them are stale."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from models.receipt import Grade
from serving.store.keyset import Page, Position, SortKey, page_of
from serving.store.tables import pending_scores, scores

_BEST_FIRST = (SortKey(scores.c.points, is_descending=True), SortKey(scores.c.lead_id, is_descending=False))


@dataclass(frozen=True, slots=True)
class Freshness:
    """
    What makes a stored score stale.

    Attributes:
        now: the present instant [us since 1970 UTC].
        fresh_for_us: the age from which it is stale.
        scorer: the fingerprint of the scorer in use.
    """

    now: int
    fresh_for_us: int
    scorer: str

    def why_stale(self, as_of: int, scorer: str, waits_since: int | None) -> str | None:
        """
        Return why a stored score is stale; None if it is fresh.

        >>> Freshness(now=100, fresh_for_us=50, scorer="a").why_stale(40, "a", None)
        'it is older than the promised freshness'
        """
        if scorer != self.scorer:
            return "another scorer answers by now"
        if as_of < self.now - self.fresh_for_us:
            return "it is older than the promised freshness"
        if waits_since is not None and waits_since < self.now - self.fresh_for_us:
            return "newer facts wait to be counted"
        return None


def ranked(
    connection: Connection, *, grade: Grade | None, since: int | None, position: Position | None, limit: int
) -> Page:
    """
    Read a page of the open leads, those with the highest stored scores first.

    ``since`` leaves out those that were scored earlier [us since 1970 UTC].
    """
    query = select(scores, pending_scores.c.since).join(
        pending_scores, pending_scores.c.lead_id == scores.c.lead_id, isouter=True
    )
    if grade is not None:
        query = query.where(scores.c.grade == grade)
    if since is not None:
        query = query.where(scores.c.as_of >= since)
    return page_of(connection, query, _BEST_FIRST, position=position, limit=limit)
