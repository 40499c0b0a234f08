"""
The list test: at several mornings of the test weeks everybody open is scored, and promised is compared with came.

The chances of a list promise their sum. How many successes come is spread around it by two kinds of luck, which are
independent: that of the leads (the rows of an account are taken together; where an account's rows say less than its
chances allow, these decide), and that of the accounts the model was calibrated on, whose own sum was off by as much.
Source of the first: Liang and Zeger 1986, the variance of a sum over clusters from their residuals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from data.instants import iso
from data.words.playbook import Business
from features.age_and_silence import BESIDE, ages_and_silences
from models.bands import Bands
from training.dataset.dataset import Dataset
from training.dataset.segment_values import segment_values
from training.lists.list_evaluation import LEVEL, ListGroup, ListTest
from training.lists.reached_days import history_reach
from training.statistics.estimate import Estimate

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BANDS = (1.0, 3.0, 7.0, 14.0, 30.0, 90.0, 180.0, 365.0)
"""Days at which lengths of silence, and ages, are told apart."""


@dataclass(frozen=True, eq=False)
class ScoredLists:
    """
    The rows of the whole lists, with what is compared.

    Attributes:
        rows: (n) listings at which everybody open has a row.
        chance: (n,) the model's probability of each.
        points: (n,) of each, for the grades.
        spread: by how much the sum of chances may be off by the luck of the calibration, as a share of it.
    """

    rows: pd.DataFrame
    chance: Floats
    points: Floats
    spread: float

    @property
    def lists(self) -> int:
        """How many lists there are."""
        return int(self.rows["as_of"].nunique())


def list_test(listed: ScoredLists, dataset: Dataset, *, bands: Bands, business: Business) -> ListTest:
    """
    Compare what the lists of the test weeks promised with what came.

    Args:
        listed: the rows of the lists, scored.
        dataset: its train rows say of which ages and silences history can speak.
        bands: of the model, for the grades.
        business: names the segments.

    Returns:
        All leads, then those of each length of silence, of each age, grade and segment.
    """
    reach = history_reach(dataset.block("train", columns=("lead_id", *(each.name for each in BESIDE))))
    ages, silences = ages_and_silences(listed.rows)
    told_apart = [
        *_bands(silences, known=reach.silence_days, by="days of silence"),
        *_bands(ages, known=reach.age_days, by="age in days"),
        *_grades(listed, bands),
        *_segments(listed.rows, business),
    ]
    everybody = _Slice("all leads", "all open leads", np.ones(len(listed.rows), dtype=np.bool_))
    instants = sorted({iso(instant) for instant in listed.rows["as_of"].tolist()})
    groups = (_compared(listed, part) for part in (everybody, *told_apart) if part.inside.any())
    return ListTest(instants=tuple(instants), groups=tuple(groups))


@dataclass(frozen=True, eq=False)
class _Slice:
    """Some rows of the lists: what they are told apart by, which they are, and whether history knows their like."""

    by: str
    says: str
    inside: Mask
    known: bool = True


def _bands(days: Floats, *, known: int, by: str) -> Iterator[_Slice]:
    """Yield the rows by their days; those of bands that begin beyond what history knows stand apart."""
    edges = (-np.inf, *BANDS, np.inf)
    for low, high in pairwise(edges):
        begin = max(low, 0.0)
        says = f"{begin:g} to {high:g}" if np.isfinite(high) else f"{begin:g} and more"
        yield _Slice(by, says, (days >= low) & (days < high), begin <= known)


def _grades(listed: ScoredLists, bands: Bands) -> Iterator[_Slice]:
    grade = np.array(bands.grades(listed.points))
    return (_Slice("grade", name, grade == name) for name in "ABCD")


def _segments(rows: pd.DataFrame, business: Business) -> Iterator[_Slice]:
    for name in business.segments:
        for words, inside in segment_values(rows, name, business=business):
            yield _Slice(words["label"], words["says"], inside)


def _compared(listed: ScoredLists, part: _Slice) -> ListGroup:
    """Sum what the chances of some rows promise and what came, a list on average, with the range that chance allows."""
    rows, inside = listed.rows[part.inside], part.inside
    weight, label = (rows[name].to_numpy(dtype=np.float64) for name in ("weight", "label"))
    chance = listed.chance[inside]
    promised, lists = float(weight @ chance), listed.lists
    reach = float(norm.ppf((1 + LEVEL) / 2)) * np.hypot(_luck(rows, chance), listed.spread * promised)
    return ListGroup(
        by=part.by,
        says=part.says,
        leads=float(weight.sum()) / lists,
        promised=promised / lists,
        came=float(weight @ label) / lists,
        low=max(0.0, promised - reach) / lists,
        high=(promised + reach) / lists,
        known=part.known,
    )


def _luck(rows: pd.DataFrame, chance: Floats) -> float:
    """Return the standard deviation of the sum of outcomes, where accounts are independent."""
    weight, label = (rows[name].to_numpy(dtype=np.float64) for name in ("weight", "label"))
    account, lead = (pd.factorize(rows[name])[0] for name in ("group", "lead_id"))
    residuals = np.bincount(account, weights=weight * (label - chance))
    # The rows of a lead succeed together, and few rows may all have failed: then their chances say how much is luck.
    expected, together = np.bincount(lead, weights=weight * chance), np.bincount(lead, weights=weight)
    mean = expected / together
    return float(np.sqrt(max(residuals @ residuals, (together**2 * mean * (1 - mean)).sum())))


def calibration_spread(fitted: Estimate) -> float:
    """
    Return by how much a sum of chances may be off by the luck of the calibration, as a share: one standard deviation.

    Args:
        fitted: observed over expected on the train rows, out of fold.

    >>> round(calibration_spread(Estimate(value=1.0, low=0.902, high=1.098)), 3)
    0.05
    """
    if fitted.low is None or fitted.high is None:
        return 0.0
    return (fitted.high - fitted.low) / (2 * float(norm.ppf((1 + LEVEL) / 2)))
