"""
Calibration: from a margin, or from points, to a probability; monotone, as numbers in JSON.

Platt's two numbers unless history shows that another map is better. With every map, a higher margin never means a lower
probability.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models.checked_json import fields, numbers
from models.errors import StructureError

Floats = NDArray[np.float64]

MOST_KNOTS = 1_000
"""No history has enough successes for more; a damaged file must not take all memory."""

LARGEST = 1e3
"""Margins are log-odds: one larger than this is damage."""

STEEPEST = 1e3
"""Reasons are stretched by the slope of the map: up to this slope they still add up to 1e-9."""

FARTHEST = 50.0
"""Log-odds beyond this are a chance of 0 or 1, which no history can show."""

_NEAR = 1e-4


class Calibration(ABC):
    """A map from margins to log-odds that never reverses the order of the leads; all follows from the latter."""

    kind: ClassVar[str]

    @abstractmethod
    def logits(self, margins: Floats) -> Floats:
        """Return the calibrated log-odds, (n,), of margins (n,); a margin gets the same bits alone and among others."""

    @abstractmethod
    def steepness(self, start: float, margins: Floats) -> Floats:
        """
        Return the mean slope of the log-odds between ``start`` and each margin, (n,).

        Never negative. Where a margin is ``start`` itself, it is the slope there.
        """

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Write the map as numbers; ``is`` says which kind it is."""

    def logit(self, margin: float) -> float:
        """Return the calibrated log-odds of one margin."""
        return float(self.logits(np.array([margin]))[0])

    def probability(self, margin: float) -> float:
        """Return the calibrated probability of one margin."""
        return sigmoid(self.logit(margin))

    def probabilities(self, margins: Floats) -> Floats:
        """Return the calibrated probabilities, (n,), of margins (n,)."""
        return sigmoids(self.logits(margins))


@dataclass(frozen=True, slots=True)
class Platt(Calibration):
    """
    Logistic calibration: ``logit p = slope * margin + offset``.

    Source: Platt 1999, Probabilistic outputs for support vector machines.

    >>> round(Platt(slope=1.0, offset=0.0).probability(0.0), 3)
    0.5
    """

    kind: ClassVar[str] = "platt"
    slope: float
    offset: float

    def logit(self, margin: float) -> float:
        """Return the calibrated log-odds of one margin."""
        return self.slope * margin + self.offset

    def logits(self, margins: Floats) -> Floats:
        """Return the calibrated log-odds, ndarray of shape (n,), of margins of shape (n,)."""
        return self.slope * margins + self.offset

    def steepness(self, start: float, margins: Floats) -> Floats:  # noqa: ARG002 - the same from everywhere
        """Return the slope, (n,) times."""
        return np.full(len(margins), self.slope)

    def as_json(self) -> dict[str, Any]:
        """Write the two numbers."""
        return {"is": "platt", "slope": self.slope, "offset": self.offset}

    @classmethod
    def from_json(cls, content: object) -> "Platt":
        """
        Read the two numbers back.

        Raises:
            StructureError: they are missing, not finite, or would reverse the order of the leads.
        """
        given = fields(content, "calibration", ("is", "slope", "offset"))
        slope, offset = numbers([given["slope"], given["offset"]], "calibration")
        if given["is"] != "platt" or not (math.isfinite(slope) and math.isfinite(offset) and slope >= 0):
            expected = "a platt map, finite, its slope not negative"
            raise StructureError(where="calibration", found=given, expected=expected)
        return cls(slope, offset)


@dataclass(frozen=True)
class Beta(Calibration):
    """
    Beta calibration: ``logit p = a * log q - b * log(1 - q) + c``, where q is the chance that the margin implies.

    It bends the two ends apart: far below even odds its slope is ``a``, far above ``b``. With a = b it is Platt's.

    Source: Kull, Silva Filho and Flach 2017, Beta calibration, AISTATS.

    >>> Beta(1.0, 1.0, 0.0).logits(np.array([-2.0, 0.0, 3.0])).round(9).tolist()
    [-2.0, 0.0, 3.0]
    """

    kind: ClassVar[str] = "beta"
    a: float
    b: float
    c: float

    def logits(self, margins: Floats) -> Floats:
        """Return the calibrated log-odds, ndarray of shape (n,), of margins of shape (n,)."""
        # log q = -log(1 + exp(-margin)), and log(1 - q) = -log(1 + exp(margin)).
        return np.asarray(self.b * np.logaddexp(0.0, margins) - self.a * np.logaddexp(0.0, -margins) + self.c)

    def steepness(self, start: float, margins: Floats) -> Floats:
        """Return the mean slope of the log-odds between a margin and each of (n,) others."""
        # The slope at a margin is a + (b - a) q, so the mean slope follows from the mean of q on the way.
        way = margins - start
        near = np.abs(way) < _NEAR  # there q at the middle is its mean to 1e-10; a quotient of differences is not
        risen = np.logaddexp(0.0, margins) - np.logaddexp(0.0, start)
        mean = np.where(near, sigmoids((margins + start) / 2), risen / np.where(near, 1.0, way))
        mean = np.clip(mean, 0.0, 1.0)
        return np.asarray(self.a * (1 - mean) + self.b * mean)

    def as_json(self) -> dict[str, Any]:
        """Write the three numbers."""
        return {"is": "beta", "a": self.a, "b": self.b, "c": self.c}

    @classmethod
    def from_json(cls, content: object) -> "Beta":
        """
        Read the three numbers back.

        Raises:
            StructureError: they are missing, not finite, too large, or would reverse the order of the leads.
        """
        given = fields(content, "calibration", ("is", "a", "b", "c"))
        a, b, c = numbers([given["a"], given["b"], given["c"]], "calibration")
        if given["is"] != "beta" or not (0 <= a <= STEEPEST and 0 <= b <= STEEPEST and abs(c) <= STEEPEST * LARGEST):
            expected = "a beta map, its numbers of a size that log-odds have, a and b not negative"
            raise StructureError(where="calibration", found=given, expected=expected)
        return cls(a, b, c)


@dataclass(frozen=True)
class Isotonic(Calibration):
    """
    Isotonic calibration: log-odds at k margins, straight lines between them, and two slopes for what lies beyond.

    Steps would give all leads of a step the same points, and no order in which to call them. Lines through the middles
    of the steps keep the order, and the two slopes keep it beyond the range of history.

    Args:
        margins: (k ≥ 1) strictly rising.
        log_odds: (k) never falling.
        below: slope before the first margin, not negative.
        above: slope after the last one, not negative.

    Source: Zadrozny and Elkan 2002, Transforming classifier scores into accurate multiclass probability estimates.

    >>> rising = Isotonic((-1.0, 1.0), (-3.0, 0.0), below=1.0, above=0.5)
    >>> rising.logits(np.array([-2.0, -1.0, 0.0, 1.0, 3.0])).tolist()
    [-4.0, -3.0, -1.5, 0.0, 1.0]
    >>> rising.steepness(0.0, np.array([0.0, 0.5, 3.0])).round(3).tolist()
    [1.5, 1.5, 0.833]
    """

    kind: ClassVar[str] = "isotonic"
    margins: tuple[float, ...]
    log_odds: tuple[float, ...]
    below: float
    above: float

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        """The margins and the log-odds, each (k,)."""
        return np.array(self.margins), np.array(self.log_odds)

    @cached_property
    def _slopes(self) -> Floats:
        """The slope before the first margin, between each two, and after the last, (k + 1,)."""
        margins, log_odds = self._knots
        return np.concatenate([[self.below], np.diff(log_odds) / np.diff(margins), [self.above]])

    def logits(self, margins: Floats) -> Floats:
        """Return the calibrated log-odds, ndarray of shape (n,), of margins of shape (n,)."""
        knots, log_odds = self._knots
        passed = np.searchsorted(knots, margins, side="right")
        knot = np.maximum(passed - 1, 0)
        return np.asarray(log_odds[knot] + self._slopes[passed] * (margins - knots[knot]))

    def steepness(self, start: float, margins: Floats) -> Floats:
        """Return the mean slope of the log-odds between a margin and each of (n,) others."""
        knots, log_odds = self._knots
        low, high = np.minimum(margins, start), np.maximum(margins, start)
        first, last = np.searchsorted(knots, low, side="right"), np.searchsorted(knots, high, side="right")
        # Knot by knot: the difference of two log-odds would keep few digits of a short way.
        next_knot, last_knot = np.minimum(first, len(knots) - 1), np.maximum(last - 1, 0)
        to_knot = self._slopes[first] * (knots[next_knot] - low)
        from_knot = self._slopes[last] * (high - knots[last_knot])
        risen = to_knot + (log_odds[last_knot] - log_odds[next_knot]) + from_knot
        one_line = first == last
        return np.asarray(np.where(one_line, self._slopes[first], risen / np.where(one_line, 1.0, high - low)))

    def as_json(self) -> dict[str, Any]:
        """Write the knots and the two slopes."""
        knots = {"margins": list(self.margins), "log_odds": list(self.log_odds)}
        return {"is": "isotonic", **knots, "below": self.below, "above": self.above}

    @classmethod
    def from_json(cls, content: object) -> "Isotonic":
        """
        Read the knots back.

        Raises:
            StructureError: they are missing, too many, of a size that no log-odds have, or would reverse the order.
        """
        given = fields(content, "calibration", ("is", "margins", "log_odds", "below", "above"))
        margins, log_odds = (numbers(given[name], f"calibration, {name}") for name in ("margins", "log_odds"))
        below, above = numbers([given["below"], given["above"]], "calibration")
        if given["is"] != "isotonic" or not 1 <= len(margins) == len(log_odds) <= MOST_KNOTS:
            expected = f"an isotonic map of 1 to {MOST_KNOTS} knots, each with its log-odds"
            raise StructureError(where="calibration", found=given, expected=expected)
        if not (0 <= below <= STEEPEST and 0 <= above <= STEEPEST and _rising(margins, log_odds)):
            expected = "margins that rise, log-odds and slopes that never fall, all of a size that log-odds have"
            raise StructureError(where="calibration", found=given, expected=expected)
        return cls(margins, log_odds, below, above)


def _rising(margins: tuple[float, ...], log_odds: tuple[float, ...]) -> bool:
    """Return whether margins rise and log-odds never fall, within bounds and nowhere too steep."""
    if not (all(abs(margin) <= LARGEST for margin in margins) and all(abs(odds) <= FARTHEST for odds in log_odds)):
        return False
    knots = zip(pairwise(margins), pairwise(log_odds), strict=True)
    return all(x < after_x and 0 <= after_y - y <= STEEPEST * (after_x - x) for (x, after_x), (y, after_y) in knots)


_KINDS: Mapping[str, type[Platt] | type[Beta] | type[Isotonic]] = {kind.kind: kind for kind in (Platt, Beta, Isotonic)}


def calibration_from_json(content: object) -> Calibration:
    """
    Read a calibration of any kind back.

    Raises:
        StructureError: it is of no kind there is, or damaged.

    >>> calibration_from_json({"is": "beta", "a": 1, "b": 2, "c": 0})
    Beta(a=1.0, b=2.0, c=0.0)
    """
    kind = content.get("is") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise StructureError(where="calibration", found=content, expected=f"one of {', '.join(_KINDS)}")
    return _KINDS[kind].from_json(content)


def sigmoid(logit: float) -> float:
    """
    Return the probability of log-odds, without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)


def sigmoids(logits: Floats) -> Floats:
    """Return the probabilities of log-odds, each (n,), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), dtype=np.float64)
