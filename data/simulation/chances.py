"""The exact chance that a lead reaches the goal within the horizon, given its hidden state."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from data.simulation.arrays import Floats
from data.simulation.process import OPEN_STAGES, DayKind, DayRates, Intent, LeadType, Stage, day_rates

_STATES = 2 * len(Intent) * OPEN_STAGES * 2
"""Season, intent, stage, warmth."""


def chances(days: Sequence[DayKind]) -> Floats:
    """
    Compute the chance of reaching the goal within these days, for a buyer in each hidden state.

    Backward recursion: the chance before a day is the chance of reaching the goal on it, plus the chance of each
    next state times the chance from there.

    Args:
        days: the kinds of the days from the snapshot on, in order.

    Returns:
        (5 fits, 3 qualities of rep, 2 seasons, 4 intents, 3 stages, 2 warmths), each from 0 to 1.
    """
    ahead = np.zeros(_day(days[-1])[0].shape)
    for day in reversed(days):
        reached, moves = _day(day)
        ahead = reached + (moves @ ahead[..., None])[..., 0]
    return ahead.reshape(*ahead.shape[:2], 2, len(Intent), OPEN_STAGES, 2)


@lru_cache(maxsize=8)
def _day(kind: DayKind) -> tuple[Floats, Floats]:
    """Return (fits, reps, 48) chances of the goal and (fits, reps, 48, 48) chances of each next open state."""
    rates = day_rates(kind)
    goal = rates.goal[LeadType.BUYER].transpose(0, 2, 1, 3)  # fit, intent, stage, warmth
    stays = (1 - goal) * (1 - rates.drop[LeadType.BUYER].T)[None, :, :, None]
    moves = np.einsum(
        "sS,fswiI,igG,qigwW,figw->fqsigwSIGW",
        rates.season,
        rates.intent,
        _stage_moves(rates),
        _warmth_moves(rates),
        stays,
        optimize=True,
    )
    reached = np.broadcast_to(goal[:, None, None], moves.shape[:6])
    fits, reps = moves.shape[:2]
    return reached.reshape(fits, reps, _STATES), moves.reshape(fits, reps, _STATES, _STATES)


def _stage_moves(rates: DayRates) -> Floats:
    """Return (4 intents, 3 stages, 3 next stages) for a buyer that stays open."""
    demo, mql, srl = (table[LeadType.BUYER] for table in (rates.demo, rates.mql, rates.srl))
    moves = np.zeros((len(Intent), OPEN_STAGES, OPEN_STAGES))
    moves[:, Stage.NEW, Stage.SRL] = demo
    moves[:, Stage.NEW, Stage.MQL] = (1 - demo) * mql
    moves[:, Stage.NEW, Stage.NEW] = (1 - demo) * (1 - mql)
    moves[:, Stage.MQL, Stage.SRL] = 1 - (1 - demo) * (1 - srl)
    moves[:, Stage.MQL, Stage.MQL] = (1 - demo) * (1 - srl)
    moves[:, Stage.SRL, Stage.SRL] = 1
    return moves


def _warmth_moves(rates: DayRates) -> Floats:
    """Return (3 qualities of rep, 4 intents, 3 stages, 2 warmths, 2 next warmths)."""
    talk = np.einsum("q,gi->qig", rates.talk, rates.call)
    warm_next = np.stack([talk, talk + (1 - talk) * (1 - rates.cools)], axis=-1)
    return np.stack([1 - warm_next, warm_next], axis=-1)
