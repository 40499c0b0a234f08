"""Moments: the instants from which something new about a lead was known, and how long nothing newer was."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.words.playbook import Business

NEVER = np.iinfo(np.int64).max

Instants = NDArray[np.int64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """
    The moments of leads while these were open, sorted by lead and instant.

    Attributes:
        ids: (m,) the leads, in order of their ids.
        closed: (m,) from when each is no longer open [us since 1970 UTC]; the largest int64 where it is still open.
        lead: (n,) code of the lead of each moment.
        instant: (n,) of each [us since 1970 UTC].
        until: (n,) the last instant at which nothing newer was known of the lead and it was open; about the largest
            int64 where that never ends.
    """

    ids: "pd.Index[str]"
    closed: Instants
    lead: Codes
    instant: Instants
    until: Instants

    @classmethod
    def of(
        cls, leads: pd.DataFrame, activities: pd.DataFrame, *, outcomes: pd.DataFrame, business: Business
    ) -> "Moments":
        """
        Collect them from a history.

        Args:
            leads: ``lead_id``, ``known_at`` of each version [us since 1970 UTC]; the first one is a moment.
            activities: ``lead_id``, ``kind``, ``known_at``; kinds on ``never_use`` make no moments, nor do activities
                from before the lead was known: they are features of its first snapshot.
            outcomes: ``lead_id``, ``stage``, ``reached_at``; the goal and ``closed_by`` close a lead.
            business: names these kinds and stages.
        """
        activities = activities[~activities["kind"].isin(business.never_use)]
        code, ids = pd.factorize(pd.concat([leads["lead_id"], activities["lead_id"]], ignore_index=True), sort=True)
        first = np.full(len(ids), NEVER)
        np.minimum.at(first, code[: len(leads)], leads["known_at"].to_numpy())
        of_activity, known_at = code[len(leads) :], activities["known_at"].to_numpy()
        later = known_at > first[of_activity]
        known = np.flatnonzero(first < NEVER)
        lead, at = _distinct(np.r_[known, of_activity[later]], np.r_[first[known], known_at[later]])
        closed = closed_at(pd.Series(ids), outcomes, business=business)
        following = np.where(np.append(np.diff(lead) != 0, True)[: len(lead)], NEVER, np.roll(at, -1))
        open_ = at < closed[lead]
        until = np.minimum(following, closed[lead] - 1)
        return cls(ids, closed, lead[open_], at[open_], until[open_])

    @property
    def arrival(self) -> NDArray[np.bool_]:
        """Which moments are the first of their lead, (n,)."""
        return np.append(True, np.diff(self.lead) != 0)[: len(self.lead)]

    def rows(self, moment: Codes, as_of: Instants) -> pd.DataFrame:
        """
        Return rows of a training set.

        Args:
            moment: (k,) the latest moment of each row's lead, by its number.
            as_of: (k,) instants.

        Returns:
            (k) ``lead_id``, ``as_of``, ``arrived_at`` (the first moment of the lead) and ``moment_at`` (its latest).
        """
        lead = self.lead[moment]
        arrived = np.full(len(self.ids), NEVER)
        arrived[self.lead[self.arrival]] = self.instant[self.arrival]
        return pd.DataFrame(
            {
                "lead_id": self.names(lead).astype(self.ids.dtype),
                "as_of": as_of,
                "arrived_at": arrived[lead],
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


def closed_at(lead_ids: "pd.Series[str]", outcomes: pd.DataFrame, *, business: Business) -> Instants:
    """
    Return for each row the instant from which its lead is no longer open; the largest int64 where it always was.

    Args:
        lead_ids: (n,) of the rows.
        outcomes: ``lead_id``, ``stage``, ``reached_at``.
        business: its goal and ``closed_by``.

    Returns:
        (n,) instants [us since 1970 UTC].
    """
    closing = outcomes[outcomes["stage"].isin(business.closing_stages)]
    closed = closing.groupby("lead_id")["reached_at"].min()
    return closed.reindex(lead_ids, fill_value=NEVER).to_numpy(dtype=np.int64)
