"""Calibration: from a margin, or from points, to a probability; monotone, as two numbers in JSON."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import StructureError
from models.reading import fields, numbers


@dataclass(frozen=True, slots=True)
class Platt:
    """
    Logistic calibration: ``logit p = slope * margin + offset``.

    Source: Platt 1999, Probabilistic outputs for support vector machines.

    >>> round(Platt(slope=1.0, offset=0.0).probability(0.0), 3)
    0.5
    """

    slope: float
    offset: float

    def logit(self, margin: float) -> float:
        """Give the calibrated log-odds of one margin."""
        return self.slope * margin + self.offset

    def probability(self, margin: float) -> float:
        """Give the calibrated probability of one margin."""
        return sigmoid(self.logit(margin))

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the calibrated probabilities, ndarray of shape (n,), of margins of shape (n,)."""
        logits = self.slope * margins + self.offset
        return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), dtype=np.float64)

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


def sigmoid(logit: float) -> float:
    """
    Give the probability of log-odds, without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)
