"""Row weights and row samples: each lead with the same weight, and not more rows than needed."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.statistics.sampling import uniforms


def one_per_code(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    Return weights, (n,), that sum to 1 over the rows of each code.

    >>> one_per_code(np.array([0, 1, 0])).tolist()
    [0.5, 1.0, 0.5]
    """
    return np.asarray(1 / np.bincount(codes)[codes])


def sample_groups(rows: pd.DataFrame, most: int | None, *, purpose: str, seed: int) -> pd.DataFrame:
    """
    Keep about so many rows, by drawing groups; all of them where there are no more, or there is no limit.

    Args:
        rows: (n) with ``group``.
        most: how many are wanted.
        purpose: what the draw is for; draws for different purposes are independent.
        seed: of the draw.
    """
    if most is None or len(rows) <= most:
        return rows
    code, names = pd.factorize(rows["group"])
    drawn = uniforms(names.astype(str), purpose, seed=seed) < most / len(rows)
    return rows[drawn[code]]
