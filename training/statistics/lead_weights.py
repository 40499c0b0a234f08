"""Weights under which each lead counts once, however many rows it has."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def equal_lead_weights(lead_id: "pd.Series[str]") -> NDArray[np.float64]:
    """
    Return 1 / (rows of the same lead) for each row.

    Args:
        lead_id: (n,) the lead of each row.

    Returns:
        (n,) the weights of a lead's rows sum to 1.

    >>> equal_lead_weights(pd.Series(["L-1", "L-2", "L-1"])).tolist()
    [0.5, 1.0, 0.5]
    """
    lead = pd.factorize(lead_id)[0]
    return np.asarray(1 / np.bincount(lead)[lead], dtype=np.float64)
