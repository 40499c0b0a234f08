"""
Intervals from resampled accounts: the rows of one group are drawn together or not at all.

Resamples are drawn one by one from one seed and measured in batches, so that a number depends on neither the size of a
batch nor the number of threads.

Source: Field and Welsh 2007, Bootstrapping clustered data (groups are drawn whole, with replacement).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.statistics.bootstrap_kernel import LANES, auc_and_average_precision, sum_groups
from training.statistics.estimate import Estimate

Floats = NDArray[np.float64]
RESAMPLES = 500
_BATCH = 64
_CELLS = 2_000_000
"""Counts held at once: 16 MB."""


def resamples(groups: int, times: int, *, seed: int) -> Iterator[Floats]:
    """Draw groups with replacement; yield for each resample how often each group was drawn, (groups,)."""
    generator = np.random.default_rng(seed)
    for _ in range(times):
        drawn = generator.integers(groups, size=groups)
        yield np.bincount(drawn, minlength=groups).astype(np.float64)


def interval(values: Floats, value: float) -> Estimate:
    """
    Return a number with the 95 % interval that its resampled values span; None where there is no such number.

    Resamples that leave a number undefined, such as an AUC without any success, carry no information about it. An
    infinite value, such as a ratio to zero, counts as large: then there is a lower end and no upper one.

    >>> interval(np.arange(101.0), 50.0)
    Estimate(value=50.0, low=2.5, high=97.5)
    >>> interval(np.array([2.0, 3.0, 4.0, np.inf]), np.inf)
    Estimate(value=None, low=2.075, high=None)
    """
    defined = np.sort(values[~np.isnan(values)])
    if not len(defined) or np.isnan(value):
        return Estimate(value=_finite(value), low=None, high=None)
    low, high = (_finite(_quantile(defined, share)) for share in (0.025, 0.975))
    return Estimate(value=_finite(value), low=low, high=high)


def _quantile(ordered: Floats, share: float) -> float:
    """Return a quantile as numpy does, but infinite where a value it lies between is."""
    position = share * (len(ordered) - 1)
    below, above = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    return float(below + (position % 1) * (above - below)) if np.isfinite(above) else float(above)


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def group_sums(counts: Floats, table: Floats) -> Floats:
    """
    Sum the rows of a table, where group g counts ``counts[g]`` times.

    Args:
        counts: (groups,), or (b, groups) for b resamples at once.
        table: (groups, k) sums of each group.

    Returns:
        (k,), or (b, k).
    """
    batch = np.ascontiguousarray(np.atleast_2d(counts), dtype=np.float64)
    sums = np.empty((len(batch), table.shape[1]))
    sum_groups(batch, np.ascontiguousarray(table), sums)
    return sums.reshape(*counts.shape[:-1], table.shape[1])


@dataclass(frozen=True, eq=False)
class Ratios:
    """
    Numbers that are one weighted sum over another, so that resampling needs only each group's sums.

    Attributes:
        names: of the m numbers.
        sums: (groups, k) of each group; an array that is part of several numbers is there once.
        numerator: (m,) which of the k is each number's numerator.
        denominator: (m,) which is its denominator.
    """

    names: tuple[str, ...]
    sums: Floats
    numerator: NDArray[np.int64]
    denominator: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Mapping[str, tuple[Floats, Floats]], group: NDArray[np.int64]) -> "Ratios":
        """Sum numerators and denominators, each (n,), by group; the same array is summed once."""
        arrays = {id(part): part for pair in parts.values() for part in pair}
        column = {key: index for index, key in enumerate(arrays)}
        sums = [np.bincount(group, weights=part) for part in arrays.values()]
        top, bottom = (np.array([column[id(pair[side])] for pair in parts.values()]) for side in (0, 1))
        return cls(tuple(parts), np.stack(sums, axis=1).astype(np.float64), top, bottom)

    def at(self, counts: Floats) -> Floats:
        """Return the m numbers where group g counts ``counts[g]`` times: (m,), or (b, m) for counts (b, groups)."""
        sums = group_sums(counts, self.sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums[..., self.numerator] / sums[..., self.denominator])

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.sums)

    @property
    def values(self) -> Floats:
        """The m numbers of the rows as they are."""
        return self.at(np.ones(self.groups))


@dataclass(frozen=True, eq=False)
class Ranking:
    """
    Rows sorted once by their score, ready to be reweighted many times.

    Attributes:
        positive: (n,) weight of the rows that reached the goal, in order of falling score; 0 for the others.
        negative: (n,) the same for those that did not.
        group: (n,) in the same order.
        last: (n,) whether the row is the last of those with an equal score.
    """

    positive: Floats
    negative: Floats
    group: NDArray[np.int32]
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: Floats, label: Floats, *, weight: Floats, group: NDArray[np.int64]) -> "Ranking":
        """Sort the rows."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        positive = (weight * label)[order]
        last = np.r_[ordered[1:] != ordered[:-1], True]
        return cls(positive, weight[order] - positive, group[order].astype(np.int32), last)

    def at(self, counts: Floats) -> Floats:
        """
        Return AUC and average precision where group g counts ``counts[g]`` times.

        Equal scores count half in the AUC, and enter the average precision together.

        Args:
            counts: (groups,), or (b, groups) for b resamples at once.

        Returns:
            (2,), or (b, 2); NaN where no row reached the goal, or all did.
        """
        batch = np.atleast_2d(counts)
        metrics = np.empty((-(-len(batch) // LANES) * LANES, 2))
        for start in range(0, len(batch), LANES):
            some = batch[start : start + LANES]
            lanes = np.zeros((some.shape[1], LANES), dtype=np.float32)
            lanes[:, : len(some)] = some.T
            out = metrics[start : start + LANES]
            auc_and_average_precision(lanes, self.positive, self.negative, self.group, self.last, out)
        return metrics[: len(batch)].reshape(*counts.shape[:-1], 2)


def ignore_count(done: int) -> None:
    """Ignore how many resamples are measured."""


def spread(
    measure: Callable[[Floats], Floats],
    groups: int,
    *,
    times: int = RESAMPLES,
    seed: int,
    on_measured: Callable[[int], None] = ignore_count,
) -> Floats:
    """
    Measure m numbers on each resample.

    Args:
        measure: from the counts of b resamples, (b, groups), to their numbers, (b, m).
        groups: how many there are to draw from.
        times: how many resamples are wanted.
        seed: of the draws.
        on_measured: called with the number of resamples done so far.

    Returns:
        (times, m).
    """
    drawn = resamples(groups, times, seed=seed)
    size = int(np.clip(_CELLS // groups, LANES, _BATCH))
    rows = []
    for start in range(0, times, size):
        rows.append(measure(np.stack([next(drawn) for _ in range(min(size, times - start))])))
        on_measured(min(start + size, times))
    return np.concatenate(rows)
