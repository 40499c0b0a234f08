"""
Permuted labels: where outcomes are dealt out at random, nothing can be learnt.

Every account is dealt the outcome of another, the same one for all its rows, wherever they stand. A quick fit learns
the dealt outcomes of the train rows and is judged on those of the test rows: an AUC of 0.5, within 2 standard errors.
More means that train and test know of each other, as where an account has rows in both and is recognised.

The standard error is that of the deal itself: the same scores, judged on a thousand other deals among the test rows'
accounts, so it is right however large some accounts are. Two standard errors alone cry wolf once in 20 times; so a
striking AUC is looked at again with four more deals, which must together be beyond 2 standard errors on the same side.

Measured with 360 gates on twelve clean histories (simulated companies of 600 and 1,500 leads, and bpi2012): 13 first
deals were striking, 1 gate failed. Where rows instead of accounts were drawn into the blocks, the AUC was 0.71 – 0.96,
8 to 14 standard errors away, in each of 60 deals.

An account or a lead in two blocks is looked for by its name, too: a few of them are too few to move an AUC.
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

SEEN = 0.2
"""An AUC this far from 0.5 must be seen: leaks that were measured stood further away."""

MORE = 4
"""Deals that a striking one is looked at again with."""

MOST_ROWS = 10_000
_DEALS = 1_000
_BLOCKS = (("train", "stop"), ("calibrate",), ("test",))


@dataclass(frozen=True, slots=True)
class PermutationResult:
    """
    What one deal of outcomes came to.

    Attributes:
        auc: of the scores on the dealt outcomes of the test rows.
        error: its standard error over other deals.
    """

    auc: float
    error: float

    @property
    def distance(self) -> float:
        """Give how many standard errors it is from a half."""
        return (self.auc - 1 / 2) / self.error if self.error > 0 else 0.0


def permuted_labels(dataset: Dataset, *, encoding: Encoding, parameters: Mapping[str, Any], seed: int) -> GateResult:
    """
    Deal out the outcomes anew, learn them, and demand that nothing was learnt.

    Args:
        dataset: its blocks; many rows are thinned by drawing some.
        encoding: the model's features.
        parameters: of the model's fitting.
        seed: of the deals.
    """
    both = _in_two_blocks(dataset)
    deals = [deal(dataset, encoding=encoding, parameters=parameters, seed=seed)]
    if abs(deals[0].distance) > FAR:
        deals += [deal(dataset, encoding=encoding, parameters=parameters, seed=seed + at) for at in range(1, MORE + 1)]
    again = float(np.sqrt(MORE) * np.mean([one.distance for one in deals[1:]])) if deals[1:] else 0.0
    learnt = min(abs(deals[0].distance), abs(again)) > FAR and again * deals[0].distance > 0
    numbers = {
        "auc": deals[0].auc,
        "standard_error": deals[0].error,
        "again_in_standard_errors": again,
        "accounts_in_two_blocks": len(both),
    }
    passed, seen = not (learnt or both), 0 < FAR * deals[0].error < SEEN
    return GateResult(NAME, passed, _says(deals, both, learnt=learnt), numbers=numbers, conclusive=seen or not passed)


def deal(dataset: Dataset, *, encoding: Encoding, parameters: Mapping[str, Any], seed: int) -> PermutationResult:
    """Deal out the outcomes once, learn them on the train rows, and judge on the test rows."""
    generator = np.random.default_rng(seed)
    train, test = (_some(dataset.block(*names), generator) for names in (_BLOCKS[0], _BLOCKS[-1]))
    every = pd.concat([train, test])
    group, names = pd.factorize(every["group"])
    won = np.zeros(len(names))
    np.maximum.at(won, group, every["label"].to_numpy())
    dealt = generator.permutation(won)
    booster = quick_fit(encoding, train, dealt[group[: len(train)]], parameters=parameters)
    scores = np.asarray(booster.predict(encoding.frame(test)), dtype=np.float64)
    code, kept = pd.factorize(group[len(train) :])
    return _judged(scores, code, weight=test["weight"].to_numpy(), outcome=dealt[kept], generator=generator)


def _some(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Draw rows, not accounts: of an account that is in two blocks something stays in both."""
    return rows if len(rows) <= MOST_ROWS else rows.iloc[np.sort(generator.choice(len(rows), MOST_ROWS, replace=False))]


def _judged(
    scores: Floats, group: Codes, *, weight: Floats, outcome: Floats, generator: np.random.Generator
) -> PermutationResult:
    """
    Give the AUC of one deal and its spread over many.

    With m the weight below a row's score plus half of that beside it, the AUC is a ratio of sums over the rows of
    success: (sum of weight times m - half the square of their weight) / (their weight times that of the others).
    """
    _, rank = np.unique(scores, return_inverse=True)
    level = np.bincount(rank, weights=weight)
    middle = (np.cumsum(level) - level / 2)[rank]
    sums = np.stack([np.bincount(group, weights=part) for part in (weight * middle, weight)], axis=1)
    deals = np.stack([outcome, *(generator.permutation(outcome) for _ in range(_DEALS))])
    above, heavy = (deals @ sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = (above - heavy**2 / 2) / (heavy * (weight.sum() - heavy))
    if not np.isfinite(auc[0]):
        return PermutationResult(1 / 2, 0.0)
    return PermutationResult(float(auc[0]), float(np.nanstd(auc[1:])))


def _in_two_blocks(dataset: Dataset) -> list[str]:
    """Name the accounts and leads with rows in more than one of what is learnt from, calibrated on and judged on."""
    twice: set[str] = set()
    for column in ("group", "lead_id"):
        seen: set[str] = set()
        for names in _BLOCKS:
            block = set(dataset.block(*names, columns=[column])[column].unique())
            twice |= seen & block
            seen |= block
    return sorted(twice)


def _says(deals: list[PermutationResult], both: list[str], *, learnt: bool) -> str:
    first = deals[0]
    said = f"an AUC of {first.auc:.3f} on permuted labels, expected 0.5 within {FAR * first.error:.3f}"
    if both:
        found = f"The accounts of {named(both)} have" if both[1:] else f"The account of {both[0]} has"
        return (
            f"{found} rows in more than one of train, calibrate and test, so that the model is judged on leads that it "
            f"knows ({said}): build the training set again."
        )
    if learnt:
        return (
            f"A quick fit has {said}, and {MORE} more permutations agree: what it learnt from the train rows holds for "
            "the test rows although it cannot, so build the training set again."
        )
    seldom = f"; {MORE} more permutations do not agree that it is more than luck" if deals[1:] else ""
    return f"A quick fit has {said}{seldom}."
