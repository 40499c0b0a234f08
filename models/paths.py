"""The paths to a tree's leaves: their conditions, merged to one per feature."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod

from models.decision_tree import Tree

ANY_CODE = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Condition:
    """
    What one feature must be to stay on a path.

    Attributes:
        categorical: whether the feature is a code; then ``codes`` counts, else ``above`` and ``up_to``.
        above: the value must be larger.
        up_to: the value must not be larger.
        codes: 64-bit mask of the codes that pass.
        missing: whether a missing value (or a code outside 0 to 63) passes.
        share: of the training rows that met the path's other conditions, those that met this too, in
            (0, 1]: the product of count(branch) / count(split) over the feature's splits.
    """

    categorical: bool
    above: float = -inf
    up_to: float = inf
    codes: int = ANY_CODE
    missing: bool = True
    share: float = 1.0

    def narrowed(self, tree: Tree, split: int, *, left: bool) -> "Condition":
        """Add what one more split on the same feature asks for."""
        threshold, mask = tree.threshold[split], tree.left_codes[split]
        branch = tree.left[split] if left else tree.right[split]
        numeric = not self.categorical
        return Condition(
            categorical=self.categorical,
            above=max(self.above, threshold) if numeric and not left else self.above,
            up_to=min(self.up_to, threshold) if numeric and left else self.up_to,
            codes=self.codes & (mask if left else ~mask) if self.categorical else self.codes,
            missing=self.missing and tree.missing_left[split] == left,
            share=self.share * (tree.count(branch) / tree.count(split)),
        )


@dataclass(frozen=True, slots=True)
class LeafPath:
    """
    A leaf and what it takes to reach it; or two leaves that differ in the last split alone.

    Two leaves under one split on a feature that is new to the path have the same conditions, but for the last: one
    requires it, the other its opposite. One path stands for both.

    Attributes:
        value: what the leaf adds to the margin where all conditions hold.
        conditions: by feature, at most 6, in the order of the path.
        instead: what the other leaf adds where all conditions but the last hold; 0 without one.
    """

    value: float
    conditions: dict[int, Condition]
    instead: float = 0.0

    @property
    def expected(self) -> float:
        """The values of the leaves times the shares of the training rows that reached them."""
        *before, last = [1.0, *(condition.share for condition in self.conditions.values())]
        return prod(before) * (self.value * last + self.instead * (1 - last))


def paths(tree: Tree) -> Iterator[LeafPath]:
    """
    Yield the paths to all leaves of a tree, leftmost first.

    >>> tree = Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (4, 6), (-0.3, 0.2))
    >>> [(path.value, path.conditions[0].share, path.instead) for path in paths(tree)]
    [(-0.3, 0.4, 0.2)]
    """
    waiting: list[tuple[int, dict[int, Condition]]] = [(tree.root, {})]
    while waiting:
        node, met = waiting.pop()
        if node < 0:
            yield LeafPath(tree.leaf_value[-1 - node], met)
            continue
        left, right = tree.left[node], tree.right[node]
        # Two sibling leaves share all conditions but the last: one table for both spares a third of the work.
        if left < 0 and right < 0 and tree.feature[node] not in met:
            both = with_branch(met, tree, node, left=True)
            yield LeafPath(tree.leaf_value[-1 - left], both, tree.leaf_value[-1 - right])
            continue
        # The right branch first, since a stack returns the last one first: leaves come leftmost first.
        waiting.append((right, with_branch(met, tree, node, left=False)))
        waiting.append((left, with_branch(met, tree, node, left=True)))


def table_numbers(tree: Tree) -> int:
    """
    Count the numbers that the tables of a tree's paths will hold, 2**d * d for each with d conditions.

    It walks as `paths` does, and builds nothing.

    >>> table_numbers(Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (4, 6), (-0.3, 0.2)))
    2
    """
    numbers = 0
    waiting: list[tuple[int, frozenset[int]]] = [(tree.root, frozenset())]
    while waiting:
        node, met = waiting.pop()
        if node < 0:
            numbers += len(met) << len(met)
            continue
        left, right, both = tree.left[node], tree.right[node], met | {tree.feature[node]}
        if left < 0 and right < 0 and tree.feature[node] not in met:
            numbers += len(both) << len(both)
            continue
        waiting += ((right, both), (left, both))
    return numbers


def with_branch(met: dict[int, Condition], tree: Tree, split: int, *, left: bool) -> dict[int, Condition]:
    """Add the condition of one branch of a split to those already met."""
    feature = tree.feature[split]
    known = met.get(feature) or Condition(categorical=tree.left_codes[split] > 0)
    return {**met, feature: known.narrowed(tree, split, left=left)}
