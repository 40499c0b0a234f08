"""
The compiled inner loops of resampling: sums by account, AUC and average precision, and simulated outcomes.

Each loop adds in one fixed order on one thread, so that a number is the same bits on every machine, however many
resamples are measured at once. BLAS promises neither.
"""

import numpy as np
from numba import boolean, float32, float64, int32
from numpy.typing import NDArray

from data.compiled_loops import compiled, read_only

Floats = NDArray[np.float64]

LANES = 8
"""Resamples measured side by side: their running sums fit the registers of any server CPU."""


@compiled(read_only(float64, 2), read_only(float64, 2), float64[:, ::1])
def sum_groups(counts: Floats, table: Floats, out: Floats) -> None:
    """
    Sum the rows of a table, each as often as a resample counts it.

    Args:
        counts: (b, g) how often each of b resamples counts group g.
        table: (g, k) sums of each group.
        out: (b, k), overwritten.
    """
    out[:] = 0.0
    # Groups outside, resamples inside: a row of the table is read once from memory for the whole batch, and each sum
    # adds its groups in the same order however many resamples stand beside it.
    for g in range(table.shape[0]):
        for b in range(counts.shape[0]):
            times = counts[b, g]
            for k in range(table.shape[1]):
                out[b, k] += times * table[g, k]


_ROWS = read_only(float64)


@compiled(read_only(float32, 2), _ROWS, _ROWS, read_only(int32), read_only(boolean), float64[:, ::1])
def auc_and_average_precision(
    counts: NDArray[np.float32],
    positive: Floats,
    negative: Floats,
    group: NDArray[np.int32],
    last: NDArray[np.bool_],
    out: Floats,
) -> None:
    """
    Compute the AUC and the average precision of up to 8 resamples in one pass down a ranking.

    Args:
        counts: (g, 8) how often each resample counts group g; float32, which holds whole numbers and fits the caches.
        positive: (n,) weight of the rows that reached the goal, best score first; 0 for the others.
        negative: (n,) the same for those that did not.
        group: (n,) in the same order.
        last: (n,) whether the row is the last of those with an equal score.
        out: (8, 2), overwritten: AUC and average precision, NaN where one of the two kinds is missing.
    """
    # Weights of the rows with the score at hand (good, bad), and of all rows with a better score (hits, misses).
    good, bad = np.zeros(LANES), np.zeros(LANES)
    hits, misses = np.zeros(LANES), np.zeros(LANES)
    area, precision = np.zeros(LANES), np.zeros(LANES)
    for i in range(group.size):
        times = counts[group[i]]
        # The rows are read from memory once for 8 resamples; a loop of fixed length becomes vector instructions.
        for b in range(LANES):
            good[b] += positive[i] * times[b]
            bad[b] += negative[i] * times[b]
        # Rows with an equal score have no order among them: they are counted together when the last of them is read.
        if last[i]:
            for b in range(LANES):
                # Each failure is beaten by all successes above it, and by half of those beside it.
                area[b] += bad[b] * (hits[b] + 0.5 * good[b])
                hits[b] += good[b]
                misses[b] += bad[b]
                passed = hits[b] + misses[b]
                # A resample may hold none of the first groups; 0 / 0 would spoil the sum for good.
                precision[b] += good[b] * hits[b] / (passed if passed > 0.0 else 1.0)
                good[b] = 0.0
                bad[b] = 0.0
    for b in range(LANES):
        both = (hits[b] > 0.0) & (misses[b] > 0.0)
        out[b, 0] = area[b] / (hits[b] * misses[b]) if both else np.nan
        out[b, 1] = precision[b] / hits[b] if both else np.nan


@compiled(read_only(float32, 2), _ROWS, _ROWS, read_only(int32), read_only(int32), float64[:, ::1])
def simulate_outcomes(
    drawn: NDArray[np.float32],
    probability: Floats,
    weight: Floats,
    group: NDArray[np.int32],
    part: NDArray[np.int32],
    out: Floats,
) -> None:
    """
    Simulate outcomes from the probabilities themselves, 8 times at once, and sum the weight of the successes by part.

    Args:
        drawn: (g, 8) one number in [0, 1) for each group and simulation; a row succeeds where it is below its
            probability.
        probability: (n,).
        weight: (n,).
        group: (n,) codes into ``drawn``.
        part: (n,) codes into ``out``.
        out: (p, 8), overwritten.
    """
    out[:] = 0.0
    for i in range(group.size):
        # One number for all rows of a group: its leads succeed or fail together, as they do in truth.
        luck, sums = drawn[group[i]], out[part[i]]
        for b in range(LANES):
            sums[b] += weight[i] if luck[b] < probability[i] else 0.0
