"""Handovers: the leads that crossed the threshold, newest first, page by page."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from serving.store.keyset import Page, Position, SortKey, page_of
from serving.store.tables import routes

_NEWEST_FIRST = (SortKey(routes.c.id, is_descending=True),)


def handovers(connection: Connection, *, since: int | None, position: Position | None, limit: int) -> Page:
    """
    Read a page of the handovers.

    Args:
        connection: reads the store.
        since: only those at or after this instant [us since 1970 UTC].
        position: where the page begins.
        limit: how many at most.
    """
    query = select(routes)
    if since is not None:
        query = query.where(routes.c.routed_at >= since)
    return page_of(connection, query, _NEWEST_FIRST, position=position, limit=limit)


@dataclass(frozen=True, slots=True)
class Handover:
    """
    A lead that was handed over because its score crossed the threshold.

    Attributes:
        lead_id: the lead.
        score: from 0 to 100, as of the crossing.
        grade: the letter for it.
        reasons: code, words and points of the reasons that counted most.
    """

    lead_id: str
    score: int
    grade: str
    reasons: tuple[dict[str, Any], ...]


def newest_handovers(connection: Connection, limit: int) -> list[Handover]:
    """Return the newest handovers, the newest first."""
    page = handovers(connection, since=None, position=None, limit=limit)
    return [Handover(row.lead_id, row.score, row.grade, tuple(json.loads(row.reasons))) for row in page.rows]
