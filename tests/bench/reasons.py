"""How fast exact reasons are, against the libraries that give the same numbers."""

import time
import warnings
from functools import cache

import lightgbm
import numpy as np
import shap

from models.booster import trees_of
from models.shapley import ShapleyTables

ROWS, FEATURES, ROUNDS = 20_000, 60, 300
CATEGORIES = (5, 20, 40)
BATCH = 4_000
REPEATS = 3
SINGLES = 200


def reasons_batch_vs_shap():
    """
    Explain the same batch with the tables and with shap's TreeExplainer; the best of three runs each.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio above 1 means ours is faster.
    """
    booster, tables, rows = _model()
    batch, explainer = rows[:BATCH], shap.TreeExplainer(booster)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # shap tells of a change of its shapes at each call
        np.testing.assert_allclose(tables.contributions(batch), explainer.shap_values(batch), rtol=0, atol=1e-9)
        theirs = min(_seconds(explainer.shap_values, batch) for _ in range(REPEATS))
    ours = min(_seconds(tables.contributions, batch) for _ in range(REPEATS))
    return {
        "bench": "reasons_batch_vs_shap",
        "unit": "rows/s",
        "ours": BATCH / ours,
        "against": "shap.TreeExplainer",
        "theirs": BATCH / theirs,
        "ratio": theirs / ours,
    }


def reasons_one_vs_pred_contrib():
    """
    Explain leads one by one with the tables and with LightGBM, in turns; the medians.

    LightGBM runs on one thread, which is its faster way for one row.

    Returns:
        {"bench", "unit", "ours", "against", "theirs", "ratio"}; a ratio above 1 means ours is faster.
    """
    booster, tables, rows = _model()
    ours, theirs = [], []
    for i in range(SINGLES):
        row = rows[i : i + 1]
        ours.append(_seconds(tables.explained, row))
        theirs.append(_seconds(lambda row: booster.predict(row, pred_contrib=True, num_threads=1), row))
    return {
        "bench": "reasons_one_vs_pred_contrib",
        "unit": "ms",
        "ours": float(np.median(ours)) * 1e3,
        "against": "LightGBM pred_contrib",
        "theirs": float(np.median(theirs)) * 1e3,
        "ratio": float(np.median(theirs) / np.median(ours)),
    }


@cache
def _model():
    """Fit the size of model a sales team has: 300 trees of 31 leaves on 60 features, codes and gaps among them."""
    rows, goal = _history()
    table = lightgbm.Dataset(rows, goal, categorical_feature=list(range(len(CATEGORIES))))
    params = {"objective": "binary", "num_leaves": 31, "max_depth": 6, "learning_rate": 0.05, "verbose": -1, "seed": 1}
    booster = lightgbm.train(params, table, ROUNDS)
    tables = ShapleyTables.of(trees_of(booster))
    tables.contributions(rows[:BATCH])
    return booster, tables, rows


def _history():
    """Make rows like a playbook's: categories, counts, numbers that may be missing; and a goal."""
    chance = np.random.default_rng(7)
    rows = chance.normal(size=(ROWS, FEATURES))
    rows[:, : len(CATEGORIES)] = chance.integers(0, CATEGORIES, (ROWS, len(CATEGORIES)))
    rows[:, 10:30] = chance.poisson(np.exp(chance.normal(size=(ROWS, 20)) * 0.7))
    rows[:, 30:45][chance.random((ROWS, 15)) < 0.3] = np.nan
    margin = rows[:, 3] + 0.5 * rows[:, 4] * rows[:, 5] + 0.3 * np.log1p(rows[:, 11]) * rows[:, 6]
    margin += 1.2 * np.isin(rows[:, 1], [1, 4, 6, 9]) + 0.4 * np.nan_to_num(rows[:, 31])
    margin += 0.06 * rows[:, 45:].sum(axis=1) - 2
    return rows, (chance.random(ROWS) < 1 / (1 + np.exp(-margin))).astype(float)


def _seconds(call, rows):
    """Time one call."""
    start = time.perf_counter()
    call(rows)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(reasons_batch_vs_shap())
    print(reasons_one_vs_pred_contrib())
