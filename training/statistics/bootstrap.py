"""
Intervals from resampled accounts: the rows of one group live or die together.

Resamples are drawn one by one from one seed and measured by the block, so that a number depends on neither the size of
a block nor the number of threads.

Source: Field and Welsh 2007, Bootstrapping clustered data (groups are drawn whole, with replacement).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.statistics.bootstrap_kernel import LANES, add_up, walk_down

Floats = NDArray[np.float64]
RESAMPLES = 500
_BLOCK = 64
_CELLS = 2_000_000
"""Counts held at once: 16 MB."""


def resamples(groups: int, times: int, *, seed: int) -> Iterator[Floats]:
    """Draw groups with replacement; give for each time how often each group was drawn, (groups,)."""
    generator = np.random.default_rng(seed)
    for _ in range(times):
        drawn = generator.integers(groups, size=groups)
        yield np.bincount(drawn, minlength=groups).astype(np.float64)


def interval(values: Floats, value: float) -> dict[str, Any]:
    """
    Give a number with the 95 % interval that its resampled values span; None where there is no such number.

    Resamples that leave a number undefined, such as an AUC without any success, say nothing about it. An infinite one,
    such as a ratio to none at all, counts as large: then there is a lower end and no upper one.

    >>> interval(np.arange(101.0), 50.0)
    {'value': 50.0, 'low': 2.5, 'high': 97.5}
    >>> interval(np.array([2.0, 3.0, 4.0, np.inf]), np.inf)
    {'value': None, 'low': 2.075, 'high': None}
    """
    seen = np.sort(values[~np.isnan(values)])
    low, high = (_quantile(seen, share) if len(seen) and not np.isnan(value) else np.nan for share in (0.025, 0.975))
    return {name: _finite(number) for name, number in (("value", value), ("low", low), ("high", high))}


def _quantile(ordered: Floats, share: float) -> float:
    """Give a quantile as numpy does, but infinite where a value it lies between is."""
    at = share * (len(ordered) - 1)
    below, above = ordered[int(np.floor(at))], ordered[int(np.ceil(at))]
    return float(below + (at % 1) * (above - below)) if np.isfinite(above) else float(above)


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def group_sums(counts: Floats, table: Floats) -> Floats:
    """
    Add up the rows of a table where group g counts ``counts[g]`` times.

    Args:
        counts: (groups,), or (b, groups) for b resamples at once.
        table: (groups, k) sums of each group.

    Returns:
        (k,), or (b, k).
    """
    each = np.ascontiguousarray(np.atleast_2d(counts), dtype=np.float64)
    sums = np.empty((len(each), table.shape[1]))
    add_up(each, np.ascontiguousarray(table), sums)
    return sums.reshape(*counts.shape[:-1], table.shape[1])


@dataclass(frozen=True, eq=False)
class Ratios:
    """
    Numbers that are one weighted sum over another, so that resampling needs only each group's sums.

    Attributes:
        names: of the m numbers.
        sums: (groups, k) of each group; what stands above or below several lines is there once.
        above: (m,) which of the k stands above the line of each number.
        below: (m,) which stands below it.
    """

    names: tuple[str, ...]
    sums: Floats
    above: NDArray[np.int64]
    below: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Mapping[str, tuple[Floats, Floats]], group: NDArray[np.int64]) -> "Ratios":
        """Sum numerators and denominators, each (n,), by group; the same array is summed once."""
        each = {id(part): part for pair in parts.values() for part in pair}
        column = {key: at for at, key in enumerate(each)}
        sums = [np.bincount(group, weights=part) for part in each.values()]
        above, below = (np.array([column[id(pair[side])] for pair in parts.values()]) for side in (0, 1))
        return cls(tuple(parts), np.stack(sums, axis=1).astype(np.float64), above, below)

    def at(self, counts: Floats) -> Floats:
        """Give the m numbers where group g counts ``counts[g]`` times: (m,), or (b, m) for counts (b, groups)."""
        sums = group_sums(counts, self.sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums[..., self.above] / sums[..., self.below])

    @property
    def over(self) -> Floats:
        """Give each group's sums above the lines, (groups, m)."""
        return np.asarray(self.sums[:, self.above])

    @property
    def under(self) -> Floats:
        """Give each group's sums below the lines, (groups, m)."""
        return np.asarray(self.sums[:, self.below])

    @property
    def values(self) -> Floats:
        """Give the m numbers of the rows as they are."""
        return self.at(np.ones(len(self.sums)))


@dataclass(frozen=True, eq=False)
class Ranking:
    """
    Rows sorted once by their score, ready to be weighed anew many times.

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
        Give AUC and average precision where group g counts ``counts[g]`` times.

        Equal scores count half in the AUC, and enter the average precision together.

        Args:
            counts: (groups,), or (b, groups) for b resamples at once.

        Returns:
            (2,), or (b, 2); NaN where no row reached the goal, or all did.
        """
        each = np.atleast_2d(counts)
        found = np.empty((-(-len(each) // LANES) * LANES, 2))
        for start in range(0, len(each), LANES):
            some = each[start : start + LANES]
            lanes = np.zeros((some.shape[1], LANES), dtype=np.float32)
            lanes[:, : len(some)] = some.T
            walk_down(lanes, self.positive, self.negative, self.group, self.last, found[start : start + LANES])
        return found[: len(each)].reshape(*counts.shape[:-1], 2)


def unheard(done: int) -> None:
    """Hear how many resamples are measured and tell nobody."""


def spread(
    measure: Callable[[Floats], Floats],
    groups: int,
    *,
    times: int = RESAMPLES,
    seed: int,
    tell: Callable[[int], None] = unheard,
) -> Floats:
    """
    Measure m numbers on each resample.

    Args:
        measure: takes the counts of b resamples, (b, groups), and gives their numbers, (b, m).
        groups: how many there are to draw from.
        times: how many resamples are wanted.
        seed: of the draws.
        tell: hears how many of them are done.

    Returns:
        (times, m).
    """
    drawn = resamples(groups, times, seed=seed)
    size = int(np.clip(_CELLS // groups, LANES, _BLOCK))
    rows = []
    for start in range(0, times, size):
        rows.append(measure(np.stack([next(drawn) for _ in range(min(size, times - start))])))
        tell(min(start + size, times))
    return np.concatenate(rows)
