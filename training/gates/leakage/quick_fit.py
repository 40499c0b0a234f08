"""Quick fit: a few dozen trees on all features, grown to find out what can be learnt, never to serve."""

from collections.abc import Mapping
from typing import Any

import lightgbm
import pandas as pd

from models.conversion import Encoding
from training.fitting.boosting import Floats
from training.fitting.row_weights import one_per_code

ROUNDS = 60
_GREEDY = {
    "objective": "binary",
    "learning_rate": 0.2,
    "num_leaves": 15,
    "max_depth": 6,
    "min_data_in_leaf": 10,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
"""Every tree sees every feature and nothing is smoothed; the model, whose trees see three in ten, may miss what two
features reveal together."""


def quick_fit(
    encoding: Encoding, rows: pd.DataFrame, label: Floats, *, parameters: Mapping[str, Any]
) -> lightgbm.Booster:
    """
    Fit trees on rows, each lead with the same weight, to a label that need not be their own.

    Args:
        encoding: the features.
        rows: (n) rows with ``lead_id`` and those features.
        label: (n,) 1 or 0.
        parameters: of the model's fitting; its seed and its threads are taken from there.
    """
    features = encoding.catalog.features
    kept = {name: parameters[name] for name in ("seed", "num_threads") if name in parameters}
    made = lightgbm.Dataset(
        encoding.frame(rows),
        label=label,
        weight=one_per_code(pd.factorize(rows["lead_id"])[0]),
        feature_name=[f"f{index}" for index in range(len(features))],
        categorical_feature=[index for index, feature in enumerate(features) if feature.is_category],
    )
    return lightgbm.train({**_GREEDY, **kept}, made, num_boost_round=ROUNDS)
