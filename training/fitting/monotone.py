"""
Monotone constraints: features with which the playbook lets the score only rise, or only fall.

LightGBM gets the constraints while it grows the trees, and keeps its leaves in order nearly always: with smoothing
along the path, or where it returns to a leaf it had finished, some violate the order by a hair. So every tree is
checked again, and the few leaves in the wrong order are moved to where they are in order.

Source: Auguste, Malory and Smirnov 2020, A better method to enforce monotonic constraints in regression and
classification trees, arXiv 2011.00986 (LightGBM's "intermediate").
"""

from collections.abc import Iterator, Mapping
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from data.words.business import FeatureWishes
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import (
    ActiveDays,
    AttributeValue,
    Count,
    DaysSinceLast,
    DaysSinceNthLast,
    DecayedCount,
    Distinct,
    Sum,
)
from models.booster import trees_of
from models.decision_tree import Tree
from models.paths import Condition, with_branch

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def monotone_directions(catalog: Catalog, wishes: FeatureWishes) -> dict[str, int]:
    """
    Return the features with which the playbook lets the score only rise, or only fall, all else being equal.

    A name is a kind of activity, a kind with a subject (``page_view/pricing``) or an attribute. Of a kind, the lead's
    own counts, decayed counts, sums, active days and numbers of subjects rise with it, and the days since the last
    times fall. Means, trends, gaps, the time of day and the colleagues' activities measure something else and are left
    free.

    Args:
        catalog: of the model.
        wishes: of the playbook.

    Returns:
        Feature → 1 where the score may not fall when the feature rises, -1 where it may not rise.
    """
    wished = dict.fromkeys(wishes.rises_with, 1) | dict.fromkeys(wishes.falls_with, -1)
    signs = {feature.name: wished.get(_subject(feature), 0) * _orientation(feature) for feature in catalog.features}
    return {name: sign for name, sign in signs.items() if sign}


def _subject(feature: Feature) -> str:
    """Return the playbook's name of what a feature is about; empty where it is about no single thing."""
    reduce = feature.reduce
    match reduce:
        case AttributeValue(name=name):
            return name
        case Count() | DecayedCount() | Sum() | ActiveDays() | DaysSinceLast() | DaysSinceNthLast():
            if feature.over == "account" or reduce.kind is None:
                return ""
            return f"{reduce.kind}/{reduce.subject}" if reduce.subject else reduce.kind
        case Distinct(kind=kind) if feature.over == "lead":
            return kind or ""
        case _:
            return ""


def _orientation(feature: Feature) -> int:
    """Return 1 where a feature rises with more of its subject, -1 where it falls, 0 where it has no order."""
    if feature.is_category:
        return 0
    return -1 if isinstance(feature.reduce, DaysSinceLast | DaysSinceNthLast) else 1


def constrained(parameters: Mapping[str, Any], signs: list[int]) -> dict[str, Any]:
    """
    Add a direction for each column to the parameters of a booster.

    Where no column has one nothing is added: even zeros would change LightGBM's arithmetic.
    """
    if not any(signs):
        return dict(parameters)
    return {**parameters, "monotone_constraints": signs, "monotone_constraints_method": "intermediate"}


def enforce_order(booster: lightgbm.Booster, signs: list[int]) -> int:
    """
    Move the leaves that are in the wrong order, in place.

    Two leaves are ordered if two rows that differ only in one column with a direction could fall into them. Each leaf
    gets the mean of the highest value of those below it and the lowest of those above it: a leaf in the right order
    keeps its value, to the last bit.

    Args:
        booster: fitted; its first trees up to the best iteration.
        signs: 1, -1 or 0 for each of its columns.

    Returns:
        How many leaves were moved.
    """
    if not any(signs):
        return 0
    moved = 0
    numbered = zip(trees_of(booster).trees, booster.dump_model()["tree_info"], strict=True)
    for tree_index, (tree, info) in enumerate(numbered):
        values = np.array(tree.leaf_value)
        ordered = _in_order(values, _below(tree, signs))
        numbers = list(_leaf_numbers(info["tree_structure"]))
        for leaf in np.flatnonzero(ordered != values).tolist():
            booster.set_leaf_output(tree_index, numbers[leaf], float(ordered[leaf]))
            moved += 1
    return moved


def _leaf_numbers(node: Mapping[str, Any]) -> Iterator[int]:
    """Yield LightGBM's numbers of a tree's leaves, leftmost first."""
    if "split_index" in node:
        yield from _leaf_numbers(node["left_child"])
        yield from _leaf_numbers(node["right_child"])
    else:
        yield int(node.get("leaf_index", 0))


def _in_order(values: Floats, below: Flags) -> Floats:
    """Return values in order: the mean of the lowest ones that are nowhere lower, and the highest nowhere higher."""
    if not (below & (values[:, None] > values[None, :])).any():
        return values
    # Order is transitive, through leaves that do not touch each other: the closure, by Warshall's algorithm.
    reached = below | np.eye(len(values), dtype=bool)
    for middle in range(len(values)):
        reached |= reached[:, middle, None] & reached[None, middle, :]
    # Either set alone would be in order, and would move one side of each violation only; their mean moves both.
    highest_below = np.where(reached, values[:, None], -np.inf).max(axis=0)
    lowest_above = np.where(reached, values[None, :], np.inf).min(axis=1)
    return np.asarray((highest_below + lowest_above) / 2)


def _below(tree: Tree, signs: list[int]) -> Flags:
    """Return for each pair of leaves whether the value of the first may not exceed that of the second."""
    leaves = _leaf_conditions(tree)
    below = np.zeros((len(leaves), len(leaves)), dtype=bool)
    directed = [feature for feature in sorted(set(tree.feature)) if signs[feature]]
    if not directed:
        return below
    overlaps = {feature: _overlaps(leaves, feature) for feature in sorted(set(tree.feature))}
    for feature in directed:
        # Only rows that agree in all other features are compared, so the leaves must overlap in each of those.
        others = [overlaps[other] for other in overlaps if other != feature]
        before = _before(leaves, feature)
        ordered = before if signs[feature] > 0 else before.T
        below |= ordered & np.logical_and.reduce(others, initial=True)
    return below


def _leaf_conditions(tree: Tree) -> list[dict[int, Condition]]:
    """Return the conditions that lead to each leaf, in the tree's order of leaves."""
    leaves: dict[int, dict[int, Condition]] = {}
    waiting: list[tuple[int, dict[int, Condition]]] = [(tree.root, {})]
    while waiting:
        node, conditions = waiting.pop()
        if node < 0:
            leaves[-1 - node] = conditions
            continue
        for left, branch in ((True, tree.left[node]), (False, tree.right[node])):
            waiting.append((branch, with_branch(conditions, tree, node, left=left)))
    return [leaves[leaf] for leaf in range(len(leaves))]


def _overlaps(leaves: list[dict[int, Condition]], feature: int) -> Flags:
    """Return for each pair of leaves whether one value of a feature could be in both, (l, l)."""
    conditions = [leaf.get(feature) for leaf in leaves]
    low, high = _ends(conditions)
    # A leaf without a condition on the feature takes every category, and missing values too.
    codes = [2**64 - 1 if condition is None else condition.codes for condition in conditions]
    missing = np.array([condition is None or condition.missing for condition in conditions])
    numbers = (low[:, None] < high[None, :]) & (low[None, :] < high[:, None])
    shared = np.array([[bool(first & second) for second in codes] for first in codes])
    return np.asarray((numbers & shared) | (missing[:, None] & missing[None, :]))


def _before(leaves: list[dict[int, Condition]], feature: int) -> Flags:
    """Return for each pair of leaves whether all numbers of the first come before those of the second, (l, l)."""
    low, high = _ends([leaf.get(feature) for leaf in leaves])
    filled = low < high  # a leaf for missing values alone has no numbers, and no order
    return np.asarray((high[:, None] <= low[None, :]) & filled[:, None] & filled[None, :])


def _ends(conditions: list[Condition | None]) -> tuple[Floats, Floats]:
    """Return above and up to which number a feature leads to each leaf, (l,) both."""
    low = np.array([-np.inf if condition is None else condition.above for condition in conditions])
    high = np.array([np.inf if condition is None else condition.up_to for condition in conditions])
    return low, high
