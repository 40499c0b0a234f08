"""What makes arrays a tree: lengths, ranges, one way to every node, counts that add up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from models.errors import StructureError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.trees import Tree

MOST_PATH_FEATURES = 6
"""Distinct features on one path: a leaf's table of reasons has 2**d rows."""

LARGEST_COUNT = 2**53
"""Counts up to here are exact as floats."""

LARGEST_VALUE = 1e100
"""No margin comes near, and sums of values up to here stay finite."""

_CODES = 64


def check_tree(tree: Tree) -> None:
    """
    Refuse arrays that do not describe one tree.

    Raises:
        StructureError: lengths, ranges, links, counts or paths are wrong.
    """
    _check_lengths(tree)
    _check_numbers(tree)
    _check_links(tree)
    _check_counts(tree)
    _check_paths(tree)


def check_kinds(trees: Sequence[Tree]) -> None:
    """
    Refuse a feature that one split reads as a number and another as a code.

    Raises:
        StructureError: there is such a feature.
    """
    kinds: dict[int, bool] = {}
    for index, tree in enumerate(trees):
        for feature, codes in zip(tree.feature, tree.left_codes, strict=True):
            if kinds.setdefault(feature, codes > 0) != (codes > 0):
                found = f"feature {feature} as a number and as a code"
                raise StructureError(where=f"tree {index}", found=found, expected="one of the two")


def _check_lengths(tree: Tree) -> None:
    """Refuse arrays that disagree about the number of splits."""
    splits = len(tree.feature)
    for name in ("threshold", "left_codes", "missing_left", "left", "right", "split_count"):
        _check_length(name, len(getattr(tree, name)), splits)
    for name in ("leaf_count", "leaf_value"):
        _check_length(name, len(getattr(tree, name)), splits + 1)


def _check_length(name: str, found: int, expected: int) -> None:
    """Refuse an array of another length."""
    if found != expected:
        raise StructureError(where=f"length of {name}", found=found, expected=str(expected))


def _check_numbers(tree: Tree) -> None:
    """Refuse numbers outside what they stand for."""
    for feature in tree.feature:
        if feature < 0:
            raise StructureError(where="feature", found=feature, expected="0 or more")
    for codes in tree.left_codes:
        if not 0 <= codes < 2**_CODES:
            raise StructureError(where="left_codes", found=codes, expected="a 64-bit mask")
    for name in ("threshold", "leaf_value"):
        _check_finite(name, getattr(tree, name))
    _check_categorical(tree)


def _check_finite(name: str, found: Sequence[float]) -> None:
    """Refuse NaN, infinities and leaves whose sum could become one (a threshold may be the largest float)."""
    most = LARGEST_VALUE if name == "leaf_value" else sys.float_info.max
    for number in found:
        if not -most <= number <= most:
            raise StructureError(where=name, found=number, expected=f"between -{most} and {most}")


def _check_categorical(tree: Tree) -> None:
    """Refuse a categorical split that says something only a numeric one can mean."""
    for codes, threshold, missing in zip(tree.left_codes, tree.threshold, tree.missing_left, strict=True):
        if codes and (threshold != 0 or missing):
            found = f"threshold {threshold}, missing_left {missing}"
            raise StructureError(where="categorical split", found=found, expected="0 and false")


def _check_links(tree: Tree) -> None:
    """Refuse branches that lead nowhere, twice to one node, or in a circle."""
    splits = len(tree.feature)
    reached = set()
    for node in _walk(tree):
        if not -splits - 1 <= node < splits:
            expected = f"a split below {splits} or a leaf down to {-splits - 1}"
            raise StructureError(where="left or right", found=node, expected=expected)
        if node in reached:
            expected = "one way to every node"
            raise StructureError(where="left or right", found=f"{node} twice", expected=expected)
        reached.add(node)
    if len(reached) != 2 * splits + 1:
        found = f"{len(reached)} nodes reached"
        raise StructureError(where="left and right", found=found, expected=str(2 * splits + 1))


def _walk(tree: Tree) -> Iterator[int]:
    """Visit nodes from the root on, each before its branches; the caller stops at a wrong one."""
    waiting = [root(tree)]
    while waiting:
        node = waiting.pop()
        yield node
        if node >= 0:
            waiting += (tree.right[node], tree.left[node])


def root(tree: Tree) -> int:
    """Give the node a row starts at: split 0, or the only leaf."""
    return 0 if tree.feature else -1


def count(tree: Tree, node: int) -> int:
    """Give the training rows that reached a split or a leaf."""
    return tree.split_count[node] if node >= 0 else tree.leaf_count[-1 - node]


def _check_counts(tree: Tree) -> None:
    """Refuse counts that are not positive or do not add up along the branches."""
    for found in tree.split_count + tree.leaf_count:
        if not 0 < found <= LARGEST_COUNT:
            raise StructureError(where="count", found=found, expected=f"1 to {LARGEST_COUNT}")
    for split, found in enumerate(tree.split_count):
        expected = count(tree, tree.left[split]) + count(tree, tree.right[split])
        if found != expected:
            says = f"{expected}, the sum of its branches"
            raise StructureError(where=f"split_count {split}", found=found, expected=says)


def _check_paths(tree: Tree) -> None:
    """Refuse a path with more distinct features than a table of reasons can hold."""
    seen: dict[int, frozenset[int]] = {root(tree): frozenset()}
    for node in _walk(tree):
        if node >= 0:
            path = seen[node] | {tree.feature[node]}
            seen[tree.left[node]] = seen[tree.right[node]] = path
            if len(path) > MOST_PATH_FEATURES:
                expected = f"at most {MOST_PATH_FEATURES} (train with max_depth 6)"
                raise StructureError(where="distinct features on a path", found=len(path), expected=expected)
