"""A column that knew the future is found and named, whatever it is; an honest one never is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.instants import DAY_US
from features.catalog import Catalog
from features.history.over_history import compute_features
from training.dataset.dataset import RULES, SEGMENT
from training.gates.leakage.future_shift import future_shift


def taken_later(dataset, warehouse, *, days):
    """Compute every feature of the model as it came to be so many days after the snapshot."""
    later = dataset.rows[["lead_id", "as_of"]].assign(as_of=dataset.rows["as_of"] + round(days * DAY_US))
    return compute_features(warehouse, later, dataset.catalog)


@pytest.fixture(scope="module")
def tomorrow(dataset, warehouse):
    return taken_later(dataset, warehouse, days=1)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_an_honest_training_set_passes_whichever_rows_are_drawn(dataset, warehouse, playbook, seed):
    found = future_shift(dataset, warehouse, playbook, seed=seed)
    assert found.passed, found.says
    assert found.numbers["features"] == len(dataset.columns) + len(playbook.segments)
    assert found.numbers["without_colleagues"] == 0
    assert 500 <= found.numbers["snapshots"] <= 1_000
    assert "were rebuilt without anything known later: all the same." in found.says


def moves(now, then):
    return ((now != then) & ~(now.isna() & then.isna())).mean()


def test_any_one_column_from_tomorrow_is_caught_by_name(dataset, warehouse, playbook, tomorrow):
    """Each feature that a day changes for more than one in a hundred leads, planted together; each is told."""
    shifting = [name for name in dataset.catalog.names if moves(dataset.rows[name], tomorrow[name]) > 0.01]
    assert len(shifting) > 50
    planted = replace(dataset, rows=dataset.rows.assign(**{name: tomorrow[name].to_numpy() for name in shifting}))
    found = future_shift(planted, warehouse, playbook, seed=1)
    assert not found.passed
    assert found.numbers["features_moved"] == len(shifting)


NAMES = ("email_open_7d", "any_days_since_last", "lead_age", "account_any_30d")


def few(dataset):
    """Return the training set with a few of its features: the fewer, the sooner the query is written."""
    some = tuple(feature for feature in dataset.catalog.features if feature.name in NAMES)
    return replace(dataset, catalog=Catalog(some, dataset.catalog.never_use))


@pytest.mark.parametrize("name", NAMES)
def test_a_single_column_from_tomorrow_is_caught_with_its_name_and_what_to_do(
    dataset, warehouse, playbook, tomorrow, name
):
    planted = replace(few(dataset), rows=dataset.rows.assign(**{name: tomorrow[name].to_numpy()}))
    for seed in range(2):
        found = future_shift(planted, warehouse, playbook, seed=seed)
        assert not found.passed
        assert found.says.startswith(f"{name} (")
        assert "build the training set again, and if it stays so, " in found.says
        assert found.numbers["features_moved"] == 1


def test_columns_of_the_rules_and_of_the_segments_are_looked_at_too(dataset, warehouse, playbook):
    rules = RULES + dataset.scorecard.catalog.names[0]
    segment = SEGMENT + playbook.segments[0]
    rows = dataset.rows.assign(**{rules: 99.0, segment: "other"})
    found = future_shift(replace(few(dataset), rows=rows), warehouse, playbook, seed=1)
    assert found.numbers["features_moved"] == 2
    assert rules in found.says
    assert segment in found.says


def test_which_rows_are_drawn_does_not_depend_on_their_order(dataset, warehouse, playbook, tomorrow):
    planted = replace(few(dataset), rows=dataset.rows.assign(lead_age=tomorrow["lead_age"].to_numpy()))
    shuffled = replace(planted, rows=planted.rows.sample(frac=1, random_state=1).reset_index(drop=True))
    assert future_shift(planted, warehouse, playbook, seed=4) == future_shift(shuffled, warehouse, playbook, seed=4)


class BackDated:
    """A warehouse in which an activity that comes to be known later now claims that it was known long before."""

    def __init__(self, warehouse):
        self._warehouse = warehouse

    def __getattr__(self, name):
        return getattr(self._warehouse, name)

    @property
    def activities(self):
        activities = self._warehouse.activities
        return activities.mutate(known_at=activities.known_at - DAY_US)


def test_a_history_that_is_no_longer_the_one_it_was_built_from_is_caught(dataset, warehouse, playbook):
    found = future_shift(few(dataset), BackDated(warehouse), playbook, seed=1)
    assert not found.passed


def test_rows_without_any_label_are_no_hindrance(dataset, warehouse, playbook):
    young = dataset.rows[dataset.rows["label"].isna()].head(60)
    assert np.isnan(young["label"]).all()
    assert isinstance(young, pd.DataFrame)
    assert future_shift(replace(few(dataset), rows=young), warehouse, playbook, seed=1).passed
