"""What is true about companies and people, and how well it fits what the company sells."""

from dataclasses import dataclass

import numpy as np

from data.simulation.arrays import Flags, Floats, Ints, Texts, pick
from data.simulation.process import LeadType

INDUSTRIES = ("software", "manufacturing", "finance", "retail", "health", "education", "public", "other")
SENIORITIES = ("student", "junior", "senior", "manager", "director", "vp", "c_level")
FUNCTIONS = ("it", "sales", "marketing", "finance", "operations", "hr", "other")
SOURCES = ("search", "advert", "referral", "event", "outbound", "partner", "content")
COUNTRIES = ("DE", "AT", "CH", "NL", "FR", "GB", "US", "PL")

_INDUSTRY_SHARES = (0.20, 0.18, 0.12, 0.12, 0.10, 0.08, 0.06, 0.14)
_COUNTRY_SHARES = (0.46, 0.09, 0.09, 0.08, 0.08, 0.08, 0.07, 0.05)
_SENIORITY_SHARES = {
    LeadType.BUYER: (0.0, 0.16, 0.26, 0.27, 0.15, 0.06, 0.10),
    LeadType.STUDENT: (0.72, 0.24, 0.04, 0.0, 0.0, 0.0, 0.0),
    LeadType.JOB_SEEKER: (0.08, 0.30, 0.32, 0.19, 0.06, 0.02, 0.03),
    LeadType.BOT: (0.0, 0.2, 0.2, 0.2, 0.1, 0.1, 0.2),
}
_FUNCTION_SHARES = (0.24, 0.16, 0.17, 0.10, 0.17, 0.06, 0.10)
_SOURCE_SHARES = (0.25, 0.18, 0.09, 0.11, 0.13, 0.07, 0.17)
_BUSINESS_EMAIL = {LeadType.BUYER: 0.86, LeadType.STUDENT: 0.22, LeadType.JOB_SEEKER: 0.30, LeadType.BOT: 0.55}
_MEDIAN_EMPLOYEES, _SPREAD_OF_EMPLOYEES, _MOST_EMPLOYEES = 130, 1.7, 60_000

_FIT_BY_INDUSTRY = (0.5, 0.35, 0.3, -0.1, -0.2, -0.7, -0.6, -0.2)
_FIT_BY_FUNCTION = (0.5, 0.1, 0.2, -0.2, 0.5, -0.6, -0.5)
_FIT_BY_SOURCE = (0.1, -0.3, 0.6, 0.0, -0.2, 0.4, -0.1)
_FIT_BY_SENIORITY_AND_SIZE = (  # below 50 employees, below 1,000, from 1,000 on
    (-2.0, -2.0, -2.0),
    (-1.2, -0.9, -0.7),
    (-0.9, -0.2, 0.1),
    (-0.4, 0.4, 0.6),
    (0.1, 1.0, 1.1),
    (0.3, 1.0, 0.7),
    (1.0, 0.8, -0.3),
)
_SIZES = (50, 1_000)
_UNSEEN_FIT = 0.7
_FIT_CUTS = (-0.9, -0.15, 0.55, 1.2)


@dataclass(frozen=True, slots=True)
class Companies:
    """What is true about m accounts."""

    industry: Texts
    employees: Floats
    country: Texts

    def of(self, accounts: Ints) -> "Companies":
        """Return the companies of these accounts, in their order."""
        return Companies(self.industry[accounts], self.employees[accounts], self.country[accounts])


@dataclass(frozen=True, slots=True)
class Persons:
    """What is true about n leads as persons."""

    seniority: Texts
    function: Texts
    source: Texts
    business_email: Flags


def draw_companies(rng: np.random.Generator, m: int) -> Companies:
    """Draw m companies."""
    employees = np.round(_MEDIAN_EMPLOYEES * np.exp(_SPREAD_OF_EMPLOYEES * rng.standard_normal(m)))
    return Companies(
        industry=_words(rng, INDUSTRIES, np.tile(_INDUSTRY_SHARES, (m, 1))),
        employees=np.clip(employees, 1, _MOST_EMPLOYEES),
        country=_words(rng, COUNTRIES, np.tile(_COUNTRY_SHARES, (m, 1))),
    )


def draw_persons(rng: np.random.Generator, types: Ints, *, adverts: Floats) -> Persons:
    """
    Draw the persons behind leads.

    Args:
        rng: where chance comes from.
        types: (n,) the type of each lead.
        adverts: (n,) how many times more often than usual an advert brought the lead.
    """
    sources = np.tile(_SOURCE_SHARES, (len(types), 1))
    sources[:, SOURCES.index("advert")] *= adverts
    return Persons(
        seniority=_words(rng, SENIORITIES, np.array([_SENIORITY_SHARES[lead_type] for lead_type in LeadType])[types]),
        function=_words(rng, FUNCTIONS, np.tile(_FUNCTION_SHARES, (len(types), 1))),
        source=_words(rng, SOURCES, sources),
        business_email=rng.random(len(types)) < np.array([_BUSINESS_EMAIL[lead_type] for lead_type in LeadType])[types],
    )


def fit_of(rng: np.random.Generator, persons: Persons, companies: Companies) -> Ints:
    """
    Return how well each lead fits, from what is true about it and a part that no attribute shows.

    Args:
        rng: where chance comes from.
        persons: n leads.
        companies: their n companies, in the same order.

    Returns:
        (n,) from 0, hopeless, to 4, ideal.
    """
    size = np.searchsorted(_SIZES, companies.employees, side="right")
    seniority = codes(SENIORITIES, persons.seniority)
    points = np.array(_FIT_BY_SENIORITY_AND_SIZE)[seniority, size]
    points += np.array(_FIT_BY_INDUSTRY)[codes(INDUSTRIES, companies.industry)]
    points += np.array(_FIT_BY_FUNCTION)[codes(FUNCTIONS, persons.function)]
    points += np.array(_FIT_BY_SOURCE)[codes(SOURCES, persons.source)]
    return np.searchsorted(_FIT_CUTS, points + _UNSEEN_FIT * rng.standard_normal(len(points)))


def codes(words: tuple[str, ...], values: Texts) -> Ints:
    """Return the position of each value among the words."""
    position = {word: index for index, word in enumerate(words)}
    return np.fromiter((position[value] for value in values), dtype=np.int64, count=len(values))


def _words(rng: np.random.Generator, words: tuple[str, ...], weights: Floats) -> Texts:
    return np.array(words, dtype=object)[pick(rng, weights)]
