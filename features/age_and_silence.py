"""How old a lead is and how long it has been silent, computed beside the features of any catalog."""

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalog import Catalog
from features.feature import Feature, Value
from features.reducers import DaysSinceLast, LeadAge

AGE = Feature("_age_days", LeadAge(), None, "has been a lead for {days}")
"""Days since the lead was created."""

LAST_ACTIVITY = Feature("_last_activity_days", DaysSinceLast(None), None, "was last active {lately}")
"""Days since the last activity of the lead that features may look at; missing where there was none."""

BESIDE = (AGE, LAST_ACTIVITY)
"""Names of features begin with a letter, so these meet no other."""


def with_age_and_silence(catalog: Catalog) -> Catalog:
    """
    Return a catalog with age and last activity after its own features: all come from one pass over the facts.

    A model may have been fitted without either, and what is said of old leads must not depend on that.
    """
    return replace(catalog, features=(*catalog.features, *BESIDE))


def apart(values: tuple[Value, ...]) -> tuple[tuple[Value, ...], float | None, float | None]:
    """
    Return the values of a catalog's own features, and what `with_age_and_silence` put after them.

    >>> apart((3.0, "web", 9.0, None))
    ((3.0, 'web'), 9.0, None)
    """
    age, last_activity = cast("tuple[float | None, float | None]", values[-len(BESIDE) :])
    return values[: -len(BESIDE)], age, last_activity


def silence_of(age_days: float, last_activity_days: float | None) -> float:
    """
    Return for how many days a lead has been silent: since its last activity, or since it was created.

    >>> silence_of(9.0, 2.0), silence_of(9.0, None), silence_of(9.0, float("nan")), silence_of(9.0, 30.0)
    (2.0, 9.0, 9.0, 9.0)
    """
    if last_activity_days is None or not last_activity_days < age_days:  # NaN is not less than anything
        return age_days
    return last_activity_days


def ages_and_silences(rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the age and the silence of leads, (n,) days each.

    Args:
        rows: (n) with the columns of `AGE` and `LAST_ACTIVITY`.
    """
    age, last = (rows[feature.name].to_numpy(dtype=np.float64, na_value=np.nan) for feature in BESIDE)
    return age, np.fmin(age, last)
