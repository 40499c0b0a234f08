"""Reasons: the features that form one reason, and the fact that words it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from features.feature import Feature, Value
from features.reducers import DaysSinceLast, DecayedCount, Trend


@dataclass(frozen=True)
class ReasonGroup:
    """
    The features of one reason.

    Args:
        code: the reason's.
        members: their positions in the catalog.
        features: the features themselves, in the same order.
    """

    code: str
    members: tuple[int, ...]
    features: tuple[Feature, ...]

    def says(self, values: Sequence[Value], points: Sequence[float]) -> str:
        """
        Return the fact behind the reason: that it never happened, or what contributed most in the reason's direction.

        Args:
            values: the values of all features of the catalog.
            points: the points that each of them contributed.
        """
        for feature, index in self._last:
            if feature.nothing(values[index]):
                return feature.worded(values[index])
        feature, index = self._plain[0]
        if len(self._plain) > 1:
            direction = 1.0 if sum(points[member] for member in self.members) >= 0 else -1.0
            feature, index = max(self._plain, key=lambda pair: direction * points[pair[1]])  # the first of equals
        return feature.worded(values[index])

    @cached_property
    def _last(self) -> list[tuple[Feature, int]]:
        return [(feature, index) for feature, index in self._placed if isinstance(feature.reduce, DaysSinceLast)]

    @cached_property
    def _plain(self) -> list[tuple[Feature, int]]:
        """The features that people understand at once, or all if there are none."""
        plain = [
            (feature, index) for feature, index in self._placed if not isinstance(feature.reduce, DecayedCount | Trend)
        ]
        return plain or self._placed

    @property
    def _placed(self) -> list[tuple[Feature, int]]:
        return list(zip(self.features, self.members, strict=True))


def groups_of(features: Sequence[Feature]) -> list[ReasonGroup]:
    """Return the groups in the order in which the first feature of each appears."""
    order = {code: index for index, code in enumerate(dict.fromkeys(feature.code for feature in features))}
    placed = sorted(range(len(features)), key=lambda index: (order[features[index].code], index))
    members_by_code = [
        (code, tuple(members)) for code, members in groupby(placed, key=lambda index: features[index].code)
    ]
    return [
        ReasonGroup(code, members, tuple(features[index] for index in members)) for code, members in members_by_code
    ]
