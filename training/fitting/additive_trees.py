"""A sum of one number per feature, written as trees: one tree for each feature, one leaf for each of its levels."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalog import Catalog
from features.feature import Feature
from models.conversion import Encoding
from models.decision_tree import Tree
from models.trees import Trees
from training.fitting.regression import OTHER, Regression

Floats = NDArray[np.float64]

_NOTHING = 1e-9
"""Features that move no margin by more than this are left out."""


class Level(NamedTuple):
    """
    What a feature can be, as far as an additive margin tells values apart.

    Attributes:
        value: one that stands for all of the level; None for missing.
        most: the largest of a number's level.
        codes: mask of a category's codes; 0 for a number, and for missing.
        rows: how many training rows are at this level, one or more.
    """

    value: float | str | None
    most: float
    codes: int
    rows: int


def additive_trees(regression: Regression, rows: pd.DataFrame) -> tuple[Encoding, Trees]:
    """
    Write a regression as trees, with those features that move it.

    Args:
        regression: fitted.
        rows: train rows, which say how often each level occurs; one that none has counts as one row.

    Returns:
        The encoding, and trees whose margin is that of the regression, but for its single precision. The first tree is
        one leaf: the margin of a lead of whom nothing is known.
    """
    categories = regression.categories
    levels = {
        feature.name: list(_levels(feature, rows[feature.name], categories.get(feature.name), regression))
        for feature in regression.catalog.features
    }
    start, moved = _moved(regression, levels)
    features = regression.catalog.features
    telling = tuple(each for each in features if np.abs(moved[each.name]).max() > _NOTHING)
    used = Catalog(telling or features[:1], regression.catalog.never_use)  # a model has one feature at least
    trees = [_tree(index, levels[name], moved[name]) for index, name in enumerate(used.names)]
    constant = Tree((), (), (), (), (), (), (), (len(rows),), (start,))
    encoding = Encoding(used, {name: known for name, known in categories.items() if name in used.names})
    columns = tuple(f"f{index}" for index in range(len(used.names)))
    return encoding, Trees(len(columns), (constant, *trees), columns)


def _levels(
    feature: Feature, column: "pd.Series[str]", categories: Sequence[str] | None, regression: Regression
) -> Iterator[Level]:
    """Yield the levels of a feature, missing last."""
    missing = int(column.isna().sum())
    if categories is not None:
        counts = column.dropna().astype(str).value_counts()
        for code, name in enumerate(categories):
            yield Level(name, 0.0, 1 << code, int(counts[name]))
        others = len(column) - missing - int(counts[list(categories)].sum())
        yield Level(OTHER, 0.0, 1 << len(categories), max(1, others))
    else:
        cuts = regression.cuts(feature.name)
        known = column.dropna().to_numpy(dtype=np.float64)
        counted = np.bincount(np.searchsorted(cuts, known), minlength=len(cuts) + 1).tolist()
        largest = float(known.max()) if len(known) else 0.0
        for value, most, count in zip(
            [*cuts.tolist(), largest], [*cuts.tolist(), sys.float_info.max], counted, strict=True
        ):
            yield Level(value, most, 0, max(1, count))
    yield Level(None, sys.float_info.max, 0, max(1, missing))


def _moved(regression: Regression, levels: dict[str, list[Level]]) -> tuple[float, dict[str, Floats]]:
    """Return the margin where everything is missing, and by how much each level of each feature moves it."""
    starts = np.cumsum([1, *(len(each) for each in levels.values())])
    columns = {}
    for feature, start in zip(regression.catalog.features, starts[:-1].tolist(), strict=True):
        column = np.full(int(starts[-1]), None, dtype=object)
        values = [level.value for level in levels[feature.name]]
        column[start : start + len(values)] = values
        columns[feature.name] = column if feature.is_category else column.astype(np.float64)
    margin = regression.margin(pd.DataFrame(columns))
    parts = np.split(margin - margin[0], starts[:-1])[1:]
    return float(margin[0]), dict(zip(levels, parts, strict=True))


@dataclass(slots=True)
class _Nodes:
    """The arrays of a tree as they grow, splits in order of visit."""

    threshold: list[float] = field(default_factory=list)
    left_codes: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)


def _tree(feature: int, levels: Sequence[Level], moved: Floats) -> Tree:
    """Search the levels by halves; the last one is missing, which goes right at every split."""
    nodes = _Nodes()
    _halve(levels, 0, nodes)
    splits = len(nodes.count)
    return Tree(
        feature=(feature,) * splits,
        threshold=tuple(nodes.threshold),
        left_codes=tuple(nodes.left_codes),
        missing_left=(False,) * splits,
        left=tuple(nodes.left),
        right=tuple(nodes.right),
        split_count=tuple(nodes.count),
        leaf_count=tuple(level.rows for level in levels),
        leaf_value=tuple(moved.tolist()),
    )


def _halve(levels: Sequence[Level], first: int, nodes: _Nodes) -> int:
    """Append the splits of some neighbouring levels; return the number of their root: a split's, or -1 - a leaf's."""
    if len(levels) == 1:
        return -1 - first
    index, half = len(nodes.count), len(levels) // 2
    codes = sum(level.codes for level in levels[:half])
    nodes.threshold.append(0.0 if codes else levels[half - 1].most)
    nodes.left_codes.append(codes)
    nodes.count.append(sum(level.rows for level in levels))
    nodes.left.append(0)
    nodes.right.append(0)
    nodes.left[index] = _halve(levels[:half], first, nodes)
    nodes.right[index] = _halve(levels[half:], first + half, nodes)
    return index
