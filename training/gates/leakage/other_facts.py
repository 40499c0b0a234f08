"""All else that is known about leads, as columns, and how much of a number it explains."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from data.contract import AttributeType
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.association import Flags, summed
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, Codes, Floats

MOST_VALUES = 100
"""Of a category, the most frequent ones, which have a column of their own."""

_FOLDS = 5
_SEED = 23

_SHRINKAGE = 0.1
"""Rows whose weight the ridge's penalty has, as a share of all: noise in a hundred columns explains nothing then."""


def first_attributes(leads: AgedLeads, rows: Flags, *, without: str) -> Floats:
    """
    Return the other attributes as columns: ranks of numbers, one column for each frequent value of a category.

    Args:
        leads: as they stand at the export, with their first versions.
        rows: which of them.
        without: the attribute that is left out; those on ``never_use`` are left out too.

    Returns:
        (m, k) columns; none of them is constant.
    """
    columns: list[Floats] = []
    for name, attribute in leads.business.attributes.items():
        if name == without or name in leads.business.never_use or name not in leads.rows:
            continue
        column = leads.rows.loc[rows, name]
        if attribute.type is AttributeType.CATEGORY:
            values = column.astype("object").fillna("")
            often = [value for value, n in values.value_counts().head(MOST_VALUES).items() if n >= FEWEST_GROUPS]
            columns += [np.asarray(values == value, dtype=np.float64) for value in often]
        else:
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
            columns += [ranked(numbers), np.isnan(numbers).astype(np.float64)]
    return _varied(columns, int(rows.sum()))


def ranked_table(table: pd.DataFrame, rows: Flags) -> Floats:
    """Return the columns of a table as ranks, for some of its rows; none of them is constant."""
    columns = [ranked(table[name].to_numpy(dtype=np.float64)[rows]) for name in table]
    return _varied(columns, int(rows.sum()))


def ranked(numbers: Floats) -> Floats:
    """
    Return ranks from -1/2 to 1/2; 0, the middle, where a number is missing.

    >>> ranked(np.array([10.0, np.nan, 30.0])).tolist()
    [-0.25, 0.0, 0.25]
    """
    known, ranks = ~np.isnan(numbers), np.zeros(len(numbers))
    if known.any():
        ranks[known] = (rankdata(numbers[known]) - 1 / 2) / known.sum() - 1 / 2
    return ranks


def foretold(target: Floats, columns: Floats, group: Codes) -> Floats:
    """
    Foretell a number of each row from its columns, by a ridge regression on the accounts of the other folds.

    Args:
        target: (n,) the number.
        columns: (n, k).
        group: (n,) codes of the accounts.

    Returns:
        (n,) what was foretold; the mean of the other folds where there are no columns.
    """
    fold = (np.random.default_rng(_SEED).permutation(int(group.max()) + 1) % _FOLDS)[group]
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    penalty = _SHRINKAGE * len(target) * np.eye(columns.shape[1])
    found = np.empty(len(target))
    for number in range(_FOLDS):
        rows = fold != number
        mean, part = target[rows].mean(), scaled[rows]
        slopes = np.linalg.solve(part.T @ part + penalty, part.T @ (target[rows] - mean))
        found[~rows] = mean + scaled[~rows] @ slopes
    return found


def share_explained(target: Floats, blocks: Sequence[Floats], group: Codes) -> float:
    """
    Return the largest share of a number's variance that one of several blocks of columns foretells; not below 0.

    Args:
        target: (n,) the number.
        blocks: each (n, k); one that has no columns explains nothing.
        group: (n,) codes of the accounts; at least as many as folds.
    """
    variance = float(((target - target.mean()) ** 2).sum())
    if variance == 0:
        return 0.0
    shares = [1 - float(((target - foretold(target, block, group)) ** 2).sum()) / variance for block in blocks]
    return max([0.0, *shares])


def without_means(target: Floats, state: Codes) -> Floats:
    """
    Subtract from each row the mean of the rows in the same state.

    >>> without_means(np.array([1.0, 3.0, 9.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    means = summed(state, target) / np.maximum(summed(state, np.ones(len(target))), 1)
    return np.asarray(target - means[state])


def _varied(columns: Sequence[Floats], n: int) -> Floats:
    varied = [column for column in columns if np.ptp(column) > 0]
    return np.column_stack(varied) if varied else np.empty((n, 0))
