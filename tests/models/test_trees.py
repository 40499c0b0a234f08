"""Trees as JSON: exact both ways, and whatever is damaged ends in one kind of error."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decision_tree import DEEPEST, Tree
from models.errors import LimitError, StructureError
from models.paths import table_numbers
from models.shapley import ShapleyTables
from models.trees import Trees
from tests.models.forests import complete, grown

LEAF = Tree((), (), (), (), (), (), (), (8,), (0.1,))
TREE = Tree(
    feature=(0, 1),
    threshold=(0.0, 2.5),
    left_codes=(0b1011, 0),
    missing_left=(False, True),
    left=(1, -1),
    right=(-3, -2),
    split_count=(10, 6),
    leaf_count=(2, 4, 4),
    leaf_value=(-0.3, 0.2, 0.1 + 0.2),
)
TREES = Trees(2, (TREE, LEAF), ("source", "visits"))
DOCUMENT = json.loads(TREES.to_json())


@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(0, 6))
@settings(max_examples=25)
def test_trees_read_back_to_the_last_bit(seed, depth):
    trees = grown(seed, depth=depth)
    assert Trees.from_json(trees.to_json()) == trees
    assert Trees.from_json(trees.to_json()).to_json() == trees.to_json()


def test_json_is_canonical_and_every_float_is_exact():
    assert TREES.to_json() == json.dumps(DOCUMENT, sort_keys=True, separators=(",", ":"))
    assert "0.30000000000000004" in TREES.to_json()


def test_trees_are_values():
    again = Trees.from_json(TREES.to_json())
    assert hash(again) == hash(TREES)
    assert again.categorical == {0}


def _at(path, value):
    """Return the document with another value at a path such as "trees.0.left.1"."""
    document = copy.deepcopy(DOCUMENT)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(document)


WRONG = {
    "another format": ("format", "leadscore-trees-2", "format"),
    "no features": ("n_features", 0, "n_features"),
    "more features than memory": ("n_features", 10**15, "n_features"),
    "a switch for a count": ("n_features", True, "an integer"),
    "too few names": ("feature_names", ["source"], "2 names"),
    "a name twice": ("feature_names", ["source", "source"], "2 names"),
    "no trees": ("trees", [], "trees"),
    "trees that are none": ("trees", {"0": 1}, "a list"),
    "a tree that is none": ("trees.0", [1], "tree 0: found"),
    "a column missing": ("trees.0", {"feature": []}, "the fields"),
    "a column too much": ("trees.0.gain", [1], "the fields"),
    "a short column": ("trees.0.threshold", [0.0], "tree 0, length of threshold"),
    "a leaf too many": ("trees.0.leaf_value", [0.1] * 4, "length of leaf_value"),
    "a number for a column": ("trees.0.left", 3, "a list of integers"),
    "a fraction for an index": ("trees.0.left.0", 1.0, "integers"),
    "a switch for an index": ("trees.0.left.0", True, "integers"),
    "a number for a switch": ("trees.0.missing_left.1", 1, "true or false"),
    "a word for a number": ("trees.0.leaf_value.0", "0.1", "numbers"),
    "null for a number": ("trees.0.leaf_value.0", None, "numbers"),
    "a feature of no column": ("trees.0.feature.1", 2, "below 2"),
    "a negative feature": ("trees.0.feature.1", -1, "0 or more"),
    "a huge feature": ("trees.0.feature.1", 10**30, "below 2"),
    "a huge threshold": ("trees.0.threshold.1", 10**400, "a huge number"),
    "a mask beyond 64 bits": ("trees.0.left_codes.0", 2**64, "64-bit mask"),
    "a negative mask": ("trees.0.left_codes.0", -1, "64-bit mask"),
    "missing goes left among codes": ("trees.0.missing_left.0", True, "categorical split"),
    "a threshold among codes": ("trees.0.threshold.0", 1.5, "categorical split"),
    "one feature read in two ways": ("trees.0.feature.1", 0, "one of the two"),
    "a split in a circle": ("trees.0.left.1", 0, "exactly one path to every node"),
    "a split of itself": ("trees.0.left.1", 1, "exactly one path to every node"),
    "a leaf reached twice": ("trees.0.left.1", -2, "exactly one path to every node"),
    "a child beyond the splits": ("trees.0.left.0", 2, "a split below 2"),
    "a child beyond the leaves": ("trees.0.left.1", -4, "a leaf down to -3"),
    "a split never reached": ("trees.0.left.0", -1, "one way|nodes reached"),
    "no rows in a leaf": ("trees.0.leaf_count.0", 0, "count: found 0"),
    "more rows than floats can count": ("trees.0.leaf_count.0", 2**60, "count: found"),
    "counts that do not add up": ("trees.0.split_count.1", 7, "the sum of its branches"),
    "a leaf no margin comes near": ("trees.0.leaf_value.0", 1e200, "between"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_trees_are_refused_in_one_sentence(name):
    path, value, says = WRONG[name]
    with pytest.raises(StructureError, match=says) as refused:
        Trees.from_json(_at(path, value))
    assert str(refused.value).endswith(("; export the model again.", "; make the model smaller."))
    assert len(str(refused.value)) < 300


def test_two_splits_that_lead_to_each_other_are_refused():
    """Every node is the child of one, and still no row would ever reach them."""
    apart = {"left": (-1, 2, 1), "right": (-2, -3, -4)}
    rest = {"feature": (0,) * 3, "threshold": (0.0,) * 3, "left_codes": (0,) * 3, "missing_left": (False,) * 3}
    with pytest.raises(StructureError, match="3 nodes reached"):
        Tree(**apart, **rest, split_count=(4, 2, 2), leaf_count=(2, 2, 1, 1), leaf_value=(0.0,) * 4)


def _chain(features):
    """Return a tree that splits on one feature after the other."""
    m = len(features)
    return Tree(
        feature=tuple(features),
        threshold=tuple(float(i) for i in range(m)),
        left_codes=(0,) * m,
        missing_left=(False,) * m,
        left=tuple(-1 - i for i in range(m)),
        right=(*range(1, m), -m - 1),
        split_count=tuple(m + 1 - i for i in range(m)),
        leaf_count=(1,) * (m + 1),
        leaf_value=(0.0,) * (m + 1),
    )


def test_a_path_holds_six_features_and_no_seventh():
    """How often each of them is asked for does not matter."""
    assert _chain([0, 1, 2, 3, 4, 5] * 10).leaf_count[0] == 1
    with pytest.raises(StructureError, match="found 7, expected at most 6"):
        _chain(range(7))


def test_a_path_has_64_splits_and_no_65th():
    assert len(_chain([0] * DEEPEST).feature) == DEEPEST
    with pytest.raises(LimitError, match="splits on a path: found 65, expected at most 64"):
        _chain([0] * (DEEPEST + 1))


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_the_size_of_the_tables_is_known_before_they_are_built(seed):
    """What is refused by its size must be refused by the size that it would have."""
    trees = grown(seed, n_features=7, n_trees=4, depth=8)
    assert sum(map(table_numbers, trees.trees)) == len(ShapleyTables.of(trees).leaves.table)


@pytest.mark.parametrize(
    ("features", "most", "says"),
    [
        ((0,), 2_000, "trees: found 2,001, expected at most 2,000"),
        ((0,) * 10, 32, "leaves in all trees: found 33,792, expected at most 32,768"),
        ((0, 1, 2, 3, 4, 5, 0), 170, "numbers in the tables of reasons: found 8,404,992, expected at most 8,388,608"),
    ],
)
def test_more_trees_leaves_or_tables_than_any_model_needs_are_refused(features, most, says):
    tree = complete(features)
    assert len(Trees(7, (tree,) * most).trees) == most
    with pytest.raises(LimitError, match=f"^{says};"):
        Trees(7, (tree,) * (most + 1))


def test_a_tree_has_1024_leaves_and_no_more():
    with pytest.raises(LimitError, match=r"^leaves: found 2,048, expected at most 1,024;"):
        complete((0,) * 11)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "NaN",
        "{",
        '"trees"',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
        "1e999",
        '{"format": 1, "format": 2}',
        '{"\\ud800": 1}',
        "\ud800",
        "\x00",
    ],
)
def test_text_that_is_no_document_is_refused(text):
    with pytest.raises(StructureError):
        Trees.from_json(text)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_not_finite_are_refused(literal):
    with pytest.raises(StructureError):
        Trees.from_json(TREES.to_json().replace("2.5", literal))


HUGE = st.sampled_from([10**30, -(10**30), 10**400, 1e308, -1e308, 2**64 - 1, 2**63, -(2**63), 5e-324])
SCALARS = st.none() | st.booleans() | st.integers(-5, 70) | st.floats() | HUGE | st.text(max_size=3)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(where=st.data(), junk=JUNK)
@settings(max_examples=300)
def test_any_value_changed_to_anything_ends_in_structure_error_or_in_trees(where, junk):
    """Walk to a random place of the document, put junk there: it still means trees or it is refused."""
    document = {"root": copy.deepcopy(DOCUMENT)}
    place, key = document, "root"
    while isinstance(place[key], (dict, list)) and place[key] and where.draw(st.integers(0, 5)):
        place = place[key]
        key = where.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = junk
    try:
        read = Trees.from_json(json.dumps(document["root"]))
    except StructureError:
        return
    assert Trees.from_json(read.to_json()) == read


@given(at=st.integers(0, len(TREES.to_json()) - 1), length=st.integers(0, 9), by=st.text(max_size=4))
@settings(max_examples=300)
def test_any_text_damaged_anywhere_ends_in_structure_error_or_in_trees(at, length, by):
    text = TREES.to_json()
    try:
        read = Trees.from_json(text[:at] + by + text[at + length :])
    except StructureError:
        return
    assert isinstance(read, Trees)


@given(junk=JUNK)
@settings(max_examples=100)
def test_any_json_at_all_ends_in_structure_error(junk):
    with pytest.raises(StructureError):
        Trees.from_json(json.dumps(junk))
