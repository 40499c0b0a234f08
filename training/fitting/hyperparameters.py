"""Hyperparameters: how the trees are grown, by the size of the data, and what an explanation of them may cost."""

import os
from typing import Any

import pandas as pd

from models.paths import paths
from models.trees import Trees
from training.fitting.minimum_data import FULL, leads_by_outcome

MOST_DEPTH = 6
"""A deeper path could have more features than the tables of exact reasons hold."""

MOST_STEPS = 50_000
"""Steps of one explanation: within a millisecond on one core, even with a cold cache."""


def parameters_for(train: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """
    Choose LightGBM's parameters by the size of the data.

    Few successes call for small, strongly regularised trees; depth stays within 6 for exact reasons. There are no class
    weights: they spoil probabilities.

    Args:
        train: (n) rows with ``lead_id`` and ``label``.
        seed: of the fitting.
    """
    small = leads_by_outcome(train)[0] < FULL
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": 0.05 if small else 0.12,
        "num_leaves": 7 if small else 15,
        "max_depth": 3 if small else MOST_DEPTH,
        "min_data_in_leaf": 50 if small else 100,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 20.0 if small else 10.0,
        "path_smooth": 10.0,
        "max_bin": 127,
        "max_cat_threshold": 16,
        "cat_smooth": 30.0,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": max(1, (os.cpu_count() or 1) // 2),  # two origins are fitted side by side
        "verbosity": -1,
    }


def explanation_steps(trees: Trees) -> int:
    """
    Count the conditions that an explanation of one row evaluates; each costs one comparison and one table look-up.

    >>> from models.trees import Tree
    >>> explanation_steps(Trees(1, (Tree((0,), (2.5,), (0,), (True,), (-1,), (-2,), (10,), (4, 6), (-0.3, 0.2)),)))
    1
    """
    return sum(len(path.conditions) for tree in trees.trees for path in paths(tree))
