"""What the CRM knew about each lead, and from when on."""

from dataclasses import dataclass

import numpy as np

from data.instants import DAY_US, HOUR_US, SECOND_US
from data.simulation.arrays import Flags, Floats, Ints, Texts
from data.simulation.attributes import SENIORITIES, codes
from data.simulation.people import People
from data.simulation.process import LeadType, Stage
from data.simulation.stages_reached import STAGES, OutcomeRows

ATTRIBUTES = (
    "industry",
    "seniority",
    "function",
    "source",
    "country",
    "employees",
    "business_email",
    "lead_status",
)
_MISSING = {
    "industry": 0.12,
    "seniority": 0.18,
    "function": 0.16,
    "source": 0.03,
    "country": 0.05,
    "employees": 0.22,
    "business_email": 0.02,
    "lead_status": 0.0,
}
_OFTEN_MISSING = ("industry", "seniority", "function", "employees")
_MORE_MISSING = 2.0  # for leads that are not buyers
_FOUND_OUT, _FOUND_OUT_DAYS = 0.4, 45.0
_FIRST_LAG_US = 20 * SECOND_US
_PROMOTED = 0.04
_GROWING, _GROWTH = 0.12, (1.1, 1.9)
_STATUS = {
    "mql": "engaged",
    "srl": "working",
    "opportunity": "in talks",
    "won": "customer",
    "lost": "closed",
    "disqualified": "closed",
}
_BOOKED_LATER_H = (6.0, 40.0)


@dataclass(frozen=True, slots=True)
class LeadVersions:
    """Versions of leads, sorted by lead and then by when they became known."""

    lead: Ints
    known_us: Ints
    attributes: dict[str, Texts]
    """name → (n,) value, None where nothing is known"""


@dataclass(frozen=True, slots=True)
class _Changes:
    attribute: str
    lead: Ints
    known_us: Ints
    value: Texts


def versions(rng: np.random.Generator, people: People, outcomes: OutcomeRows, *, end_us: int) -> LeadVersions:
    """
    Return what the CRM knew about each lead over time.

    Args:
        rng: where chance comes from.
        people: n leads.
        outcomes: the stages they reached; sales writes the lead's status by them, and does so for qualified leads
            before the stage is booked.
        end_us: versions are known before this instant; each lead has at least one.
    """
    true = _truths(people)
    first, found_out = _what_is_told(rng, people, true)
    changes = [
        *found_out,
        _promotions(rng, people, true["seniority"], end_us=end_us),
        _growth(rng, people, first["employees"], end_us=end_us),
        _statuses(outcomes),
        _leak(rng, people, outcomes),
    ]
    lag = np.minimum(rng.exponential(_FIRST_LAG_US, len(people)).astype(np.int64), 60 * _FIRST_LAG_US)
    base_us = np.minimum(people.created_us + lag, end_us - 1)
    return _merged(first, base_us, [_kept(change, base_us, end_us=end_us) for change in changes])


def _truths(people: People) -> dict[str, Texts]:
    companies = people.companies.of(people.account)
    return {
        "industry": companies.industry,
        "seniority": people.persons.seniority,
        "function": people.persons.function,
        "source": people.persons.source,
        "country": companies.country,
        "employees": companies.employees.astype(object),
        "business_email": people.persons.business_email.astype(object),
        "lead_status": np.full(len(people), "new", dtype=object),
    }


def _what_is_told(
    rng: np.random.Generator, people: People, true: dict[str, Texts]
) -> tuple[dict[str, Texts], list[_Changes]]:
    """Remove what the first form left empty; some of it becomes known later."""
    first: dict[str, Texts] = {}
    found_out = []
    for name in ATTRIBUTES:
        rarer = (people.types == LeadType.BUYER) | (name not in _OFTEN_MISSING)
        missing = rng.random(len(people)) < _MISSING[name] * np.where(rarer, 1.0, _MORE_MISSING)
        first[name] = true[name].copy()
        first[name][missing] = None
        later = np.flatnonzero(missing & (rng.random(len(people)) < _FOUND_OUT))
        wait = (rng.exponential(_FOUND_OUT_DAYS, len(later)) * DAY_US).astype(np.int64)
        found_out.append(_Changes(name, later, people.created_us[later] + wait, true[name][later]))
    return first, found_out


def _promotions(rng: np.random.Generator, people: People, seniority: Texts, *, end_us: int) -> _Changes:
    level = codes(SENIORITIES, seniority)
    top = len(SENIORITIES) - 1
    lucky = np.flatnonzero((rng.random(len(people)) < _PROMOTED) & (level > 0) & (level < top))
    known_us = rng.integers(0, end_us, len(lucky))
    return _Changes("seniority", lucky, known_us, np.array(SENIORITIES, dtype=object)[level[lucky] + 1])


def _growth(rng: np.random.Generator, people: People, employees: Texts, *, end_us: int) -> _Changes:
    """Return the growth of some companies, which reaches all leads whose company size is known at the same time."""
    m = len(people.season)
    grows, known_us = rng.random(m) < _GROWING, rng.integers(0, end_us, m)
    grown = np.ceil(people.companies.employees * rng.uniform(*_GROWTH, m)).astype(object)
    known = np.array([value is not None for value in employees], dtype=np.bool_)
    leads = np.flatnonzero(grows[people.account] & known)
    account = people.account[leads]
    return _Changes("employees", leads, known_us[account] + leads % SECOND_US, grown[account])


def _statuses(outcomes: OutcomeRows) -> _Changes:
    word = np.array([_STATUS.get(stage) for stage in STAGES], dtype=object)[outcomes.stage]
    rows = np.array([status is not None for status in word], dtype=np.bool_)
    return _Changes("lead_status", outcomes.lead[rows], outcomes.known_us[rows], word[rows])


def _leak(rng: np.random.Generator, people: People, outcomes: OutcomeRows) -> _Changes:
    """Return the leak: sales writes "qualified" when it makes up its mind, hours before the stage is booked."""
    working = np.zeros(len(people), dtype=np.int64)
    ready = outcomes.stage == Stage.SRL
    working[outcomes.lead[ready]] = outcomes.known_us[ready]
    goal = outcomes.stage == Stage.SQL
    lead = outcomes.lead[goal]
    early: Floats = rng.uniform(*_BOOKED_LATER_H, len(lead)) * HOUR_US
    known_us = np.maximum(outcomes.reached_us[goal] - early.astype(np.int64), working[lead] + SECOND_US)
    return _Changes("lead_status", lead, known_us, np.full(len(lead), "qualified", dtype=object))


def _kept(changes: _Changes, base_us: Ints, *, end_us: int) -> _Changes:
    """Keep the changes after a lead's first version and well before the end."""
    kept: Flags = (changes.known_us > base_us[changes.lead]) & (changes.known_us < end_us - SECOND_US)
    return _Changes(changes.attribute, changes.lead[kept], changes.known_us[kept], changes.value[kept])


def _merged(first: dict[str, Texts], base_us: Ints, changes: list[_Changes]) -> LeadVersions:
    """Merge changes into versions: what was known before, with the one attribute that changed."""
    n = len(base_us)
    lead = np.concatenate([np.arange(n), *(change.lead for change in changes)])
    known = np.concatenate([base_us, *(change.known_us for change in changes)])
    order = np.lexsort((known, lead))
    starts = np.concatenate([[n], n + np.cumsum([len(change.lead) for change in changes])])
    attributes = {}
    for name in ATTRIBUTES:
        changed, value = np.arange(len(lead)) < n, np.full(len(lead), None, dtype=object)
        value[:n] = first[name]
        for change, start in zip(changes, starts[:-1], strict=True):
            if change.attribute == name:
                changed[start : start + len(change.lead)] = True
                value[start : start + len(change.lead)] = change.value
        attributes[name] = _carried(changed[order], value[order])
    return LeadVersions(lead[order], _one_after_another(lead[order], known[order]), attributes)


def _carried(changed: Flags, value: Texts) -> Texts:
    """Repeat each value until it changes; a lead's first version sets them all."""
    newest = np.maximum.accumulate(np.where(changed, np.arange(len(changed)), 0))
    return value[newest]


def _one_after_another(lead: Ints, known_us: Ints) -> Ints:
    """Move versions of a lead with the same instant a microsecond apart."""
    starts = np.concatenate([[True], lead[1:] != lead[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(lead)), 0))
    return known_us + np.arange(len(lead)) - first
