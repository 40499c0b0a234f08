"""
Retention of receipts: they grow thinner with age, and end.

The receipt behind a handover is kept for ever, that of a stored score as long as the score. Leads are visited a
thousand at a time, in the order of their ids, again and again, so that no statement takes long; their receipts are
counted on the way.
"""

import json
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select

from serving.store.database import Database
from serving.store.state import read_state, write_state
from serving.store.tables import leads, receipts, routes, scores

DAY_US = 86_400_000_000
THINNING = ((30, 7), (90, 28))
"""From how many days of age on, the last receipt of how many days stays; every one that is younger is kept."""
_LEADS_A_STEP = 1000
_COUNTS = "receipt_counts"


@dataclass(frozen=True, slots=True)
class ReceiptCounts:
    """
    What one visit of all leads counted.

    Attributes:
        stored: receipts in the store.
        last_day: those of the last 24 hours.
        oldest: the oldest one [us since 1970 UTC]; None if there is none.
    """

    stored: int = 0
    last_day: int = 0
    oldest: int | None = None

    def plus(self, stored: int, last_day: int, oldest: int | None) -> "ReceiptCounts":
        """Return the sum with what another part of the leads has."""
        earliest = min((each for each in (self.oldest, oldest) if each is not None), default=None)
        return ReceiptCounts(self.stored + stored, self.last_day + last_day, earliest)


class ReceiptRetention:
    """
    Deletes receipts that nobody needs any more.

    Args:
        database: the store.
        keep_days: days after which receipts end.
    """

    def __init__(self, database: Database, keep_days: int) -> None:
        self._database = database
        self._keep_days = keep_days
        self._after = ""
        self._counting = ReceiptCounts()

    def step(self, now: int) -> int:
        """Visit the next leads; return how many receipts were deleted [us since 1970 UTC: now]."""
        with self._database.writing() as connection:
            query = select(leads.c.lead_id).where(leads.c.lead_id > self._after).order_by(leads.c.lead_id)
            visited = list(connection.execute(query.limit(_LEADS_A_STEP)).scalars())
            if not visited:
                write_state(connection, _COUNTS, json.dumps(asdict(self._counting)))
                self._counting, self._after = ReceiptCounts(), ""
                return 0
            deleted = _delete(connection, visited[0], visited[-1], now=now, keep_days=self._keep_days)
        with self._database.reading() as connection:
            counted = _counts(connection, visited[0], visited[-1], now=now)
        self._counting, self._after = self._counting.plus(*counted), visited[-1]
        return deleted


def receipt_counts(connection: Connection) -> ReceiptCounts | None:
    """Return what the last visit of all leads counted; None before the first is over."""
    noted = read_state(connection, _COUNTS)
    return None if noted is None else ReceiptCounts(**json.loads(noted))


def _delete(connection: Connection, first: str, last: str, *, now: int, keep_days: int) -> int:
    """Delete what is too old of a stretch of leads, and what a later receipt of the same period makes superfluous."""
    of_route = receipts.alias("of_route")
    behind_route = (
        select(func.max(of_route.c.as_of))
        .where(of_route.c.lead_id == receipts.c.lead_id, of_route.c.role == receipts.c.role)
        .where(of_route.c.as_of <= routes.c.routed_at)
        .scalar_subquery()
    )
    is_routes = exists().where(routes.c.lead_id == receipts.c.lead_id, receipts.c.as_of == behind_route)
    is_newest = exists().where(scores.c.receipt_id == receipts.c.receipt_id, scores.c.lead_id == receipts.c.lead_id)
    is_superfluous = or_(
        receipts.c.as_of < now - keep_days * DAY_US,
        *((receipts.c.as_of < now - age * DAY_US) & _has_later(period * DAY_US) for age, period in THINNING),
    )
    statement = delete(receipts).where(receipts.c.lead_id.between(first, last), is_superfluous, ~is_routes, ~is_newest)
    deleted: int = connection.execute(statement).rowcount
    return deleted


def _has_later(period_us: int) -> ColumnElement[bool]:
    """Return whether a later receipt of the same lead and role lies in the same period."""
    later = receipts.alias("later")
    same = and_(later.c.lead_id == receipts.c.lead_id, later.c.role == receipts.c.role)
    same_period = later.c.as_of - later.c.as_of % period_us == receipts.c.as_of - receipts.c.as_of % period_us
    return exists().where(same, later.c.as_of > receipts.c.as_of, same_period)


def _counts(connection: Connection, first: str, last: str, *, now: int) -> tuple[int, int, int | None]:
    of_leads = receipts.c.lead_id.between(first, last)
    count, oldest = connection.execute(select(func.count(), func.min(receipts.c.as_of)).where(of_leads)).one()
    of_day = select(func.count()).where(of_leads, receipts.c.as_of >= now - DAY_US)
    return count, connection.execute(of_day).scalar_one(), oldest
