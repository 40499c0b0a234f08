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


def sample_with_successes(rows: pd.DataFrame, most: int | None, *, purpose: str, seed: int) -> pd.DataFrame:
    """
    Keep about so many rows: every group with a success, and of the others as many as there is room for.

    Those that were drawn weigh as much as all that they were drawn from. Where the groups with a success alone take
    more than half of the room, all groups are drawn alike, as `sample_groups` does.

    Args:
        rows: (n) with ``group``, ``label`` and ``weight``.
        most: how many are wanted.
        purpose: what the draw is for; draws for different purposes are independent.
        seed: of the draw.
    """
    if most is None or len(rows) <= most:
        return rows
    succeeded = (rows["label"].groupby(rows["group"], sort=False).transform("max") > 0).to_numpy(dtype=bool)
    if 2 * succeeded.sum() > most:
        return sample_groups(rows, most, purpose=purpose, seed=seed)
    kept, others = succeeded.copy(), ~succeeded
    kept[others] = _drawn(rows[others], most - int(succeeded.sum()), purpose=purpose, seed=seed)
    weight = rows["weight"].to_numpy(dtype=np.float64)
    scale = weight[others].sum() / max(weight[others & kept].sum(), np.finfo(np.float64).tiny)
    return rows[kept].assign(weight=np.where(succeeded, weight, scale * weight)[kept])


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
    return rows[_drawn(rows, most, purpose=purpose, seed=seed)]


def _drawn(rows: pd.DataFrame, most: int, *, purpose: str, seed: int) -> NDArray[np.bool_]:
    """Return which rows are drawn, (n,), whole groups at a time."""
    code, names = pd.factorize(rows["group"])
    drawn = uniforms(names.astype(str), purpose, seed=seed) < most / len(rows)
    return np.asarray(drawn[code], dtype=np.bool_)
