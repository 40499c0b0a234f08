"""What point rules and learned models have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalog import Catalog
from features.feature import Value
from models.bands import Bands
from models.history_reach import HistoryReach
from models.receipt import Receipt, ScorerId


@dataclass(frozen=True, slots=True)
class ScoreArrays:
    """
    Many scores at once, without words.

    Attributes:
        points: shape (n,).
        probabilities: shape (n,); NaN where the scorer is not calibrated.
        base_points: what every lead starts from.
        codes: the g codes of the reasons.
        reasons: shape (n, g), points of each reason; ``base_points + reasons.sum(axis=1)`` is ``points``.
    """

    points: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    base_points: float
    codes: tuple[str, ...]
    reasons: NDArray[np.float64]


class Scorer(Protocol):
    """Anything that turns features into receipts."""

    @property
    def id(self) -> ScorerId:
        """Which scorer this is."""

    @property
    def catalog(self) -> Catalog:
        """The features it needs, in order."""

    @property
    def bands(self) -> Bands:
        """Its grades and its threshold."""

    @property
    def reach(self) -> HistoryReach | None:
        """How old and how silent the leads were that it was fitted on; None where that is not known."""

    def receipt(self, lead_id: str, as_of: int, values: Sequence[Value], *, top: int | None = None) -> Receipt:
        """Score one lead from its feature values in catalog order; word only the ``top`` reasons, or all."""

    def receipts(self, known: Mapping[str, Sequence[Value]], as_of: int, *, top: int | None = None) -> list[Receipt]:
        """Score leads from their feature values in catalog order; word only the ``top`` reasons of each, or all."""

    def score_many(self, frame: pd.DataFrame) -> ScoreArrays:
        """Score many leads from a frame with a column per feature."""
