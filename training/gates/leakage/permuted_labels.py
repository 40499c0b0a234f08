"""
Permuted labels: where outcomes are permuted at random, nothing can be learnt.

Every account gets the outcome of another, the same one for all its rows, in whatever block. A quick fit learns the
permuted outcomes of the train rows and is evaluated on those of the test rows: an AUC of 0.5, within 2 standard errors.
More means that information passes between train and test, as where an account has rows in both and is recognised.

The standard error is that of the permutation itself: the same scores, evaluated on a thousand other permutations among
the test rows' accounts, so it is right however large some accounts are. Two standard errors alone are a false alarm
once in 20 times; so a striking AUC is checked with four more permutations, which must together be beyond 2 standard
errors on the same side.

Measured with 360 gates on twelve clean histories (simulated companies of 600 and 1,500 leads, and bpi2012): 13 first
permutations were striking, 1 gate failed. Where rows instead of accounts were drawn into the blocks, the AUC was
0.71 – 0.96, 8 to 14 standard errors away, in each of 60 permutations.

Accounts and leads in two blocks are searched for by name, too: a few of them are too few to move an AUC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.conversion import Encoding
from training.dataset.dataset import Dataset
from training.fitting.boosting import Floats
from training.gates.gate import GateResult, named
from training.gates.leakage.outcome_arrays import Codes
from training.gates.leakage.quick_fit import quick_fit

NAME = "permuted labels"
FAR = 2.0
"""Standard errors."""

VISIBLE = 0.2
"""An AUC this far from 0.5 must be visible: the leaks that were measured were farther away."""

MORE = 4
"""Further permutations that a striking one is checked with."""

MOST_ROWS = 10_000
_PERMUTATIONS = 1_000
_BLOCKS = (("train", "stop"), ("calibrate",), ("test",))


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
    both = _in_two_blocks(dataset)
    first = permute_once(dataset, encoding=encoding, parameters=parameters, seed=seed)
    more = []
    if abs(first.distance) > FAR:
        seeds = range(seed + 1, seed + 1 + MORE)
        more = [permute_once(dataset, encoding=encoding, parameters=parameters, seed=each) for each in seeds]
    again = float(np.sqrt(MORE) * np.mean([result.distance for result in more])) if more else 0.0
    learnt = min(abs(first.distance), abs(again)) > FAR and again * first.distance > 0
    numbers = {
        "auc": first.auc,
        "standard_error": first.error,
        "again_in_standard_errors": again,
        "accounts_in_two_blocks": len(both),
    }
    says, passed = _says([first, *more], both, learnt=learnt), not (learnt or both)
    conclusive = 0 < FAR * first.error < VISIBLE or not passed
    return GateResult(name=NAME, passed=passed, says=says, numbers=numbers, conclusive=conclusive)


def permute_once(
    dataset: Dataset, *, encoding: Encoding, parameters: Mapping[str, Any], seed: int
) -> PermutationResult:
    """Permute the outcomes once, learn them on the train rows, and evaluate on the test rows."""
    generator = np.random.default_rng(seed)
    train, test = (_sample(dataset.block(*names), generator) for names in (_BLOCKS[0], _BLOCKS[-1]))
    both = pd.concat([train, test])
    group, names = pd.factorize(both["group"])
    won = np.zeros(len(names))
    np.maximum.at(won, group, both["label"].to_numpy())
    permuted = generator.permutation(won)
    booster = quick_fit(encoding, train, permuted[group[: len(train)]], parameters=parameters)
    scores = np.asarray(booster.predict(encoding.frame(test)), dtype=np.float64)
    code, kept = pd.factorize(group[len(train) :])
    return _evaluated(scores, code, weight=test["weight"].to_numpy(), outcome=permuted[kept], generator=generator)


def _sample(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Draw rows, not accounts: an account that is in two blocks then still has some in both."""
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


def _in_two_blocks(dataset: Dataset) -> list[str]:
    """Name the accounts and leads with rows in more than one of the blocks to learn, calibrate and evaluate on."""
    twice: set[str] = set()
    for column in ("group", "lead_id"):
        seen: set[str] = set()
        for names in _BLOCKS:
            block = set(dataset.block(*names, columns=[column])[column].unique())
            twice |= seen & block
            seen |= block
    return sorted(twice)


def _says(results: list[PermutationResult], both: list[str], *, learnt: bool) -> str:
    first = results[0]
    finding = f"an AUC of {first.auc:.3f} on permuted labels, expected 0.5 within {FAR * first.error:.3f}"
    if both:
        subject = f"The accounts of {named(both)} have" if both[1:] else f"The account of {both[0]} has"
        return (
            f"{subject} rows in more than one of train, calibrate and test, so that the model is evaluated on leads "
            f"that it knows ({finding}): build the training set again."
        )
    if learnt:
        return (
            f"A quick fit has {finding}, and {MORE} more permutations agree: what it learnt from the train rows holds "
            "for the test rows although it cannot, so build the training set again."
        )
    luck = f"; {MORE} more permutations show that this was luck" if results[1:] else ""
    return f"A quick fit has {finding}{luck}."
