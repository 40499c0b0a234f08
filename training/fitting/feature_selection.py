"""Feature selection: only features that earn their place are kept, as each one costs time at every score."""

from dataclasses import replace

import lightgbm
import numpy as np

from features.catalog import Catalog
from features.reducers import DaysSinceLast

KEPT_GAIN = 0.95
"""Share of the gain of all splits that the kept features must have made together."""


def select_features(booster: lightgbm.Booster, catalog: Catalog, *, kept_gain: float = KEPT_GAIN) -> Catalog:
    """
    Select the features that made most of the gain, and what puts them into words, in catalog order.

    A decayed count or a trend makes gain but no plain fact, and only the days since the last time can express "never".
    So a reason that keeps any feature keeps its `DaysSinceLast` too, where the catalog has one.

    Args:
        booster: fitted on all k features of the catalog.
        catalog: those features.
        kept_gain: share of all gain that the kept features made, between 0 and 1.

    Returns:
        The fewest features that made that share, with the last time of each of their reasons; all features where no
        split gained anything.
    """
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    if gain.sum() <= 0:
        return catalog
    order = np.argsort(-gain, kind="stable")
    reached = np.cumsum(gain[order]) / gain.sum()
    earned = {catalog.features[index] for index in order[: int(np.searchsorted(reached, kept_gain)) + 1]}
    reasons = {feature.code for feature in earned}
    kept = [
        feature
        for feature in catalog.features
        if feature in earned or (isinstance(feature.reduce, DaysSinceLast) and feature.code in reasons)
    ]
    return replace(catalog, features=tuple(kept))
