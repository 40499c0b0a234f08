"""Intervals from resampled accounts: the rows of one group live or die together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 500


def resamples(groups: int, times: int, *, seed: int) -> Iterator[Floats]:
    """Draw groups with replacement; give for each time how often each group was drawn, (groups,)."""
    generator = np.random.default_rng(seed)
    for _ in range(times):
        drawn = generator.integers(groups, size=groups)
        yield np.bincount(drawn, minlength=groups).astype(np.float64)


def interval(values: Floats, value: float) -> dict[str, float]:
    """
    Give a number with the 95 % interval that its resampled values span.

    >>> interval(np.arange(101.0), 50.0)
    {'value': 50.0, 'low': 2.5, 'high': 97.5}
    """
    seen = values[np.isfinite(values)]
    low, high = np.quantile(seen, [0.025, 0.975]) if len(seen) else (np.nan, np.nan)
    return {"value": float(value), "low": float(low), "high": float(high)}


@dataclass(frozen=True, eq=False)
class Ratios:
    """
    Numbers that are one weighted sum over another, so that resampling needs only each group's sums.

    Attributes:
        names: of the m numbers.
        over: (groups, m) sums above the line.
        under: (groups, m) sums below it.
    """

    names: tuple[str, ...]
    over: Floats
    under: Floats

    @classmethod
    def of(cls, parts: Mapping[str, tuple[Floats, Floats]], group: NDArray[np.int64]) -> "Ratios":
        """Sum numerators and denominators, each (n,), by group."""
        size = int(group.max()) + 1
        over, under = (
            np.stack([np.bincount(group, weights=pair[side], minlength=size) for pair in parts.values()], axis=1)
            for side in (0, 1)
        )
        return cls(tuple(parts), over.astype(np.float64), under.astype(np.float64))

    def at(self, counts: Floats) -> Floats:
        """Give the m numbers where group g counts ``counts[g]`` times."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((counts @ self.over) / (counts @ self.under))

    @property
    def values(self) -> Floats:
        """Give the m numbers of the rows as they are."""
        return self.at(np.ones(len(self.over)))


@dataclass(frozen=True, eq=False)
class Ranking:
    """
    Rows sorted once by their score, ready to be weighed anew many times.

    Attributes:
        positive: (n,) weight of the rows that reached the goal, in order of rising score; 0 for the others.
        negative: (n,) the same for those that did not.
        group: (n,) in the same order.
        starts: where each run of equal scores begins.
    """

    positive: Floats
    negative: Floats
    group: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, scores: Floats, label: Floats, *, weight: Floats, group: NDArray[np.int64]) -> "Ranking":
        """Sort the rows."""
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        positive = (weight * label)[order]
        return cls(positive, weight[order] - positive, group[order], starts)

    def at(self, counts: Floats) -> tuple[float, float]:
        """
        Give AUC and average precision where group g counts ``counts[g]`` times.

        Equal scores count half in the AUC, and enter the average precision together.
        """
        times = counts[self.group]
        good = np.add.reduceat(self.positive * times, self.starts)
        bad = np.add.reduceat(self.negative * times, self.starts)
        goods, bads = good.sum(), bad.sum()
        if not (goods > 0 and bads > 0):
            return np.nan, np.nan
        auc = good @ (np.cumsum(bad) - bad / 2) / (goods * bads)
        hits, all_ = np.cumsum(good[::-1]), np.cumsum((good + bad)[::-1])
        precision = np.divide(hits, all_, out=np.zeros_like(hits), where=all_ > 0)
        return float(auc), float(good[::-1] @ precision / goods)


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
    """Measure m numbers on each resample, telling how many are done: (times, m)."""
    rows = []
    for counts in resamples(groups, times, seed=seed):
        rows.append(measure(counts))
        tell(len(rows))
    return np.stack(rows)
