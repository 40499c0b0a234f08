"""
Exact reasons at low cost: a margin split into what each feature contributed.

A contribution is the feature's Shapley value under the path-dependent expectation, the number that
LightGBM's ``pred_contrib`` and shap's ``TreeExplainer`` give. A leaf's Shapley values depend only on
which of the at most 6 conditions of its path a row meets. So they are tabulated once per model, 2**d
patterns of d numbers for each leaf, and a row costs d comparisons and d additions per leaf. Two leaves
that differ in their last split alone share a table, which spares a third of the work.

Source: J. Yang, Fast TreeSHAP: Accelerating SHAP Value Computation for Trees, 2021, arXiv 2109.09847
(its version 2 is the idea of the table).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.decision_tree import MOST_PATH_FEATURES
from models.errors import RowsError
from models.paths import Condition, LeafPath, paths
from models.shapley_kernel import CATEGORICAL, MISSING_PASSES, Leaves, explain
from models.trees import Trees

_AT_ONCE = 512
"""Leaves tabulated at once: the temporaries stay within a few megabytes."""

_NODES = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
_WEIGHTS = (5 / 18, 8 / 18, 5 / 18)
"""Gauss-Legendre on [0, 1] with three nodes: exact up to degree 5, all that 6 conditions need."""


@dataclass(frozen=True, slots=True)
class MarginContributions:
    """
    Margins and what made them.

    Attributes:
        contributions: (n, k) float64, what each feature added to the margin.
        margins: (n,) float64, base + the sum of the row's contributions.
    """

    contributions: NDArray[np.float64]
    margins: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ShapleyTables:
    """
    A model's trees as tables that explain rows; a row gets the same bits alone and in a batch.

    Attributes:
        n_features: columns of a row.
        base: the margin expected before anything is known about a row, over the training rows.
        leaves: the tables, read-only.
    """

    n_features: int
    base: float
    leaves: Leaves

    @classmethod
    def of(cls, trees: Trees) -> Self:
        """
        Tabulate a model once; 300 trees of 31 leaves take a few tenths of a second.

        >>> from models.decision_tree import Tree
        >>> tree = Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (5, 5), (-0.3, 0.2))
        >>> tables = ShapleyTables.of(Trees(1, (tree,)))
        >>> round(tables.base, 9), tables.contributions([[7.0]]).round(9).tolist()
        (-0.05, [[0.25]])
        """
        leaf_paths = [path for tree in trees.trees for path in paths(tree)]
        # An exact sum: the base must not depend on the order in which the leaves are visited.
        base = math.fsum(path.expected for path in leaf_paths)
        # By size: the kernel's inner loops keep their length for thousands of leaves.
        leaf_paths.sort(key=lambda path: len(path.conditions))
        return cls(trees.n_features, base, _leaves(leaf_paths))

    def explained(self, rows: ArrayLike) -> MarginContributions:
        """
        Return the contributions and the margins of rows.

        Args:
            rows: (n, n_features) float64; NaN where missing, codes where categorical.

        Returns:
            n contributions and margins; ``base + contributions.sum(axis=1)`` is the margin to 1e-9.

        Raises:
            RowsError: the rows have another number of columns.
        """
        matrix = np.ascontiguousarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features:  # noqa: PLR2004  rows and columns
            raise RowsError(shape=matrix.shape, columns=self.n_features)
        out = np.empty((matrix.shape[0], self.n_features + 1))
        explain(matrix, out, self.base, self.leaves)
        return MarginContributions(contributions=out[:, :-1], margins=out[:, -1])

    def contributions(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Return what each feature added to each row's margin: (n, n_features) float64."""
        return self.explained(rows).contributions

    def margins(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Return each row's margin: (n,) float64 [log-odds for a binary goal]."""
        return self.explained(rows).margins


def _leaves(leaf_paths: Sequence[LeafPath]) -> Leaves:
    """Lay out paths, sorted by their number of conditions, as the kernel's arrays."""
    listed = [item for path in leaf_paths for item in path.conditions.items()]
    conditions = [condition for _, condition in listed]
    kinds = [_kind(condition) for condition in conditions]
    laid = Leaves(
        size=np.array([len(path.conditions) for path in leaf_paths], np.uint8),
        table=_table(leaf_paths),
        feature=np.array([feature for feature, _ in listed], np.uint32),
        kind=np.array(kinds, np.uint8),
        above=np.array([condition.above for condition in conditions], np.float64),
        up_to=np.array([condition.up_to for condition in conditions], np.float64),
        codes=np.array([condition.codes for condition in conditions], np.uint64),
        categorical=np.flatnonzero(np.array(kinds, np.uint8) & CATEGORICAL).astype(np.uint32),
    )
    # The kernel is compiled for read-only arrays, and threads of the service share them.
    for array in laid:
        array.flags.writeable = False
    return laid


def _kind(condition: Condition) -> int:
    """Encode the two flags of a condition as bits."""
    return MISSING_PASSES * condition.missing + CATEGORICAL * condition.categorical


def _table(leaf_paths: Sequence[LeafPath]) -> NDArray[np.float64]:
    """Tabulate paths that are sorted by their number of conditions, straight into the array that is kept."""
    table = np.empty(sum(len(path.conditions) << len(path.conditions) for path in leaf_paths))
    filled = 0
    for size in range(1, MOST_PATH_FEATURES + 1):
        group = [path for path in leaf_paths if len(path.conditions) == size]
        for start in range(0, len(group), _AT_ONCE):
            part = _tabulated(group[start : start + _AT_ONCE], size)
            table[filled : filled + part.size] = part.ravel()
            filled += part.size
    return table


def _tabulated(group: Sequence[LeafPath], size: int) -> NDArray[np.float64]:
    """Return the Shapley values of paths with the same number of conditions for every pattern."""
    shares = np.array([[met.share for met in path.conditions.values()] for path in group])
    values = shapley_values(np.array([path.value for path in group]), shares)
    shares[:, -1] = 1 - shares[:, -1]
    instead = shapley_values(np.array([path.instead for path in group]), shares)
    # The other leaf requires the opposite of the last condition, which is the highest bit.
    return values + np.roll(instead, 2 ** (size - 1), axis=1)


def shapley_values(values: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Tabulate the Shapley values of leaves for every pattern of conditions met.

    With b the pattern and r the shares, the game of one leaf is v(S) = value * prod(b in S) *
    prod(r outside S). Its Shapley value for j is value * (b_j - r_j) times the integral over t in
    [0, 1] of prod(k != j) of r_k (1 - t) + b_k t, a polynomial of degree d - 1 (Owen's multilinear
    extension), which three Gauss nodes integrate exactly up to d = 6.

    Args:
        values: (n,) float64, what each leaf adds to the margin.
        shares: (n, d) float64 in (0, 1], share of the training rows that met each condition.

    Returns:
        (n, 2**d, d) float64; bit j of the pattern says whether condition j is met.

    Source: G. Owen, Multilinear Extensions of Games, 1972, doi 10.1287/mnsc.18.5.64.

    >>> shapley_values(np.array([1.0]), np.array([[0.25]])).tolist()
    [[[-0.25], [0.75]]]
    """
    size = shares.shape[1]
    # Row p holds the bits of pattern p: the kernel uses the pattern itself as the row number.
    bits = (np.arange(2**size)[:, None] >> np.arange(size) & 1).astype(np.float64)
    own = shares[:, None, :]
    others = np.zeros((len(values), *bits.shape))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        factors = own * (1 - node) + bits * node
        # The product without factor j is the whole divided by it: shares are above 0, so no factor is 0 at these nodes.
        product = np.multiply.reduce(factors, axis=2)
        others += weight * product[:, :, None] / factors
    return values[:, None, None] * (bits - own) * others
