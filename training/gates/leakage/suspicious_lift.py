"""
Suspicious lift: the best leads do not succeed more often than is plausible.

As many rows as there are successes, a share r, are taken from the top. By chance a share r of them succeed (a lift of
1), at best all do (1/r). Real campaigns come out about half way in logarithms, at sqrt(1/r); the *reach*,
log(lift) / log(1/r), is 0 by chance, 1/2 there, and 1 where nothing is left to know.

A reach above 0.9, even at the lower end of its interval, fails. Measured on the test rows: the true chances of a
simulated company of 1,500 leads, which no model can surpass, reach 0.90 with a lower end of 0.85.

Two features may give the outcome away together although neither does alone, such as two parts of a sum. The model may
not find that out: its trees see three features in ten, and stay small where leads are few. So a quick fit on all
features is measured too. Where one of two features is a random 0 to 3 and the other the sum of it and the label, the
model's reach was 0.71 – 0.81 at 600 to 1,500 leads and the quick fit's 0.96 – 1.00. Neither finds two features of which
only the *exclusive or* is the label: no single split gains anything, so trees do not make it. Such a leak does no harm
to a model of trees.

Both are also measured by whether the lead reached the goal at all, be it later than the horizon.

Source: Piatetsky-Shapiro and Masand 1999, Estimating campaign benefits and modeling lift.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np

from models.conversion import Encoding
from training.dataset.dataset import Dataset
from training.fitting.boosting import Floats, margins_of
from training.fitting.row_weights import sample_groups
from training.gates.gate import GateResult, named
from training.gates.leakage.quick_fit import quick_fit
from training.statistics.bootstrap import Ratios, interval, spread
from training.statistics.scoring_metrics import EvaluationRows, best_share

NAME = "suspicious lift"
FAR = 0.9
"""A reach above this, even at the lower end of its interval, is suspicious."""

MOST_ROWS = 20_000
_SUSPECTS = 3
_RESAMPLES = 200
_SEED = 19


@dataclass(frozen=True, slots=True)
class Reach:
    """
    How far the best rows are on the way from chance to perfection.

    Attributes:
        rate: of success among all rows.
        lift: of the best rows, as many as there are successes.
        reach: from 0 (chance) to 1 (perfect).
        low: the lower end of its 95 % interval over resampled accounts.
    """

    rate: float
    lift: float
    reach: float
    low: float

    @property
    def usual(self) -> float:
        """The lift that campaigns usually reach."""
        return float(np.sqrt(self.most))

    @property
    def most(self) -> float:
        """The lift where all of the best rows succeed."""
        return 1 / self.rate


def measure_reach(score: Floats, judged: EvaluationRows) -> Reach | None:
    """
    Measure the reach of a score; None where all rows succeed, or none does.

    Args:
        score: (n,) the higher the likelier.
        judged: the n rows.
    """
    rate = float(np.average(judged.label, weights=judged.weight))
    if not 0 < rate < 1:
        return None
    top = best_share(score, judged, share=rate)
    ratios = Ratios.of(
        {"best": (top * judged.label, top), "rate": (judged.weight * judged.label, judged.weight)}, judged.group
    )

    def measure(counts: Floats) -> Floats:
        rates = ratios.at(counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(rates[..., :1] / rates[..., 1:]) / -np.log(rates[..., 1:]))

    value = float(measure(np.ones(judged.groups))[0])
    low = interval(spread(measure, judged.groups, times=_RESAMPLES, seed=_SEED)[:, 0], value).low
    return Reach(rate, float(ratios.values[0]) / rate, value, 0.0 if low is None else low)


def suspicious_lift(
    dataset: Dataset,
    *,
    probability: Floats,
    judged: EvaluationRows,
    encoding: Encoding,
    parameters: Mapping[str, Any],
    seed: int,
) -> GateResult:
    """
    Compare the lift of the model, and of a quick fit on all features, with what is plausible.

    Args:
        dataset: its blocks train and test.
        probability: (n,) the model's, of the test rows.
        judged: the n test rows.
        encoding: the model's features.
        parameters: of the model's fitting.
        seed: of the draw of accounts that the quick fit learns from.
    """
    test = dataset.block("test")
    train = sample_groups(dataset.block("train"), MOST_ROWS, purpose="suspicious lift", seed=seed)
    booster = quick_fit(encoding, train, train["label"].to_numpy(dtype=np.float64), parameters=parameters)
    quick = margins_of(booster, encoding, test)
    at_last = replace(judged, label=test["goal_at"].notna().to_numpy().astype(np.float64))
    reaches = {
        f"{scorer}{when}": reach
        for scorer, score in (("model", probability), ("quick_fit", quick))
        for when, rows in (("", judged), ("_at_last", at_last))
        if (reach := measure_reach(score, rows)) is not None
    }
    if not reaches:
        says = "The test rows all end alike, so that no lift can be measured."
        return GateResult(name=NAME, passed=True, says=says, numbers={}, conclusive=False)
    numbers = {
        f"{name}_{part}": getattr(reach, part) for name, reach in reaches.items() for part in ("lift", "reach", "low")
    }
    worst = max(reaches, key=lambda name: reaches[name].low)
    if reaches[worst].low > FAR:
        says = _suspects(reaches[worst], _leading(booster, encoding), quick=worst.startswith("quick_fit"))
        return GateResult(name=NAME, passed=False, says=says, numbers=numbers)
    says = _plausible(reaches.get("model", reaches[worst]))
    conclusive = all(reach.reach <= FAR for reach in reaches.values())
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=conclusive)


def _leading(booster: lightgbm.Booster, encoding: Encoding) -> list[str]:
    """Name the features that the quick fit relies on most."""
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    order = np.argsort(-gain, kind="stable")[:_SUSPECTS]
    return [encoding.catalog.names[index] for index in order if gain[index] > 0]


def _plausible(reach: Reach) -> str:
    return (
        f"The best {reach.rate:.1%} of the test rows hold {reach.lift:.1f} times as many successes as by chance; "
        f"{reach.usual:.1f} is usual and {reach.most:.1f} the most there can be."
    )


def _suspects(reach: Reach, features: list[str], *, quick: bool) -> str:
    problem = "A quick fit finds features that give the outcome away together" if quick else "The model is too good"
    return (
        f"{problem}: the best {reach.rate:.1%} of the test rows hold {reach.lift:.1f} times as many successes as by "
        f"chance, where {reach.usual:.1f} is usual and {reach.most:.1f} the most there can be; scores rely most on "
        f"{named(features)}, so check whether they are written because of the outcome, and put them on never_use."
    )
