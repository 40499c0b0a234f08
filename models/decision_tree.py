"""One decision tree as checked arrays: lengths, ranges, exactly one path to every node, counts that add up."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.bundle_limits import require
from models.errors import StructureError

MOST_PATH_FEATURES = 6
"""Distinct features on one path: a leaf's table of reasons has 2**d rows."""

MOST_LEAVES_OF_TREE = 1_024
"""Boosting makes at most 15, a regression one for each step of a number or category."""

DEEPEST = 64
"""Splits on one path; training makes at most 7, and several on one feature are allowed."""

LARGEST_COUNT = 2**53
"""Counts up to here are exact as floats."""

LARGEST_VALUE = 1e100
"""No margin comes near, and sums of values up to here stay finite."""

_CODES = 64


@dataclass(frozen=True, slots=True)
class Tree:
    """
    One tree of m splits and m + 1 leaves; a row starts at split 0, or at the only leaf.

    A numeric split sends ``value <= threshold`` left. A categorical split (``left_codes`` is not 0)
    sends the codes whose bits are set left and everything else, unknown codes too, right.

    Attributes:
        feature: (m,) index of the feature a split looks at.
        threshold: (m,) finite; 0.0 where the split is categorical.
        left_codes: (m,) 64-bit mask, bit c for code c (63 is "other"); 0 where the split is numeric.
        missing_left: (m,) whether a missing value goes left; never where the split is categorical.
        left: (m,) where the left branch leads: a split's index, or -1 - the index of a leaf.
        right: (m,) the same for the right branch.
        split_count: (m,) training rows that reached the split.
        leaf_count: (m + 1,) training rows that reached the leaf.
        leaf_value: (m + 1,) what the leaf adds to the margin [log-odds for a binary goal].

    Raises:
        StructureError: the arrays do not describe one tree.

    >>> Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (4, 6), (-0.3, 0.2)).leaf_value
    (-0.3, 0.2)
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left_codes: tuple[int, ...]
    missing_left: tuple[bool, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    split_count: tuple[int, ...]
    leaf_count: tuple[int, ...]
    leaf_value: tuple[float, ...]

    def __post_init__(self) -> None:
        """Reject arrays that do not describe one tree."""
        _check_lengths(self)
        _check_numbers(self)
        _check_links(self)
        _check_counts(self)
        _check_paths(self)

    @property
    def root(self) -> int:
        """The node that a row starts at: split 0, or the only leaf."""
        return 0 if self.feature else -1

    def count(self, node: int) -> int:
        """Return the number of training rows that reached a split or a leaf."""
        return self.split_count[node] if node >= 0 else self.leaf_count[-1 - node]


def _check_lengths(tree: Tree) -> None:
    """Reject arrays that disagree about the number of splits."""
    splits = len(tree.feature)
    require("leaves", splits + 1, MOST_LEAVES_OF_TREE)
    for name in ("threshold", "left_codes", "missing_left", "left", "right", "split_count"):
        _check_length(name, len(getattr(tree, name)), splits)
    for name in ("leaf_count", "leaf_value"):
        _check_length(name, len(getattr(tree, name)), splits + 1)


def _check_length(name: str, found: int, expected: int) -> None:
    """Reject an array of another length."""
    if found != expected:
        raise StructureError(where=f"length of {name}", found=found, expected=str(expected))


def _check_numbers(tree: Tree) -> None:
    """Reject numbers outside their range."""
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
    """Reject NaN, infinities and leaves whose sum could become one (a threshold may be the largest float)."""
    most = LARGEST_VALUE if name == "leaf_value" else sys.float_info.max
    for number in found:
        if not -most <= number <= most:
            raise StructureError(where=name, found=number, expected=f"between -{most} and {most}")


def _check_categorical(tree: Tree) -> None:
    """Reject a categorical split with values that only a numeric one has."""
    for codes, threshold, missing in zip(tree.left_codes, tree.threshold, tree.missing_left, strict=True):
        if codes and (threshold != 0 or missing):
            found = f"threshold {threshold}, missing_left {missing}"
            raise StructureError(where="categorical split", found=found, expected="0 and false")


def _check_links(tree: Tree) -> None:
    """Reject child links that are out of range, shared, or cyclic."""
    splits = len(tree.feature)
    reached = set()
    for node in _walk(tree):
        if not -splits - 1 <= node < splits:
            expected = f"a split below {splits} or a leaf down to {-splits - 1}"
            raise StructureError(where="left or right", found=node, expected=expected)
        if node in reached:
            expected = "exactly one path to every node"
            raise StructureError(where="left or right", found=f"{node} twice", expected=expected)
        reached.add(node)
    if len(reached) != 2 * splits + 1:
        found = f"{len(reached)} nodes reached"
        raise StructureError(where="left and right", found=found, expected=str(2 * splits + 1))


def _walk(tree: Tree) -> Iterator[int]:
    """Visit nodes from the root on, each before its branches; the caller stops at a wrong one."""
    waiting = [tree.root]
    while waiting:
        node = waiting.pop()
        yield node
        if node >= 0:
            waiting += (tree.right[node], tree.left[node])


def _check_counts(tree: Tree) -> None:
    """Reject counts that are not positive or do not add up along the branches."""
    for count in tree.split_count + tree.leaf_count:
        if not 0 < count <= LARGEST_COUNT:
            raise StructureError(where="count", found=count, expected=f"1 to {LARGEST_COUNT}")
    for split, count in enumerate(tree.split_count):
        expected = tree.count(tree.left[split]) + tree.count(tree.right[split])
        if count != expected:
            says = f"{expected}, the sum of its branches"
            raise StructureError(where=f"split_count {split}", found=count, expected=says)


def _check_paths(tree: Tree) -> None:
    """Reject a path that is too long, or that has more distinct features than a table of reasons can hold."""
    seen: dict[int, tuple[int, frozenset[int]]] = {tree.root: (0, frozenset())}
    for node in _walk(tree):
        depth, path = seen.pop(node)
        if node >= 0:
            path |= {tree.feature[node]}
            require("splits on a path", depth + 1, DEEPEST)
            seen[tree.left[node]] = seen[tree.right[node]] = (depth + 1, path)
            if len(path) > MOST_PATH_FEATURES:
                expected = f"at most {MOST_PATH_FEATURES} (train with max_depth 6)"
                raise StructureError(where="distinct features on a path", found=len(path), expected=expected)
