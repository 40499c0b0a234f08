"""Leaks to plant: features that know how a lead's story ends, each in its own way."""

from dataclasses import replace

import numpy as np
import pandas as pd

from data.contract import AttributeType
from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import AttributeValue, Count, DaysSinceLast

TYPES = {"number": AttributeType.NUMERIC, "category": AttributeType.CATEGORY, "boolean": AttributeType.BOOLEAN}


def attribute(name, kind="number"):
    """Return a feature that reads an attribute."""
    return Feature(name, AttributeValue(name, TYPES[kind]), None, f"{name} is {{value}}", f"{name} unknown")


def counted(kind, days=30):
    """Return a feature that counts a kind of activity."""
    return Feature(f"{kind}_{days}d", Count(kind, days=days), 0, f"had {kind} {{n}}")


def since(kind):
    """Return a feature that counts the days since the last activity of a kind."""
    return Feature(f"{kind}_days_since_last", DaysSinceLast(kind), None, f"had {kind} {{ago}}")


def with_features(dataset, columns):
    """Return the training set with more columns: {feature: values}."""
    named = {feature.name: values for feature, values in columns.items()}
    rows = pd.concat([dataset.rows, pd.DataFrame(named, index=dataset.rows.index)], axis=1)
    catalog = Catalog((*dataset.catalog.features, *columns), dataset.catalog.never_use)
    return replace(dataset, rows=rows, catalog=catalog)


def with_every(dataset, step):
    """Return the training set with every n-th feature only."""
    return replace(dataset, catalog=Catalog(dataset.catalog.features[::step], dataset.catalog.never_use))


def some_groups(dataset, seed, *, share=0.9):
    """Return the training set of a company that lost some of its accounts: another draw of the same world."""
    names = np.sort(dataset.rows["group"].unique())
    kept = np.random.default_rng(seed).random(len(names)) < share
    return replace(dataset, rows=dataset.rows[dataset.rows["group"].isin(names[kept])].reset_index(drop=True))


def success(dataset):
    """Return (n,) whether each row's lead reaches the goal within the horizon; not known yet counts as no."""
    return (dataset.rows["label"] > 0).to_numpy()


def at_last(dataset):
    """Return (n,) whether each row's lead ever reaches the goal."""
    return dataset.rows["goal_at"].notna().to_numpy()


def days_before_goal(dataset, days):
    """Return (n,) days since an activity that is written so many days before the goal; NaN where there is none yet."""
    ago = (dataset.rows["as_of"] - (dataset.rows["goal_at"] - days * DAY_US)) / DAY_US
    return ago.where(ago > 0).to_numpy(dtype=float)


def by_lead(dataset, draw):
    """Return (n,) what `draw(leads)` draws for each lead, the same in all its rows."""
    code, names = pd.factorize(dataset.rows["lead_id"])
    return draw(len(names))[code]
