"""
The pace at which leads reach the goal, week by week, and where it starts, stops or jumps.

How often a lead reaches the goal depends on its age, and a history's first weeks hold young leads only. So weeks are
compared by what leads of the same ages do: the successes of a week are Poisson, with a mean that is the sum over ages
of the leads at risk, times the pace of that age, times the pace of the week's side of a break. Every week is tried as
the break, and the one with the highest likelihood is taken. Successes come in clusters, of one account or of one
campaign: the statistic is divided by how much more the weeks, and months, differ from the fit than chance would make
them. A pace that drifts is no break: it must explain less than the break does.

Measured on simulated companies without a break: of 300 with 500 leads each, 500 with 1,500 and 100 with 6,000
(about 90, 260 and 1,050 successes), none was suspected.

Source: indirect standardisation, Breslow and Day 1987, Statistical methods in cancer research II, chapter 2; the
quasi-likelihood scale of McCullagh and Nelder 1989, Generalized linear models, section 9.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
BreakKind = Literal["start", "stop", "jump"]

WEEK = 7
NEVER = -1
_AGES = np.array([1, 2, 4, 8, 13, 26, 52])
"""Where the ages that have a pace of their own begin [weeks]; the first begins at 0."""

SURE = 25.0
"""The statistic of a break; chance stays below it even where a hundred weeks are tried."""

HARDLY_ANY = 0.05
"""A pace of at most this share of the other side's is none: what is left are typing errors."""

TIMES = 1.4
"""So many times as fast, or as slow, is a jump; less is the weather."""

LEAST_EXPECTED = 30.0
"""So many successes must be missing before a start or after a stop: by chance that has a probability of e^-30."""

LEAST_IN_JUMP = 30.0
"""So many successes must lie on either side of a jump."""

LEAST_WEEKS, LEAST_WEEKS_OF_JUMP = 4, 8
"""A shorter side is no side."""

_ROUNDS = 30
_MONTH = 4
_DRIFTS = np.linspace(-3.0, 3.0, 61)
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LeadTimes:
    """
    When each lead was created and reached the goal.

    Attributes:
        created: (n,) day since 1970.
        reached: (n,) day, or -1 for never.
    """

    created: Days
    reached: Days


@dataclass(frozen=True, slots=True)
class PaceBreak:
    """
    A day on which the pace of success changes.

    Attributes:
        kind: ``start`` where there is hardly any success before it, ``stop`` where there is hardly any from it on.
        day: the first day of the other pace [days since 1970].
        found: successes on the side with fewer; of a jump, those from the day on.
        expected: those there would be on that side, at the pace of the other and the same ages.
        times: the pace from the day on, divided by the pace before; infinite where there was none.
        statistic: how sure it is.
    """

    kind: BreakKind
    day: int
    found: int
    expected: float
    times: float
    statistic: float


def pace_breaks(times: LeadTimes, *, first: int, last: int) -> tuple[PaceBreak, ...]:
    """
    Find where the pace of success starts, stops or jumps, in this order; at most one of each.

    Args:
        times: of every lead.
        first: the first day of the history [days since 1970].
        last: the last day whose successes are all known.

    >>> created = np.repeat(np.arange(0, 364), 5)
    >>> reached = np.where(np.arange(len(created)) % 4 == 0, created + 10, NEVER)
    >>> pace_breaks(LeadTimes(created, reached), first=0, last=363)
    ()
    >>> unrecorded = LeadTimes(created, np.where(reached < 140, NEVER, reached))
    >>> [(each.kind, each.day) for each in pace_breaks(unrecorded, first=0, last=363)]
    [('start', 140)]
    """
    found: list[PaceBreak] = []
    for _ in range(3):
        weeks = _WeeklyCounts.of(times, first=first, last=last)
        best = None if weeks is None else _best_break(weeks, first)
        if best is None:
            break
        found.append(best)
        if best.kind == "jump":
            break
        first, last = (best.day, last) if best.kind == "start" else (first, best.day - 1)
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _WeeklyCounts:
    """
    Leads at risk and successes, by age and week.

    Attributes:
        risk: (b, w) leads at risk of each age in each week.
        successes: (b, w).
    """

    risk: Floats
    successes: Floats

    @classmethod
    def of(cls, times: LeadTimes, *, first: int, last: int) -> Self | None:
        """Count them in whole weeks; None where there are too few weeks or no success."""
        weeks = (last + 1 - first) // WEEK
        if weeks < 2 * LEAST_WEEKS:
            return None
        created = (times.created - first) // WEEK
        inside = (created >= 0) & (created < weeks)
        created, reached = created[inside], times.reached[inside]
        never = reached == NEVER
        age = np.where(never, weeks, np.maximum((reached - first) // WEEK - created, 0))
        # Row: week of creation; column: age [weeks] at success.
        won = np.zeros((weeks, weeks + 1))
        np.add.at(won, (created, np.minimum(age, weeks)), 1.0)
        open_before = won.sum(axis=1, keepdims=True) - np.cumsum(won, axis=1) + won
        cohort, grown = np.indices((weeks, weeks))
        seen = cohort + grown < weeks
        place = np.searchsorted(_AGES, grown[seen], side="right"), (cohort + grown)[seen]
        risk, successes = np.zeros((2, len(_AGES) + 1, weeks))
        np.add.at(risk, place, open_before[:, :weeks][seen])
        np.add.at(successes, place, won[:, :weeks][seen])
        return cls(risk, successes) if successes.sum() > 0 else None


def _best_break(weeks: _WeeklyCounts, first: int) -> PaceBreak | None:
    """Return the likeliest start or stop where there is one, else the likeliest jump; None where there is neither."""
    count = weeks.risk.shape[1]
    steps = np.arange(LEAST_WEEKS, count - LEAST_WEEKS + 1)
    sides = (np.arange(count)[None, :] >= steps[:, None]).astype(np.float64)
    fit = _fit_steps(weeks, sides)
    for kind, possible in fit.candidates(min_weeks=np.minimum(steps, count - steps)):
        if not possible.any():
            continue
        best = int(np.argmax(np.where(possible, fit.gains, -np.inf)))
        statistic = 2 * float(fit.gains[best]) / (_dispersion(weeks, fit, sides, best) if kind == "jump" else 1.0)
        drifts = kind == "jump" and max(_gain_of_drift(weeks, each) for each in _DRIFTS.tolist()) >= fit.gains[best]
        if statistic >= SURE and not drifts:
            less = 0 if kind == "start" else 1
            found, expected = round(float(fit.found[best, less])), float(fit.expected[best, less])
            day = first + WEEK * int(steps[best])
            return PaceBreak(kind, day, found, expected, float(fit.times[best]), statistic)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _StepFits:
    """
    The fits of ages times sides, one for each of k steps.

    Attributes:
        by_age: (k, b) successes of a lead at risk, by age.
        pace: (k, 2) before and after.
        found: (k, 2) successes on each side.
        expected: (k, 2) those there would be at the other side's pace.
        gains: (k,) log-likelihood gained over one pace.
    """

    by_age: Floats
    pace: Floats
    found: Floats
    expected: Floats
    gains: Floats

    @property
    def times(self) -> Floats:
        """The pace after divided by the pace before, (k,); infinite where there was none."""
        before, after = self.pace.T
        return np.where(before > _TINY, after / np.maximum(before, _TINY), np.inf)

    def candidates(self, *, min_weeks: Days) -> Iterator[tuple[BreakKind, NDArray[np.bool_]]]:
        """Yield which steps may be a break of each kind: those where it is large enough to matter."""
        times = self.times
        yield "start", (times >= 1 / HARDLY_ANY) & (self.expected[:, 0] >= LEAST_EXPECTED)
        yield "stop", (times <= HARDLY_ANY) & (self.expected[:, 1] >= LEAST_EXPECTED)
        far = (times >= TIMES) | (times <= 1 / TIMES)
        yield "jump", far & (self.found.min(axis=1) >= LEAST_IN_JUMP) & (min_weeks >= LEAST_WEEKS_OF_JUMP)


def _fit_steps(weeks: _WeeklyCounts, sides: Floats) -> _StepFits:
    """
    Fit ages times sides for every step, by proportional fitting.

    Args:
        weeks: the counts.
        sides: (k, w) 1 from the break on, else 0.
    """
    total, risk = weeks.successes.sum(axis=1), weeks.risk.sum(axis=1)
    after = sides @ weeks.risk.T
    risks = np.stack([risk - after, after], axis=1)  # (k, 2, b)
    late = sides @ weeks.successes.sum(axis=0)
    found = np.stack([total.sum() - late, late], axis=1)

    def of_ages(pace: Floats) -> tuple[Floats, Floats]:
        """Fit the ages to the pace of the sides; return them, and the successes of each side at a pace of one."""
        by_age = total / np.maximum((risks * pace[:, :, None]).sum(axis=1), _TINY)
        return by_age, (risks * by_age[:, None, :]).sum(axis=2)

    by_age, at_pace_one = of_ages(np.ones_like(found))
    for _ in range(_ROUNDS):
        by_age, at_pace_one = of_ages(found / np.maximum(at_pace_one, _TINY))
    pace = found / np.maximum(at_pace_one, _TINY)
    gains = _logs(total, by_age).sum(axis=1) + _logs(found, pace).sum(axis=1)
    return _StepFits(by_age, pace, found, at_pace_one * pace[:, ::-1], gains - _gain_of_nothing(total, risk))


def _gain_of_nothing(total: Floats, risk: Floats) -> float:
    """Return the log-likelihood of one pace for all weeks, as far as it depends on the fit."""
    return float(_logs(total, total / np.maximum(risk, _TINY)).sum())


def _logs(count: Floats, rate: Floats) -> Floats:
    """Return count times log rate, and 0 where nothing is counted."""
    return np.asarray(count * np.log(np.where(count > 0, np.maximum(rate, _TINY), 1.0)))


def _gain_of_drift(weeks: _WeeklyCounts, slope: float) -> float:
    """Return the log-likelihood that a pace which drifts by e^slope over the history gains over one pace."""
    total, by_week = weeks.successes.sum(axis=1), weeks.successes.sum(axis=0)
    drift = slope * np.linspace(-0.5, 0.5, weeks.risk.shape[1])
    by_age = total / np.maximum(weeks.risk @ np.exp(drift), _TINY)
    alone = _gain_of_nothing(total, weeks.risk.sum(axis=1))
    return float(_logs(total, by_age).sum() + by_week @ drift) - alone


def _dispersion(weeks: _WeeklyCounts, fit: _StepFits, sides: Floats, step: int) -> float:
    """Return how many times as far as chance weeks, or months, lie from the fit of a step; at least 1."""
    observed = weeks.successes.sum(axis=0)
    fitted = fit.by_age[step] @ weeks.risk * np.where(sides[step] > 0, fit.pace[step, 1], fit.pace[step, 0])
    scales = []
    for width in (1, _MONTH):
        starts = np.arange(0, len(observed) - len(observed) % width, width)
        apart = np.add.reduceat(observed - fitted, starts)
        whole = float(np.add.reduceat(fitted, starts).sum())
        scales.append(float((apart**2).sum()) / whole * len(starts) / max(len(starts) - 2, 1))
    return max(1.0, *scales)
