"""Handovers: the leads that crossed the threshold, newest first, page by page."""

from sqlalchemy import Connection, select

from serving.store.keyset import Page, Position, SortKey, page_of
from serving.store.tables import routes

_NEWEST_FIRST = (SortKey(routes.c.id, is_descending=True),)


def handovers(connection: Connection, *, since: int | None, position: Position | None, limit: int) -> Page:
    """Read a page of the handovers; ``since`` leaves earlier ones out [us since 1970 UTC]."""
    query = select(routes)
    if since is not None:
        query = query.where(routes.c.routed_at >= since)
    return page_of(connection, query, _NEWEST_FIRST, position=position, limit=limit)
