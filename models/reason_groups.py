"""Reasons: the features that form one reason, and the fact that words it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from features.feature import Feature, Value
from features.reducers import DaysSinceLast, DecayedCount, Trend


@dataclass(frozen=True)
class Group:
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
            points: the points that each of them moved.
        """
        for feature, at in self._last:
            if feature.nothing(values[at]):
                return feature.worded(values[at])
        told, at = self._plain[0]
        if len(self._plain) > 1:
            direction = 1.0 if sum(points[member] for member in self.members) >= 0 else -1.0
            told, at = max(self._plain, key=lambda one: direction * points[one[1]])  # the first of equals
        return told.worded(values[at])

    @cached_property
    def _last(self) -> list[tuple[Feature, int]]:
        return [(feature, at) for feature, at in self._placed if isinstance(feature.reduce, DaysSinceLast)]

    @cached_property
    def _plain(self) -> list[tuple[Feature, int]]:
        """The features that people understand at once, or all if there are none."""
        plain = [(feature, at) for feature, at in self._placed if not isinstance(feature.reduce, DecayedCount | Trend)]
        return plain or self._placed

    @property
    def _placed(self) -> list[tuple[Feature, int]]:
        return list(zip(self.features, self.members, strict=True))


def groups_of(features: Sequence[Feature]) -> list[Group]:
    """Return the groups in the order in which the first feature of each appears."""
    order = {code: at for at, code in enumerate(dict.fromkeys(feature.code for feature in features))}
    placed = sorted(range(len(features)), key=lambda at: (order[features[at].code], at))
    found = [(code, tuple(members)) for code, members in groupby(placed, key=lambda at: features[at].code)]
    return [Group(code, members, tuple(features[at] for at in members)) for code, members in found]
