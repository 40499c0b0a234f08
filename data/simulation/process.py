"""The hidden process: what a lead wants, where it stands with sales, and how both change from day to day."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from data.simulation.arrays import Floats


class LeadType(IntEnum):
    """Who is behind a lead; only buyers ever buy."""

    BUYER = 0
    STUDENT = 1
    JOB_SEEKER = 2
    BOT = 3


class Intent(IntEnum):
    """How close a lead is to wanting the product; hidden, it shows only in what the lead does."""

    COLD = 0
    CURIOUS = 1
    EVALUATING = 2
    READY = 3


class Stage(IntEnum):
    """The stage of a lead with sales; the first three are open, the others final."""

    NEW = 0
    MQL = 1
    SRL = 2
    SQL = 3
    DISQUALIFIED = 4


FITS = 5
"""Classes of fit, from hopeless to ideal."""
REP_QUALITIES = 3
OPEN_STAGES = 3
DRIFT_DAYS = 150
"""How many days before the end a drifting world has shifted."""

# The account's season: quiet or buying. Chances a day.
_SEASON = ((0.995, 0.005), (0.022, 0.978))
# Intent, by the level left: chances a day for a middling fit outside a season.
_UP = (0.008, 0.018, 0.034, 0.0)
_DOWN = (0.0, 0.060, 0.045, 0.040)
_UP_BY_FIT = (0.35, 0.65, 1.0, 1.35, 1.75)
_UP_BY_SEASON = (0.5, 3.2)
_DOWN_BY_SEASON = (1.0, 0.6)
_UP_WHEN_WARM = 1.8
# By type (buyer, student, job seeker, bot) and intent: chances a day.
_DEMO = ((0.00008, 0.0006, 0.006, 0.030), (0.0005, 0.001, 0.002, 0.003), (0.0002,) * 4, (0.0006,) * 4)
_MQL = ((0.001, 0.008, 0.035, 0.080), (0.006, 0.020, 0.030, 0.040), (0.004, 0.012, 0.02, 0.03), (0.015,) * 4)
_SRL = ((0.001, 0.006, 0.035, 0.100), (0.002, 0.006, 0.010, 0.015), (0.001, 0.003, 0.006, 0.01), (0.003,) * 4)
# By stage (new, mql, srl) and intent; a rep's call that becomes a talk leaves the lead warm.
_CALL = ((0.0, 0.0, 0.0, 0.0), (0.006, 0.012, 0.025, 0.03), (0.06, 0.09, 0.13, 0.16))
_TALK_BY_REP = (0.15, 0.35, 0.65)
_COOLS = 0.12
# Sales qualifies leads at SRL only: chances a day by intent, times fit, times warmth.
_SQL = (0.0020, 0.008, 0.023, 0.055)
_SQL_BY_FIT = (0.10, 0.40, 0.90, 1.40, 1.90)
_SQL_WHEN_WARM = 2.2
# By stage, for buyers also by intent: chances a day.
_DROP_BUYER = ((0.0085, 0.0025, 0.0008, 0.0004), (0.011, 0.005, 0.002, 0.001), (0.030, 0.016, 0.006, 0.003))
_DROP_OTHER = ((0.006, 0.010, 0.090), (0.006, 0.010, 0.090), (0.020, 0.030, 0.150))
_SALES_ON_WEEKENDS = 0.04
_HALVED_BY_DRIFT = 0.5


@dataclass(frozen=True, slots=True)
class DayKind:
    """What distinguishes days: sales rests at weekends, and the world may have drifted."""

    weekend: bool
    drift: float


@dataclass(frozen=True, slots=True)
class DayRates:
    """
    The chances of every hidden move within one day, given the state at its start.

    All moves are independent of each other given that state; a lead that reaches the goal or is
    disqualified makes no other move.
    """

    season: Floats
    """(2, 2): season → next season"""
    intent: Floats
    """(5 fits, 2 seasons, 2 warmths, 4, 4): intent → next intent"""
    demo: Floats
    """(4 types, 4 intents): asks for a demo, which makes it sales-ready"""
    mql: Floats
    """(4 types, 4 intents)"""
    srl: Floats
    """(4 types, 4 intents)"""
    call: Floats
    """(3 stages, 4 intents)"""
    talk: Floats
    """(3 qualities of rep,): the call becomes a talk"""
    cools: float
    goal: Floats
    """(4 types, 5 fits, 3 stages, 4 intents, 2 warmths)"""
    drop: Floats
    """(4 types, 3 stages, 4 intents): is disqualified"""


def day_rates(day: DayKind) -> DayRates:
    """Return the chances of every hidden move on a day of this kind."""
    pace = _SALES_ON_WEEKENDS if day.weekend else 1.0
    return DayRates(
        season=np.array(_SEASON),
        intent=_intent_moves(),
        demo=np.array(_DEMO) * (0.4 if day.weekend else 1.0),
        mql=np.array(_MQL),
        srl=np.array(_SRL) * pace,
        call=np.array(_CALL) * pace,
        talk=np.array(_TALK_BY_REP),
        cools=_COOLS,
        goal=_goal_chances() * pace * _HALVED_BY_DRIFT**day.drift,
        drop=_drop_chances() * pace,
    )


def _intent_moves() -> Floats:
    up = np.einsum("f,s,w,i->fswi", _UP_BY_FIT, _UP_BY_SEASON, (1.0, _UP_WHEN_WARM), _UP)
    down = np.broadcast_to(np.einsum("s,i->si", _DOWN_BY_SEASON, _DOWN)[None, :, None, :], up.shape)
    moves = np.zeros((*up.shape, len(Intent)))
    for level in Intent:
        moves[..., level, min(level + 1, Intent.READY)] += up[..., level]
        moves[..., level, max(level - 1, Intent.COLD)] += down[..., level]
        moves[..., level, level] += 1 - up[..., level] - down[..., level]
    return moves


def _goal_chances() -> Floats:
    chances = np.zeros((len(LeadType), FITS, OPEN_STAGES, len(Intent), 2))
    chances[LeadType.BUYER, :, Stage.SRL] = np.einsum("f,i,w->fiw", _SQL_BY_FIT, _SQL, (1.0, _SQL_WHEN_WARM))
    return chances


def _drop_chances() -> Floats:
    others = np.repeat(np.array(_DROP_OTHER)[:, :, None], len(Intent), axis=2)
    return np.concatenate([np.array(_DROP_BUYER)[None], others])
