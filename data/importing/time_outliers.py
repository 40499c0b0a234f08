# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""The period of staged facts, and the facts that lie far from all others."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from data.importing.history_period import HistoryPeriod, days_in_mass
from data.importing.intake import StagedRows
from data.importing.quality import PeriodReport, TimeOutliers
from data.importing.staging import STAGED
from data.instants import DAY_US, from_us
from data.sql import literal
from data.words.business import Business

_DAYS = (
    f"SELECT known_at // {DAY_US} AS day, count(*) AS n, min(known_at) AS first, max(known_at) AS last"
    " FROM {table} WHERE _faults = '' GROUP BY day"
)


@dataclass(frozen=True, slots=True)
class FactWords:
    """The words for facts of a table: one, several, what happened on a day, and the column of its instant."""

    one: str
    many: str
    happened: str
    instant: str

    def says(self, count: int, day: str) -> str:
        """
        Describe facts far from all others.

        >>> FactWords("lead", "leads", "created", "created_at").says(1, "2015-01-01")
        '1 lead is far from all others: created 2015-01-01'
        """
        if count == 1:
            return f"1 {self.one} is far from all others: {self.happened} {day}"
        return f"{count:,} {self.many} are far from all others, such as one {self.happened} {day}"


_HAPPENED = {
    "leads": FactWords("lead", "leads", "created", "created_at"),
    "activities": FactWords("activity", "activities", "of", "occurred_at"),
    "outcomes": FactWords("outcome", "outcomes", "reached", "reached_at"),
}


def period_of(staged: StagedRows, *, now_us: int) -> HistoryPeriod:
    """
    Find the period in which the staged facts lie in mass, by the days on which they became known.

    Args:
        staged: the facts, at least one of them without a fault.
        now_us: the present instant [us]; a day that is not over ends now.
    """
    each = " UNION ALL ".join(_DAYS.format(table=table) for table in STAGED)
    days = f"SELECT day, sum(n)::BIGINT, min(first), max(last) FROM ({each}) GROUP BY day ORDER BY day"
    day, facts, first, last = np.array(staged.connection.execute(days).fetchall(), dtype=np.int64).T
    inside = days_in_mass(day, facts)
    begin, end = np.searchsorted(day, [inside.first, inside.last])
    return HistoryPeriod(min(int(first[begin]), now_us), min(int(last[end]), now_us))


def period_report(staged: StagedRows, period: HistoryPeriod, business: Business, *, now_us: int) -> PeriodReport:
    """
    Describe the period, and name the facts outside it.

    Args:
        staged: the facts.
        period: in which they lie in mass.
        business: its time zone divides days.
        now_us: the present instant [us].
    """
    sides = (f"known_at < {period.begin_us}", f"least(known_at, {now_us}) > {period.end_us}")
    far = [
        facts for table in STAGED for side in sides for facts in _time_outliers(staged, table, side, business.timezone)
    ]
    return PeriodReport(begin=_day(period.begin_us, business), end=_day(period.end_us, business), outliers=tuple(far))


def _day(instant_us: int, business: Business) -> str:
    """Return the day of an instant; the midnight at which a day is over, and known, belongs to that day."""
    return from_us(instant_us - 1).astimezone(ZoneInfo(business.timezone)).date().isoformat()


def _time_outliers(staged: StagedRows, table: str, side: str, zone: str) -> Iterator[TimeOutliers]:
    """Yield the facts of a table that lie on one side of the period, by source, each with its first in the files."""
    day = f"strftime(timezone({literal(zone)}, make_timestamptz({_HAPPENED[table].instant})), '%Y-%m-%d')"
    columns = f"_part, count(*), min((_file, _row, {day}))"
    groups = f"SELECT {columns} FROM {table} WHERE _faults = '' AND {side} GROUP BY _part ORDER BY _part"
    for number, count, (file_number, row, at) in staged.connection.execute(groups).fetchall():
        part = staged.parts[number]
        file = staged.files_of(part)[file_number]
        says = _HAPPENED[table].says(count, at)
        yield TimeOutliers(source=part.source, holds=table, count=count, says=says, file=file.shown, row=row)
