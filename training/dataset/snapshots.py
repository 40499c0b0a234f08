"""
Snapshots: each lead at the moments serving would score it.

A moment is an instant from which something new about a lead was known: the lead itself, or an activity of a kind
that may be used. Serving scores after each moment, so a snapshot stands one microsecond after it (a fact counts only
strictly later). Two rules thin and complete them; both decide from what was known by then and from draws that
know nothing of the lead, so that no choice of a row depends on what came after it:

- At most one a day. A draw per lead and day picks the moment of the day: the first with chance 1/2, the second with
  1/4, and so on; days with fewer moments have none. Taking *the last*, or one of the day's n at random, would favour
  moments after which nothing happened, which is knowing the future.
- A sparse clock, so that silence is seen: once between half a day and 7 days without a moment (for every second
  silence), once between 7 and 30 days, once between 30 and 90. The exact time is drawn: were it always the 7th, 30th
  and 90th day, a model would never learn what three quiet days mean.

A later version of a lead makes no moment, though serving scores after it too: exports often write one because a field
on ``never_use``, such as a status, has changed, and the instant alone would reveal what the field may not.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from data.words.playbook import Business
from training.statistics.sampling import uniforms_by_time

SILENT_DAYS = ((0.5, 7.0, 0.5), (7.0, 30.0, 1.0), (30.0, 90.0, 1.0))
"""From, to, and the share of silences in which there is a snapshot between them."""

_NEVER = np.iinfo(np.int64).max


def take_snapshots(
    leads: pd.DataFrame,
    activities: pd.DataFrame,
    *,
    outcomes: pd.DataFrame,
    business: Business,
    period: HistoryPeriod,
    seed: int,
) -> pd.DataFrame:
    """
    Take the snapshots of open leads.

    Args:
        leads: ``lead_id``, ``known_at`` of each version [us since 1970 UTC].
        activities: ``lead_id``, ``kind``, ``known_at``; kinds on ``never_use`` make no moments.
        outcomes: ``lead_id``, ``stage``, ``reached_at``; the goal and ``closed_by`` end a lead's snapshots.
        business: names these kinds and stages.
        period: there is no snapshot before its begin or after its end.
        seed: of the random draws.

    Returns:
        (n, 2) ``lead_id``, ``as_of``, sorted by both; at most one per lead and UTC day.
    """
    moments = _moments(leads, activities[~activities["kind"].isin(business.never_use)])
    rows = pd.concat([_after_moments(moments, seed=seed), _after_silence(moments, seed=seed)], ignore_index=True)
    open_ = rows["as_of"].to_numpy() < closed_at(rows["lead_id"], outcomes, business=business)
    rows = rows[open_ & rows["as_of"].between(period.begin_us, period.end_us).to_numpy()].sort_values(
        ["lead_id", "as_of"]
    )
    once_a_day = ~pd.DataFrame({"lead": rows["lead_id"], "day": rows["as_of"] // DAY_US}).duplicated()
    return rows[once_a_day].astype({"lead_id": leads["lead_id"].dtype}).reset_index(drop=True)


def _moments(leads: pd.DataFrame, activities: pd.DataFrame) -> pd.DataFrame:
    """Return the distinct moments of each lead from its first on, sorted; its id is a category, in order of the ids."""
    lead, ids = pd.factorize(pd.concat([leads["lead_id"], activities["lead_id"]], ignore_index=True), sort=True)
    of_version, of_activity = lead[: len(leads)], lead[len(leads) :]
    first = np.full(len(ids), _NEVER)
    np.minimum.at(first, of_version, leads["known_at"].to_numpy())
    known_at = activities["known_at"].to_numpy()
    # Activities from before the lead was known are features of its first snapshot, not moments of their own.
    later = known_at >= first[of_activity]
    known = np.flatnonzero(first < _NEVER)
    lead, at = np.concatenate([known, of_activity[later]]), np.concatenate([first[known], known_at[later]])
    order = np.lexsort((at, lead))
    lead, at = lead[order], at[order]
    distinct = np.append(True, (np.diff(lead) != 0) | (np.diff(at) != 0))[: len(lead)]
    return pd.DataFrame({"lead_id": pd.Categorical.from_codes(lead[distinct], ids), "known_at": at[distinct]})


def _after_moments(moments: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Take the drawn moment of each day."""
    lead, day = moments["lead_id"].cat.codes.to_numpy(), (moments["known_at"] // DAY_US).to_numpy()
    begins = np.append(True, (np.diff(lead) != 0) | (np.diff(day) != 0))[: len(lead)]
    place = np.arange(len(lead))
    number = place - np.maximum.accumulate(np.where(begins, place, 0)) + 1
    drawn = uniforms_by_time(moments["lead_id"], day, "moment of the day", seed=seed)
    # A geometric number with chance 1/2: whether a moment is taken does not depend on how many follow on its day.
    taken = number == np.ceil(-np.log2(1 - drawn)).clip(min=1)
    # A fact counts only strictly later, so the snapshot stands one microsecond after the moment.
    return pd.DataFrame({"lead_id": moments["lead_id"][taken], "as_of": moments["known_at"][taken] + 1})


def _after_silence(moments: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Take snapshots at drawn times by which still nothing has happened."""
    lead, moment = moments["lead_id"], moments["known_at"].to_numpy()
    code = lead.cat.codes.to_numpy()
    last = np.append(np.diff(code) != 0, True)[: len(code)]
    following = np.where(last, _NEVER, np.roll(moment, -1))
    parts = []
    for low, high, share in SILENT_DAYS:
        # One draw decides both: below `share` there is a snapshot, and how far below sets the logarithm of the wait.
        drawn = uniforms_by_time(lead, moment, f"silence of {low:g} days", seed=seed)
        wait = np.round(low * (high / low) ** (drawn / share) * DAY_US).astype(np.int64)
        quiet = (drawn < share) & (following - moment >= wait)
        parts.append(pd.DataFrame({"lead_id": lead[quiet], "as_of": moment[quiet] + wait[quiet]}))
    return pd.concat(parts, ignore_index=True)


def closed_at(lead_ids: "pd.Series[str]", outcomes: pd.DataFrame, *, business: Business) -> NDArray[np.int64]:
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
    return closed.reindex(lead_ids, fill_value=_NEVER).to_numpy(dtype=np.int64)
