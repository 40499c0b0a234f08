"""Moments: the instants from which something new about a lead was known, and how long nothing newer was."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.lifecycle.open_times import NEVER, OpenTimes
from data.words.playbook import Business

Instants = NDArray[np.int64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """
    The moments of leads while these were open, sorted by lead and instant.

    Attributes:
        ids: (m,) the leads, in order of their ids.
        arrived: (m,) when each became known [us since 1970 UTC]; the largest int64 where it never did.
        lead: (n,) code of the lead of each moment.
        instant: (n,) of each [us since 1970 UTC].
        until: (n,) the last instant at which nothing newer was known of the lead and it was open; about the largest
            int64 where that never ends.
    """

    ids: "pd.Index[str]"
    arrived: Instants
    lead: Codes
    instant: Instants
    until: Instants

    @classmethod
    def of(cls, leads: pd.DataFrame, activities: pd.DataFrame, *, times: OpenTimes, business: Business) -> "Moments":
        """
        Collect them from a history.

        Args:
            leads: ``lead_id``, ``known_at`` of each version [us since 1970 UTC]; the first one is a moment.
            activities: ``lead_id``, ``kind``, ``known_at``; kinds on ``never_use`` make no moments, nor do activities
                from before the lead was known: they are features of its first snapshot.
            times: when the leads were open; what becomes known of a closed one is no moment, unless it opens it again.
            business: names these kinds.
        """
        activities = activities[~activities["kind"].isin(business.never_use)]
        code, ids = pd.factorize(pd.concat([leads["lead_id"], activities["lead_id"]], ignore_index=True), sort=True)
        first = np.full(len(ids), NEVER)
        np.minimum.at(first, code[: len(leads)], leads["known_at"].to_numpy())
        of_activity, known_at = code[len(leads) :], activities["known_at"].to_numpy()
        later = known_at > first[of_activity]
        known = np.flatnonzero(first < NEVER)
        lead, at = _distinct(np.r_[known, of_activity[later]], np.r_[first[known], known_at[later]])
        following = np.where(np.append(np.diff(lead) != 0, True)[: len(lead)], NEVER, np.roll(at, -1))
        just_after = at + 1  # a fact counts only strictly later
        closing = times.closing_after(pd.Series(pd.Categorical.from_codes(lead, ids)), just_after)
        is_open = just_after < closing
        return cls(ids, first, lead[is_open], at[is_open], np.minimum(following, closing - 1)[is_open])

    @property
    def arrival(self) -> NDArray[np.bool_]:
        """Which moments are the arrival of their lead, (n,)."""
        return np.asarray(self.instant == self.arrived[self.lead])

    def rows(self, moment: Codes, as_of: Instants) -> pd.DataFrame:
        """
        Return rows of a training set.

        Args:
            moment: (k,) the latest moment of each row's lead, by its number.
            as_of: (k,) instants.

        Returns:
            (k) ``lead_id``, ``as_of``, ``arrived_at`` (when the lead became known) and ``moment_at`` (its latest).
        """
        lead = self.lead[moment]
        return pd.DataFrame(
            {
                "lead_id": self.names(lead).astype(self.ids.dtype),
                "as_of": as_of,
                "arrived_at": self.arrived[lead],
                "moment_at": self.instant[moment],
            }
        )

    def names(self, lead: Codes) -> "pd.Series[str]":
        """Return the ids of leads as categories, (k,), from their codes."""
        return pd.Series(pd.Categorical.from_codes(lead, self.ids))


def _distinct(lead: Codes, at: Instants) -> tuple[Codes, Instants]:
    """Sort pairs of lead and instant, and keep each once."""
    order = np.lexsort((at, lead))
    lead, at = lead[order], at[order]
    new = np.append(True, (np.diff(lead) != 0) | (np.diff(at) != 0))[: len(lead)]
    return lead[new], at[new]
