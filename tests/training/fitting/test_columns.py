"""Columns of a regression: one scale, a flag for what is missing, one column for what is rare, none for constants."""

import numpy as np
import pandas as pd
import pytest

from data.contract import AttributeType
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, LeadAge
from tests.training.drawn import drawn
from training.fitting.columns import Columns

AGE = Feature("age", LeadAge(), None, "", "")
SOURCE = Feature("source", AttributeValue("source", AttributeType.CATEGORY), None, "", "")


@pytest.fixture(scope="module")
def dataset():
    return drawn(10_000, 24)[0]


def learnt(rows, catalog):
    return Columns.learnt(rows, catalog)[1]


def small(ages, sources):
    return pd.DataFrame({"age": ages, "source": pd.Series(sources, dtype="str")})


def test_columns_are_of_one_scale_and_the_missing_have_a_flag(dataset):
    rows = dataset.block("train").copy()
    name = next(one.name for one in dataset.catalog.features if not one.is_category)
    rows.loc[rows.index[:100], name] = np.nan
    before = learnt(dataset.block("train"), dataset.catalog).shape[1]
    matrix = learnt(rows, dataset.catalog)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(matrix.std(axis=0), 1, atol=1e-3)
    assert matrix.shape[1] == before + 1


def test_rare_categories_share_a_column(dataset):
    name = next(one.name for one in dataset.catalog.features if one.is_category)
    rows = dataset.block("train")
    rare = rows.assign(**{name: np.where(np.arange(len(rows)) < 20, "rare " + rows["lead_id"], rows[name])})
    widths = [learnt(one, dataset.catalog).shape[1] for one in (rows, rare)]
    assert widths[1] == widths[0] + 1


def test_a_missing_number_is_the_median_of_the_rows_that_were_learnt_from():
    columns, _ = Columns.learnt(small([1.0, 3.0, 8.0], ["a", "a", "a"]), Catalog((AGE, SOURCE)))
    found = columns.matrix(small([np.nan, 3.0], ["a", "a"]))
    assert found[0].tolist() == found[1].tolist()


def test_numbers_are_signed_logarithms_of_themselves():
    columns, matrix = Columns.learnt(small([-(np.e - 1), 0.0, np.e - 1], ["a", "a", "a"]), Catalog((AGE, SOURCE)))
    np.testing.assert_allclose(matrix[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5), rtol=1e-6)
    assert columns.matrix(small([0.0], ["b"])).tolist() == [[0.0]]


def test_a_missing_category_is_one_of_its_own():
    _, matrix = Columns.learnt(small([1.0] * 4, ["a", "a", None, "b"]), Catalog((AGE, SOURCE)))
    assert matrix.shape == (4, 3)
    assert (np.unique(matrix, axis=0).shape, np.unique(matrix[[0, 1]], axis=0).shape) == ((3, 3), (1, 3))


def test_a_category_never_seen_counts_as_a_rare_one():
    rows = small([1.0] * 400, ["a"] * 200 + ["b"] * 198 + ["c", "d"])
    columns, matrix = Columns.learnt(rows, Catalog((AGE, SOURCE)))
    np.testing.assert_array_equal(columns.matrix(small([1.0], ["new"]))[0], matrix[399])


def test_what_is_the_same_for_all_rows_has_no_column():
    assert learnt(small([5.0] * 3, ["a"] * 3), Catalog((AGE, SOURCE))).shape == (3, 0)


def test_other_rows_get_the_scale_that_was_learnt(dataset):
    columns, matrix = Columns.learnt(dataset.block("train"), dataset.catalog)
    np.testing.assert_array_equal(columns.matrix(dataset.block("train").iloc[:5]), matrix[:5])
