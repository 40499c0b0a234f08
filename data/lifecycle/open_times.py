"""
When leads were open in a history, for snapshots of them.

As snapshots see it, an outcome counts from when it was reached, though it became known later: after it a call could
change nothing, and the row would say so to the model. What opens a lead again counts from when it was known, as in the
service, which could not have acted on it earlier.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import DAY_US
from data.lifecycle.lead_lifecycle import Lifecycle

NEVER = np.iinfo(np.int64).max
_BEFORE_ALL = np.iinfo(np.int64).min

Instants = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OpenTimes:
    """
    The instants at which leads closed and opened again; each lead is open at first.

    Attributes:
        ids: the leads that ever closed.
        lead: (n,) codes into ``ids``, ascending.
        closed_from: (n,) when the lead closed [us since 1970 UTC], ascending by lead.
        open_from: (n,) when it opened again after that; `NEVER` where it did not.
    """

    ids: "pd.Index[str]"
    lead: Instants
    closed_from: Instants
    open_from: Instants

    @classmethod
    def of(cls, activities: pd.DataFrame, outcomes: pd.DataFrame, lifecycle: Lifecycle) -> "OpenTimes":
        """
        Read them from a history.

        Args:
            activities: ``lead_id``, ``kind``, ``occurred_at``, ``known_at``.
            outcomes: ``lead_id``, ``stage``, ``reached_at``, ``known_at``.
            lifecycle: what closes a lead, and what opens it again.
        """
        endings = outcomes[outcomes["stage"].isin(lifecycle.closing)]
        ids = pd.Index(endings["lead_id"].unique())
        opening = activities[activities["kind"].isin(lifecycle.reopening)] if lifecycle.reopens else activities[:0]
        opening = opening[opening["lead_id"].isin(ids)]
        codes = [ids.get_indexer(pd.Index(each["lead_id"])) for each in (endings, opening)]
        lead = np.concatenate(codes).astype(np.int64)
        reached = endings["reached_at"].to_numpy(dtype=np.int64)
        over_at = np.minimum(endings["known_at"].to_numpy(dtype=np.int64), reached + DAY_US)
        opened_at = opening["occurred_at"].to_numpy(dtype=np.int64)
        known = opening["known_at"].to_numpy(dtype=np.int64) + 1  # a fact counts only strictly later
        over_at = np.append(over_at, np.full(len(opening), _BEFORE_ALL))
        opened_at = np.append(np.full(len(endings), _BEFORE_ALL), opened_at)
        is_final = np.append(endings["stage"].isin(lifecycle.final).to_numpy(), np.zeros(len(opening), dtype=np.bool_))
        return cls(ids, *_changes(lead, np.append(reached, known), over_at, opened_at, is_final))

    def closing_after(self, lead_ids: "pd.Series[str]", as_of: Instants) -> Instants:
        """
        Return for each row the instant from which its lead is no longer open, counted from the row's own.

        Args:
            lead_ids: (n,) of the rows.
            as_of: (n,) instants of the rows [us since 1970 UTC].

        Returns:
            (n,) the next closing; the last one, which is not after the row, where its lead is closed; `NEVER` where it
            stays open.
        """
        result = np.full(len(as_of), NEVER)
        if not len(self.lead):
            return result
        lead = self.ids.get_indexer(pd.Index(lead_ids)).astype(np.int64)  # -1 where a lead never closed
        following = self._following(lead, as_of)
        earlier, later = np.maximum(following - 1, 0), np.minimum(following, len(self.lead) - 1)
        closes = (following < len(self.lead)) & (self.lead[later] == lead)
        result[closes] = self.closed_from[later[closes]]
        is_closed = (following > 0) & (self.lead[earlier] == lead) & (as_of < self.open_from[earlier])
        result[is_closed] = self.closed_from[earlier[is_closed]]
        return result

    def _following(self, lead: NDArray[np.int64], as_of: Instants) -> Instants:
        """Return the position of the first closing after each row, of its lead or a later one, (n,)."""
        n = len(self.lead)
        whose, at = np.append(self.lead, lead), np.append(self.closed_from, as_of)
        is_row = np.append(np.zeros(n, dtype=np.int64), np.ones(len(lead), dtype=np.int64))
        order = np.lexsort((is_row, at, whose))  # at one instant closings come first: from then on a lead is closed
        passed = np.cumsum(order < n)
        following = np.empty(len(lead), dtype=np.int64)
        rows = order >= n
        following[order[rows] - n] = passed[rows]
        return following


def _changes(
    lead: Instants, seen_from: Instants, over_at: Instants, opened_at: Instants, is_final: Flags
) -> tuple[Instants, Instants, Instants]:
    """
    Return when leads closed and when they opened again, from what is seen of each from when on.

    What is seen grows, and of what is seen the latest ending and the latest opening decide, so running maxima do.
    """
    order = np.lexsort((seen_from, lead))
    seen = pd.DataFrame({"over": over_at, "opened": opened_at, "final": is_final}).iloc[order]
    lead, seen_from = lead[order], seen_from[order]
    so_far = seen.groupby(lead).cummax()
    over, opened = so_far["over"].to_numpy(), so_far["opened"].to_numpy()
    is_closed = so_far["final"].to_numpy(dtype=np.bool_) | ((over > _BEFORE_ALL) & (opened <= over))
    # Of what is seen from one instant on, only the state after all of it counts.
    last = np.append((np.diff(lead) != 0) | (np.diff(seen_from) != 0), True)[: len(lead)]
    lead, seen_from, is_closed = lead[last], seen_from[last], is_closed[last]
    begins = np.append(True, np.diff(lead) != 0)[: len(lead)]
    was_closed = np.append(False, is_closed[:-1])[: len(lead)] & ~begins
    turns = is_closed != was_closed
    lead, seen_from, is_closed = lead[turns], seen_from[turns], is_closed[turns]
    closings = np.flatnonzero(is_closed)
    follows = np.minimum(closings + 1, max(len(lead) - 1, 0))
    opens = (follows > closings) & (lead[follows] == lead[closings])
    return lead[closings], seen_from[closings], np.where(opens, seen_from[follows], NEVER)
