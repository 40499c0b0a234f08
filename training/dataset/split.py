"""
Split: train, calibrate and test by time, each group in one block.

``train | purge one horizon | calibrate | purge one horizon | test``. A purge keeps the labels of one block from
looking into the next. Where the history is too short for two purges, train and calibrate share one period and are
separated by groups instead.

A group (an account with its leads) that has rows in several blocks is assigned to one of them by a random draw, and
its rows elsewhere are set aside. Which blocks a lead reaches depends on how long it stays open, and so on its outcome:
a lead that succeeds early is only in the first. So that the draw introduces no bias, each row that is kept weighs
1 / (the chance that its group was assigned to this block).

Source: Horvitz and Thompson 1952, A generalization of sampling without replacement from a finite universe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.instants import DAY_US, iso, parse
from training.errors import HistoryError
from training.statistics.sampling import uniforms

PlanName = Literal["two purges", "one purge"]
BLOCKS = ("train", "calibrate", "test")
SHARES = (0.60, 0.15, 0.25)
"""The share of the usable time that each block gets."""

CLAIMS = (0.4, 0.3, 0.3)
"""How likely each block is to get a group that has rows in all; nearly even, so that no row weighs much."""

_FEWEST_HORIZONS_FOR_TWO = 5.0
_FEWEST_HORIZONS = 1.75
_CALIBRATE_SHARE = SHARES[1] / (SHARES[0] + SHARES[1])
_STOP_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open period ``[start, end)`` [us since 1970 UTC]."""

    start: int
    end: int

    def holds(self, as_of: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which instants lie in it."""
        return (as_of >= self.start) & (as_of < self.end)

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / DAY_US

    def as_json(self) -> dict[str, Any]:
        """Write its ends in ISO 8601 and its length."""
        return {"start": iso(self.start), "end": iso(self.end), "days": round(self.days, 2)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Span":
        """Read it back."""
        return cls(parse(content["start"]), parse(content["end"]))


@dataclass(frozen=True, slots=True)
class Plan:
    """Which period each block has, and how many purges lie between them."""

    name: PlanName
    train: Span
    calibrate: Span
    test: Span

    @property
    def shared(self) -> bool:
        """Whether train and calibrate share one period."""
        return self.name == "one purge"

    def as_json(self) -> dict[str, Any]:
        """Write its name and its periods."""
        return {"name": self.name, **{block: getattr(self, block).as_json() for block in BLOCKS}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Plan":
        """Read it back."""
        return cls(content["name"], *(Span.from_json(content[block]) for block in BLOCKS))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """
    Where each row belongs.

    Attributes:
        block: (n,) ``train``, ``stop`` (part of the train period, for early stopping), ``calibrate``, ``test``,
            ``purged`` (between the blocks) or ``aside`` (its group belongs to another block).
        weight: (n,) 1 / (the chance that the row's group was assigned to its block); 1 where there was no draw.
    """

    block: NDArray[np.object_]
    weight: NDArray[np.float64]

    @property
    def counts(self) -> dict[str, int]:
        """Block → number of its rows."""
        names, counts = np.unique(self.block.astype(str), return_counts=True)
        return {"train": 0, "stop": 0, "calibrate": 0, "test": 0, "purged": 0, "aside": 0} | dict(
            zip(names.tolist(), counts.tolist(), strict=True)
        )


def plan_blocks(first: int, last: int, *, horizon: int) -> Plan:
    """
    Divide the mature time.

    Args:
        first: the first mature ``as_of`` [us since 1970 UTC].
        last: the last one.
        horizon: of the goal [us]; as long as each purge.

    Raises:
        HistoryError: not even one purge leaves time for two blocks.
    """
    span = last + 1 - first
    if span >= _FEWEST_HORIZONS_FOR_TWO * horizon:
        usable = span - 2 * horizon
        ends = [first + round(usable * share) for share in (SHARES[0], SHARES[0] + SHARES[1])]
        train, calibrate = Span(first, ends[0]), Span(ends[0] + horizon, ends[1] + horizon)
        return Plan("two purges", train, calibrate, Span(ends[1] + 2 * horizon, last + 1))
    if span < _FEWEST_HORIZONS * horizon:
        message = (
            f"The history has {max(span, 0) / DAY_US:.0f} days whose outcome is known, expected at least "
            f"{_FEWEST_HORIZONS * horizon / DAY_US:.0f} for a goal within {horizon / DAY_US:g} days: "
            "bring a longer history or shorten goal.horizon_days."
        )
        raise HistoryError(message)
    early = Span(first, first + round((span - horizon) * (SHARES[0] + SHARES[1])))
    return Plan("one purge", early, early, Span(early.end + horizon, last + 1))


def split(as_of: NDArray[np.int64], groups: "pd.Series[str]", plan: Plan, *, seed: int) -> Split:
    """
    Assign each mature row to a block.

    Args:
        as_of: (n,) instants of the rows.
        groups: (n,) name of each row's group.
        plan: the periods.
        seed: of the draws.
    """
    code, names = pd.factorize(groups)
    period = _periods(as_of, plan)
    home, chance = _homes(code, period, names=names.astype(str), seed=seed)
    block = np.array([*BLOCKS, "purged"], dtype=object)[period]
    kept = home[code] == period
    block[(period >= 0) & ~kept] = "aside"
    # Horvitz and Thompson: a row that was kept with chance c stands for 1 / c rows.
    weight = np.where((period >= 0) & kept, 1 / chance[code], 1.0)
    if plan.shared:
        block[(block == "train") & _drawn(code, names, _CALIBRATE_SHARE, purpose="calibrate", seed=seed)] = "calibrate"
    block[(block == "train") & _drawn(code, names, _STOP_SHARE, purpose="stop", seed=seed)] = "stop"
    return Split(block, weight)


def _periods(as_of: NDArray[np.int64], plan: Plan) -> NDArray[np.int64]:
    """Number the period of each row as in `BLOCKS`; -1 between them."""
    period = np.full(len(as_of), -1, dtype=np.int64)
    period[plan.train.holds(as_of)] = 0
    if not plan.shared:
        period[plan.calibrate.holds(as_of)] = 1
    period[plan.test.holds(as_of)] = 2
    return period


def _homes(
    code: NDArray[np.int64], period: NDArray[np.int64], *, names: pd.Index, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw one of its periods for each group, by the blocks' claims; return the period and its chance."""
    touched = np.zeros((len(names), len(BLOCKS)), dtype=bool)
    touched[code[period >= 0], period[period >= 0]] = True
    chances = touched * np.array(CLAIMS)
    chances = chances / np.maximum(chances.sum(axis=1, keepdims=True), 1e-300)
    drawn = uniforms(names, "block", seed=seed)
    home = (drawn[:, None] >= chances.cumsum(axis=1)).sum(axis=1).clip(max=len(BLOCKS) - 1)
    home = np.where(np.take_along_axis(touched, home[:, None], axis=1)[:, 0], home, touched.argmax(axis=1))
    return home, np.maximum(np.take_along_axis(chances, home[:, None], axis=1)[:, 0], 1e-300)


def _drawn(
    code: NDArray[np.int64], names: "pd.Index[str]", share: float, *, purpose: str, seed: int
) -> NDArray[np.bool_]:
    """Return which rows belong to a randomly drawn share of the groups."""
    return np.asarray((uniforms(names.astype(str), purpose, seed=seed) < share)[code])
