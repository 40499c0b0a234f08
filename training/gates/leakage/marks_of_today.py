"""
Marks of today: what shows that an attribute's values are those of the export, not those of the lead's creation.

Three marks, each with a least strength that even the lower end of its interval must reach:

- *Age*: among leads that did not succeed, older ones have larger values (Spearman's rank correlation), of all leads or
  of those of the last 90 days, after which most leads are quiet. What was fixed at creation does not grow with age.
- *Later activity*: the lead's own activities after its first day reproduce the value (rank correlation with the
  number of one kind, or of all).
- *Outcome*: the value, or whether there is one, tells leads that reached the goal, or were closed without it, from the
  others (AUC). What is known at creation foresees an outcome to a degree; what is written at the outcome jumps there.

Sales may call large companies more often, and leads of last year may be larger than today's, so that an honest
attribute may have a weak mark. Where it has both a weak mark of age and one of later activity, it is a counter whose
own events the history lacks: page views until the export, for instance, in a history of e-mails and calls.

The intervals are simultaneous: all marks of all attributes together give a false alarm once in 1,000 histories, if at
all, since the truth would have to be as strong as the least strength. Accounts are the independent cases.

Measured on simulated companies of 1,500 leads: page views until the export have a rank correlation of 0.96 with page
views after the first day; attributes of the first form stay below 0.15, and below 0.15 with the age.

Source: Fisher 1915 and Fieller, Hartley and Pearson 1957 for the interval of a rank correlation; Hanley and McNeil 1982
for that of an AUC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.stats import rankdata

from data.contract import AttributeType
from features.attribute_features import attribute_feature
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.feature_associations import associations
from training.gates.leakage.outcome_arrays import Codes, Floats, Outcome, distinct

FALSE_ALARM = 0.001
"""How likely any mark is found in a history without one, at most."""

STRONG = {"age": 0.2, "activity": 0.4, "outcome": 0.8}
"""The least strength of a mark that tells by itself: two rank correlations and an AUC."""

WEAK = {"age": 0.05, "activity": 0.2}
"""The least strengths of two marks that tell together."""

YOUNG_DAYS = 90
FEWEST = 50
"""With fewer accounts not even a strong mark is certain."""

_SPEARMAN = 1.03
"""The standard error of a rank correlation is larger than Pearson's by this factor."""


@dataclass(frozen=True, slots=True)
class MarkOfToday:
    """
    One way in which an attribute may hold today's value.

    Attributes:
        attribute: its name.
        kind: ``age``, ``activity`` or ``outcome``.
        value: how strong it is.
        low: the lower end of its interval.
        says: it in words.
    """

    attribute: str
    kind: str
    value: float
    low: float
    says: str


def marks_of_today(leads: AgedLeads, attributes: list[str]) -> list[MarkOfToday]:
    """
    Measure every mark of every attribute.

    Args:
        leads: as they stand at the export.
        attributes: names of those without a history.
    """
    comparisons = len(attributes) * (2 + leads.later.shape[1] + 4)
    doubt = NormalDist().inv_cdf(1 - FALSE_ALARM / max(comparisons, 1))
    return [mark for name in attributes for mark in _marks(name, leads, doubt)]


def telling(marks: Sequence[MarkOfToday]) -> tuple[MarkOfToday, ...]:
    """
    Return the marks of one attribute that tell that it holds today's values: one strong one, or two weak ones.

    Args:
        marks: all of that attribute.

    Returns:
        One mark, two, or none.
    """
    strong = [mark for mark in marks if mark.low >= STRONG[mark.kind]]
    if strong:
        return (max(strong, key=lambda mark: mark.low),)
    weak = [mark for mark in marks if mark.kind in WEAK and mark.low >= WEAK[mark.kind]]
    strongest = {mark.kind: mark for mark in sorted(weak, key=lambda mark: mark.low)}
    return tuple(strongest[kind] for kind in WEAK) if len(strongest) == len(WEAK) else ()


def _marks(name: str, leads: AgedLeads, doubt: float) -> Iterator[MarkOfToday]:
    kind = leads.business.attributes[name].type
    yield from _outcome_marks(name, leads, doubt)
    if kind is AttributeType.CATEGORY:
        return
    values = leads.rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    yield from _age_marks(name, values, leads, doubt)
    if kind is AttributeType.NUMERIC:  # who is asked for a newsletter gets mails: a yes may be what makes activity
        yield from _activity_marks(name, values, leads, doubt)


def _age_marks(name: str, values: Floats, leads: AgedLeads, doubt: float) -> Iterator[MarkOfToday]:
    without = ~leads.reached & ~np.isnan(values)
    young = without & (leads.age_days < YOUNG_DAYS)
    for rows, whose in ((without, "leads"), (young, f"leads of the last {YOUNG_DAYS} days")):
        value, low = rank_correlation(values[rows], leads.age_days[rows], leads.group[rows], doubt=doubt)
        among = f"among {rows.sum():,} {whose} without success"
        says = f"it rises with the age of the lead (rank correlation {value:.2f} {among})"
        yield MarkOfToday(name, "age", value, low, says)


def _activity_marks(name: str, values: Floats, leads: AgedLeads, doubt: float) -> Iterator[MarkOfToday]:
    known = ~np.isnan(values)
    for kind in leads.later.columns:
        counts = leads.later[kind].to_numpy(dtype=np.float64)
        value, low = rank_correlation(values[known], counts[known], leads.group[known], doubt=doubt)
        words = leads.business.activities[kind].many if kind in leads.business.activities else "activities"
        says = f"the number of {words} after the lead's first day reproduces it (rank correlation {value:.2f})"
        yield MarkOfToday(name, "activity", value, low, says)


def _outcome_marks(name: str, leads: AgedLeads, doubt: float) -> Iterator[MarkOfToday]:
    mature = leads.age_days >= leads.business.goal.horizon_days
    feature = attribute_feature(name, leads.business.attributes[name])
    for outcome in leads.outcomes(mature):
        column = leads.rows.loc[mature, name]
        each = [found.value for found in associations(column, feature, [outcome]) if found.measure == "auc"]
        value = max(each, default=0.5)
        says = f"it jumps with the outcome (it identifies the leads that {outcome.says} with an AUC of {value:.2f})"
        yield MarkOfToday(name, "outcome", value, lowest_auc(value, outcome, doubt=doubt), says)


def rank_correlation(x: Floats, y: Floats, group: Codes, *, doubt: float) -> tuple[float, float]:
    """
    Return Spearman's rank correlation and the lower end of its interval; 0 and -1 where there are too few accounts.

    Args:
        x: (n,) numbers.
        y: (n,) numbers.
        group: (n,) codes of the accounts.
        doubt: how many standard errors the lower end is below.

    >>> both, of_one = np.arange(1_000.0), np.arange(1_000)
    >>> [round(end, 2) for end in rank_correlation(both, both**2, of_one, doubt=4.0)]
    [1.0, 1.0]
    """
    groups = distinct(group) if len(group) else 0
    if groups < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0, -1.0
    ranks = [rankdata(part) for part in (x, y)]
    a, b = (part - part.mean() for part in ranks)
    value = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
    low = np.tanh(np.arctanh(min(value, 1 - 1e-12)) - doubt * _SPEARMAN / np.sqrt(groups - 3))
    return value, float(low)


def lowest_auc(auc: float, outcome: Outcome, *, doubt: float) -> float:
    """
    Return the lower end of the interval of an AUC.

    Args:
        auc: as seen.
        outcome: its accounts with and without success are the cases.
        doubt: how many standard errors the lower end is below.
    """
    good, bad = (distinct(outcome.group[outcome.success == value]) for value in (1.0, 0.0))
    of_two_good, of_two_bad = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (good - 1) * (of_two_good - auc**2) + (bad - 1) * (of_two_bad - auc**2)
    return float(auc - doubt * np.sqrt(max(variance, 0.0) / (good * bad)))
