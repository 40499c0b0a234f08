"""The test weeks as the team would have seen them: which leads were on the list on which morning."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import from_us
from training.dataset.listings import mornings_of
from training.dataset.split import Span
from training.statistics.sampling import uniforms

SEED = 17

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Weeks:
    """
    The leads of a period and its mornings.

    A lead comes onto the list on the first morning of the period, or on the first after it became known, and leaves it
    when it reaches the goal or is closed; one that opens again in between stays on it until it is closed for the last
    time. All scorers start with the same list, of everybody open.

    Attributes:
        zone: the time zone that divides days.
        mornings: (d,) instants at which calls are decided [us since 1970 UTC].
        lead_id: (m,) names of the leads.
        weight: (m,) how many leads of the company each represents.
        group: (m,) codes of the accounts, from 0.
        goal_at: (m,) when the goal was reached [us since 1970 UTC]; NaN where never.
        amount: (m,) what that was worth; NaN where it is not recorded.
        first: (m,) the first morning on the list, from 0.
        last: (m,) the last one; before the first for a lead that never was on the list.
        draw: (m,) in [0, 1), the order of equal scores: the same for every scorer.
        lead: (n,) the lead of each row.
        arrivals: (n,) positions of the rows by time.
        known: (d,) how many rows, by time, are known on each morning.
        horizon_us: of the goal.
    """

    zone: ZoneInfo
    mornings: Codes
    lead_id: NDArray[np.object_]
    weight: Floats
    group: Codes
    goal_at: Floats
    amount: Floats
    first: Codes
    last: Codes
    draw: Floats
    lead: Codes
    arrivals: Codes
    known: Codes
    horizon_us: int

    @classmethod
    def of(cls, rows: pd.DataFrame, period: Span, *, zone: str, horizon_us: int) -> "Weeks":
        """
        Read them from rows of a training set.

        Args:
            rows: (n) listings: ``lead_id``, ``as_of``, ``group``, ``weight``, ``goal_at``, ``closed_at``,
                ``amount``. What a lead's rows say of the lead is the same in each of them, but for ``closed_at``,
                which is that of a lead's last row.
            period: of the test. It ends where outcomes are no longer known, so each call's horizon has passed.
            zone: IANA name of the playbook's zone.
            horizon_us: of the goal.
        """
        mornings = mornings_of(period, zone)
        lead, names = pd.factorize(rows["lead_id"])
        as_of = rows["as_of"].to_numpy(dtype=np.int64)
        arrivals = np.argsort(as_of, kind="stable")
        row_of_lead = rows.iloc[np.unique(lead, return_index=True)[1]]
        goal_at = row_of_lead["goal_at"].to_numpy(dtype=np.float64)
        closed_at = np.empty(len(names))
        closed_at[lead[arrivals]] = rows["closed_at"].to_numpy(dtype=np.float64)[arrivals]  # the last one stays
        first_seen = np.full(len(names), np.iinfo(np.int64).max)
        np.minimum.at(first_seen, lead, as_of)
        ends = np.fmin(goal_at, closed_at)  # the earlier of the two, and the other where one of them is missing
        return cls(
            zone=ZoneInfo(zone),
            mornings=mornings,
            lead_id=names.to_numpy(dtype=object),
            weight=row_of_lead["weight"].to_numpy(dtype=np.float64),
            group=pd.factorize(row_of_lead["group"])[0].astype(np.int64),
            goal_at=goal_at,
            amount=row_of_lead["amount"].to_numpy(dtype=np.float64),
            # From the first morning at or after the first listing, to the last one at or before the end.
            first=np.searchsorted(mornings, first_seen, side="left"),
            last=np.searchsorted(mornings, np.where(np.isnan(ends), np.inf, ends), side="right") - 1,
            # From the lead's name, so that neither the order of the rows nor the scorer decides ties.
            draw=uniforms(names.astype(str), "order of equal scores", seed=SEED),
            lead=lead.astype(np.int64),
            arrivals=arrivals,
            known=np.searchsorted(as_of[arrivals], mornings, side="right"),
            horizon_us=horizon_us,
        )

    @property
    def listed(self) -> NDArray[np.bool_]:
        """Which leads were on the list at all, (m,)."""
        return self.first <= self.last

    @property
    def findable(self) -> NDArray[np.bool_]:
        """Which conversions a call could find: on some morning on the list the goal was within the horizon, (m,)."""
        findable = np.zeros(len(self.lead_id), dtype=np.bool_)
        listed = self.listed
        # The last morning on the list is the one nearest to the goal, so that it decides.
        findable[listed] = self.goal_at[listed] - self.mornings[self.last[listed]] < self.horizon_us
        return findable

    @property
    def knows_amounts(self) -> bool:
        """Whether any lead has an amount."""
        return bool(np.isfinite(self.amount).any())

    @property
    def days(self) -> list[str]:
        """The date of each morning, as ISO 8601."""
        return [self.day_of(morning) for morning in self.mornings.tolist()]

    def day_of(self, instant_us: float) -> str:
        """Return the date of an instant in the playbook's zone."""
        return from_us(int(instant_us)).astimezone(self.zone).date().isoformat()
