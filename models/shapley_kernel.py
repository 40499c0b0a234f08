"""
The compiled inner loop of exact reasons: which conditions a row meets, and the table entry for them.

Two ways through the same additions in the same order, so that a row's reasons have the same bits alone
and in a batch: leaf by leaf over a block of rows (memory speed), and one row at a time (no overhead).

Indices are unsigned on purpose: for a signed index numba also compiles what ``x[-1]`` means in Python,
which costs a third of the speed.
"""

from typing import NamedTuple, cast

import numpy as np
from numba import float64, njit, types, uint8, uint32, uint64
from numpy.typing import NDArray

from data.compiled_loops import Function, compiled, read_only

MISSING_PASSES, CATEGORICAL = 1, 2
"""Bits of ``Leaves.kind``."""

ZERO = float(np.float32(1e-35))
"""LightGBM treats anything this close to zero as zero before it compares (kZeroThreshold)."""

LARGEST = float(np.finfo(np.float64).max)
"""Stands for infinity, so that every value is above minus infinity and up to the largest threshold."""

CODES = 64.0
BLOCK = 1024
"""Rows in a block: its columns fit the second-level cache of any server CPU."""

FEW = 8
"""Up to so many rows, one at a time is faster than a block."""


class Leaves(NamedTuple):
    """
    The paths of all trees: L paths, and C conditions that lie path after path.

    Attributes:
        size: (L,) uint8, number d of conditions of each leaf, never falling.
        table: float64, for each leaf 2**d rows (bit j set: condition j met) of d Shapley values.
        feature: (C,) uint32, column that the condition looks at.
        kind: (C,) uint8, MISSING_PASSES and CATEGORICAL.
        above: (C,) float64, exclusive lower end.
        up_to: (C,) float64, inclusive upper end.
        codes: (C,) uint64, mask of codes that pass.
        categorical: uint32, which of the C conditions are categorical.
    """

    size: NDArray[np.uint8]
    table: NDArray[np.float64]
    feature: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    above: NDArray[np.float64]
    up_to: NDArray[np.float64]
    codes: NDArray[np.uint64]
    categorical: NDArray[np.uint32]


_ITEMS = (uint8, float64, uint32, uint8, float64, float64, uint64, uint32)
_LEAVES = types.NamedTuple(  # type: ignore[no-untyped-call]
    [read_only(item) for item in _ITEMS], Leaves
)


def _inlined(function: Function) -> Function:
    """Compile a part of the kernel together with the kernel."""
    return cast("Function", njit(error_model="numpy")(function))


@_inlined
def _settled(value: float) -> float:
    """Return a value as the conditions compare it."""
    if abs(value) <= ZERO:
        return 0.0
    if abs(value) > LARGEST:
        return LARGEST if value > 0 else -LARGEST
    return value


@_inlined
def _has(codes: np.uint64, kind: np.uint8, value: float) -> bool:
    """Return whether a code passes, without branches; a code outside 0 to 63 counts as missing."""
    known = (value > -1.0) & (value < CODES)
    passes = (codes >> np.uint64(value if known else 0.0)) & np.uint64(1)
    return bool(passes if known else np.uint64(kind & MISSING_PASSES))


@_inlined
def _meet(row: NDArray[np.float64], leaves: Leaves, met: NDArray[np.uint8]) -> None:
    """Mark which conditions one row meets; without branches, so that the CPU does eight at once."""
    feature, kind, above, up_to = leaves.feature, leaves.kind, leaves.above, leaves.up_to
    for k in range(met.size):
        value = row[feature[k]]
        within = (value > above[k]) & (value <= up_to[k])
        met[k] = within | ((value != value) & (kind[k] != 0))  # noqa: PLR0124  NaN differs from itself
    for k in leaves.categorical:
        met[k] = _has(leaves.codes[k], kind[k], row[feature[k]])


@_inlined
def _add_row(met: NDArray[np.uint8], leaves: Leaves, out: NDArray[np.float64]) -> None:
    """Add every leaf's table entry for one row."""
    first, table_at = np.uint64(0), np.uint64(0)
    for leaf in range(leaves.size.size):
        size = np.uint64(leaves.size[leaf])
        pattern = np.uint64(0)
        for j in range(size):
            pattern |= np.uint64(met[first + j]) << np.uint64(j)
        # Tables lie one after another, 2**size rows of size numbers each; the pattern is the row.
        entry = table_at + pattern * size
        for j in range(size):
            out[leaves.feature[first + j]] += leaves.table[entry + j]
        first += size
        table_at += size << size


@_inlined
def _mark(
    column: NDArray[np.float64], leaves: Leaves, k: np.uint64, step: np.uint16, entry: NDArray[np.uint16]
) -> None:
    """Advance the table entry of each row that meets condition k by a step."""
    above, up_to, codes, kind = leaves.above[k], leaves.up_to[k], leaves.codes[k], leaves.kind[k]
    none = np.uint16(0)
    if kind & CATEGORICAL:
        for r in range(entry.size):
            entry[r] += step if _has(codes, kind, column[r]) else none
    elif kind & MISSING_PASSES:
        for r in range(entry.size):  # NaN is neither below nor above, and so it passes
            entry[r] += none if (column[r] <= above) | (column[r] > up_to) else step
    else:
        for r in range(entry.size):
            entry[r] += step if (column[r] > above) & (column[r] <= up_to) else none


@_inlined
def _add_block(
    columns: NDArray[np.float64], leaves: Leaves, entry: NDArray[np.uint16], sums: NDArray[np.float64]
) -> None:
    """Add every leaf's table entries for a block of rows."""
    first, table_at = np.uint64(0), np.uint64(0)
    for leaf in range(leaves.size.size):
        size = np.uint64(leaves.size[leaf])
        for r in range(entry.size):
            entry[r] = 0
        # The entry is built up in steps of size * 2**j per condition met, so that it needs no multiplication per row.
        for j in range(size):
            k = first + j
            _mark(columns[leaves.feature[k]], leaves, k, np.uint16(size << j), entry)
        for j in range(size):
            column = sums[leaves.feature[first + j]]
            start = table_at + j
            for r in range(entry.size):
                column[r] += leaves.table[start + entry[r]]
        first += size
        table_at += size << size


@_inlined
def _explain_few(rows: NDArray[np.float64], out: NDArray[np.float64], leaves: Leaves) -> None:
    """Explain rows one at a time."""
    row = np.empty(rows.shape[1])
    met = np.empty(leaves.feature.size, np.uint8)
    for i in range(rows.shape[0]):
        for f in range(row.size):
            row[f] = _settled(rows[i, f])
            out[i, f] = 0.0
        _meet(row, leaves, met)
        _add_row(met, leaves, out[i])


@_inlined
def _explain_blocks(rows: NDArray[np.float64], out: NDArray[np.float64], leaves: Leaves) -> None:
    """Explain rows block by block, each turned into columns and back."""
    features = rows.shape[1]
    for start in range(0, rows.shape[0], BLOCK):
        n = min(BLOCK, rows.shape[0] - start)
        # Columns are contiguous, so each condition reads its feature's values of the block at memory speed.
        columns, sums = np.empty((features, n)), np.empty((features, n))
        entry = np.empty(n, np.uint16)
        for f in range(features):
            for r in range(n):
                columns[f, r] = _settled(rows[start + r, f])
                sums[f, r] = 0.0
        _add_block(columns, leaves, entry, sums)
        for r in range(n):
            for f in range(features):
                out[start + r, f] = sums[f, r]


@compiled(read_only(float64, 2), float64[:, ::1], float64, _LEAVES)
def explain(rows: NDArray[np.float64], out: NDArray[np.float64], base: float, leaves: Leaves) -> None:
    """
    Write each row's contributions and its margin.

    Args:
        rows: (n, k) float64, NaN where missing, codes where categorical.
        out: (n, k + 1) float64, overwritten: contributions, then their sum with the base.
        base: the margin expected before anything is known about a row.
        leaves: of the model's trees.
    """
    if rows.shape[0] <= FEW:
        _explain_few(rows, out, leaves)
    else:
        _explain_blocks(rows, out, leaves)
    for i in range(rows.shape[0]):
        margin = base  # added in the order of features, alone and in a batch: the same bits
        for f in range(rows.shape[1]):
            margin += out[i, f]
        out[i, rows.shape[1]] = margin
