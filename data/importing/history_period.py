"""
The period of a history: from where facts begin in mass to where they end in mass.

One lead created in 2015, or one call that a typing error moved into next winter, is a fact like any other and stays in
the tables. But were the first and the last fact the ends of the history, that one fact would decide which snapshots are
mature, how time is split, and as of when leads are scored. So facts at either end are outside the period where three
things hold together:

- They are at most 1 in 200 of all facts. A real part of a history, such as its first slow year, holds more; and of
  fewer than 200 facts none is outside, since there one fact is no small share.
- They are separated by a gap of at least 28 days, the shortest month, that is also at least twice as long as any gap
  between the facts in the middle. A company that pauses every August, or over the holidays, has such gaps in the
  middle too.
- Just inside the gap, a period as long as the gap holds at least 50 facts for each one outside. Were facts still to
  come at that pace, a gap of this length would by chance have a probability of e^-50. This keeps slow growth: a company
  that grows from its first lead on has gaps among its first facts, but no crowd right after them.

Where several gaps qualify, the innermost one counts, so that facts of 2015, 2018 and 2021 are all outside.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]

OUTSIDE_SHARE = 1 / 200
"""At most this share of all facts may lie outside, at each end."""

SHORTEST_GAP_DAYS = 28
"""No shorter gap separates anything: holidays and quiet weeks are shorter."""

TIMES_USUAL_GAP = 2
"""A gap must be this many times as long as any in the middle."""

CROWD = 50
"""So many facts for each one outside must lie within a gap's length of the gap, on its inner side."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """The first and the last day of a period, both inside it; days since 1970."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class HistoryPeriod:
    """From the first to the last instant at which facts in mass became known, both inside it [us since 1970 UTC]."""

    begin_us: int
    end_us: int


def days_in_mass(days: Days, facts: Days) -> DayRange:
    """
    Return the days between which facts lie in mass.

    Args:
        days: (n ≥ 1) different days with facts, in any order [days since 1970].
        facts: (n,) how many facts became known on each, each at least 1.

    Raises:
        ValueError: there is no day.

    >>> year = np.arange(20_000, 20_365)
    >>> days_in_mass(np.append(year, 16_436), np.append(np.full(365, 9), 1))
    DayRange(first=20000, last=20364)
    >>> days_in_mass(np.append(year, 20_400), np.append(np.full(365, 9), 1))
    DayRange(first=20000, last=20364)
    >>> days_in_mass(np.append(year, 20_380), np.append(np.full(365, 9), 1))
    DayRange(first=20000, last=20380)
    """
    if len(days) == 0:
        message = "no day has facts, expected at least one"
        raise ValueError(message)
    order = np.argsort(days)
    days, facts = np.asarray(days, dtype=np.int64)[order], np.asarray(facts, dtype=np.int64)[order]
    most_outside = int(facts.sum() * OUTSIDE_SHARE)
    shortest = _shortest_gap(days, facts, most_outside)
    first = _days_outside(days, facts, most_outside=most_outside, shortest=shortest)
    last = _days_outside(-days[::-1], facts[::-1], most_outside=most_outside, shortest=shortest)
    return DayRange(int(days[first]), int(days[len(days) - 1 - last]))


def _shortest_gap(days: Days, facts: Days, most_outside: int) -> int:
    """Return how long a gap must be: against the usual ones, between facts of which more lie on either side."""
    until = np.cumsum(facts)
    middle = days[(until > most_outside) & (until[-1] - until + facts > most_outside)]
    usual = int(np.diff(middle).max(initial=0))
    return max(SHORTEST_GAP_DAYS, TIMES_USUAL_GAP * usual)


def _days_outside(days: Days, facts: Days, *, most_outside: int, shortest: int) -> int:
    """Count the days outside at the beginning; days rise, and for the end of a history they are reversed."""
    until = np.cumsum(facts)
    candidates = int(np.searchsorted(until, most_outside, side="right"))  # a gap after one of so many days
    inner, outer = np.arange(1, candidates + 1), np.arange(candidates)
    gaps = days[inner] - days[outer]
    crowd = until[np.searchsorted(days, days[inner] + gaps, side="left") - 1] - until[outer]
    far = np.flatnonzero((gaps >= shortest) & (crowd >= CROWD * until[outer]))
    return int(far[-1]) + 1 if len(far) else 0
