"""
Association: the strength by which one feature alone reveals an outcome.

Four measures, each of which is 1 where a feature gives the outcome away:

- AUC, whichever way round, with missing values placed where they help most; and among the leads whose value is known.
- Correlation (Pearson's), of the value and of whether there is one.
- Cramér's V of a category, without the bias of many values.
- Certainty: the share of success among the leads that have the feature at all, or more of it, or less, than some
  value. An activity that only successes ever have gives the outcome away although most successes do not have it yet, so
  that neither AUC nor correlation come near 1.

Sources: Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T; Clopper and Pearson 1934 for the ends of the
intervals of shares; accounts are resampled for those of the AUC.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.gates.leakage.outcome_arrays import Codes, Floats

Flags = NDArray[np.bool_]

SURE = 0.95
"""A single feature above this reveals too much."""


@dataclass(frozen=True, slots=True)
class Association:
    """
    How strongly a feature reveals an outcome, by one measure.

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
class Levels:
    """
    A column of numbers by rank, sorted once.

    Attributes:
        numbers: (m,) the different values, rising.
        code: (n,) which of them each row has; -1 where it is missing.
    """

    numbers: Floats
    code: Codes

    @classmethod
    def of(cls, column: "pd.Series[Any]") -> "Levels":
        """Rank the values."""
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(values)
        numbers, ranks = np.unique(values[known], return_inverse=True)
        code = np.full(len(values), -1, dtype=np.int64)
        code[known] = ranks
        return cls(numbers, code)

    @cached_property
    def known(self) -> Flags:
        """Which rows have a value."""
        return np.asarray(self.code >= 0)

    def sums(self, part: Floats) -> Floats:
        """Sum numbers of the rows by level; those of rows without a value come first: (m + 1,)."""
        return summed(self.code + 1, part, levels=len(self.numbers) + 1)


def summed(code: Codes, part: Floats, *, levels: int = 0) -> Floats:
    """Sum numbers by code, (levels,) or as many as there are codes."""
    return np.bincount(code, weights=part, minlength=levels).astype(np.float64)
