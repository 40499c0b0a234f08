"""
Snapshots: a sample of the population that scores are about, each row with the number of its like that it stands for.

The population is (open lead, day): each lead once as it arrives, and then once, at some instant, on each day on which
it is open. It is what a list of open leads shows on a random day, old silent leads as well as hot ones.

A moment is an instant from which something new about a lead was known: the lead itself, or an activity of a kind that
may be used. The time since a lead's latest moment is cut into strata, fine at first and then of four weeks each
(`STRATA_DAYS`), until the lead closes. In each stratum one instant is drawn, evenly, with a known probability; it
becomes a snapshot if the lead is still open and silent then. Its weight is the length of the stratum in days over that
probability (Horvitz and Thompson 1952), so that any weighted sum over snapshots estimates, without bias, the sum over
the population. A lead's arrival is always taken, with weight 1, and stands just after the instant: a fact counts only
strictly later.

Every draw is made from the lead, the moment and the stratum alone, and what decides whether the drawn instant counts is
known by then: no choice of a row depends on what came after it. Where there would be too many rows, fewer are drawn,
and weigh more.

A later version of a lead makes no moment, though serving scores after it too: exports often write one because a field
on ``never_use``, such as a status, has changed, and the instant alone would reveal what the field may not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from training.dataset.moments import Codes, Instants, Moments
from training.statistics.sampling import uniforms_by_time

STRATA_DAYS = (
    (0.0, 0.25, 0.125),
    (0.25, 1.0, 0.3333),
    (1.0, 3.0, 0.6),
    (3.0, 7.0, 1.0),
    (7.0, 14.0, 1.0),
    (14.0, 28.0, 1.0),
)
"""
From, to, and the probability of a draw; from the last one's end on, every four weeks are a stratum.

The densest where most leads succeed, so that a row stands for 2 days there and for 28 in long silence.
"""

REST_DAYS = 28.0

MOST_ROWS = 1_000_000
"""More snapshots than about so many are thinned by a draw: they would cost more and tell little more."""

ARRIVALS = 0.25
"""The share of the most rows that arrivals may have before they are drawn too."""


def take_snapshots(moments: Moments, *, period: HistoryPeriod, seed: int, most: int = MOST_ROWS) -> pd.DataFrame:
    """
    Take the snapshots of open leads.

    Args:
        moments: of the leads.
        period: there is no snapshot before its begin or after its end.
        seed: of the random draws.
        most: about how many rows there may be.

    Returns:
        (n) ``lead_id``, ``as_of``, ``weight``, ``arrived_at`` and ``moment_at``, sorted by the first two.
    """
    drawing = _Draws(moments, period, seed)
    arrivals = drawing.thinned(drawing.arrivals(), most=round(ARRIVALS * most))
    silences = drawing.thinned(_together(drawing.silences()), most=most - len(arrivals.moment))
    drawn = _together([arrivals, silences])
    drawn = drawn.at(np.lexsort((drawn.as_of, drawn.moment)))
    return moments.rows(drawn.moment, drawn.as_of).assign(weight=drawn.weight)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Drawn rows, (n,) each: the latest moment of each, its instant, and what it stands for."""

    moment: Codes
    as_of: Instants
    weight: NDArray[np.float64]

    def at(self, chosen: Codes | NDArray[np.bool_]) -> "_Sample":
        """Return some of the rows."""
        return _Sample(self.moment[chosen], self.as_of[chosen], self.weight[chosen])


def _together(parts: Iterable[_Sample]) -> _Sample:
    every = [_Sample(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)), *parts]
    moment, as_of, weight = (
        np.concatenate([getattr(each, name) for each in every]) for name in ("moment", "as_of", "weight")
    )
    return _Sample(moment, as_of, weight)


@dataclass(frozen=True, eq=False)
class _Draws:
    """Moments of leads, and the period in which snapshots of them are drawn."""

    moments: Moments
    period: HistoryPeriod
    seed: int

    def arrivals(self) -> _Sample:
        """Take each lead just after it became known."""
        arrival = np.flatnonzero(self.moments.arrival)
        return self._inside(arrival, self.moments.instant[arrival] + 1, 1.0)

    def silences(self) -> Iterator[_Sample]:
        """Yield, stratum by stratum, the instants drawn by which still nothing has happened."""
        silent = np.minimum(self.moments.until, self.period.end_us) - self.moments.instant
        moment = np.arange(len(silent))
        for low, high, chance in _strata():
            moment = moment[silent[moment] > low * DAY_US]
            if not len(moment):
                return
            begin = self.moments.instant[moment]
            drawn = self._uniforms(moment, begin, f"silence of {low:g} days")
            # One draw decides both: below `chance` there is a snapshot, and how far below says when. The first
            # microsecond is the arrival's.
            wait = np.maximum(np.round((low + (high - low) * drawn / chance) * DAY_US).astype(np.int64), 2)
            quiet = (drawn < chance) & (wait <= silent[moment])
            yield self._inside(moment[quiet], (begin + wait)[quiet], (high - low) / chance)

    def _inside(self, moment: Codes, as_of: Instants, weight: float) -> _Sample:
        """Keep the rows of the period."""
        kept = (as_of >= self.period.begin_us) & (as_of <= self.period.end_us)
        return _Sample(moment, as_of, np.full(len(as_of), weight)).at(kept)

    def thinned(self, rows: _Sample, *, most: int) -> _Sample:
        """Keep about so many rows, each with the same chance."""
        chance = most / max(len(rows.moment), 1)
        if chance >= 1:
            return rows
        kept = rows.at(self._uniforms(rows.moment, rows.as_of, "thinning") < chance)
        return replace(kept, weight=kept.weight / chance)

    def _uniforms(self, moment: Codes, instant: Instants, purpose: str) -> NDArray[np.float64]:
        """Draw a number from the lead of each moment and an instant."""
        names = self.moments.names(self.moments.lead[moment])
        return uniforms_by_time(names, instant, purpose, seed=self.seed)


def _strata() -> Iterator[tuple[float, float, float]]:
    """Yield from, to [days] and the probability of a draw of each stratum, without end."""
    yield from STRATA_DAYS
    low = STRATA_DAYS[-1][1]
    while True:
        yield low, low + REST_DAYS, 1.0
        low += REST_DAYS
