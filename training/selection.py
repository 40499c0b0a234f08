"""Selection: the features that earn their place, since each one costs time at every score."""

import lightgbm
import numpy as np

from features.catalog import Catalog

KEPT_GAIN = 0.95
"""Share of the gain of all splits that the kept features must have made together."""


def earning(booster: lightgbm.Booster, catalog: Catalog, *, kept_gain: float = KEPT_GAIN) -> Catalog:
    """
    Keep the features that made most of the gain, in catalog order.

    Args:
        booster: fitted on all k features of the catalog.
        catalog: those features.
        kept_gain: share of all gain that the kept features made, between 0 and 1.

    Returns:
        The fewest features that made that share; all of them where no split gained anything.
    """
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    if gain.sum() <= 0:
        return catalog
    order = np.argsort(-gain, kind="stable")
    reached = np.cumsum(gain[order]) / gain.sum()
    kept = sorted(order[: int(np.searchsorted(reached, kept_gain)) + 1].tolist())
    return Catalog(tuple(catalog.features[at] for at in kept), catalog.never_use)
