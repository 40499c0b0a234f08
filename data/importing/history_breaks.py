# ruff: noqa: S608 - this is SQL for a DuckDB of our own; every name and value from outside is quoted
"""Where a history breaks: outcomes recorded only from or until some day, an intake that ends early, another pace."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.importing.history_period import CROWD, SHORTEST_GAP_DAYS, TIMES_USUAL_GAP, Days, days_in_mass
from data.importing.outcome_pace import NEVER, BreakKind, LeadTimes, PaceBreak, pace_breaks
from data.importing.warehouse import Warehouse
from data.instants import DAY_US, from_us
from data.sql import literal
from data.words.business import Business

_LAG_QUANTILE = 0.99
_LEADS = f"""
    WITH goals AS (
        SELECT lead_id, min(reached_at) // {DAY_US} AS reached FROM outcomes WHERE stage = {{goal}} GROUP BY lead_id
    )
    SELECT created, coalesce(reached, {NEVER}) AS reached
    FROM (SELECT lead_id, min(created_at) // {DAY_US} AS created FROM leads GROUP BY lead_id)
    LEFT JOIN goals USING (lead_id)
"""
_LAG = f"""
    SELECT coalesce(quantile_disc(known_at - reached_at, {_LAG_QUANTILE}), 0) FROM outcomes
    WHERE stage = {{goal}} AND known_at <= {{end}}
"""

BreakName = Literal["outcomes start", "outcomes stop", "pace", "intake ends"]


@dataclass(frozen=True, slots=True)
class HistoryBreak:
    """
    A break in a history that whoever exports it should know of.

    Attributes:
        kind: which break it is.
        since: the first day that differs, ISO 8601 in UTC.
        says: what was found, since when, what it means and what to do, in one or two sentences.
    """

    kind: BreakName
    since: str
    says: str


def history_breaks(warehouse: Warehouse, business: Business) -> tuple[HistoryBreak, ...]:
    """
    Find the breaks of a history, from its leads and outcomes alone.

    Args:
        warehouse: the imported tables.
        business: its goal.
    """
    connection = warehouse.connection.con
    goal = literal(business.goal.stage)
    created, reached = (
        np.asarray(column, dtype=np.int64)
        for column in connection.execute(_LEADS.format(goal=goal)).fetchnumpy().values()
    )
    ((lag_us,),) = connection.execute(_LAG.format(goal=goal, end=warehouse.cutoff_us)).fetchall()
    first, last = warehouse.begin_us // DAY_US, warehouse.cutoff_us // DAY_US
    known = last - 1 - int(np.ceil(business.outcome_lag_days or lag_us / DAY_US))
    return breaks_of(LeadTimes(created, reached), first=first, last=last, known=known, goal=business.goal.stage)


def breaks_of(times: LeadTimes, *, first: int, last: int, known: int, goal: str) -> tuple[HistoryBreak, ...]:
    """
    Find the breaks among the days of leads and of their successes.

    Args:
        times: of every lead.
        first: the day on which facts begin in mass [days since 1970].
        last: the day on which they end.
        known: the last day whose successes are all known.
        goal: the stage that is success.
    """
    found = [_worded(each, goal) for each in pace_breaks(times, first=first, last=known)]
    ended = intake_end(times.created[(times.created >= first) & (times.created <= last)], last=last)
    return (*found, *(() if ended is None else (_worded_intake(ended, last),)))


def intake_end(created: Days, *, last: int) -> int | None:
    """
    Return the last day on which leads were created in mass, where the history goes on for long after it.

    The silence must be as long, and the leads before it as many, as what separates single facts from a history; see
    `data.importing.history_period`.

    Args:
        created: (n,) days.
        last: the day on which facts end in mass.

    >>> steady = np.repeat(np.arange(300), 4)
    >>> intake_end(steady, last=320), intake_end(steady, last=330)
    (None, 299)
    """
    if len(created) == 0:
        return None
    days, leads = np.unique(created, return_counts=True)
    inside = days_in_mass(days, leads)
    usual = int(np.diff(days[(days >= inside.first) & (days <= inside.last)]).max(initial=0))
    gap = last - inside.last
    crowd = int(leads[(days > inside.last - gap) & (days <= inside.last)].sum())
    return inside.last if gap >= max(SHORTEST_GAP_DAYS, TIMES_USUAL_GAP * usual) and crowd >= CROWD else None


def _worded(found: PaceBreak, goal: str) -> HistoryBreak:
    words = _WORDS[found.kind]
    faster = found.times if found.times >= 1 else 1 / found.times if found.times else 1.0
    says = words.says.format(
        goal=goal,
        day=_day(found.day),
        eve=_day(found.day - 1),
        counts=f"{found.found:,} {'lead' if found.found == 1 else 'leads'}",
        expected=f"{found.expected:,.0f}",
        times=f"{faster:.1f}",
        pace="often" if found.times >= 1 else "seldom",
    )
    return HistoryBreak(words.kind, _day(found.day), says)


def _worded_intake(ended: int, last: int) -> HistoryBreak:
    says = (
        f"No lead was created after {_day(ended)}, though the history goes on until {_day(last)}: its intake ends "
        "early, so that the newest weeks know nothing of new leads. Export the leads until then, or end the export on "
        f"{_day(ended)}."
    )
    return HistoryBreak("intake ends", _day(ended + 1), says)


def _day(number: int) -> str:
    return from_us(number * DAY_US).date().isoformat()


@dataclass(frozen=True, slots=True)
class _BreakWords:
    """How a break of the pace is called and told."""

    kind: BreakName
    says: str


_WORDS: dict[BreakKind, _BreakWords] = {
    "start": _BreakWords(
        "outcomes start",
        "Before {day} {counts} reached {goal}, and at the pace since then {expected} would have: outcomes seem to be "
        "recorded only from that week on, so that a model would learn the leads before it as failures. Export the "
        "earlier outcomes too, or leave out the leads created before {day}.",
    ),
    "stop": _BreakWords(
        "outcomes stop",
        "From {day} on {counts} reached {goal}, and at the pace until then {expected} would have: outcomes seem to be "
        "recorded only until that week, so that a model would learn the leads after it as failures. Export the later "
        "outcomes too, or end the export on {eve}.",
    ),
    "jump": _BreakWords(
        "pace",
        "From the week of {day} on leads reach {goal} {times} times as {pace} as leads of the same age did before: a "
        "model learns the mean of both, and its chances fit neither. Ask what changed in sales or in the records; "
        "where the records did, leave out the leads created before {day}.",
    ),
}
