"""
Strength: how much one feature alone says of an outcome.

Four measures, each of which is 1 where a feature gives the outcome away:

- AUC, whichever way round, with what is missing put where it helps most; and among the leads of whom it is known.
- Correlation (Pearson's), of the value and of whether there is one.
- Cramér's V of a category, free of the bias that many values bring.
- Certainty: the share of success among the leads that have the feature at all, or more of it, or less, than some
  value. An activity that only successes ever have gives the outcome away although most successes do not have it yet, so
  that neither AUC nor correlation come near 1.

Sources: Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T; Clopper and Pearson 1934 for the ends of the
intervals of shares; accounts are resampled for those of the AUC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from data.contract import AttributeType
from features.feature import Feature
from features.reducers import AttributeValue
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, Codes, Floats, Outcome, distinct
from training.statistics.bootstrap import Ranking, interval, spread

Flags = NDArray[np.bool_]
_Scored = tuple[Codes, Floats, Floats]

SURE = 0.95
"""Above this a single feature says too much."""

_LEAST_AUC = 0.90
"""The lower end of the interval must be above this, else an AUC above 0.95 may be luck."""

_ODDS_RATIO = 10.0
"""So many times the odds of all leads are those of the leads that have it, even at the lower end of the interval."""

_SHARE = 0.10
"""Of all leads with success, so many are given away by it: fewer move no number by more than its noise."""

_DOUBT, _DOUBT_OF_MANY = 0.025, 0.001
"""How often the truth may lie below the lower end: for a set that stood fixed, for one looked for among many."""

_RESAMPLES = 200
_SEED = 17


@dataclass(frozen=True, slots=True)
class Association:
    """
    What a feature says of an outcome by one measure.

    Attributes:
        measure: ``auc``, ``correlation``, ``cramers_v`` or ``certainty``.
        value: from 0 to 1.
        gives_away: whether it is above 0.95, beyond luck.
        says: it in words, of a feature that gives the outcome away.
    """

    measure: str
    value: float
    gives_away: bool = False
    says: str = ""


@dataclass(frozen=True, eq=False)
class _Levels:
    """
    A column of numbers by rank, sorted once.

    Attributes:
        numbers: (m,) the different values, rising.
        code: (n,) which of them each row has; -1 where it is missing.
    """

    numbers: Floats
    code: Codes

    @classmethod
    def of(cls, column: "pd.Series[Any]") -> "_Levels":
        """Rank the values."""
        given = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(given)
        numbers, ranks = np.unique(given[known], return_inverse=True)
        code = np.full(len(given), -1, dtype=np.int64)
        code[known] = ranks
        return cls(numbers, code)

    @cached_property
    def known(self) -> Flags:
        """Say of which rows there is a value."""
        return np.asarray(self.code >= 0)

    def sums(self, part: Floats) -> Floats:
        """Add up numbers of the rows by level; those of rows without a value come first: (m + 1,)."""
        return summed(self.code + 1, part, levels=len(self.numbers) + 1)


def summed(code: Codes, part: Floats, *, levels: int = 0) -> Floats:
    """Add up numbers by code, (levels,) or as many as there are codes."""
    return np.bincount(code, weights=part, minlength=levels).astype(np.float64)


def hints(column: "pd.Series[Any]", feature: Feature, outcomes: Sequence[Outcome]) -> Iterator[Association]:
    """
    Measure a feature.

    Args:
        column: (n,) its values.
        feature: what it holds.
        outcomes: of the n rows; each with enough rows with and without success.
    """
    if feature.is_category:
        for outcome in outcomes:
            yield from _of_category(column, outcome)
        return
    levels = _Levels.of(column)
    for outcome in outcomes:
        yield from _of_number(levels, feature, outcome)


# ---- numbers


def _of_number(levels: _Levels, feature: Feature, outcome: Outcome) -> Iterator[Association]:
    good, bad = (levels.sums(outcome.weight * part) for part in (outcome.success, 1 - outcome.success))
    known = levels.known
    yield _auc_hint(_placed(levels, good, bad), outcome)
    yield _correlation_hint(known.astype(np.float64), outcome, of="whether it is known")
    if outcome.enough(known):
        part, numbers = outcome.of(known), levels.numbers[levels.code[known]]
        if not known.all():
            yield _auc_hint((levels.code[known], good[1:], bad[1:]), part, among="of the leads of whom it is known, ")
        yield _correlation_hint(numbers, part, of="it")
    rare = outcome.rarer
    for rows, whose in _plain_sets(levels, feature):
        yield _certainty(rows, rare, whose=whose, doubt=_DOUBT)
    sides = (good, bad) if rare is outcome else (bad, good)
    for more in (True, False):
        yield _tail(levels, *sides, rare, more=more)


def _placed(levels: _Levels, good: Floats, bad: Floats) -> _Scored:
    """Put what is missing below or above all that is known, where it moves the AUC the farthest from a half."""
    above = np.where(levels.known, levels.code, len(levels.numbers)), np.roll(good, -1), np.roll(bad, -1)
    return max(((levels.code + 1, good, bad), above), key=lambda scored: abs(_auc(*scored[1:]) - 1 / 2))


def _auc(good: Floats, bad: Floats) -> float:
    """Give the AUC from the weights of success and failure at each level, rising; equal levels count half."""
    return float((good * (np.cumsum(bad) - bad / 2)).sum() / (good.sum() * bad.sum()))


def _auc_hint(scored: _Scored, outcome: Outcome, *, among: str = "") -> Association:
    """Measure the AUC either way round; its interval only where it is large."""
    level, good, bad = scored
    auc = _auc(good, bad)
    value = max(auc, 1 - auc)
    if value <= SURE:
        return Association("auc", value)
    scores = (level if auc > 1 / 2 else -level).astype(np.float64)
    ranking = Ranking.of(scores, outcome.success, weight=outcome.weight, group=outcome.group)
    drawn = spread(ranking.at, outcome.groups, times=_RESAMPLES, seed=_SEED)[:, 0]
    low = interval(drawn, value)["low"]
    says = f"{among}it tells who {outcome.says} with an AUC of {value:.2f}"
    return Association("auc", value, gives_away=low is not None and low > _LEAST_AUC, says=says)


def _correlation_hint(values: Floats, outcome: Outcome, *, of: str) -> Association:
    """Measure the correlation with the outcome; 0 where all values are the same."""
    weight = outcome.weight / outcome.weight.sum()
    # Sums of products and no `@`: on a busy machine the threads of a scalar product wait for each other for seconds.
    x, y = (part - (weight * part).sum() for part in (values, outcome.success))
    spread_of_both = np.sqrt((weight * x * x).sum() * (weight * y * y).sum())
    value = abs(float((weight * x * y).sum() / spread_of_both)) if spread_of_both > 0 else 0.0
    says = f"the correlation of {of} with who {outcome.says} is {value:.2f}"
    return Association("correlation", value, gives_away=value > SURE, says=says)


# ---- categories


def _of_category(column: "pd.Series[Any]", outcome: Outcome) -> Iterator[Association]:
    level, names = pd.factorize(column.astype("object"), use_na_sentinel=True)
    level = np.where(level < 0, len(names), level).astype(np.int64)
    words = [f"with {name}" for name in names] + ["of whom it is not known"]
    yield _auc_hint(_by_rate(level, outcome), outcome)
    yield _cramers_v_hint(level, outcome)
    common = np.bincount(level, minlength=len(words)) >= FEWEST_GROUPS
    for at in np.flatnonzero(common):
        yield _certainty(level == at, outcome.rarer, whose=words[at], doubt=_DOUBT)


def _by_rate(level: Codes, outcome: Outcome) -> _Scored:
    """Rank the rows by the rate of their category in the half of the groups that they do not belong to."""
    half = np.random.default_rng(_SEED).permutation(outcome.groups)[outcome.group] % 2
    rates = np.empty(len(level))
    for side in (0, 1):
        there = half != side
        hits, all_ = (
            summed(level[there], part[there], levels=int(level.max()) + 1)
            for part in (outcome.weight * outcome.success, outcome.weight)
        )
        rates[half == side] = ((hits + outcome.rate) / (all_ + 1))[level[half == side]]
    _, rank = np.unique(rates, return_inverse=True)
    good, bad = (summed(rank, outcome.weight * part) for part in (outcome.success, 1 - outcome.success))
    return rank.astype(np.int64), good, bad


def _cramers_v_hint(level: Codes, outcome: Outcome) -> Association:
    """Measure Cramér's V over leads, each with a weight of 1, free of bias."""
    table = np.stack(
        [
            np.bincount(level, weights=outcome.weight * part, minlength=int(level.max()) + 1)
            for part in (outcome.success, 1 - outcome.success)
        ],
        axis=1,
    )
    value = cramers_v(table[table.sum(axis=1) > 0])
    says = f"Cramér's V of it with who {outcome.says} is {value:.2f}"
    return Association("cramers_v", value, gives_away=value > SURE, says=says)


def cramers_v(table: Floats) -> float:
    """
    Give Cramér's V of a table of counts without its bias.

    Args:
        table: (k, 2) counts, no empty row.

    Source:
        Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T.

    >>> cramers_v(np.array([[50.0, 0.0], [0.0, 50.0]])), cramers_v(np.array([[25.0, 25.0], [25.0, 25.0]]))
    (1.0, 0.0)
    """
    n, rows = table.sum(), len(table)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    if rows == 1 or not expected.all():
        return 0.0
    surprise = float(((table - expected) ** 2 / expected).sum() / n) - (rows - 1) / (n - 1)
    kept = min(rows - 1 - (rows - 1) ** 2 / (n - 1), 1 - 1 / (n - 1))
    return float(min(np.sqrt(max(surprise, 0.0) / kept), 1.0)) if kept > 0 else 0.0


# ---- certainty


def _plain_sets(levels: _Levels, feature: Feature) -> Iterator[tuple[Flags, str]]:
    """Give the sets of rows that stand fixed: with or without the feature, and a boolean's yes and no."""
    values, known = np.append(levels.numbers, np.nan)[levels.code], levels.known
    if isinstance(feature.reduce, AttributeValue) and feature.reduce.type is AttributeType.BOOLEAN:
        yield values > 0, "of whom it is true"
        yield values == 0, "of whom it is false"
    has = known if feature.missing is None else known & (values != feature.missing)
    if not has.all():
        yield has, "that have it"
        yield ~has, "that have none of it"


def _tail(levels: _Levels, good: Floats, bad: Floats, outcome: Outcome, *, more: bool) -> Association:
    """Measure the largest set of rows, from one end of the values, that succeeds nearly always."""
    side = slice(None, 0, -1) if more else slice(1, None)
    hits, all_ = np.cumsum(good[side]), np.cumsum((good + bad)[side])
    sure = np.flatnonzero(hits > SURE * all_)
    if not len(sure):
        return Association("certainty", 0.0)
    edge = len(levels.numbers) - 1 - sure[-1] if more else sure[-1]
    rows = levels.code >= edge if more else levels.known & (levels.code <= edge)
    whose = f"with {levels.numbers[edge]:.3g} or {'more' if more else 'less'} of it"
    return _certainty(rows, outcome, whose=whose, doubt=_DOUBT_OF_MANY)


def _certainty(rows: Flags, outcome: Outcome, *, whose: str, doubt: float) -> Association:
    """Measure the share of success of some rows; 0 where they are too few to tell."""
    groups = distinct(outcome.group[rows])
    if groups < FEWEST_GROUPS:
        return Association("certainty", 0.0)
    rate = float(np.average(outcome.success[rows], weights=outcome.weight[rows]))
    given_away = distinct(outcome.lead[rows & (outcome.success > 0)]) / max(outcome.successful_leads, 1)
    if given_away < _SHARE:
        return Association("certainty", 0.0)
    low = lowest_share(rate, groups, doubt=doubt)
    far = low * (1 - outcome.rate) > _ODDS_RATIO * outcome.rate * (1 - low)
    says = f"of the leads {whose}, in {groups:,} accounts, {rate:.0%} {outcome.says}"
    return Association("certainty", rate, gives_away=rate > SURE and far, says=says)


def lowest_share(share: float, n: int, *, doubt: float) -> float:
    """
    Give the lower end of the interval of a share that was seen in n independent cases.

    Source:
        Clopper and Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.

    >>> round(lowest_share(1.0, 20, doubt=0.025), 3), lowest_share(0.0, 20, doubt=0.025)
    (0.832, 0.0)
    """
    hits = share * n
    return float(beta.ppf(doubt, hits, n - hits + 1)) if hits > 0 else 0.0
