"""
Maturity: which share of all conversions falls inside the horizon, and which horizon would hold enough of them.

The question: of the leads that will ever reach the goal, how many do so within the horizon of being first known?
Counting those seen so far would answer too high, since slow leads of the last months are still on their way: a lead
that is still open is censored where the history ends. A lead that was closed otherwise is not censored. It will never
convert, and censoring it would pretend that it converts later like any other, so it stays among those that have not
converted, for as long as it could have been watched. Since the end of the history is the same for every lead, open or
closed, the Kaplan-Meier estimate over these times is that of the cumulative incidence.

Nothing is known beyond the longest time that a tenth of the leads were watched. Shares are of the conversions up to
there; where conversions keep coming in, the true share is lower.

The horizon of a label begins at its snapshot, not at the lead's first day. A lead that takes longer than the horizon is
therefore not lost: its later snapshots, those within a horizon of the goal, have the label 1. The share is how much of
all success a lead's first snapshot can already foresee.

Source: Fine and Gray 1999, A proportional hazards model for the subdistribution of a competing risk (data "censoring
complete"); Putter, Fiocco and Geskus 2007, Tutorial in biostatistics: competing risks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from data.words.playbook import Business
from training.dataset.horizon import Horizon, HorizonPoint
from training.dataset.split import is_long_enough
from training.statistics.bootstrap import Floats, interval, spread
from training.statistics.estimate import NO_ESTIMATE, Estimate

ENOUGH = 0.90
"""The share of all conversions that a horizon should hold."""

HORIZONS_DAYS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730)
"""The horizons that may be proposed."""

SEED = 17
_RESAMPLES = 200
_WATCHED = 0.90
_POINTS = 60
_HOUR_US = DAY_US // 24


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """
    How long each lead was watched and whether it reached the goal, in hours, since no horizon is finer.

    Attributes:
        hours: (n,) until the goal, or as long as the lead could have been watched; an hour begun counts.
        reached: (n,) whether the goal was reached by then.
        group: (n,) codes of the accounts, from 0.
        watched: hours; a tenth of the leads were watched for so long, or longer.
    """

    hours: NDArray[np.int64]
    reached: NDArray[np.bool_]
    group: NDArray[np.int64]
    watched: int

    @classmethod
    def of(
        cls,
        leads: pd.DataFrame,
        outcomes: pd.DataFrame,
        *,
        groups: "pd.Series[str]",
        business: Business,
        period: HistoryPeriod,
    ) -> "Waits":
        """
        Measure each lead from when it was first known.

        Leads that had reached the goal by then are left out: they could not have been called before. So are those
        from before the period: nothing that they did in between is known.

        Args:
            leads: ``lead_id``, ``known_at`` of each version [us since 1970 UTC].
            outcomes: ``lead_id``, ``stage``, ``reached_at``.
            groups: lead id → name of its group.
            business: its goal.
            period: it ends where every outcome is known.
        """
        first = leads.groupby("lead_id")["known_at"].min()
        goals = outcomes[outcomes["stage"] == business.goal.stage]
        goal = goals.groupby("lead_id")["reached_at"].min().reindex(first.index).to_numpy(dtype=np.float64)
        began = first.to_numpy(dtype=np.int64)
        kept = (began >= period.begin_us) & (began < period.end_us) & ~(goal < began)
        began, goal = began[kept], goal[kept]
        reached = goal <= period.end_us
        # Whether it is still open or was closed otherwise, a lead without the goal counts as watched up to the end.
        watchable, waited = period.end_us - began, np.where(reached, goal, period.end_us).astype(np.int64) - began
        group = pd.factorize(groups.reindex(first.index[kept]))[0].astype(np.int64)
        # The 90th percentile: a tenth of the leads were watched for longer, and the estimate needs some of them.
        watched = int(np.quantile(watchable, _WATCHED) // _HOUR_US) if len(watchable) else 0
        return cls(waited // _HOUR_US + 1, reached, group, watched)

    def incidence(self) -> Floats:
        """Return the share of all leads that had reached the goal by each hour, (watched + 1,), by Kaplan-Meier."""
        fitted = KaplanMeierFitter().fit(self.hours, self.reached)
        return np.asarray(fitted.cumulative_density_at_times(np.arange(self.watched + 1)), dtype=np.float64)

    def resampled(self, at_hours: Sequence[int]) -> Floats:
        """Return that share at a few hours for each resample of the accounts, (resamples, k)."""
        # lifelines takes far too long for hundreds of resamples; over whole hours the estimate is a few running sums.
        hours = np.minimum(self.hours, self.watched + 1)
        size, goal_hours = self.watched + 2, np.where(self.reached, hours, 0)

        def measure(counts: Floats) -> Floats:
            shares = np.empty((len(counts), len(at_hours)))
            for row, drawn in zip(shares, counts, strict=True):
                times = drawn[self.group]
                leaving = np.bincount(hours, weights=times, minlength=size)
                converting = np.bincount(goal_hours, weights=times, minlength=size)
                converting[0] = 0  # where the leads without the goal were counted
                # At risk in an hour: all leads but those that left in an earlier one.
                at_risk = np.maximum(times.sum() - (np.cumsum(leaving) - leaving), 1e-9)
                row[:] = 1 - np.cumprod(1 - np.minimum(converting / at_risk, 1))[list(at_hours)]
            return shares

        return spread(measure, int(self.group.max()) + 1, times=_RESAMPLES, seed=SEED)


def estimate_maturity(
    leads: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    groups: "pd.Series[str]",
    business: Business,
    period: HistoryPeriod,
    lag_us: int,
) -> Horizon:
    """
    Estimate how long leads take to reach the goal, and whether the horizon holds enough of the conversions.

    Args:
        leads: ``lead_id``, ``known_at`` of each version [us since 1970 UTC].
        outcomes: ``lead_id``, ``stage``, ``reached_at``.
        groups: lead id → name of its group.
        business: its goal.
        period: of the history.
        lag_us: how late outcomes arrive.
    """
    known = HistoryPeriod(period.begin_us, period.end_us - lag_us)
    waits = Waits.of(leads, outcomes, groups=groups, business=business, period=known)
    horizon = round(business.goal.horizon_days * 24)
    if horizon >= waits.watched or not (waits.reached & (waits.hours <= waits.watched)).any():
        return Horizon(
            share=NO_ESTIMATE,
            proposed_days=None,
            median_days=None,
            watched_days=waits.watched / 24,
            says=_unknown(waits, business),
            curve=(),
        )
    incidence = waits.incidence()
    reached = incidence / incidence[-1]
    drawn = waits.resampled([horizon, waits.watched])
    with np.errstate(invalid="ignore"):
        share = interval(drawn[:, 0] / drawn[:, 1], float(reached[horizon]))
    needed = _needed(reached) if reached[horizon] < ENOUGH else None
    proposed = needed if needed is not None and _is_long_enough(known, needed) else None
    return Horizon(
        share=share,
        proposed_days=proposed,
        median_days=float(np.argmax(reached >= 0.5 - 1e-12)) / 24,
        watched_days=waits.watched / 24,
        says=_says(share, business, watched=waits.watched / 24, needed=needed, proposed=proposed),
        curve=_curve(reached),
    )


def _needed(reached: Floats) -> float | None:
    """Return the smallest usual horizon that holds 90 % of the conversions; None where even the longest does not."""
    for days in HORIZONS_DAYS:
        if days * 24 < len(reached) and reached[days * 24] >= ENOUGH:
            return float(days)
    return None


def _is_long_enough(known: HistoryPeriod, days: float) -> bool:
    """Return whether the history is long enough for blocks with such a horizon."""
    horizon = round(days * DAY_US)
    return is_long_enough(known.begin_us, known.end_us - horizon, horizon=horizon)


def _curve(reached: Floats) -> tuple[HorizonPoint, ...]:
    """Return the share at no more than 61 days, evenly spaced."""
    days = np.unique(np.linspace(0, (len(reached) - 1) // 24, _POINTS + 1).round().astype(int))
    return tuple(HorizonPoint(day=float(day), reached=float(reached[day * 24])) for day in days)


def _unknown(waits: Waits, business: Business) -> str:
    goal = business.goal
    if not waits.reached.any():
        return f"No lead was seen to reach {goal.stage}, so it is not known how long that takes."
    return (
        f"Most leads were watched for less than {waits.watched / 24:.0f} days: too short to say which share of all "
        f"that reach {goal.stage} do so within {goal.horizon_days:g} days, the horizon."
    )


def _says(share: Estimate, business: Business, *, watched: float, needed: float | None, proposed: float | None) -> str:
    goal = business.goal
    value, low, high = (f"{number:.0%}" for number in (share.value, share.low, share.high))
    text = (
        f"Of all leads that reach {goal.stage} within {watched:.0f} days of being first known, {value} "
        f"({low} – {high}) do so within {goal.horizon_days:g} days, the horizon"
    )
    if share.value is not None and share.value >= ENOUGH:
        return f"{text}."
    text += f", and slower ones count only at the snapshots of their last {goal.horizon_days:g} days"
    if proposed is not None:
        return f"{text}; goal.horizon_days: {proposed:g} would hold {ENOUGH:.0%}."
    if needed is not None:
        return f"{text}; {needed:g} days would hold {ENOUGH:.0%}, but this history is too short for them."
    return f"{text}; no usual horizon holds {ENOUGH:.0%} in a history of this length."
