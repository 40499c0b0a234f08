"""
Blocks: the rows that a model learns from, and the later ones that test it.

``train | purge one horizon | test``. The purge keeps the labels of the train rows from looking into the test. Leads and
accounts may stand on both sides: serving meets leads and accounts that it has known, so a test forward in time may too.

The blocks are cut by information and not by the calendar, since a history may begin with a few early leads, or take in
no new ones at its end. What is rarer decides how much can be known: the information is counted in successes, or in
failures where these are fewer. The test has a quarter of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.instants import DAY_US, iso, parse
from training.errors import HistoryError

BLOCKS = ("train", "test")
PURGED = "purged"
TEST_SHARE = 0.25
"""The share of the information in both blocks that the test has."""

_FEWEST_HORIZONS = 1.75

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open period ``[start, end)`` [us since 1970 UTC]."""

    start: int
    end: int

    def holds(self, as_of: Instants) -> NDArray[np.bool_]:
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
    """Which period each block has; between them lies the purge."""

    train: Span
    test: Span

    def blocks(self, as_of: Instants) -> NDArray[np.object_]:
        """
        Return the block of each instant: ``train``, ``test``, or ``purged`` for those between them.

        >>> Plan(Span(0, 10), Span(15, 20)).blocks(np.array([9, 10, 15])).tolist()
        ['train', 'purged', 'test']
        """
        block = np.full(len(as_of), PURGED, dtype=object)
        block[self.train.holds(as_of)] = "train"
        block[self.test.holds(as_of)] = "test"
        return block

    def as_json(self) -> dict[str, Any]:
        """Write its periods."""
        return {block: getattr(self, block).as_json() for block in BLOCKS}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Plan":
        """Read it back."""
        return cls(*(Span.from_json(content[block]) for block in BLOCKS))


def plan_blocks(as_of: Instants, label: Floats, *, horizon: int) -> Plan:
    """
    Divide the mature rows where the test has a quarter of the information in both blocks.

    Args:
        as_of: (n,) instants of the mature rows [us since 1970 UTC], in any order.
        label: (n,) 1 where the goal was reached, else 0.
        horizon: of the goal [us]; as long as the purge.

    Raises:
        HistoryError: the purge leaves too little time for two blocks.
    """
    first, last = (int(as_of.min()), int(as_of.max())) if len(as_of) else (0, -1)
    if not is_long_enough(first, last, horizon=horizon):
        span = last + 1 - first
        message = (
            f"The history has {max(span, 0) / DAY_US:.0f} days whose outcome is known, expected at least "
            f"{_FEWEST_HORIZONS * horizon / DAY_US:.0f} for a goal within {horizon / DAY_US:g} days: "
            "bring a longer history or shorten goal.horizon_days."
        )
        raise HistoryError(message)
    start = _test_start(*_information(as_of, label), horizon=horizon)
    return Plan(Span(first, start - horizon), Span(start, last + 1))


def is_long_enough(first: int, last: int, *, horizon: int) -> bool:
    """Return whether mature time from a first to a last instant has room for a purge and for a block on either side."""
    return last + 1 - first >= _FEWEST_HORIZONS * horizon


def _information(as_of: Instants, label: Floats) -> tuple[Instants, Floats]:
    """Return the instants in order, and the share of the information up to and with each."""
    order = np.argsort(as_of, kind="stable")
    kinds = [label, 1 - label]
    rarer = min((kind for kind in kinds if kind.any()), key=lambda kind: float(kind.sum()))
    passed = np.cumsum(rarer[order])
    return as_of[order], passed / passed[-1]


def _test_start(instants: Instants, share: Floats, *, horizon: int) -> int:
    """Return the first instant from which on the test has no more than its share of the information in both blocks."""
    before = np.r_[0.0, share]
    tested = 1 - before[np.searchsorted(instants, instants, side="left")]
    learnt = before[np.searchsorted(instants, instants - horizon, side="left")]
    enough = (learnt > 0) & (tested <= TEST_SHARE * (tested + learnt))
    return int(instants[np.argmax(enough)]) if enough.any() else int(instants[0]) + horizon + 1
