"""A made-up company: everything that happened to it and everything its tools know of that."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from data.instants import DAY_US
from data.simulation.activities import ActivityRows, written_down
from data.simulation.lead_versions import LeadVersions, versions
from data.simulation.people import People, draw_people
from data.simulation.process import DRIFT_DAYS, DayKind
from data.simulation.stages_reached import OutcomeRows, reached
from data.simulation.timeline import SimulatedHistory, live_through

HISTORY_DAYS = 548
"""18 months."""
SIGHT_EVERY_DAYS = 3
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Company:
    """What truly happened within the history, and what was known of it before its end."""

    start: datetime
    people: People
    history: SimulatedHistory
    versions: LeadVersions
    activities: ActivityRows
    outcomes: OutcomeRows


def invent(
    start: datetime, *, leads: int, seed: int, drift: float, progress: Callable[[str], None] | None = None
) -> Company:
    """
    Make up a company's 18 months.

    Args:
        start: the midnight UTC at which the history begins.
        leads: how many leads arrive.
        seed: the same seed makes up the same company.
        drift: how far the world shifts over the last 150 days.
        progress: called after each month.
    """
    sources = np.random.SeedSequence(seed).spawn(5)
    of_people, of_history, of_activities, of_outcomes, of_versions = (np.random.default_rng(day) for day in sources)
    end_us = HISTORY_DAYS * DAY_US
    people = draw_people(of_people, leads, days=HISTORY_DAYS, drift=drift)
    days = calendar(start, HISTORY_DAYS, drift=drift)
    history = live_through(of_history, people, days, sight_every_days=SIGHT_EVERY_DAYS, progress=progress)
    outcomes = reached(of_outcomes, people, history.moves)
    return Company(
        start=start,
        people=people,
        history=history,
        versions=versions(of_versions, people, outcomes, end_us=end_us),
        activities=written_down(of_activities, history.touches, end_us=end_us),
        outcomes=outcomes.where(outcomes.known_us < end_us),
    )


def calendar(start: datetime, days: int, *, drift: float) -> tuple[DayKind, ...]:
    """
    Return the kind of each day; the world drifts over the last 150 days of the history and stays so after it.

    >>> from datetime import UTC
    >>> [day.weekend for day in calendar(datetime(2026, 1, 2, tzinfo=UTC), 3, drift=0)]
    [False, True, True]
    """
    kinds = []
    for day in range(days):
        weekend = (start + timedelta(days=day)).weekday() >= _SATURDAY
        kinds.append(DayKind(weekend=weekend, drift=drift if day >= HISTORY_DAYS - DRIFT_DAYS else 0.0))
    return tuple(kinds)
