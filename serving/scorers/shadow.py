"""The shadow compared with the champion: how far apart their newest receipts are, lead by lead."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from serving.store.tables import receipts

_NEWEST = 5000
_LEADS = 1000


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """
    Two scorers on the same leads.

    Attributes:
        leads: how many both have scored.
        mean_difference_points: mean absolute difference of their points; None without leads.
        same_side_share: share of the leads that both would hand over, or neither, each by its own threshold.
    """

    leads: int
    mean_difference_points: float | None
    same_side_share: float | None


def compare_shadow(connection: Connection, *, champion: str, shadow: str) -> ShadowComparison:
    """
    Compare the leads that the shadow scored last, at most 1,000, by each scorer's newest receipt.

    Args:
        connection: reads the store.
        champion: the champion's fingerprint.
        shadow: the shadow's fingerprint.
    """
    shadow_points = _of_shadow(connection, shadow)
    champion_points = _of_champion(connection, champion, lead_ids=list(shadow_points))
    both = [
        (champion_points[lead_id], shadow_points[lead_id]) for lead_id in shadow_points if lead_id in champion_points
    ]
    if not both:
        return ShadowComparison(0, None, None)
    apart = sum(abs(left[0] - right[0]) for left, right in both)
    same = sum((left[0] >= left[1]) == (right[0] >= right[1]) for left, right in both)
    return ShadowComparison(len(both), apart / len(both), same / len(both))


def _of_shadow(connection: Connection, fingerprint: str) -> dict[str, tuple[float, float]]:
    """Return points and threshold of the leads in the newest receipts."""
    query = (
        select(receipts.c.lead_id, receipts.c.points, receipts.c.threshold)
        .where(receipts.c.role == "shadow", receipts.c.scorer == fingerprint)
        .order_by(receipts.c.as_of.desc())
        .limit(_NEWEST)
    )
    newest: dict[str, tuple[float, float]] = {}
    for row in connection.execute(query):
        if len(newest) == _LEADS:
            break
        newest.setdefault(row.lead_id, (row.points, row.threshold))
    return newest


def _of_champion(connection: Connection, fingerprint: str, *, lead_ids: list[str]) -> dict[str, tuple[float, float]]:
    of_leads = (receipts.c.role == "champion") & receipts.c.lead_id.in_(lead_ids) & (receipts.c.scorer == fingerprint)
    last = (
        select(receipts.c.lead_id, func.max(receipts.c.as_of).label("as_of"))
        .where(of_leads)
        .group_by(receipts.c.lead_id)
        .subquery()
    )
    same = (receipts.c.lead_id == last.c.lead_id) & (receipts.c.as_of == last.c.as_of)
    query = select(receipts.c.lead_id, receipts.c.points, receipts.c.threshold).join(last, same).where(of_leads)
    return {row.lead_id: (row.points, row.threshold) for row in connection.execute(query)}
