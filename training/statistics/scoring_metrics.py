"""
Evaluation: how good a scorer's probabilities are on rows it has never seen, each number with an interval.

Rows weigh as many days of open leads as they stand for, so that every number is about the list of a random day of the
period. Intervals resample accounts. Which leads are called, and which are in the top tenth, is decided once on all
rows. A number that does not exist, such as an AUC without any success, is None, never NaN: it goes into JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import DAY_US
from training.statistics.bootstrap import RESAMPLES, Ranking, Ratios, group_sums, ignore_count, interval, spread
from training.statistics.estimate import CalibrationError, Estimate
from training.statistics.reliability import Floats, curve, logistic_fit, logits
from training.statistics.scorer_metrics import Metrics

SEED = 11
LIFTS = (5, 10, 20)
FLAGGED = 25
"""Percent of the rows, in the middle of the 15 to 35 that a scorer should need to find 60 % of all successes."""

TOP, BOTTOM = 10, 50
"""Percent of the rows: the best tenth should succeed ten times as often as the worst half."""

_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class EvaluationRows:
    """
    The rows that scorers are evaluated on.

    Attributes:
        label: (n,) 1 where the goal was reached within the horizon, else 0.
        weight: (n,) how many rows of the period each stands for.
        group: (n,) codes of the accounts, from 0.
        day: (n,) UTC day of each row.
        amount: (n,) what reaching the goal was worth; 0 where it was not reached within the horizon, or no amount was
            recorded. None where no amounts are known at all.
    """

    label: Floats
    weight: Floats
    group: NDArray[np.int64]
    day: NDArray[np.int64]
    amount: Floats | None = None

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "EvaluationRows":
        """Take them from rows of a training set."""
        label = rows["label"].to_numpy(dtype=np.float64)
        return cls(
            label=label,
            weight=rows["weight"].to_numpy(dtype=np.float64),
            group=pd.factorize(rows["group"])[0].astype(np.int64),
            day=(rows["as_of"] // DAY_US).to_numpy(dtype=np.int64),
            amount=_amounts(rows, label),
        )

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group.max()) + 1


def _amounts(rows: pd.DataFrame, label: Floats) -> Floats | None:
    """Return what each row was worth; None where no row has an amount."""
    if "amount" not in rows or not rows["amount"].notna().any():
        return None
    return np.where(label > 0, np.nan_to_num(rows["amount"].to_numpy(dtype=np.float64)), 0.0)


def evaluate(
    probability: Floats,
    judged: EvaluationRows,
    *,
    base_rate: float,
    capacity_per_day: float,
    resamples: int = RESAMPLES,
    on_measured: Callable[[int], None] = ignore_count,
) -> Metrics:
    """
    Evaluate the probabilities of one scorer.

    Args:
        probability: (n,) of reaching the goal.
        judged: the n rows.
        base_rate: the probability without any scorer: the share of the training period.
        capacity_per_day: how many leads the team can call in a day.
        resamples: of the accounts, for the intervals.
        on_measured: called with the number of resamples done so far.
    """
    parts = _parts(probability, judged, base_rate=base_rate, capacity=capacity_per_day)
    ratios = Ratios.of(parts, judged.group)
    ranking = Ranking.of(probability, judged.label, weight=judged.weight, group=judged.group)
    slope = _Slope.of(probability, judged)

    def measure(counts: Floats) -> Floats:
        finished = _finished(ratios, counts).values()
        return np.column_stack([*finished, ranking.at(counts), slope.at(counts)])

    every_group_once = np.ones((1, judged.groups))
    names = [*_finished(ratios, every_group_once), "auc", "pr_auc", "slope"]
    values = measure(every_group_once)[0]
    spreads = spread(measure, judged.groups, times=resamples, seed=SEED, on_measured=on_measured)
    estimates = {name: interval(spreads[:, index], values[index]) for index, name in enumerate(names)}
    reliability = curve(probability, judged.label, weight=judged.weight, group=judged.group, seed=SEED)
    content: dict[str, Estimate | CalibrationError | float | None] = {
        "value_at_capacity": None,
        **estimates,
        "base_log_loss": estimates["base_log_loss"].value,
        "ece": CalibrationError(value=reliability.error, noise_95=reliability.noise_95),
        "rows": len(judged.label),
        "positives": int(judged.label.sum()),
    }
    return Metrics.model_validate(content)


def losses(probability: Floats, label: Floats) -> Floats:
    """
    Return the log loss of each row, (n,).

    >>> losses(np.array([0.5, 0.9]), np.array([1.0, 1.0])).round(3).tolist()
    [0.693, 0.105]
    """
    safe = np.clip(probability, _TINY, 1 - _TINY)
    return np.asarray(-np.where(label > 0, np.log(safe), np.log1p(-safe)))


def called(score: Floats, judged: EvaluationRows, *, capacity_per_day: float) -> Floats:
    """
    Return how much of each row's weight is called when the team takes the best leads of each day, (n,).

    Equal scores are taken in an order drawn once.
    """
    return _Queue.of(score, judged.weight, judged.day).first(capacity_per_day)


def best_share(score: Floats, judged: EvaluationRows, *, share: float) -> Floats:
    """Return how much of each row's weight is among the best share of all rows, (n,)."""
    return best_shares(score, judged, shares=[share])[0]


def best_shares(score: Floats, judged: EvaluationRows, *, shares: Sequence[float]) -> list[Floats]:
    """Return the same for several shares, (n,) each, having sorted the rows once."""
    queue = _Queue.of(score, judged.weight, np.zeros_like(judged.day))
    return [queue.first(share * float(judged.weight.sum())) for share in shares]


def found_by_shares(score: Floats, judged: EvaluationRows, *, shares: Sequence[float]) -> Floats:
    """Return the share of all successes among the best shares of all rows, (k,); NaN where there is no success."""
    queue = _Queue.of(score, judged.weight, np.zeros_like(judged.day))
    passed, hits = np.cumsum(queue.weight), np.cumsum(queue.weight * judged.label[queue.order])
    reached = np.interp(np.asarray(shares) * passed[-1], np.r_[0.0, passed], np.r_[0.0, hits])
    return np.asarray(reached / hits[-1] if hits[-1] > 0 else np.full(len(shares), np.nan))


@dataclass(frozen=True, eq=False)
class _Queue:
    """The rows of each part, best first; equal scores stand in an order drawn once."""

    order: NDArray[np.int64]
    weight: Floats
    before: Floats

    @classmethod
    def of(cls, score: Floats, weight: Floats, part: NDArray[np.int64]) -> "_Queue":
        """Sort the rows; ``before`` is the weight that stands ahead of each in its part."""
        tie = np.random.default_rng(SEED).permutation(len(score))
        order = tie[np.lexsort((-score[tie], part[tie]))]
        ordered = weight[order]
        ahead = np.cumsum(ordered) - ordered
        starts = np.flatnonzero(np.r_[True, np.diff(part[order]) != 0])
        sizes = np.diff(np.r_[starts, len(score)])
        return cls(order, ordered, ahead - np.repeat(ahead[starts], sizes))

    def first(self, room: float) -> Floats:
        """Return how much of each row's weight has room in its part, (n,); the last one may fit in partly."""
        taken = np.empty(len(self.order))
        taken[self.order] = np.clip(room - self.before, 0, self.weight)
        return taken


def _parts(
    probability: Floats, judged: EvaluationRows, *, base_rate: float, capacity: float
) -> Mapping[str, tuple[Floats, Floats]]:
    """Return the numbers that are one weighted sum over another: name → (numerator, denominator), each (n,)."""
    label, weight = judged.label, judged.weight
    hits = weight * label
    constant = np.full(len(label), base_rate)
    taken = called(probability, judged, capacity_per_day=capacity)
    called_hits = taken * label
    *tops, flagged, top, upper = best_shares(
        probability, judged, shares=[percent / 100 for percent in (*LIFTS, FLAGGED, TOP, 100 - BOTTOM)]
    )
    lower = weight - upper
    value = {} if judged.amount is None else {"value_at_capacity": (taken * judged.amount, taken)}
    return {
        "log_loss": (weight * losses(probability, label), weight),
        "base_log_loss": (weight * losses(constant, label), weight),
        "brier": (weight * (probability - label) ** 2, weight),
        "base_brier": (weight * (constant - label) ** 2, weight),
        "base_rate": (hits, weight),
        "precision_at_capacity": (called_hits, taken),
        "recall_at_capacity": (called_hits, hits),
        **value,
        "observed_over_expected": (hits, weight * probability),
        "found_by_best_25": (flagged * label, hits),
        "top_over_bottom": (top * label, top),
        "bottom": (lower * label, lower),
        **{f"lift_at_{share}": (best * label, best) for share, best in zip(LIFTS, tops, strict=True)},
    }


def _finished(ratios: Ratios, counts: Floats) -> dict[str, Floats]:
    """Turn rates of the best into lifts, and Brier scores into the skill over the base rate: (b,) each."""
    numbers = dict(zip(ratios.names, ratios.at(counts).T, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        for share in LIFTS:
            numbers[f"lift_at_{share}"] = numbers[f"lift_at_{share}"] / numbers["base_rate"]
        numbers["top_over_bottom"] = numbers["top_over_bottom"] / numbers.pop("bottom")
        numbers["brier_skill"] = 1 - numbers.pop("brier") / numbers.pop("base_brier")
    return numbers


@dataclass(frozen=True, eq=False)
class _Slope:
    """
    The slope of the outcome on the predicted log-odds; 1 is right, below 1 is overconfident.

    Resampled values take one Newton step from the slope of all rows, which needs only each group's sums.
    """

    slope: float
    terms: Floats

    @classmethod
    def of(cls, probability: Floats, judged: EvaluationRows) -> "_Slope":
        """Fit it on all rows and save each group's gradient and Hessian, (g, 5)."""
        x = logits(probability)
        if len(np.unique(judged.label)) < 2 or np.ptp(x) == 0:  # noqa: PLR2004 - both kinds are needed
            return cls(np.nan, np.zeros((judged.groups, 5)))
        slope, offset = logistic_fit(x, judged.label, weight=judged.weight)
        chance = np.exp(-np.logaddexp(0.0, -(slope * x + offset)))
        pull = judged.weight * (judged.label - chance)
        curved = judged.weight * chance * (1 - chance)
        parts = (pull * x, pull, curved * x * x, curved * x, curved)
        return cls(slope, np.stack([np.bincount(judged.group, weights=part) for part in parts], axis=1))

    def at(self, counts: Floats) -> Floats:
        """Return the slope where group g counts ``counts[g]`` times: (b,) for counts (b, groups)."""
        pull_x, pull, xx, x, curvature = group_sums(counts, self.terms).T
        determinant = xx * curvature - x * x
        step = np.divide(
            curvature * pull_x - x * pull, determinant, out=np.full_like(determinant, np.nan), where=determinant > 0
        )
        return np.asarray(self.slope + step)
