"""The learned model: trees plus calibration plus frozen category codes, answering with receipts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalog import Catalog
from features.feature import Value
from models.bands import Bands
from models.calibration import Calibration, Platt, sigmoid, sigmoids
from models.history_reach import REACH, HistoryReach, reach_from_json
from models.reason_groups import ReasonGroup, groups_of
from models.receipt import AVERAGE_POINTS, POINTS_PER_LOGIT, Reason, Receipt, ScorerId
from models.scorer import ScoreArrays
from models.signing import PublicKey
from models.trees import Trees

if TYPE_CHECKING:
    from models.shapley import ShapleyTables

MOST_CATEGORIES = 62


@dataclass(frozen=True)
class Encoding:
    """
    The frozen way from feature values to the numbers that trees split on.

    Args:
        catalog: the features in order.
        categories: feature → its categories in code order; any other category gets the next code.
    """

    catalog: Catalog
    categories: Mapping[str, tuple[str, ...]]

    @cached_property
    def _codes(self) -> list[dict[str, int] | None]:
        known = [
            self.categories.get(feature.name, ()) if feature.is_category else None for feature in self.catalog.features
        ]
        return [None if names is None else {name: code for code, name in enumerate(names)} for names in known]

    def rows(self, known: Sequence[Sequence[Value]]) -> NDArray[np.float64]:
        """Encode the k values of n leads as float64 of shape (n, k); missing is NaN."""
        encoded = [list(values) for values in known]
        for column, codes in enumerate(self._codes):
            for row in encoded if codes is not None else ():
                row[column] = None if row[column] is None else codes.get(row[column], len(codes))  # type: ignore[union-attr, arg-type]
        return np.array(encoded, dtype=np.float64).reshape(len(known), len(self._codes))

    def frame(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Encode a frame with a column per feature as float64 of shape (n, k)."""
        matrix = np.empty((len(frame), len(self._codes)), dtype=np.float64, order="F")
        for position, (feature, codes) in enumerate(zip(self.catalog.features, self._codes, strict=True)):
            column = frame[feature.name]
            numbers = column.to_numpy(np.float64, na_value=np.nan) if codes is None else _coded(column, codes)
            matrix[:, position] = numbers
        return matrix


def _coded(column: "pd.Series[str]", codes: Mapping[str, int]) -> NDArray[np.float64]:
    coded = column.map(codes).to_numpy(dtype=np.float64, na_value=np.nan)
    other = np.isnan(coded) & column.notna().to_numpy()
    return np.where(other, float(len(codes)), coded)


@dataclass(frozen=True)
class ConversionModel:
    """
    The learned likelihood of reaching the goal, explained exactly.

    Trees add up to a margin, and under Platt's straight line so do points. Under a calibration that bends, each lead's
    contributions are stretched by one factor of its own, the mean slope on the way from the base to its margin: what
    spoke for the lead still does, in the same proportions, and the points still add up. The receipt says the factor.

    Args:
        name: which model this is, the same over all its versions.
        encoding: from feature values to what the trees split on.
        trees: the ensemble; its margin is in log-odds before calibration.
        calibration: from margin to probability.
        base_odds: odds of the goal over the training set's mature snapshots; they stand at 50 points.
        bands: grades and threshold.
        version: the label the registry gave it.
        fingerprint: sha256 of the bundle's manifest.
        facts: what else its bundle says: the data it was made of, its gates, its numbers; no score depends on them.
        signer: who vouches that the facts are those of the trees; None if nobody does.
    """

    name: str
    encoding: Encoding
    trees: Trees
    calibration: Calibration
    base_odds: float
    bands: Bands
    version: str = "unregistered"
    fingerprint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    signer: PublicKey | None = field(default=None, compare=False)

    @property
    def catalog(self) -> Catalog:
        """The features it needs, in order."""
        return self.encoding.catalog

    @cached_property
    def id(self) -> ScorerId:
        """Which model this is."""
        return ScorerId("model", self.name, self.version, self.fingerprint)

    @cached_property
    def base_points(self) -> float:
        """The points that every lead starts from: those of the trees' expected value."""
        logit = self.calibration.logit(self._tables.base)
        return AVERAGE_POINTS + POINTS_PER_LOGIT * (logit - math.log(self.base_odds))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of its reasons."""
        return tuple(group.code for group in self._groups)

    @cached_property
    def reach(self) -> HistoryReach | None:
        """How old and how silent the leads were that it was fitted on; None for bundles of earlier releases."""
        return reach_from_json(self.facts.get(REACH))

    def labelled(self, *, version: str, fingerprint: str) -> "ConversionModel":
        """Return the same model with the registry's label and its bundle's fingerprint."""
        return replace(self, version=version, fingerprint=fingerprint)

    def receipt(self, lead_id: str, as_of: int, values: Sequence[Value], *, top: int | None = None) -> Receipt:
        """Score one lead from its feature values in catalog order; word only the ``top`` reasons, or all."""
        return self.receipts({lead_id: values}, as_of, top=top)[0]

    def receipts(self, known: Mapping[str, Sequence[Value]], as_of: int, *, top: int | None = None) -> list[Receipt]:
        """Score leads from their feature values in catalog order; word only the ``top`` reasons of each, or all."""
        rows = list(known.values())
        contributions, stretches = self._moved(self.encoding.rows(rows))
        moved = self._by_group(contributions)
        orders = np.argsort(-np.abs(moved), axis=1, kind="stable").tolist()
        each = zip(known, rows, contributions.tolist(), moved.tolist(), orders, stretches, strict=True)
        return [
            self._receipt(lead_id, as_of, values, moved=(own, by_group), order=order, stretch=stretch, top=top)
            for lead_id, values, own, by_group, order, stretch in each
        ]

    def _receipt(
        self,
        lead_id: str,
        as_of: int,
        values: Sequence[Value],
        *,
        moved: tuple[list[float], list[float]],
        order: list[int],
        stretch: float | None,
        top: int | None,
    ) -> Receipt:
        """Return the receipt of a lead from the points of its features and of their groups."""
        own, by_group = moved
        points = _summed([self.base_points, *by_group])
        used = [group for group in order if by_group[group]]
        reasons = tuple(
            Reason(self._groups[group].code, self._groups[group].says(values, own), by_group[group])
            for group in used[:top]
        )
        rest = math.fsum(by_group[group] for group in used[len(reasons) :])
        probability, grade = self.probability(points), self.bands.grade(points)
        return Receipt(lead_id, as_of, points, self.base_points, probability, grade, reasons, self.id, rest, stretch)

    def score_many(self, frame: pd.DataFrame) -> ScoreArrays:
        """Score many leads from a frame with a column per feature."""
        return self.score_matrix(self.encoding.frame(frame))

    def score_matrix(self, matrix: NDArray[np.float64]) -> ScoreArrays:
        """Score many encoded leads, float64 of shape (n, k)."""
        reasons = self._by_group(self.moved(matrix))
        points = np.full(len(matrix), self.base_points)
        for group in range(reasons.shape[1]):
            points += reasons[:, group]
        logits = (points - AVERAGE_POINTS) / POINTS_PER_LOGIT + math.log(self.base_odds)
        return ScoreArrays(points, sigmoids(logits), self.base_points, self.codes, reasons)

    def moved(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points that each feature contributed to encoded leads, both float64 of shape (n, k)."""
        return self._moved(matrix)[0]

    def _moved(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[float | None]]:
        """Return the points that each feature contributed, and the factor by which each lead's were stretched."""
        explained = self._tables.explained(matrix)
        if self._straight is not None:
            return np.multiply(explained.contributions, self._straight, order="F"), [None] * len(matrix)
        stretches = self._stretches(explained.margins)
        scale = POINTS_PER_LOGIT * stretches[:, None]
        return np.multiply(scale, explained.contributions, order="F"), stretches.tolist()

    def _by_group(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the points of each group, (n, g), feature by feature, so that a row alone gets the same bits."""
        moved = np.zeros((len(contributions), len(self._groups)), order="F")
        if len(contributions) == 1:
            moved[0] = np.bincount(self._group_of, contributions[0], minlength=len(self._groups))
            return moved
        for feature, group in enumerate(self._group_of.tolist()):
            moved[:, group] += contributions[:, feature]
        return moved

    def probability(self, points: float) -> float:
        """Return the calibrated probability at points."""
        return sigmoid((points - AVERAGE_POINTS) / POINTS_PER_LOGIT + math.log(self.base_odds))

    @cached_property
    def _tables(self) -> "ShapleyTables":
        from models.shapley import ShapleyTables  # noqa: PLC0415 - numba takes a second to load, and point rules do not need it

        return ShapleyTables.of(self.trees)

    @cached_property
    def _groups(self) -> list[ReasonGroup]:
        return groups_of(self.catalog.features)

    @cached_property
    def _group_of(self) -> NDArray[np.intp]:
        """The position of each feature's group, shape (k,)."""
        positions = np.empty(len(self.catalog.features), dtype=np.intp)
        for index, group in enumerate(self._groups):
            positions[list(group.members)] = index
        return positions

    @cached_property
    def _straight(self) -> float | None:
        """The points per unit of margin, if they are the same for every lead."""
        return POINTS_PER_LOGIT * self.calibration.slope if isinstance(self.calibration, Platt) else None

    def _stretches(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factor from the trees' contributions to log-odds of leads with these margins, (n,)."""
        return self.calibration.steepness(self._tables.base, margins)


def _summed(numbers: Iterable[float]) -> float:
    """Add floats from left to right, as arrays added one after the other do; Python's own sum may compensate."""
    total = 0.0
    for number in numbers:
        total += number
    return total
