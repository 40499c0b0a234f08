"""Feature values of any scorer: from the training set's columns where it has them, else from the history."""

import pandas as pd
import pytest

from features.catalog import Catalog
from features.feature import Feature
from features.history.over_history import compute_features
from features.reducers import Count
from training.dataset.feature_values import values_of

RARE = Feature("rare", Count("page_view", "blog", 11), 0, "read the blog {n} in 11 days", "no blog in 11 days")


def test_the_rules_and_the_model_find_their_own_columns(dataset):
    rows = dataset.block("test")
    rules = values_of(dataset.scorecard.catalog, rows, dataset=dataset)
    pd.testing.assert_frame_equal(rules, dataset.rules_frame(rows), check_exact=True)
    own = values_of(dataset.catalog, rows, dataset=dataset)
    pd.testing.assert_frame_equal(own, rows[dataset.catalog.names], check_exact=True)


def test_what_no_column_holds_is_computed_from_history(dataset, warehouse):
    rows = dataset.block("test").sample(50, random_state=1)
    wanted = Catalog((RARE, *dataset.catalog.features[:2]), dataset.catalog.never_use)
    found = values_of(wanted, rows, dataset=dataset, warehouse=warehouse)
    expected = compute_features(warehouse, rows, wanted)[wanted.names].set_axis(rows.index, axis=0)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_without_a_history_what_is_lacking_is_named(dataset):
    with pytest.raises(LookupError, match="rare"):
        values_of(Catalog((RARE,), dataset.catalog.never_use), dataset.block("test"), dataset=dataset)


def test_columns_made_without_another_kind_are_not_taken(dataset, warehouse):
    """A count of any activity differs between catalogs that forbid different kinds."""
    rows = dataset.block("test").head(5)
    other = Catalog(dataset.catalog.features[:1], ("page_view",))
    with pytest.raises(LookupError):
        values_of(other, rows, dataset=dataset)
    assert len(values_of(other, rows, dataset=dataset, warehouse=warehouse)) == len(rows)
