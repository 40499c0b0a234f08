"""
What may only rise, or only fall: the playbook's word on which way the score goes with a feature.

LightGBM is told while it grows the trees, and holds its leaves to it nearly always: with smoothing along the path, or
where it looks again at a leaf it had finished, it lets some slip by a hair. So every tree is looked at again, and the
few leaves that stand in the wrong order are moved to where they do not.

Source: Auguste, Malory and Smirnov 2020, A better method to enforce monotonic constraints in regression and
classification trees, arXiv 2011.00986 (LightGBM's "intermediate").
"""

from collections.abc import Iterator, Mapping
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from data.business import FeatureWishes
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, Count, DaysSinceLast, DecayedCount, Distinct, Sum
from models.booster import trees_of
from models.decision_tree import Tree
from models.paths import Condition

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def directions(catalog: Catalog, wishes: FeatureWishes) -> dict[str, int]:
    """
    Say with which features the playbook lets the score only rise, or only fall, all else being equal.

    A name is a kind of activity, a kind with a subject (``page_view/pricing``) or an attribute. Of a kind, the lead's
    own counts, decayed counts, sums and numbers of subjects rise with it, and the days since the last time fall. Means,
    trends, the time of day and the colleagues' activities say something else and are left free.

    Args:
        catalog: of the model.
        wishes: of the playbook.

    Returns:
        Feature → 1 where the score may not fall when the feature rises, -1 where it may not rise.
    """
    told = dict.fromkeys(wishes.rises_with, 1) | dict.fromkeys(wishes.falls_with, -1)
    signs = {feature.name: told.get(_about(feature), 0) * _sense(feature) for feature in catalog.features}
    return {name: sign for name, sign in signs.items() if sign}


def _about(feature: Feature) -> str:
    """Give the playbook's name of what a feature is about; nothing where it is about no single thing."""
    match feature.reduce:
        case AttributeValue(name=name):
            return name
        case Count() | DecayedCount() | Sum() | DaysSinceLast() as reduce if feature.over == "lead" and reduce.kind:
            return f"{reduce.kind}/{reduce.subject}" if reduce.subject else reduce.kind
        case Distinct(kind=kind) if feature.over == "lead":
            return kind or ""
        case _:
            return ""


def _sense(feature: Feature) -> int:
    """Say which way a feature moves when there is more of it; 0 where it has no order."""
    if feature.is_category:
        return 0
    return -1 if isinstance(feature.reduce, DaysSinceLast) else 1


def constrained(parameters: Mapping[str, Any], signs: list[int]) -> dict[str, Any]:
    """
    Add a direction for each column to the parameters of a booster.

    Where no column has one nothing is added: even zeros would change LightGBM's arithmetic.
    """
    if not any(signs):
        return dict(parameters)
    return {**parameters, "monotone_constraints": signs, "monotone_constraints_method": "intermediate"}


def straighten(booster: lightgbm.Booster, signs: list[int]) -> int:
    """
    Move the leaves that stand in the wrong order, in place.

    Two leaves are ordered where rows could be in either of them that differ in one column with a direction alone. Each
    leaf gets the mean of the highest value of those below it and the lowest of those above it: whatever stood right
    stays, to the last bit.

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
    for at, (tree, info) in enumerate(numbered):
        values = np.array(tree.leaf_value)
        straight = _in_order(values, _below(tree, signs))
        order = list(_leaf_numbers(info["tree_structure"]))
        for leaf in np.flatnonzero(straight != values).tolist():
            booster.set_leaf_output(at, order[leaf], float(straight[leaf]))
            moved += 1
    return moved


def _leaf_numbers(node: Mapping[str, Any]) -> Iterator[int]:
    """Give LightGBM's numbers of a tree's leaves, leftmost first."""
    if "split_index" in node:
        yield from _leaf_numbers(node["left_child"])
        yield from _leaf_numbers(node["right_child"])
    else:
        yield int(node.get("leaf_index", 0))


def _in_order(values: Floats, below: Flags) -> Floats:
    """Give the mean of two orderly sets of values, the lowest that is nowhere lower and the highest nowhere higher."""
    if not (below & (values[:, None] > values[None, :])).any():
        return values
    reached = below | np.eye(len(values), dtype=bool)
    for middle in range(len(values)):
        reached |= reached[:, middle, None] & reached[None, middle, :]
    highest_below = np.where(reached, values[:, None], -np.inf).max(axis=0)
    lowest_above = np.where(reached, values[None, :], np.inf).min(axis=1)
    return np.asarray((highest_below + lowest_above) / 2)


def _below(tree: Tree, signs: list[int]) -> Flags:
    """Say for each pair of leaves whether the value of the first may not exceed that of the second."""
    leaves = _leaf_conditions(tree)
    found = np.zeros((len(leaves), len(leaves)), dtype=bool)
    directed = [feature for feature in sorted(set(tree.feature)) if signs[feature]]
    if not directed:
        return found
    meets = {feature: _meets(leaves, feature) for feature in sorted(set(tree.feature))}
    for feature in directed:
        others = [meets[other] for other in meets if other != feature]
        before = _before(leaves, feature)
        ordered = before if signs[feature] > 0 else before.T
        found |= ordered & np.logical_and.reduce(others, initial=True)
    return found


def _leaf_conditions(tree: Tree) -> list[dict[int, Condition]]:
    """Give what it takes to reach each leaf, in the tree's order of leaves."""
    found: dict[int, dict[int, Condition]] = {}
    waiting: list[tuple[int, dict[int, Condition]]] = [(tree.root, {})]
    while waiting:
        node, met = waiting.pop()
        if node < 0:
            found[-1 - node] = met
            continue
        feature = tree.feature[node]
        known = met.get(feature) or Condition(categorical=tree.left_codes[node] > 0)
        waiting += [
            (branch, {**met, feature: known.narrowed(tree, node, left=left)})
            for left, branch in ((True, tree.left[node]), (False, tree.right[node]))
        ]
    return [found[leaf] for leaf in range(len(found))]


def _meets(leaves: list[dict[int, Condition]], feature: int) -> Flags:
    """Say for each pair of leaves whether one value of a feature could be in both, (l, l)."""
    each = [met.get(feature) for met in leaves]
    low, high = _ends(each)
    codes = [2**64 - 1 if one is None else one.codes for one in each]
    missing = np.array([one is None or one.missing for one in each])
    numbers = (low[:, None] < high[None, :]) & (low[None, :] < high[:, None])
    shared = np.array([[bool(ours & theirs) for theirs in codes] for ours in codes])
    return np.asarray((numbers & shared) | (missing[:, None] & missing[None, :]))


def _before(leaves: list[dict[int, Condition]], feature: int) -> Flags:
    """Say for each pair of leaves whether all numbers of the first come before those of the second, (l, l)."""
    low, high = _ends([met.get(feature) for met in leaves])
    filled = low < high
    return np.asarray((high[:, None] <= low[None, :]) & filled[:, None] & filled[None, :])


def _ends(each: list[Condition | None]) -> tuple[Floats, Floats]:
    """Give above and up to which number a feature leads to each leaf, (l,) both."""
    low = np.array([-np.inf if one is None else one.above for one in each])
    high = np.array([np.inf if one is None else one.up_to for one in each])
    return low, high
