"""Merged leads: which lead each one has become."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from serving.store.tables import merges

_BATCH = 1000
_ANY_MERGE = select(merges.c.lead_id).limit(1)


def survivors(connection: Connection, lead_ids: Iterable[str]) -> dict[str, str]:
    """Return for each lead the one it has become; itself if it was never merged."""
    becomes = {lead_id: lead_id for lead_id in lead_ids}
    if not becomes or connection.execute(_ANY_MERGE).first() is None:
        return becomes  # most stores hold no merge, and this runs for every fact
    lead_ids = list(becomes)
    for start in range(0, len(lead_ids), _BATCH):
        batch = lead_ids[start : start + _BATCH]
        rows = connection.execute(select(merges).where(merges.c.lead_id.in_(batch)).order_by(merges.c.merged_at))
        becomes |= {row.lead_id: row.into_lead_id for row in rows}
    return becomes
