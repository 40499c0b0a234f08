"""Converting a fitted LightGBM booster into trees; the only module of models that imports LightGBM."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightgbm import Booster

from models.decision_tree import MOST_PATH_FEATURES, Tree
from models.errors import BoosterError, StructureError
from models.trees import Trees

_MARGINS = frozenset({"binary", "cross_entropy", "regression"})
"""Objectives whose raw score is one margin that trees add up to."""

_CODES = 64

_INFINITE = 1e300
"""What LightGBM's dump writes for infinity."""


def trees_of(booster: Booster) -> Trees:
    """
    Convert a fitted booster into trees with the same raw score, up to its best iteration.

    Args:
        booster: of numeric columns and frozen codes, with at most 6 features on a path.

    Returns:
        Trees whose margin is ``booster.predict(rows, raw_score=True)``.

    Raises:
        BoosterError: the booster uses something that these trees cannot hold.
    """
    model: dict[str, Any] = booster.dump_model()
    _check_model(model)
    names = tuple(model["feature_names"])
    return _built(model["tree_info"], names)


def _built(infos: list[dict[str, Any]], names: tuple[str, ...]) -> Trees:
    """Build the trees; report what their structure forbids as a fault of the booster."""
    try:
        return Trees(len(names), tuple(_tree(info) for info in infos), names)
    except StructureError as error:
        raise BoosterError(
            found=f"{error.where}: {error.found}",
            expected=error.expected,
            mend=f"train with max_depth={MOST_PATH_FEATURES} and min_data_in_leaf of 1 or more",
        ) from None


def _check_model(model: Mapping[str, Any]) -> None:
    """Reject boosters whose raw score is not one sum of leaf values."""
    objective = str(model.get("objective", "none")).split(" ", maxsplit=1)[0]
    if model["num_tree_per_iteration"] != 1 or objective not in _MARGINS:
        found = f"objective {objective!r}"
        raise BoosterError(found=found, expected="one margin", mend="train a binary goal")
    if model["average_output"]:
        found = "boosting 'rf', which averages its trees"
        raise BoosterError(found=found, expected="a sum of trees", mend="use boosting='gbdt'")
    if model["pandas_categorical"]:
        found, mend = "pandas categories", "give frozen codes as numbers"
        raise BoosterError(found=found, expected="codes", mend=mend)


@dataclass(frozen=True, slots=True)
class _Arrays:
    """LightGBM's nested nodes as they become arrays; splits and leaves in order of visit."""

    splits: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[dict[str, Any]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)


def _tree(info: Mapping[str, Any]) -> Tree:
    """Convert one tree of the dump into arrays."""
    arrays = _Arrays()
    _lay_out(info["tree_structure"], arrays)
    masks = [_left_codes(split) for split in arrays.splits]
    return Tree(
        feature=tuple(split["split_feature"] for split in arrays.splits),
        threshold=tuple(_threshold(split) for split in arrays.splits),
        left_codes=tuple(masks),
        missing_left=tuple(_missing_left(split) for split in arrays.splits),
        left=tuple(arrays.left),
        right=tuple(arrays.right),
        split_count=tuple(split["internal_count"] for split in arrays.splits),
        # A tree that is one leaf was given no count before LightGBM 4.
        leaf_count=tuple(leaf.get("leaf_count", 1) for leaf in arrays.leaves),
        leaf_value=tuple(float(leaf["leaf_value"]) for leaf in arrays.leaves),
    )


def _lay_out(node: dict[str, Any], arrays: _Arrays) -> int:
    """Append a node and all below it; return its number as a child: a split's index, or -1 - a leaf's."""
    if "split_index" not in node:
        _check_leaf(node)
        arrays.leaves.append(node)
        return -len(arrays.leaves)
    index = len(arrays.splits)
    arrays.splits.append(node)
    arrays.left.append(0)
    arrays.right.append(0)
    arrays.left[index] = _lay_out(node["left_child"], arrays)
    arrays.right[index] = _lay_out(node["right_child"], arrays)
    return index


def _check_leaf(leaf: Mapping[str, Any]) -> None:
    """Reject a leaf that is a linear model."""
    if "leaf_coeff" in leaf:
        found, mend = "linear models in its leaves", "train with linear_tree=False"
        raise BoosterError(found=found, expected="a number in each leaf", mend=mend)


def _categorical(split: Mapping[str, Any]) -> bool:
    """Return whether a split compares codes."""
    return bool(split["decision_type"] == "==")


def _threshold(split: Mapping[str, Any]) -> float:
    """
    Return a numeric split's threshold.

    A split that only sets missing values apart has an infinite threshold, which the dump writes as 1e300
    though LightGBM compares with infinity: the largest float keeps what it means.
    """
    if _categorical(split):
        return 0.0
    threshold = float(split["threshold"])
    return threshold if abs(threshold) < _INFINITE else math.copysign(sys.float_info.max, threshold)


def _left_codes(split: Mapping[str, Any]) -> int:
    """Return a mask of the codes that a categorical split sends left."""
    if not _categorical(split):
        return 0
    codes = [int(code) for code in str(split["threshold"]).split("||")]
    if max(codes) >= _CODES:
        found, mend = f"code {max(codes)}", "give rare categories one code, other"
        raise BoosterError(found=found, expected=f"codes below {_CODES}", mend=mend)
    return sum(1 << code for code in codes)


def _missing_left(split: Mapping[str, Any]) -> bool:
    """
    Return whether LightGBM sends a missing value left.

    A categorical split sends it right. A numeric split that saw missing values in training has a
    direction for them; one that did not takes them for 0.

    Source: LightGBM, include/LightGBM/tree.h, NumericalDecision and CategoricalDecision.
    """
    if split["missing_type"] == "Zero":
        found, mend = "zero_as_missing", "train with zero_as_missing=False"
        raise BoosterError(found=found, expected="NaN as missing", mend=mend)
    if _categorical(split):
        return False
    if split["missing_type"] == "NaN":
        return bool(split["default_left"])
    return float(split["threshold"]) >= 0
