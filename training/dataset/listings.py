"""
Listings: the mornings on which a team decides whom to call, and the leads on its list then.

Snapshots say what happens on a random day, and are too sparse to follow one lead through its weeks. These rows follow
it: on the first morning after anything new was known of it, and then, while it stays silent, on the first, second,
fourth, eighth morning and so on, when little changes from one to the next. On a few mornings, spread evenly, everybody
open has a row: these are whole lists, as ``leadscore score`` would write them.

Of the last weeks, from which grades and threshold are cut, other rows are taken: each lead just after each news of it,
as a service scores it, and everybody open at either end.

Where there would be too many rows, leads are drawn, and each of them stands for more than itself.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import from_us, to_us
from training.dataset.moments import Codes, Instants, Moments
from training.dataset.split import Span
from training.statistics.sampling import uniforms

MORNING = time(8)
"""When the day's calls are decided, in the playbook's zone; every day has one, as capacity is per calendar day."""

LISTS = 8
"""Whole lists of a period."""

MOST_ROWS = 250_000
"""Most rows of a period, about."""


def mornings_of(period: Span, zone: str) -> Instants:
    """
    Return the mornings of a period, (d,) [us since 1970 UTC], in the order of time.

    >>> from data.instants import iso, parse
    >>> day = Span(parse("2026-03-29T00:00:00Z"), parse("2026-03-31T00:00:00Z"))
    >>> [iso(morning) for morning in mornings_of(day, "Europe/Berlin").tolist()]
    ['2026-03-29T06:00:00Z', '2026-03-30T06:00:00Z']
    """
    return np.fromiter(_mornings(period, ZoneInfo(zone)), dtype=np.int64)


def _mornings(period: Span, zone: ZoneInfo) -> Iterator[int]:
    day = from_us(period.start).astimezone(zone).date()
    while (morning := to_us(datetime.combine(day, MORNING, zone).astimezone(UTC))) < period.end:
        if morning >= period.start:
            yield morning
        day += timedelta(days=1)


def list_weeks(moments: Moments, weeks: Span, *, zone: str, seed: int) -> pd.DataFrame:
    """
    List the open leads of some weeks, morning by morning.

    Args:
        moments: of the leads.
        weeks: from and to.
        zone: IANA name of the playbook's zone.
        seed: of the draw of leads.

    Returns:
        (n) rows as of `take_listings`; where no lead is ever open on a morning, each just after each news of it.
    """
    mornings = mornings_of(weeks, zone)
    rows = take_listings(moments, mornings, seed=seed) if len(mornings) else None
    return take_news(moments, Span(weeks.start, weeks.end - 1), seed=seed) if rows is None or rows.empty else rows


def take_listings(
    moments: Moments, mornings: Instants, *, seed: int, lists: int = LISTS, most: int = MOST_ROWS
) -> pd.DataFrame:
    """
    List the open leads of a period.

    Args:
        moments: of the leads.
        mornings: (d,) in the order of time, at least one.
        seed: of the draw of leads.
        lists: how many mornings have everybody open, the first and the last among them.
        most: about how many rows there may be.

    Returns:
        (n) ``lead_id``, ``as_of``, ``weight`` (how many leads each stands for), ``arrived_at``, ``moment_at`` and
        ``whole_list`` (whether everybody open has a row then), sorted by the first two.
    """
    whole = np.unique(np.linspace(0, len(mornings) - 1, lists).round().astype(np.int64))
    every = np.arange(len(moments.lead))
    listed = _listed(moments, mornings, whole=whole, some=every)
    chance = min(1.0, most / max(len(listed.moment), 1))
    if chance < 1:
        listed = _listed(moments, mornings, whole=whole, some=every[_drawn(moments, chance, seed=seed)])
    rows = moments.rows(listed.moment, mornings[listed.morning])
    return rows.assign(weight=1 / chance, whole_list=np.isin(listed.morning, whole))


def take_news(moments: Moments, span: Span, *, seed: int, most: int = MOST_ROWS) -> pd.DataFrame:
    """
    List leads as a service scores them: everybody open at either end of a span, and each just after news of it.

    Args:
        moments: of the leads.
        span: from one instant to another, both of which have whole lists.
        seed: of the draw of leads.
        most: about how many rows there may be.

    Returns:
        (n) rows as of `take_listings`.
    """
    at_begin, at_end = (_open_at(moments, instant) for instant in (span.start, span.end))
    news = np.flatnonzero((moments.instant >= span.start) & (moments.instant + 1 < span.end))
    moment = np.concatenate([at_begin, news, at_end])
    ends = [np.full(len(at_begin), span.start), moments.instant[news] + 1, np.full(len(at_end), span.end)]
    as_of, whole = np.concatenate(ends), np.r_[np.ones(len(at_begin)), np.zeros(len(news)), np.ones(len(at_end))] > 0
    chance = min(1.0, most / max(len(moment), 1))
    if chance < 1:
        drawn = _drawn(moments, chance, seed=seed)[moment]
        moment, as_of, whole = moment[drawn], as_of[drawn], whole[drawn]
    order = np.lexsort((as_of, moments.lead[moment]))
    rows = moments.rows(moment[order], as_of[order])
    return rows.assign(weight=1 / chance, whole_list=whole[order])


def _drawn(moments: Moments, chance: float, *, seed: int) -> NDArray[np.bool_]:
    """Return which moments are of a lead that was drawn with this chance, (n,)."""
    return np.asarray((uniforms(moments.ids.astype(str), "listing", seed=seed) < chance)[moments.lead])


def _open_at(moments: Moments, instant: int) -> Codes:
    """Return the latest moment of each lead that is open at an instant."""
    return np.flatnonzero((moments.instant < instant) & (moments.until >= instant))


class _Places(NamedTuple):
    """Rows: which moment was the latest, and which morning it is."""

    moment: Codes
    morning: Codes


def _listed(moments: Moments, mornings: Instants, *, whole: Codes, some: Codes) -> _Places:
    """List moments on whole lists, on the first morning after each, and ever more seldom while it is the latest."""
    begin = np.searchsorted(mornings, moments.instant[some], side="right")
    end = np.searchsorted(mornings, moments.until[some], side="right")
    listed = begin < end
    moment, begin, end = some[listed], begin[listed], end[listed]
    parts = [(moment, np.full(len(moment), at), (begin <= at) & (at < end)) for at in whole.tolist()]
    news = begin > 0  # what was known before the first morning is on the first list
    steps = (0, *(1 << power for power in range(len(mornings).bit_length())))
    parts += [(moment, begin + step, news & (begin + step < end)) for step in steps]
    pairs = [chosen[kept] * len(mornings) + morning[kept] for chosen, morning, kept in parts]
    return _Places(*np.divmod(np.unique(np.concatenate(pairs)), len(mornings)))
