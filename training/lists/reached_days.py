"""Of which ages and silences history can speak: those that enough leads of the train rows reached."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.age_and_silence import ages_and_silences
from models.history_reach import HistoryReach

FEWEST_LEADS = 50
"""Of an age or a silence that fewer leads of the training period reached, history cannot speak."""


def history_reach(train: pd.DataFrame) -> HistoryReach:
    """
    Return how old, and how long silent, at least so many leads of the train rows were.

    Args:
        train: ``lead_id``, and the columns of `features.age_and_silence`.
    """
    age, silence = (greatest_reached(days, train["lead_id"]) for days in ages_and_silences(train))
    return HistoryReach(FEWEST_LEADS, age_days=age, silence_days=silence)


def greatest_reached(days: NDArray[np.float64], lead_id: "pd.Series[str]", *, fewest: int = FEWEST_LEADS) -> int:
    """
    Return the greatest number of whole days that enough leads reached; 0 where there are not so many leads.

    Args:
        days: (n) of each row.
        lead_id: (n) of which lead it is.
        fewest: how many leads are enough.

    >>> greatest_reached(np.array([3.5, 7.5, 40.0, 90.0]), pd.Series(["a", "b", "b", "c"]), fewest=2)
    40
    """
    code, ids = pd.factorize(lead_id)
    if len(ids) < fewest:
        return 0
    longest = np.zeros(len(ids))
    np.fmax.at(longest, code, days)  # a day that is not known is none
    return math.floor(float(np.partition(longest, -fewest)[-fewest]))
