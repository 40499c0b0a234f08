"""Columns: features as the numbers of one scale that a regression reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalog import Catalog

Singles = NDArray[np.float32]

RARE = 0.01
"""Categories with a smaller share of the rows stand in one column together."""


@dataclass(frozen=True, eq=False)
class Columns:
    """
    The way from features to columns of one scale, learnt from some rows.

    Numbers: missing ones get the median, and a flag of their own where any was missing; then signed logarithms, since
    counts and days have long tails. Categories: a column each, the rare ones in one together; missing is a category.
    What is the same in all rows that were learnt from gets no column.

    Attributes:
        numbers: names of the features that are numbers.
        medians: of each of them; 0 where all are missing.
        categories: name of each other feature → its categories that are not rare.
        kept: which columns differ between rows.
        middle: mean of each kept column.
        width: standard deviation of each kept column.
    """

    numbers: tuple[str, ...]
    medians: Singles
    categories: Mapping[str, "pd.Index[str]"]
    kept: NDArray[np.intp]
    middle: Singles
    width: Singles

    @classmethod
    def learnt(cls, rows: pd.DataFrame, catalog: Catalog) -> tuple[Self, Singles]:
        """
        Learn the way from rows, and give their matrix.

        Args:
            rows: (n) rows with the catalog's features.
            catalog: those features.

        Returns:
            The way, and (n, c) columns with mean 0 and deviation 1.
        """
        numbers = tuple(feature.name for feature in catalog.features if not feature.is_category)
        categories = {one.name: _common(rows[one.name]) for one in catalog.features if one.is_category}
        medians = pd.DataFrame(_numbers(rows, numbers)).median().fillna(0).to_numpy(dtype=np.float32)
        matrix = _all_columns(rows, numbers, medians=medians, categories=categories)
        middle, width = (np.asarray(one, dtype=np.float32) for one in _middle_and_width(matrix))
        kept = np.flatnonzero(width > 0)
        columns = cls(numbers, medians, categories, kept, middle[kept], width[kept])
        return columns, columns._scaled(matrix)

    def matrix(self, rows: pd.DataFrame) -> Singles:
        """Give the columns of (n) other rows, (n, c)."""
        return self._scaled(_all_columns(rows, self.numbers, medians=self.medians, categories=self.categories))

    def _scaled(self, matrix: Singles) -> Singles:
        taken = matrix[:, self.kept]
        taken -= self.middle
        taken /= self.width
        return taken


def _numbers(rows: pd.DataFrame, names: tuple[str, ...]) -> Singles:
    return rows[list(names)].to_numpy(dtype=np.float32, na_value=np.nan)


def _common(column: "pd.Series[str]") -> "pd.Index[str]":
    shares = _texts(column).value_counts(normalize=True)
    common: pd.Index[str] = pd.Index(sorted(str(name) for name, share in shares.items() if share >= RARE))
    return common


def _texts(column: "pd.Series[str]") -> "pd.Series[str]":
    """Give categories as text; no category is empty, so that the empty text can stand for a missing one."""
    return column.astype("str").where(column.notna(), "")


def _all_columns(
    rows: pd.DataFrame, numbers: tuple[str, ...], *, medians: Singles, categories: Mapping[str, "pd.Index[str]"]
) -> Singles:
    """Give every column there could be: numbers, the flags of their missing, and each category with the rare ones."""
    values = _numbers(rows, numbers)
    missing = np.isnan(values)
    filled = np.where(missing, medians, values)
    size = np.log1p(np.abs(filled))
    parts = [np.copysign(size, filled), missing.astype(np.float32)]
    for name, common in categories.items():
        code = common.get_indexer(pd.Index(_texts(rows[name])))
        parts.append((code[:, None] == np.arange(-1, len(common))).astype(np.float32))
    return np.concatenate(parts, axis=1)


def _middle_and_width(matrix: Singles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation of each column; 0 exactly where it is the same in all rows."""
    same = (matrix == matrix[:1]).all(axis=0)
    return matrix.mean(axis=0, dtype=np.float64), np.where(same, 0.0, matrix.std(axis=0, dtype=np.float64))
