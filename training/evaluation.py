"""
Evaluation: how good a scorer's probabilities are on rows it has never seen, each number with an interval.

Every number is per snapshot, the moment at which serving scores. Rows weigh 1 / (the chance that their group was given
to the test block), so that the numbers are those of all leads of the period and not only of the groups that were
kept. Intervals resample accounts. Which leads are called, and who is in the top tenth, is decided once on all rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import DAY_US
from training.bootstrap import RESAMPLES, Ranking, Ratios, interval, spread, unheard
from training.reliability import Floats, curve, logistic_fit, logits

SEED = 11
LIFTS = (5, 10, 20)
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Judged:
    """
    The rows that scorers are judged on.

    Attributes:
        label: (n,) 1 where the goal was reached within the horizon, else 0.
        weight: (n,) how many rows of the period each stands for.
        group: (n,) codes of the accounts, from 0.
        day: (n,) UTC day of each row.
    """

    label: Floats
    weight: Floats
    group: NDArray[np.int64]
    day: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Judged":
        """Take them from rows of a training set."""
        return cls(
            label=rows["label"].to_numpy(dtype=np.float64),
            weight=rows["weight"].to_numpy(dtype=np.float64),
            group=pd.factorize(rows["group"])[0].astype(np.int64),
            day=(rows["as_of"] // DAY_US).to_numpy(dtype=np.int64),
        )

    @property
    def groups(self) -> int:
        """Count the groups."""
        return int(self.group.max()) + 1


def evaluate(
    probability: Floats,
    judged: Judged,
    *,
    base_rate: float,
    capacity_per_day: float,
    resamples: int = RESAMPLES,
    tell: Callable[[int], None] = unheard,
) -> dict[str, Any]:
    """
    Judge the probabilities of one scorer.

    Args:
        probability: (n,) of reaching the goal.
        judged: the n rows.
        base_rate: what would be said without any scorer: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        resamples: of the accounts, for the intervals.
        tell: hears how many of them are done.

    Returns:
        Name → number or ``{"value", "low", "high"}``: ``log_loss``, ``base_log_loss``, ``brier_skill``, ``auc``,
        ``pr_auc``, ``base_rate`` (of these rows), ``precision_at_capacity``, ``recall_at_capacity``,
        ``lift_at_5/10/20``, ``slope`` and ``observed_over_expected`` of the calibration, ``ece`` with its ``noise_95``,
        ``rows`` and ``positives``.
    """
    ratios = Ratios.of(_parts(probability, judged, base_rate=base_rate, capacity=capacity_per_day), judged.group)
    ranking = Ranking.of(probability, judged.label, weight=judged.weight, group=judged.group)
    slope = _Slope.of(probability, judged)

    def measure(counts: Floats) -> Floats:
        return np.array([*_finished(ratios, counts).values(), *ranking.at(counts), slope.at(counts)])

    everything = np.ones(judged.groups)
    names = [*_finished(ratios, everything), "auc", "pr_auc", "slope"]
    values, spreads = measure(everything), spread(measure, judged.groups, times=resamples, seed=SEED, tell=tell)
    found = {name: interval(spreads[:, at], values[at]) for at, name in enumerate(names)}
    told = curve(probability, judged.label, weight=judged.weight, group=judged.group, seed=SEED)
    return {
        **found,
        "base_log_loss": found["base_log_loss"]["value"],
        "ece": {"value": told.error, "noise_95": told.noise_95},
        "rows": len(judged.label),
        "positives": int(judged.label.sum()),
    }


def losses(probability: Floats, label: Floats) -> Floats:
    """
    Give the log loss of each row, (n,).

    >>> losses(np.array([0.5, 0.9]), np.array([1.0, 1.0])).round(3).tolist()
    [0.693, 0.105]
    """
    safe = np.clip(probability, _TINY, 1 - _TINY)
    return np.asarray(-np.where(label > 0, np.log(safe), np.log1p(-safe)))


def called(score: Floats, judged: Judged, *, capacity_per_day: float) -> Floats:
    """
    Give how much of each row's weight is called when the team takes the best leads of each day, (n,).

    Equal scores are taken in an order drawn once.
    """
    return _topmost(score, judged.weight, part=judged.day, room=lambda _total: capacity_per_day)


def best_share(score: Floats, judged: Judged, *, share: float) -> Floats:
    """Give how much of each row's weight is among the best share of all rows, (n,)."""
    return _topmost(score, judged.weight, part=np.zeros_like(judged.day), room=lambda total: share * total)


def _topmost(score: Floats, weight: Floats, *, part: NDArray[np.int64], room: Any) -> Floats:
    """Fill the room of each part with its best rows; the last one may fit in partly."""
    tie = np.random.default_rng(SEED).permutation(len(score))
    order = np.lexsort((tie, -score, part))
    sorted_weight = weight[order]
    passed = np.cumsum(sorted_weight)
    starts = np.flatnonzero(np.r_[True, np.diff(part[order]) != 0])
    sizes = np.diff(np.r_[starts, len(score)])
    before = passed - sorted_weight - np.repeat((passed - sorted_weight)[starts], sizes)
    totals = np.repeat(np.add.reduceat(sorted_weight, starts), sizes)
    taken = np.empty(len(score))
    taken[order] = np.clip(room(totals) - before, 0, sorted_weight)
    return taken


def _parts(
    probability: Floats, judged: Judged, *, base_rate: float, capacity: float
) -> Mapping[str, tuple[Floats, Floats]]:
    """Give the numbers that are one weighted sum over another: name → (above, below), each (n,)."""
    label, weight = judged.label, judged.weight
    constant = np.full(len(label), base_rate)
    taken = called(probability, judged, capacity_per_day=capacity)
    tops = {f"lift_at_{share}": best_share(probability, judged, share=share / 100) for share in LIFTS}
    return {
        "log_loss": (weight * losses(probability, label), weight),
        "base_log_loss": (weight * losses(constant, label), weight),
        "brier": (weight * (probability - label) ** 2, weight),
        "base_brier": (weight * (constant - label) ** 2, weight),
        "base_rate": (weight * label, weight),
        "precision_at_capacity": (taken * label, taken),
        "recall_at_capacity": (taken * label, weight * label),
        "observed_over_expected": (weight * label, weight * probability),
        **{name: (top * label, top) for name, top in tops.items()},
    }


def _finished(ratios: Ratios, counts: Floats) -> dict[str, float]:
    """Turn rates of the best into lifts, and Brier scores into the skill over the base rate."""
    found = dict(zip(ratios.names, ratios.at(counts).tolist(), strict=True))
    for share in LIFTS:
        found[f"lift_at_{share}"] = found[f"lift_at_{share}"] / found["base_rate"] if found["base_rate"] else np.nan
    base = found.pop("base_brier")
    found["brier_skill"] = 1 - found.pop("brier") / base if base else np.nan
    return found


@dataclass(frozen=True, eq=False)
class _Slope:
    """
    The slope of the outcome on the predicted log-odds; 1 is right, below 1 is overconfident.

    Resampled values take one Newton step from the slope of all rows, which needs only each group's sums.
    """

    slope: float
    gradient: Floats
    hessian: Floats

    @classmethod
    def of(cls, probability: Floats, judged: Judged) -> "_Slope":
        """Fit it on all rows and keep each group's gradient (g, 2) and Hessian (g, 3)."""
        x = logits(probability)
        slope, offset = logistic_fit(x, judged.label, weight=judged.weight)
        chance = np.exp(-np.logaddexp(0.0, -(slope * x + offset)))
        pull = judged.weight * (judged.label - chance)
        curved = judged.weight * chance * (1 - chance)
        sums = [
            np.bincount(judged.group, weights=part) for part in (pull * x, pull, curved * x * x, curved * x, curved)
        ]
        return cls(slope, np.stack(sums[:2], axis=1), np.stack(sums[2:], axis=1))

    def at(self, counts: Floats) -> float:
        """Give the slope where group g counts ``counts[g]`` times."""
        (pull_x, pull), (xx, x, one) = counts @ self.gradient, counts @ self.hessian
        room = xx * one - x * x
        return float(self.slope + (one * pull_x - x * pull) / room) if room > 0 else np.nan
