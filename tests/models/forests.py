"""Forests for tests: grown by chance, or fitted by LightGBM to rows with everything awkward in them."""

import math
import sys
from itertools import combinations

import lightgbm
import numpy as np

from models.decision_tree import MOST_PATH_FEATURES, Tree
from models.trees import Trees

CATEGORICAL = 0
"""The column that holds codes in every forest here."""


def grown(seed, *, n_features=4, n_trees=3, depth=4):
    """Grow trees by chance, with thresholds and codes that rows are likely to meet exactly."""
    chance = np.random.default_rng(seed)
    return Trees(n_features, tuple(_grown(chance, n_features, depth) for _ in range(n_trees)))


def _grown(chance, n_features, depth):
    names = ("feature", "threshold", "left_codes", "missing_left", "left", "right", "split_count")
    columns = {name: [] for name in (*names, "leaf_count", "leaf_value")}
    _grow(chance, columns, n_features, path=frozenset(), count=int(chance.integers(40, 4000)), depth=depth)
    return Tree(**{name: tuple(column) for name, column in columns.items()})


def _grow(chance, columns, n_features, *, path, count, depth):
    """Append a random node and all below it and give its number as a child."""
    if depth == 0 or count < 2 or chance.random() < 0.2:
        columns["leaf_count"].append(count)
        columns["leaf_value"].append(float(chance.normal()))
        return -len(columns["leaf_value"])
    allowed = sorted(path) if len(path) == MOST_PATH_FEATURES else range(n_features)
    feature = int(chance.choice(allowed))
    split = len(columns["feature"])
    codes = int(chance.integers(1, 2**64, dtype=np.uint64)) if feature == CATEGORICAL else 0
    columns["feature"].append(feature)
    columns["threshold"].append(0.0 if codes else float(chance.choice([-1.5, -1e-35, 0.0, 0.5, 1.0])))
    columns["left_codes"].append(codes)
    columns["missing_left"].append(bool(not codes and chance.random() < 0.5))
    columns["split_count"].append(count)
    columns["left"].append(0)
    columns["right"].append(0)
    left = int(chance.integers(1, count))
    below = {"path": path | {feature}, "depth": depth - 1}
    columns["left"][split] = _grow(chance, columns, n_features, count=left, **below)
    columns["right"][split] = _grow(chance, columns, n_features, count=count - left, **below)
    return split


def complete(features, *, leaf_value=0.1):
    """Return a complete tree with one feature a level; six and one of them again make all tables as large as can be."""
    splits = 2 ** len(features) - 1
    below = [2 * split + 1 for split in range(splits)] + [2 * split + 2 for split in range(splits)]
    child = [node if node < splits else splits - node - 1 for node in below]
    levels = [(split + 1).bit_length() - 1 for split in range(splits)]
    return Tree(
        feature=tuple(features[level] for level in levels),
        threshold=(0.5,) * splits,
        left_codes=(0,) * splits,
        missing_left=(False,) * splits,
        left=tuple(child[:splits]),
        right=tuple(child[splits:]),
        split_count=tuple(2 ** (len(features) - level) for level in levels),
        leaf_count=(1,) * (splits + 1),
        leaf_value=(leaf_value,) * (splits + 1),
    )


def rows_for(seed, n_features, n=20):
    """Draw rows that land on thresholds, are missing, or hold codes nobody has seen."""
    chance = np.random.default_rng(seed)
    values = [-np.inf, -1.5, -1e-35, -0.0, 1e-36, 0.5, 0.7, 1.0, np.inf, np.nan]
    rows = chance.choice(values, (n, n_features))
    rows[:, CATEGORICAL] = chance.choice([-np.inf, -1, -0.5, 0, 1, 4.7, 31, 62, 63, 64, 1e20, np.inf, np.nan], n)
    return rows


def goes_left(tree, split, value):
    """Decide one split, slow and obvious."""
    if tree.left_codes[split]:
        known = not math.isnan(value) and -1 < value < 64
        return known and bool(tree.left_codes[split] >> int(value) & 1)
    if math.isnan(value):
        return tree.missing_left[split]
    near_zero = abs(value) <= float(np.float32(1e-35))
    return (0.0 if near_zero else min(value, sys.float_info.max)) <= tree.threshold[split]


def expected(tree, row, known, node):
    """Return a tree's value where only the known features are followed and the others averaged over."""
    if node < 0:
        return tree.leaf_value[-1 - node]
    left, right = tree.left[node], tree.right[node]
    if tree.feature[node] in known:
        return expected(tree, row, known, left if goes_left(tree, node, row[tree.feature[node]]) else right)
    share = (tree.split_count[left] if left >= 0 else tree.leaf_count[-1 - left]) / tree.split_count[node]
    return share * expected(tree, row, known, left) + (1 - share) * expected(tree, row, known, right)


def shapley_by_definition(trees, row):
    """Return the base and each feature's Shapley value by going through every set of features."""
    k = trees.n_features

    def game(known):
        return sum(expected(tree, row, known, 0 if tree.feature else -1) for tree in trees.trees)

    values = np.zeros(k)
    for feature in range(k):
        others = [other for other in range(k) if other != feature]
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - 1 - size) / math.factorial(k)
            for known in combinations(others, size):
                values[feature] += weight * (game({*known, feature}) - game({*known}))
    return game(set()), values


def awkward(n=1500, seed=5):
    """Make rows and a goal: codes, counts, missing values, a constant, a column of zeros and gaps."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(n, 8))
    rows[:, CATEGORICAL] = chance.integers(0, 40, n)
    rows[:, 1] = chance.poisson(1.5, n)
    rows[:, 2] = np.where(chance.random(n) < 0.3, np.nan, rows[:, 2])
    rows[:, 3] = 1.0
    rows[:, 4] = np.where(chance.random(n) < 0.5, 0.0, rows[:, 4])
    rows[:, 5] = np.where(rows[:, 1] > 2, np.nan, rows[:, 5])
    margin = np.isin(rows[:, 0], [1, 4, 9, 33]) * 1.5 + rows[:, 1] * 0.6 + np.nan_to_num(rows[:, 2], nan=1.2)
    goal = chance.random(n) < 1 / (1 + np.exp(-(margin + rows[:, 4] * rows[:, 6] - 2)))
    return rows, goal.astype(float)


def fitted(rows, goal, *, rounds=25, weight=None, valid=None, **params):
    """Fit a booster the way training does, small and on one core."""
    given = {"objective": "binary", "max_depth": 6, "num_threads": 1, "verbose": -1, "seed": 1, **params}
    table = lightgbm.Dataset(rows, goal, weight=weight, categorical_feature=[CATEGORICAL], params={"verbose": -1})
    if valid is None:
        return lightgbm.train(given, table, rounds)
    stop = lightgbm.early_stopping(3, verbose=False)
    return lightgbm.train(given, table, rounds, valid_sets=[table.create_valid(*valid)], callbacks=[stop])
