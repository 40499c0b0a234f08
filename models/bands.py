"""Bands: where grades begin and from which points a lead is handed over."""

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from data.words.point_rules import Grades
from models.checked_json import fields, numbers
from models.errors import StructureError
from models.receipt import Grade

_NAMES = ("threshold", "a", "b", "c")


@dataclass(frozen=True, slots=True)
class Bands:
    """
    The points from which a lead is handed over and from which each grade begins.

    >>> Bands(threshold=60, a=70, b=55, c=40).grade(55)
    'B'
    """

    threshold: float
    a: float
    b: float
    c: float

    def grade(self, points: float) -> Grade:
        """Return the grade of points."""
        if points >= self.a:
            return "A"
        if points >= self.b:
            return "B"
        return "C" if points >= self.c else "D"

    def grades(self, points: NDArray[np.float64]) -> list[Grade]:
        """Return the grades of points of shape (n,)."""
        return [self.grade(point) for point in points.tolist()]

    def as_json(self) -> dict[str, float]:
        """Write the four numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: object) -> "Bands":
        """
        Read the four numbers back.

        Raises:
            StructureError: they are not four finite numbers with a ≥ b ≥ c.
        """
        given = fields(content, "bands", _NAMES)
        cuts = numbers([given[name] for name in _NAMES], "bands")
        if not all(map(math.isfinite, cuts)) or not cuts[1] >= cuts[2] >= cuts[3]:
            raise StructureError(where="bands", found=given, expected="finite points with a >= b >= c")
        return cls(*cuts)


def bands_of(points: NDArray[np.float64], grades: Grades, *, threshold: float) -> Bands:
    """
    Cut the grades so that each holds its share of these leads.

    Args:
        points: shape (n,), the leads as they stood when last seen.
        grades: share of each grade from the top.
        threshold: points from which a lead is handed over.
    """
    shares = np.cumsum([grades.A, grades.B, grades.C])
    a, b, c = (float(cut) for cut in np.quantile(points, 1 - shares))
    return Bands(threshold, a, b, c)
