"""Labels: whether the goal was reached within the horizon, for snapshots old enough to know."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.importing.history_period import HistoryPeriod
from data.instants import DAY_US
from data.lifecycle.open_times import NEVER
from data.words.playbook import Business
from training.errors import HistoryError

LAG_QUANTILE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """
    The label of each snapshot, and which snapshots are mature.

    Attributes:
        reached: (n,) float64, 1 where the goal was reached in ``[as_of, as_of + horizon)``, 0 where not, NaN where
            it is too early to know.
        mature_until: the last ``as_of`` of which the label is known [us since 1970 UTC].
        lag_us: how late outcomes arrive.
    """

    reached: NDArray[np.float64]
    mature_until: int
    lag_us: int

    @property
    def mature(self) -> NDArray[np.bool_]:
        """Which snapshots are mature, (n,)."""
        return ~np.isnan(self.reached)


def label_snapshots(
    snapshots: pd.DataFrame, outcomes: pd.DataFrame, *, business: Business, period: HistoryPeriod
) -> Labels:
    """
    Label snapshots; a row is mature by time alone.

    An early success before ``as_of + horizon + lag <= cut-off`` is not counted either: keeping it while its peers
    have to wait would raise the rate of the youngest rows.

    Args:
        snapshots: (n, 2) ``lead_id``, ``as_of``.
        outcomes: ``lead_id``, ``stage``, ``reached_at``, ``known_at``.
        business: its goal, and ``outcome_lag_days`` where it has one.
        period: maturity counts from its end; how late outcomes arrive is seen in it.

    Raises:
        HistoryError: no lead ever reached the goal.
    """
    goals = outcomes[outcomes["stage"] == business.goal.stage]
    if goals.empty:
        message = (
            f"No lead ever reached {business.goal.stage}, the goal: mend the stages of the playbook's sources, "
            "name another goal, or bring a longer history."
        )
        raise HistoryError(message)
    usual = goals[(goals["reached_at"] >= period.begin_us) & (goals["known_at"] <= period.end_us)]
    lag_us = ingest_lag_us(usual if len(usual) else goals, business)
    mature_until = period.end_us - horizon_us(business) - lag_us
    as_of = snapshots["as_of"].to_numpy()
    reached = _reached(snapshots["lead_id"], as_of, goals=goals, horizon=horizon_us(business))
    return Labels(np.where(as_of <= mature_until, reached, np.nan), mature_until, lag_us)


def horizon_us(business: Business) -> int:
    """Return the playbook's horizon in microseconds."""
    return round(business.goal.horizon_days * DAY_US)


def ingest_lag_us(goals: pd.DataFrame, business: Business) -> int:
    """
    Return how late outcomes arrive: the playbook's lag, or else the 99th percentile of those seen.

    Args:
        goals: ``reached_at``, ``known_at`` of every goal seen.
        business: its ``outcome_lag_days`` takes precedence over what is seen.
    """
    if business.outcome_lag_days is not None:
        return round(business.outcome_lag_days * DAY_US)
    lags = (goals["known_at"] - goals["reached_at"]).to_numpy()
    return int(np.quantile(lags, LAG_QUANTILE, method="higher"))


def goal_times_and_amounts(
    lead_ids: "pd.Series[str]", outcomes: pd.DataFrame, *, business: Business
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return when each lead reached the goal, and what that was worth.

    Args:
        lead_ids: (n,) of the rows.
        outcomes: ``lead_id``, ``stage``, ``reached_at``, ``amount``.
        business: its goal; the amount is that of the stage that ``goal.amount_from`` names, or else of the goal itself.

    Returns:
        (n,) instants [us since 1970 UTC], NaN where the goal was never reached; (n,) amounts, NaN where none is known.
    """
    goals = outcomes[outcomes["stage"] == business.goal.stage]
    reached = goals.groupby("lead_id")["reached_at"].min()
    priced = outcomes[(outcomes["stage"] == business.goal.priced_by) & outcomes["amount"].notna()]
    amounts = priced.sort_values("reached_at").groupby("lead_id")["amount"].first()
    goal_at = reached.reindex(lead_ids).to_numpy(dtype=np.float64)
    return goal_at, np.where(np.isnan(goal_at), np.nan, amounts.reindex(lead_ids).to_numpy(dtype=np.float64))


def _reached(
    lead_ids: "pd.Series[str]", as_of: NDArray[np.int64], *, goals: pd.DataFrame, horizon: int
) -> NDArray[np.float64]:
    first = goals.groupby("lead_id")["reached_at"].min()
    goal_at = first.reindex(lead_ids, fill_value=NEVER).to_numpy(dtype=np.int64)
    return ((goal_at >= as_of) & (goal_at - as_of < horizon)).astype(np.float64)
