"""Feature associations: every measure of how strongly a feature reveals an outcome."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from features.feature import Feature
from training.gates.leakage.association import SURE, Association, Levels, summed
from training.gates.leakage.certainty import DOUBT, certainty, fixed_sets, tail_certainty
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, Codes, Floats, Outcome
from training.statistics.bootstrap import Ranking, interval, spread

_Scored = tuple[Codes, Floats, Floats]

_LEAST_AUC = 0.90
"""The lower end of the interval must be above this, else an AUC above 0.95 may be luck."""

_RESAMPLES = 200
_SEED = 17


def associations(column: "pd.Series[Any]", feature: Feature, outcomes: Sequence[Outcome]) -> Iterator[Association]:
    """
    Measure how strongly a feature reveals each outcome.

    Args:
        column: (n,) its values.
        feature: the feature that the column holds.
        outcomes: of the n rows; each with enough rows with and without success.
    """
    if feature.is_category:
        for outcome in outcomes:
            yield from _of_category(column, outcome)
        return
    levels = Levels.of(column)
    for outcome in outcomes:
        yield from _of_number(levels, feature, outcome)


def _of_number(levels: Levels, feature: Feature, outcome: Outcome) -> Iterator[Association]:
    good, bad = (levels.sums(outcome.weight * part) for part in (outcome.success, 1 - outcome.success))
    known = levels.known
    yield _auc_association(_placed(levels, good, bad), outcome)
    yield _correlation_association(known.astype(np.float64), outcome, of="whether it is known")
    if outcome.enough(known):
        part, numbers = outcome.of(known), levels.numbers[levels.code[known]]
        if not known.all():
            yield _auc_association(
                (levels.code[known], good[1:], bad[1:]), part, among="of the leads whose value is known, "
            )
        yield _correlation_association(numbers, part, of="it")
    rare = outcome.rarer
    for rows, whose in fixed_sets(levels, feature):
        yield certainty(rows, rare, whose=whose, doubt=DOUBT)
    sides = (good, bad) if rare is outcome else (bad, good)
    for more in (True, False):
        yield tail_certainty(levels, *sides, rare, more=more)


def _placed(levels: Levels, good: Floats, bad: Floats) -> _Scored:
    """Place missing values below or above all known ones, where they move the AUC farther from a half."""
    above = np.where(levels.known, levels.code, len(levels.numbers)), np.roll(good, -1), np.roll(bad, -1)
    return max(((levels.code + 1, good, bad), above), key=lambda scored: abs(_auc(*scored[1:]) - 1 / 2))


def _auc(good: Floats, bad: Floats) -> float:
    """Return the AUC from the weights of success and failure at each level, rising; equal levels count half."""
    return float((good * (np.cumsum(bad) - bad / 2)).sum() / (good.sum() * bad.sum()))


def _auc_association(scored: _Scored, outcome: Outcome, *, among: str = "") -> Association:
    """Measure the AUC either way round; its interval only where it is large."""
    level, good, bad = scored
    auc = _auc(good, bad)
    value = max(auc, 1 - auc)
    if value <= SURE:
        return Association("auc", value)
    scores = (level if auc > 1 / 2 else -level).astype(np.float64)
    ranking = Ranking.of(scores, outcome.success, weight=outcome.weight, group=outcome.group)
    drawn = spread(ranking.at, outcome.groups, times=_RESAMPLES, seed=_SEED)[:, 0]
    low = interval(drawn, value).low
    says = f"{among}it identifies those that {outcome.says} with an AUC of {value:.2f}"
    return Association("auc", value, gives_away=low is not None and low > _LEAST_AUC, says=says)


def _correlation_association(values: Floats, outcome: Outcome, *, of: str) -> Association:
    """Measure the correlation with the outcome; 0 where all values are the same."""
    weight = outcome.weight / outcome.weight.sum()
    # Sums of products and no `@`: on a busy machine the threads of a scalar product wait for each other for seconds.
    x, y = (part - (weight * part).sum() for part in (values, outcome.success))
    spread_of_both = np.sqrt((weight * x * x).sum() * (weight * y * y).sum())
    value = abs(float((weight * x * y).sum() / spread_of_both)) if spread_of_both > 0 else 0.0
    says = f"the correlation of {of} with having {outcome.says} is {value:.2f}"
    return Association("correlation", value, gives_away=value > SURE, says=says)


def _of_category(column: "pd.Series[Any]", outcome: Outcome) -> Iterator[Association]:
    level, names = pd.factorize(column.astype("object"), use_na_sentinel=True)
    level = np.where(level < 0, len(names), level).astype(np.int64)
    words = [f"with {name}" for name in names] + ["whose value is not known"]
    yield _auc_association(_by_rate(level, outcome), outcome)
    yield _cramers_v_association(level, outcome)
    common = np.bincount(level, minlength=len(words)) >= FEWEST_GROUPS
    for code in np.flatnonzero(common):
        yield certainty(level == code, outcome.rarer, whose=words[code], doubt=DOUBT)


def _by_rate(level: Codes, outcome: Outcome) -> _Scored:
    """
    Rank the rows by the rate of their category in the half of the groups that they do not belong to.

    Ranked by its own rate, a category of a few rows would seem to know their outcome.
    """
    half = np.random.default_rng(_SEED).permutation(outcome.groups)[outcome.group] % 2
    rates = np.empty(len(level))
    for side in (0, 1):
        other_half = half != side
        hits, all_ = (
            summed(level[other_half], part[other_half], levels=int(level.max()) + 1)
            for part in (outcome.weight * outcome.success, outcome.weight)
        )
        rates[half == side] = ((hits + outcome.rate) / (all_ + 1))[level[half == side]]
    _, rank = np.unique(rates, return_inverse=True)
    good, bad = (summed(rank, outcome.weight * part) for part in (outcome.success, 1 - outcome.success))
    return rank.astype(np.int64), good, bad


def _cramers_v_association(level: Codes, outcome: Outcome) -> Association:
    """Measure Cramér's V over leads, each with a weight of 1, without bias."""
    table = np.stack(
        [
            np.bincount(level, weights=outcome.weight * part, minlength=int(level.max()) + 1)
            for part in (outcome.success, 1 - outcome.success)
        ],
        axis=1,
    )
    value = cramers_v(table[table.sum(axis=1) > 0])
    says = f"Cramér's V of it with having {outcome.says} is {value:.2f}"
    return Association("cramers_v", value, gives_away=value > SURE, says=says)


def cramers_v(table: Floats) -> float:
    """
    Return Cramér's V of a table of counts without its bias.

    Args:
        table: (k, 2) counts, no empty row.

    Source: Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T.

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
