"""Certainty: sets of leads, defined by one feature, that nearly always reach the goal."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import beta

from data.contract import AttributeType
from features.feature import Feature
from features.reducers import AttributeValue, PreviousValue
from training.gates.leakage.association import SURE, Association, Flags, Levels
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, Floats, Outcome, distinct

DOUBT, DOUBT_OF_MANY = 0.025, 0.0001
"""How often the truth may lie below the lower end: for a set fixed beforehand, and for one found among many."""

_ODDS_RATIO = 10.0
"""The odds of the leads that have it must be so many times those of all, even at the lower end of the interval."""

_SHARE = 0.10
"""It must reveal so many of all leads with success: fewer move no number by more than its noise."""


def fixed_sets(levels: Levels, feature: Feature) -> Iterator[tuple[Flags, str]]:
    """Yield the sets of rows that are fixed beforehand: with or without the feature, and a boolean's yes and no."""
    values, known = np.append(levels.numbers, np.nan)[levels.code], levels.known
    reduce = feature.reduce
    if isinstance(reduce, AttributeValue | PreviousValue) and reduce.type is AttributeType.BOOLEAN:
        yield values > 0, "for which it is true"
        yield values == 0, "for which it is false"
    has = known if feature.missing is None else known & (values != feature.missing)
    if not has.all():
        yield has, "that have it"
        yield ~has, "that have none of it"


def tail_certainty(levels: Levels, good: Floats, bad: Floats, outcome: Outcome, *, more: bool) -> Association:
    """Measure the largest set of rows, from one end of the values, that nearly always succeeds."""
    # It is the best of many sets, so that its interval must hold against more luck than that of a fixed set.
    side = slice(None, 0, -1) if more else slice(1, None)
    hits, all_ = np.cumsum(good[side]), np.cumsum((good + bad)[side])
    sure = np.flatnonzero(hits > SURE * all_)
    if not len(sure):
        return Association("certainty", 0.0)
    edge = len(levels.numbers) - 1 - sure[-1] if more else sure[-1]
    rows = levels.code >= edge if more else levels.known & (levels.code <= edge)
    whose = f"with {levels.numbers[edge]:.3g} or {'more' if more else 'less'} of it"
    return certainty(rows, outcome, whose=whose, doubt=DOUBT_OF_MANY)


def certainty(rows: Flags, outcome: Outcome, *, whose: str, doubt: float) -> Association:
    """Measure the share of success of some rows; 0 where they are too few to tell, or hold too few of all successes."""
    groups = distinct(outcome.group[rows])
    if groups < FEWEST_GROUPS:
        return Association("certainty", 0.0)
    # Accounts are the independent cases: the rows of one repeat a single story.
    rate = float(np.average(outcome.success[rows], weights=outcome.weight[rows]))
    revealed = distinct(outcome.lead[rows & (outcome.success > 0)]) / max(outcome.successful_leads, 1)
    if revealed < _SHARE:
        return Association("certainty", 0.0)
    low = lowest_share(rate, groups, doubt=doubt)
    far = low * (1 - outcome.rate) > _ODDS_RATIO * outcome.rate * (1 - low)
    says = f"of the leads {whose}, in {groups:,} accounts, {rate:.0%} {outcome.says}"
    return Association("certainty", rate, gives_away=rate > SURE and far, says=says)


def lowest_share(share: float, n: int, *, doubt: float) -> float:
    """
    Return the lower end of the interval of a share that was seen in n independent cases.

    Source: Clopper and Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.

    >>> round(lowest_share(1.0, 20, doubt=0.025), 3), lowest_share(0.0, 20, doubt=0.025)
    (0.832, 0.0)
    """
    hits = share * n
    return float(beta.ppf(doubt, hits, n - hits + 1)) if hits > 0 else 0.0
