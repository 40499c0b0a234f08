"""Feature values of any catalog for rows of a training set: taken from its columns where it has them, else computed."""

import pandas as pd

from data.warehouse import Warehouse
from features.catalog import Catalog
from features.feature import Feature
from features.over_history import compute_features
from training.dataset.dataset import Dataset


def values_of(
    catalog: Catalog, rows: pd.DataFrame, *, dataset: Dataset, warehouse: Warehouse | None = None
) -> pd.DataFrame:
    """
    Give the features of a catalog for rows of a training set.

    A feature is the same one if it reduces the same activities, or the same attribute, in the same way; its name and
    its words do not matter.

    Args:
        catalog: k features, of a model, of point rules, or of neither.
        rows: (n) rows of the training set.
        dataset: knows which of its columns holds which feature.
        warehouse: the history that the rest is computed from; None where nothing may be left to compute.

    Returns:
        (n, k) in the order and with the index of ``rows``, under the catalog's names.

    Raises:
        LookupError: a feature is not among the columns, and there is no history to compute it from.
    """
    same = catalog.never_use == dataset.catalog.never_use
    held = {_kernel(feature): name for name, feature in dataset.columns.items()} if same else {}
    taken = {feature.name: held[_kernel(feature)] for feature in catalog.features if _kernel(feature) in held}
    found = rows[list(taken.values())].set_axis(list(taken), axis=1)
    rest = tuple(feature for feature in catalog.features if feature.name not in taken)
    if rest:
        if warehouse is None:
            message = f"no column holds {', '.join(feature.name for feature in rest)}"
            raise LookupError(message)
        computed = compute_features(warehouse, rows, Catalog(rest, catalog.never_use)).set_axis(rows.index, axis=0)
        found = pd.concat([found, computed.drop(columns=["lead_id", "as_of"])], axis=1)
    return found[catalog.names]


def _kernel(feature: Feature) -> tuple[object, ...]:
    """Give what decides a feature's value."""
    return feature.reduce, feature.over, feature.missing
