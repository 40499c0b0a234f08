"""Feature values of any catalog for rows of a training set: taken from its columns where possible, else computed."""

from dataclasses import replace

import pandas as pd

from data.importing.warehouse import Warehouse
from features.catalog import Catalog
from features.feature import Feature
from features.history.over_history import compute_features
from training.dataset.dataset import Dataset


def values_of(
    catalog: Catalog, rows: pd.DataFrame, *, dataset: Dataset, warehouse: Warehouse | None = None
) -> pd.DataFrame:
    """
    Return the features of a catalog for rows of a training set.

    Two features are the same if they reduce the same activities, or the same attribute, in the same way, whatever
    their names and words.

    Args:
        catalog: k features, of a model, of point rules, or of neither.
        rows: (n) rows of the training set.
        dataset: the training set, whose columns are used where they hold a feature.
        warehouse: the history that the other features are computed from; None where all must be in the columns.

    Returns:
        (n, k) in the order and with the index of ``rows``, under the catalog's names.

    Raises:
        LookupError: no column holds a feature, and there is no history to compute it from.
    """
    comparable = catalog.never_use == dataset.catalog.never_use
    columns = {_definition(feature): name for name, feature in dataset.columns.items()} if comparable else {}
    taken = {
        feature.name: columns[_definition(feature)] for feature in catalog.features if _definition(feature) in columns
    }
    values = rows[list(taken.values())].set_axis(list(taken), axis=1)
    rest = tuple(feature for feature in catalog.features if feature.name not in taken)
    if rest:
        if warehouse is None:
            message = f"no column holds {', '.join(feature.name for feature in rest)}"
            raise LookupError(message)
        computed = compute_features(warehouse, rows, replace(catalog, features=rest)).set_axis(rows.index, axis=0)
        values = pd.concat([values, computed.drop(columns=["lead_id", "as_of"])], axis=1)
    return values[catalog.names]


def _definition(feature: Feature) -> tuple[object, ...]:
    """Return what decides a feature's value."""
    return feature.reduce, feature.over, feature.missing
