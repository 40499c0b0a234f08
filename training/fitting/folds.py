"""Folds: the accounts of a block divided into parts, so that each part can be predicted by what the others taught."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FOLDS = 5


def deal_folds(
    group: "pd.Series[str]", label: "pd.Series[float]", *, seed: int, folds: int = FOLDS
) -> NDArray[np.int64]:
    """
    Deal accounts to folds, those that succeeded first, so that each fold has its part of them.

    All rows of an account are in one fold: there is no order of time inside a block that would keep its later rows
    from teaching the earlier ones.

    Args:
        group: (n,) account of each row.
        label: (n,) 1 where the goal was reached, else 0.
        seed: of the order within those that succeeded, and within the others.
        folds: how many.

    Returns:
        (n,) the fold of each row, from 0.

    >>> deal_folds(pd.Series(["a", "a", "b", "c"]), pd.Series([0.0, 1, 1, 0]), seed=1, folds=2).tolist()
    [0, 0, 1, 0]
    """
    code, names = pd.factorize(group)
    succeeded = np.bincount(code, label.to_numpy(dtype=np.float64), minlength=len(names)) > 0
    order = np.lexsort((np.random.default_rng(seed).permutation(len(names)), ~succeeded))
    dealt = np.empty(len(names), dtype=np.int64)
    dealt[order] = np.arange(len(names)) % folds
    return dealt[code]
