"""Trees as LightGBM's own text, so that a model of any family is a booster that other tools can load."""

from collections.abc import Sequence

import lightgbm

from models.decision_tree import Tree
from models.trees import Trees

_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_NAN_IS_MISSING = 2 << 2
_WORD = 32


def booster_of(trees: Trees, *, num_threads: int) -> lightgbm.Booster:
    """
    Return a LightGBM booster with the same raw score.

    Args:
        trees: with names of their features.
        num_threads: that it says it was fitted by; it predicts by as many.

    Source: LightGBM, src/io/tree.cpp, Tree::ToString; src/boosting/gbdt_model_text.cpp, SaveModelToString.
    """
    names = trees.feature_names or tuple(f"f{index}" for index in range(trees.n_features))
    sections = [f"Tree={number}\n{_section(tree)}\n\n" for number, tree in enumerate(trees.trees)]
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={trees.n_features - 1}",
        "objective=binary sigmoid:1",
        f"feature_names={' '.join(names)}",
        f"feature_infos={' '.join(['none'] * trees.n_features)}",
        f"tree_sizes={' '.join(str(len(section)) for section in sections)}",
    ]
    tail = f"end of trees\n\nparameters:\n[num_threads: {num_threads}]\nend of parameters\n\npandas_categorical:null\n"
    return lightgbm.Booster(model_str="\n".join([*head, "", ""]) + "".join(sections) + tail)


def _section(tree: Tree) -> str:
    """Return the text of one tree."""
    masks = [mask for mask in tree.left_codes if mask]
    words = [_words(mask) for mask in masks]
    numbers = iter(range(len(masks)))
    thresholds = [
        str(next(numbers)) if mask else repr(value) for mask, value in zip(tree.left_codes, tree.threshold, strict=True)
    ]
    lines: list[tuple[str, Sequence[object]]] = [
        ("num_leaves", (len(tree.leaf_value),)),
        ("num_cat", (len(masks),)),
        ("split_feature", tree.feature),
        ("split_gain", (0,) * len(tree.feature)),
        ("threshold", thresholds),
        ("decision_type", [*map(_decision, tree.left_codes, tree.missing_left)]),
        ("left_child", tree.left),
        ("right_child", tree.right),
        ("leaf_value", [*map(repr, tree.leaf_value)]),
        ("leaf_weight", tree.leaf_count),
        ("leaf_count", tree.leaf_count),
        ("internal_value", (0,) * len(tree.feature)),
        ("internal_weight", tree.split_count),
        ("internal_count", tree.split_count),
    ]
    if masks:
        bounds = [0]
        for each in words:
            bounds.append(bounds[-1] + len(each))
        lines += [("cat_boundaries", bounds), ("cat_threshold", [word for each in words for word in each])]
    lines += [("is_linear", (0,)), ("shrinkage", (1,))]
    return "\n".join(f"{name}={' '.join(map(str, values))}" for name, values in lines)


def _decision(left_codes: int, missing_left: bool) -> int:  # noqa: FBT001 - a column of the tree
    if left_codes:
        return _CATEGORICAL
    return _NAN_IS_MISSING | (_DEFAULT_LEFT if missing_left else 0)


def _words(mask: int) -> list[int]:
    """Return the bits of a mask in words of 32, lowest first."""
    return [mask >> shift & (2**_WORD - 1) for shift in range(0, max(1, mask.bit_length()), _WORD)]
