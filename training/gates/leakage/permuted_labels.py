"""
Permuted labels: where outcomes are permuted at random, nothing can be learnt.

Every account gets the outcome of another, the same one for all its rows. A quick fit learns the permuted outcomes of
the train rows of four folds and is evaluated on the fifth: an AUC of 0.5, within 2 standard errors. More means that
rows which count as unseen are recognised, as where an account has rows in two folds; then stopping and calibration look
at what the trees already know.

The standard error is that of the permutation itself: the same scores, evaluated on a thousand other permutations among
the fifth fold's accounts, so it is right however large some accounts are. Two standard errors alone are a false alarm
once in 20 times; so a striking AUC is checked with fifty more permutations, whose mean must be beyond 3.3 of its
standard errors on the same side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.conversion import Encoding
from training.dataset.dataset import Dataset
from training.fitting.boosting import Floats, margins_of
from training.fitting.folds import deal_folds
from training.gates.gate import GateResult
from training.gates.leakage.outcome_arrays import Codes
from training.gates.leakage.quick_fit import quick_fit

NAME = "permuted labels"
FAR = 2.0
"""Standard errors."""

VISIBLE = 0.2
"""An AUC this far from 0.5 must be visible: the leaks that were measured were farther away."""

MORE = 50
"""Further permutations that a striking one is checked with."""

CERTAIN = 3.3
"""Standard errors of their mean from which on it is no luck: by luck alone, less than once in a thousand trainings."""

MOST_ROWS = 10_000
_PERMUTATIONS = 1_000


@dataclass(frozen=True, slots=True)
class PermutationResult:
    """
    The result of one permutation of outcomes.

    Attributes:
        auc: of the scores on the permuted outcomes of the test rows.
        error: its standard error over other permutations.
    """

    auc: float
    error: float

    @property
    def distance(self) -> float:
        """How many standard errors it is from a half."""
        return (self.auc - 1 / 2) / self.error if self.error > 0 else 0.0


def permuted_labels(dataset: Dataset, *, encoding: Encoding, parameters: Mapping[str, Any], seed: int) -> GateResult:
    """
    Permute the outcomes at random, learn them, and fail if anything could be learnt.

    Args:
        dataset: its blocks; where there are many rows, some are drawn.
        encoding: the model's features.
        parameters: of the model's fitting.
        seed: of the permutations.
    """
    first = permute_once(dataset, encoding=encoding, parameters=parameters, seed=seed)
    more = []
    if abs(first.distance) > FAR:
        seeds = range(seed + 1, seed + 1 + MORE)
        more = [permute_once(dataset, encoding=encoding, parameters=parameters, seed=each) for each in seeds]
    again = float(np.sqrt(MORE) * np.mean([result.distance for result in more])) if more else 0.0
    learnt = abs(again) > CERTAIN and again * first.distance > 0
    numbers = {
        "auc": first.auc,
        "standard_error": first.error,
        "again_in_standard_errors": again,
    }
    conclusive = 0 < FAR * first.error < VISIBLE or learnt
    says = _says([first, *more], learnt=learnt)
    return GateResult(name=NAME, passed=not learnt, says=says, numbers=numbers, conclusive=conclusive)


def permute_once(
    dataset: Dataset, *, encoding: Encoding, parameters: Mapping[str, Any], seed: int
) -> PermutationResult:
    """Permute the outcomes once, learn them on the rows of four folds, and evaluate on those of the fifth."""
    generator, rows = np.random.default_rng(seed), dataset.block("train")
    unseen = deal_folds(rows["group"], rows["label"], seed=seed) == 0
    train, test = (_sample(rows[chosen], generator) for chosen in (~unseen, unseen))
    both = pd.concat([train, test])
    group, names = pd.factorize(both["group"])
    won = np.zeros(len(names))
    np.maximum.at(won, group, both["label"].to_numpy())
    permuted = generator.permutation(won)
    booster = quick_fit(encoding, train, permuted[group[: len(train)]], parameters=parameters)
    scores = margins_of(booster, encoding, test)
    code, kept = pd.factorize(group[len(train) :])
    return _evaluated(scores, code, weight=test["weight"].to_numpy(), outcome=permuted[kept], generator=generator)


def _sample(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Return the rows, or as many as are enough."""
    return rows if len(rows) <= MOST_ROWS else rows.iloc[np.sort(generator.choice(len(rows), MOST_ROWS, replace=False))]


def _evaluated(
    scores: Floats, group: Codes, *, weight: Floats, outcome: Floats, generator: np.random.Generator
) -> PermutationResult:
    """
    Return the AUC of one permutation and its spread over many.

    With m the weight below a row's score plus half of that beside it, the AUC is a ratio of sums over the rows of
    success: (sum of weight times m - half the square of their weight) / (their weight times that of the others). So
    each further permutation takes two sums over accounts, and the rows are sorted once.
    """
    _, rank = np.unique(scores, return_inverse=True)
    level = np.bincount(rank, weights=weight)
    middle = (np.cumsum(level) - level / 2)[rank]
    sums = np.stack([np.bincount(group, weights=part) for part in (weight * middle, weight)], axis=1)
    permutations = np.stack([outcome, *(generator.permutation(outcome) for _ in range(_PERMUTATIONS))])
    above, heavy = (permutations @ sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = (above - heavy**2 / 2) / (heavy * (weight.sum() - heavy))
    if not np.isfinite(auc[0]):
        return PermutationResult(1 / 2, 0.0)
    return PermutationResult(float(auc[0]), float(np.nanstd(auc[1:])))


def _says(results: list[PermutationResult], *, learnt: bool) -> str:
    first = results[0]
    finding = f"an AUC of {first.auc:.3f} on permuted labels, expected 0.5 within {FAR * first.error:.3f}"
    if learnt:
        return (
            f"A quick fit has {finding}, and {MORE} more permutations agree: what it learnt from some accounts holds "
            "for others although it cannot, so build the training set again."
        )
    luck = f"; {MORE} more permutations show that this was luck" if results[1:] else ""
    return f"A quick fit has {finding}{luck}."
