"""
Later totals: no number known at a lead's creation reproduces what the lead does later.

A total over all time, such as the page views until the export, or the minutes of the call that closed the deal, may
stand in a lead's first version as if it had been known from the first day. Of each number in the first versions, what
the other attributes and the activities of the first day foretell is taken away; what is left is compared with the
lead's later activities of each kind: how many there were, the sum of their values, and the value of the last. A number
fails whose rank correlation with one of them is above 0.5 even at the lower end of its interval. A number of leads some
of which have none is also compared with the missing ones below all others, since a lead without calls has no minutes.

The gate *values of today* looks at counts, in attributes without a history; here a history, or a ``known_at`` that
claims the creation, is no excuse.

Measured by ``tests.bench.when_gates`` on 100 simulated companies of 1,500 leads: found in all 100 are the minutes of
the last call (0 or missing where there was none), the page views of all time, and the total of another tool that counts
half of all activities and half as many of its own. False alarms: 0 of 100 as the companies are, 0 of 300 with an
attribute that honestly tells the hidden fit or the true chance of success at creation.

Source: Fisher 1915 and Fieller, Hartley and Pearson 1957 for the interval of a rank correlation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from data.contract import AttributeType
from data.importing.unversioned_attributes import may_change
from training.gates.gate import GateResult, named, pronouns
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.association import Flags
from training.gates.leakage.marks_of_today import FALSE_ALARM, FEWEST, rank_correlation
from training.gates.leakage.other_facts import first_attributes, foretold, ranked, ranked_table
from training.gates.leakage.outcome_arrays import Floats, distinct, recoded

NAME = "later totals"
STRONG = 0.5
"""The least rank correlation, at the lower end of its interval, by which a number reproduces later activities."""


@dataclass(frozen=True, slots=True)
class LaterTotal:
    """
    How well a lead's later activities reproduce a number.

    Attributes:
        attribute: its name.
        says: what reproduces it, in words.
        value: the rank correlation.
        low: the lower end of its interval.
    """

    attribute: str
    says: str
    value: float
    low: float


def later_totals(leads: AgedLeads) -> GateResult:
    """
    Look for numbers in the leads' first versions that later activities reproduce.

    Args:
        leads: with their first versions and their activities.
    """
    names = [
        name
        for name, attribute in leads.business.attributes.items()
        if attribute.type is AttributeType.NUMERIC and may_change(name, leads.business) and name in leads.rows
    ]
    targets = list(_targets(leads))
    doubt = NormalDist().inv_cdf(1 - FALSE_ALARM / max(2 * len(names) * len(targets), 1))
    measured = [total for name in names for total in _totals(name, leads, targets, doubt=doubt)]
    guilty = {total.attribute: total for total in sorted(measured, key=lambda each: each.low) if total.low > STRONG}
    largest = max((total.value for total in measured), default=0.0)
    numbers = {"attributes": len(names), "leads": len(leads.rows), "largest": largest}
    if guilty:
        return GateResult(name=NAME, passed=False, says=_describe(guilty), numbers=numbers)
    if not names:
        says = "There is no number that may be used and may have been written after the lead was created."
        return GateResult(name=NAME, passed=True, says=says, numbers=numbers)
    says = f"Later activities do not reproduce what {named(names)} said on the lead's first day."
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=bool(measured))


def _targets(leads: AgedLeads) -> Iterator[tuple[str, Floats]]:
    """Yield what leads did after their first day, in words and (n,) as numbers."""
    activities = leads.activities
    kinds = leads.business.activities
    for name in activities.later.columns:
        words = kinds[name].many if name in kinds else "activities"
        yield f"the number of {words}", activities.later[name].to_numpy(dtype=np.float64)
    for name in activities.sums.columns:
        unit = kinds[name].value or "values"
        yield f"the sum of the {unit} of {kinds[name].many}", activities.sums[name].to_numpy(dtype=np.float64)
        yield f"the {unit} of the last {kinds[name].one}", activities.newest[name].to_numpy(dtype=np.float64)


def _totals(
    name: str, leads: AgedLeads, targets: Sequence[tuple[str, Floats]], *, doubt: float
) -> Iterator[LaterTotal]:
    numbers = leads.rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    told = leads.told_at_creation
    known = told & ~np.isnan(numbers)
    yield from _compared(name, numbers, leads, known, targets=targets, doubt=doubt)
    if known.any() and not known[told].all():
        below = np.where(np.isnan(numbers), np.nanmin(numbers) - 1, numbers)
        yield from _compared(name, below, leads, told, targets=targets, doubt=doubt)


def _compared(
    name: str,
    numbers: Floats,
    leads: AgedLeads,
    rows: Flags,
    *,
    targets: Sequence[tuple[str, Floats]],
    doubt: float,
) -> Iterator[LaterTotal]:
    """Yield the correlation of what nothing earlier foretells of the numbers with each later total."""
    group = recoded(leads.group[rows])
    if distinct(group) < FEWEST:
        return
    ranks = ranked(numbers[rows])
    earlier = (first_attributes(leads, rows, without=name), ranked_table(leads.activities.earlier, rows))
    rest = ranks - foretold(ranks, np.hstack(earlier), group)
    for words, target in targets:
        value, low = rank_correlation(rest, target[rows], group, doubt=doubt)
        yield LaterTotal(name, words, value, low)


def _describe(guilty: Mapping[str, LaterTotal]) -> str:
    found = "; ".join(
        f"{name} is a total of what came later: {total.says} after the lead's first day reproduces what it said on "
        f"that day (rank correlation {total.value:.2f}, beyond all that was known then)"
        for name, total in guilty.items()
    )
    it, was = pronouns(guilty)
    return (
        f"{found}. Export the history of {named(guilty)} with the day since when each value is known, put {it} on "
        f"never_use, or set as_of_creation: true for {it} in playbook.yaml if {was} known when the lead was created."
    )
