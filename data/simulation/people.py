"""The accounts and leads of the company: who they are, when they arrive, and their habits."""

from dataclasses import dataclass

import numpy as np

from data.instants import DAY_US
from data.simulation.arrays import Flags, Floats, Ints, pick, time_of_day_us
from data.simulation.attributes import SOURCES, Companies, Persons, codes, draw_companies, draw_persons, fit_of
from data.simulation.process import DRIFT_DAYS, REP_QUALITIES, LeadType

REPS = 8
_OTHERS = {LeadType.STUDENT: 0.065, LeadType.JOB_SEEKER: 0.05, LeadType.BOT: 0.015}
_ACCOUNT_SIZES = (0.38, 0.24, 0.16, 0.11, 0.07, 0.04)  # shares of accounts with 1, 2, … 6 leads
_GROWTH = 0.6  # arrivals on the last day are 1 + this times those on the first
_GAP_DAYS, _STRAGGLERS, _STRAGGLER_DAYS = 10.0, 0.10, 240.0
_BUYING_SEASON = 0.45
_INTENT_BY_SOURCE = (  # cold, curious, evaluating, ready when the lead arrives
    (0.32, 0.47, 0.17, 0.04),
    (0.50, 0.40, 0.08, 0.02),
    (0.24, 0.42, 0.25, 0.09),
    (0.50, 0.39, 0.09, 0.02),
    (0.70, 0.24, 0.05, 0.01),
    (0.30, 0.42, 0.21, 0.07),
    (0.46, 0.44, 0.08, 0.02),
)
_WEB_HABIT, _MAIL_HABIT, _READS_NO_MAIL = 0.85, 0.9, 0.22
_NAMED_ACCOUNT = 0.25


@dataclass(frozen=True, slots=True)
class People:
    """
    The n leads in the order they arrived, and the m accounts they belong to.

    A lead without a named account has its own account here, which the exports omit.
    """

    types: Ints
    fit: Ints
    account: Ints
    named_account: Flags
    rep: Ints
    created_us: Ints
    """(n,) microseconds since the start of the history"""
    first_intent: Ints
    web_habit: Floats
    """(n,) how many times more than others the lead visits"""
    mail_habit: Floats
    persons: Persons
    companies: Companies
    season: Ints
    """(m,) season of each account when its first lead arrives"""

    def __len__(self) -> int:
        """Count the leads."""
        return len(self.types)

    @property
    def first_day(self) -> Ints:
        """The first whole day of each lead: the one after it arrived."""
        return self.created_us // DAY_US + 1

    @property
    def rep_quality(self) -> Ints:
        """The quality of each lead's rep, from 0 to 2."""
        return self.rep % REP_QUALITIES


def draw_people(rng: np.random.Generator, n: int, *, days: int, drift: float) -> People:
    """
    Draw all leads and their accounts.

    Args:
        rng: where chance comes from.
        n: leads, at least 1.
        days: length of the history.
        drift: from 0 on; adverts bring more of the leads that arrive after the world has shifted.
    """
    types, account = _types_and_accounts(rng, n)
    created = _arrivals(rng, account, days=days)
    order = np.argsort(created, kind="stable")
    types, account, created = types[order], account[order], created[order]
    drifted = created >= (days - DRIFT_DAYS) * DAY_US
    persons = draw_persons(rng, types, adverts=np.where(drifted, 1 + drift, 1.0))
    companies = draw_companies(rng, int(account.max()) + 1)
    return People(
        types=types,
        fit=fit_of(rng, persons, companies.of(account)),
        account=account,
        named_account=(types == LeadType.BUYER) | (rng.random(n) < _NAMED_ACCOUNT),
        rep=rng.integers(0, REPS, n),
        created_us=created,
        first_intent=pick(rng, np.array(_INTENT_BY_SOURCE)[codes(SOURCES, persons.source)]),
        web_habit=_habit(rng, n, _WEB_HABIT),
        mail_habit=_habit(rng, n, _MAIL_HABIT) * (rng.random(n) >= _READS_NO_MAIL),
        persons=persons,
        companies=companies,
        season=(rng.random(int(account.max()) + 1) < _BUYING_SEASON).astype(np.int64),
    )


def _types_and_accounts(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """Return type and account of each lead: buyers share accounts, everybody else is alone."""
    counts = {lead_type: round(share * n) for lead_type, share in _OTHERS.items()}
    others = np.repeat(list(counts), list(counts.values())).astype(np.int64)
    buyers = n - len(others)
    sizes = pick(rng, np.tile(_ACCOUNT_SIZES, (buyers, 1))) + 1
    shared = np.repeat(np.arange(buyers), sizes)[:buyers]
    alone = shared[-1] + 1 + np.arange(len(others))
    types = np.concatenate([np.full(buyers, LeadType.BUYER), others])
    return types, np.concatenate([shared, alone])


def _arrivals(rng: np.random.Generator, account: Ints, *, days: int) -> Ints:
    """Return the instant each lead arrives, in microseconds; leads of one account mostly arrive close together."""
    n, last_day = len(account), days - 1
    drawn = rng.random(int(account.max()) + 1)
    start = (np.sqrt(1 + drawn * (2 * _GROWTH + _GROWTH**2)) - 1) / _GROWTH * days
    gap = np.where(rng.random(n) < _STRAGGLERS, rng.uniform(0, _STRAGGLER_DAYS, n), rng.exponential(_GAP_DAYS, size=n))
    first = np.concatenate([[True], account[1:] != account[:-1]])
    day = start[account] + np.where(first, 0.0, gap)
    late = rng.uniform(start[account], days)
    day = np.minimum(np.where(day < days, day, late), last_day)
    return day.astype(np.int64) * DAY_US + time_of_day_us(rng, n)


def _habit(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """Draw factors with mean 1."""
    drawn: Floats = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    return drawn
