"""The stages that leads reached, the deals after them, and when the company learned of each."""

from dataclasses import dataclass

import numpy as np

from data.instants import DAY_US, HOUR_US
from data.simulation.arrays import Flags, Floats, Ints, Texts
from data.simulation.people import People
from data.simulation.process import LeadType, Stage
from data.simulation.timeline import Transitions

STAGES = ("new", "mql", "srl", "sql", "disqualified", "opportunity", "won", "lost")
OPPORTUNITY, WON, LOST = 5, 6, 7
_OPPORTUNITY_SHARE, _OPPORTUNITY_DAYS = 0.72, 9.0
_DEAL_DAYS = 38.0
_WON_BY_FIT = (0.10, 0.20, 0.30, 0.38, 0.45)
_AMOUNT_BASE, _AMOUNT_BY_EMPLOYEES, _AMOUNT_SPREAD = 900.0, 0.55, 0.4
_REASONS_LOST = ("price", "chose a competitor", "no budget", "no decision", "missing feature")
_REASONS_DROPPED = ("no answer", "not a fit", "not now")
_REASONS_OTHERS = {LeadType.STUDENT: "student", LeadType.JOB_SEEKER: "looks for a job", LeadType.BOT: "not a person"}
_FOUND_OUT = 0.7
# When the company learns of it: marketing's stages at once, sales' after hours or days.
_LAG_HOURS = (0.0, 0.02, 0.5, 12.0, 24.0, 14.0, 20.0, 30.0)
_MOST_LAG_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class OutcomeRows:
    """Stages reached in the order they became known."""

    lead: Ints
    stage: Ints
    """(n,) position in STAGES"""
    reached_us: Ints
    known_us: Ints
    amount: Floats
    reason: Texts

    def where(self, chosen: Flags | Ints) -> "OutcomeRows":
        """Keep the rows that are chosen, or put them in this order."""
        return OutcomeRows(*(getattr(self, name)[chosen] for name in self.__slots__))


def reached(rng: np.random.Generator, people: People, moves: Transitions) -> OutcomeRows:
    """
    Return every stage reached, deals included, even if it becomes known after the history ends.

    Args:
        rng: where chance comes from.
        people: n leads.
        moves: the stages they reached by the hidden process.
    """
    rows = [_by_process(rng, people, moves), _deals(rng, people, moves)]
    lead, stage, reached_us, amount, reason = (np.concatenate(column) for column in zip(*rows, strict=True))
    lag = rng.exponential(np.array(_LAG_HOURS)[stage]) * HOUR_US
    known = reached_us + np.minimum(lag, _MOST_LAG_US).astype(np.int64)
    order = np.lexsort((stage, lead, known))
    return OutcomeRows(lead, stage, reached_us, known, amount, reason).where(order)


def _by_process(rng: np.random.Generator, people: People, moves: Transitions) -> tuple[Ints, Ints, Ints, Floats, Texts]:
    reason = np.full(len(moves.lead), None, dtype=object)
    dropped = moves.stage == Stage.DISQUALIFIED
    reason[dropped] = rng.choice(np.array(_REASONS_DROPPED, dtype=object), int(dropped.sum()))
    for lead_type, words in _REASONS_OTHERS.items():
        known = dropped & (people.types[moves.lead] == lead_type) & (rng.random(len(dropped)) < _FOUND_OUT)
        reason[known] = words
    return moves.lead, moves.stage, moves.at_us, np.full(len(moves.lead), np.nan), reason


def _deals(rng: np.random.Generator, people: People, moves: Transitions) -> tuple[Ints, Ints, Ints, Floats, Texts]:
    """Make opportunities of most qualified leads, and close each one some weeks later."""
    qualified = (moves.stage == Stage.SQL) & (rng.random(len(moves.stage)) < _OPPORTUNITY_SHARE)
    lead = moves.lead[qualified]
    n = len(lead)
    opened = moves.at_us[qualified] + ((0.5 + rng.exponential(_OPPORTUNITY_DAYS, n)) * DAY_US).astype(np.int64)
    closed = opened + ((2 + rng.gamma(2, _DEAL_DAYS / 2, n)) * DAY_US).astype(np.int64)
    won = rng.random(n) < np.array(_WON_BY_FIT)[people.fit[lead]]
    price = _amounts(rng, people, lead)
    paid = np.where(won, np.round(price * rng.uniform(0.75, 1.05, n), -1), np.nan)
    reason = np.full(2 * n, None, dtype=object)
    reason[n:][~won] = rng.choice(np.array(_REASONS_LOST, dtype=object), int((~won).sum()))
    stages = np.concatenate([np.full(n, OPPORTUNITY), np.where(won, WON, LOST)])
    return np.tile(lead, 2), stages, np.concatenate([opened, closed]), np.concatenate([price, paid]), reason


def _amounts(rng: np.random.Generator, people: People, lead: Ints) -> Floats:
    """Draw what each deal is worth in euros; larger companies pay more."""
    employees = people.companies.employees[people.account[lead]]
    spread = np.exp(_AMOUNT_SPREAD * rng.standard_normal(len(lead)))
    amounts: Floats = np.round(_AMOUNT_BASE * employees**_AMOUNT_BY_EMPLOYEES * spread, -1)
    return amounts
