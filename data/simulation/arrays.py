"""Array types of the simulation, and draws of positions and times of day."""

import numpy as np
from numpy.typing import NDArray

from data.instants import DAY_US, HOUR_US

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

_NOON_H, _SPREAD_H, _ANY_TIME = 12.5, 3.0, 0.2
_OFFICE_OPENS_H, _OFFICE_CLOSES_H = 7.0, 16.5


def time_of_day_us(rng: np.random.Generator, n: int) -> Ints:
    """
    Draw times of day: mostly around noon, some at any hour.

    Returns:
        (n,) microseconds since midnight UTC, each within the day.
    """
    hours = np.where(rng.random(n) < _ANY_TIME, rng.uniform(0, 24, n), rng.normal(_NOON_H, _SPREAD_H, n) % 24)
    return np.minimum((hours * HOUR_US).astype(np.int64), DAY_US - 1)


def office_time_us(rng: np.random.Generator, n: int) -> Ints:
    """
    Draw times of day within the office hours of Central Europe.

    Returns:
        (n,) microseconds since midnight UTC.
    """
    return (rng.uniform(_OFFICE_OPENS_H, _OFFICE_CLOSES_H, n) * HOUR_US).astype(np.int64)


def pick(rng: np.random.Generator, weights: Floats) -> Ints:
    """
    Draw one position per row, in proportion to the row's weights.

    Args:
        rng: where chance comes from.
        weights: (n, k), not negative, each row with a positive sum.

    Returns:
        (n,) positions from 0 to k - 1.
    """
    below = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * below[:, -1]
    picked: Ints = np.minimum((drawn[:, None] >= below).sum(axis=1), weights.shape[1] - 1)
    return picked
