"""Decision trees as plain values: read from JSON, checked in full, written back to the last bit."""

from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

from data.strict_json import canonical_json
from models.bundle_limits import check_words, require
from models.checked_json import fields, integers, loads, numbers, switches, texts, whole
from models.decision_tree import Tree
from models.errors import StructureError
from models.paths import table_numbers

FORMAT = "leadscore-trees-1"
"""The layout of the JSON; another layout gets another name."""

MOST_FEATURES = 1_000
"""A store answers with a column for each: SQLite has at most 2,000, PostgreSQL 1,664."""

MOST_TREES = 2_000
"""Training makes at most 5 times 400, or one for each feature of a regression."""

MOST_LEAVES = 32_768
"""In all trees: 2,000 trees of 15 leaves have 30,000."""

MOST_TABLE_NUMBERS = 2**23
"""In the tables of reasons, 64 MiB; a tree of 31 leaves takes some 3,000 of them."""


@dataclass(frozen=True, slots=True)
class Trees:
    """
    A model's trees; a row's margin is the sum of the leaves it reaches, one per tree.

    Attributes:
        n_features: columns of a row.
        trees: in the order they were fitted.
        feature_names: (n_features,) unique, or None where the columns have no names.

    Raises:
        StructureError: the trees do not fit the features or one another.
    """

    n_features: int
    trees: tuple[Tree, ...]
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Reject trees with features that do not exist, or with one feature read in two ways."""
        _check_size("n_features", self.n_features, MOST_FEATURES)
        _check_size("trees", len(self.trees), MOST_TREES)
        _check_names(self.feature_names, self.n_features)
        _check_features(self.trees, self.n_features)
        _check_kinds(self.trees)
        require("leaves in all trees", sum(len(tree.leaf_value) for tree in self.trees), MOST_LEAVES)
        require("numbers in the tables of reasons", sum(map(table_numbers, self.trees)), MOST_TABLE_NUMBERS)

    @property
    def categorical(self) -> frozenset[int]:
        """The indices of the features that some split reads as codes."""
        return frozenset(
            feature
            for tree in self.trees
            for feature, codes in zip(tree.feature, tree.left_codes, strict=True)
            if codes
        )

    def to_json(self) -> str:
        """
        Write the trees as canonical JSON: the same trees give the same text, every float is exact.

        >>> print(Trees(1, (Tree((), (), (), (), (), (), (), (8,), (0.1,)),)).to_json()[:72])
        {"feature_names":null,"format":"leadscore-trees-1","n_features":1,"trees
        """
        document = {
            "format": FORMAT,
            "n_features": self.n_features,
            "feature_names": self.feature_names,
            "trees": [{name: getattr(tree, name) for name in _COLUMNS} for tree in self.trees],
        }
        return canonical_json(document)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """
        Read trees and check everything about them.

        Raises:
            StructureError: whatever is wrong with the text.

        >>> Trees.from_json("[1, 2]")
        Traceback (most recent call last):
        models.errors.StructureError: trees: found [1, 2], expected an object; export the model again.
        """
        document = fields(loads(text), "trees", _DOCUMENT)
        if document["format"] != FORMAT:
            raise StructureError(where="format", found=document["format"], expected=FORMAT)
        n_features = whole(document["n_features"], "n_features")
        require("trees", len(_listed(document["trees"])), MOST_TREES)
        trees = tuple(_read_tree(tree, index) for index, tree in enumerate(_listed(document["trees"])))
        return cls(n_features, trees, texts(document["feature_names"], "feature_names"))


_DOCUMENT = ("feature_names", "format", "n_features", "trees")
_READERS = {
    "feature": integers,
    "threshold": numbers,
    "left_codes": integers,
    "missing_left": switches,
    "left": integers,
    "right": integers,
    "split_count": integers,
    "leaf_count": integers,
    "leaf_value": numbers,
}
_COLUMNS = tuple(_READERS)


def _listed(value: object) -> list[object]:
    """Return a value if it is a list."""
    if not isinstance(value, list):
        raise StructureError(where="trees", found=value, expected="a list")
    return value


def _read_tree(value: object, index: int) -> Tree:
    """Read one tree; errors name its index."""
    where = f"tree {index}"
    columns = fields(value, where, _COLUMNS)
    read: dict[str, Any] = {name: reader(columns[name], f"{where}, {name}") for name, reader in _READERS.items()}
    try:
        return Tree(**read)
    except StructureError as error:
        raise error.within(where) from None


def _check_size(where: str, found: int, most: int) -> None:
    """Reject a size of zero, and more than any model has."""
    require(where, found, most)
    if found < 1:
        raise StructureError(where=where, found=found, expected=f"1 to {most}")


def _check_names(names: tuple[str, ...] | None, n_features: int) -> None:
    """Reject names unless there is one for each feature, each once."""
    if names is None:
        return
    if len(names) != n_features or len(set(names)) != n_features:
        expected = f"{n_features} names, each once"
        raise StructureError(where="feature_names", found=names, expected=expected)
    check_words(names, "feature_names")


def _check_features(trees: tuple[Tree, ...], n_features: int) -> None:
    """Reject a split on a feature outside the columns."""
    for index, tree in enumerate(trees):
        largest = max(chain(tree.feature, (0,)))
        if largest >= n_features:
            expected = f"below {n_features}, the number of features"
            raise StructureError(where=f"tree {index}, feature", found=largest, expected=expected)


def _check_kinds(trees: tuple[Tree, ...]) -> None:
    """Reject a feature that one split reads as a number and another as a code."""
    kinds: dict[int, bool] = {}
    for index, tree in enumerate(trees):
        for feature, codes in zip(tree.feature, tree.left_codes, strict=True):
            if kinds.setdefault(feature, codes > 0) != (codes > 0):
                found = f"feature {feature} as a number and as a code"
                raise StructureError(where=f"tree {index}", found=found, expected="one of the two")
