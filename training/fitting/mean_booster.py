"""The mean of several boosters as one booster: all their trees, with leaves divided by their number."""

from collections.abc import Sequence

import lightgbm

_LEAVES = "leaf_value="
_SIZES = "tree_sizes="
_TREE = "Tree="
_END = "end of trees\n"


def mean_booster(boosters: Sequence[lightgbm.Booster]) -> lightgbm.Booster:
    """
    Combine boosters of the same columns into one whose raw score is the mean of theirs.

    LightGBM writes a model as a head, one section per tree and a tail, so that the sections of several models can stand
    in one.

    Args:
        boosters: each fitted on the same columns; of each the trees up to its best round.

    Source: LightGBM, src/boosting/gbdt_model_text.cpp, SaveModelToString.
    """
    texts = [booster.model_to_string(num_iteration=booster.best_iteration) for booster in boosters]
    trees = [tree for text in texts for tree in _sections(text)]
    numbered = [f"{_TREE}{number}\n{_divided(tree, len(boosters))}" for number, tree in enumerate(trees)]
    head, tail = texts[0].split(f"{_TREE}0\n", maxsplit=1)[0], texts[0].split(_END, maxsplit=1)[1]
    sizes = " ".join(str(len(tree.encode())) for tree in numbered)
    lines = [f"{_SIZES}{sizes}" if line.startswith(_SIZES) else line for line in head.split("\n")]
    return lightgbm.Booster(model_str="\n".join(lines) + "".join(numbered) + _END + tail)


def _sections(text: str) -> list[str]:
    """Return the text of each tree without its number."""
    body = text.split(_END, maxsplit=1)[0]
    return [section.split("\n", maxsplit=1)[1] for section in body.split(f"\n{_TREE}")[1:]]


def _divided(tree: str, by: int) -> str:
    """Return the text of a tree whose leaves are divided."""
    return "\n".join(_divided_line(line, by) if line.startswith(_LEAVES) else line for line in tree.split("\n"))


def _divided_line(line: str, by: int) -> str:
    values = line.removeprefix(_LEAVES).split(" ")
    return _LEAVES + " ".join(repr(float(value) / by) for value in values)
