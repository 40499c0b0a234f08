"""Wording: one reason of many features, said with the fact."""

from collections.abc import Sequence
from itertools import groupby

from features.feature import Feature, Value
from features.reducers import DaysSinceLast, Decayed, Trend


def groups_of(features: Sequence[Feature]) -> list[tuple[str, tuple[int, ...]]]:
    """Give each reason's code with the positions of its features, in the order of first appearance."""
    order = {code: at for at, code in enumerate(dict.fromkeys(feature.code for feature in features))}
    placed = sorted(range(len(features)), key=lambda at: (order[features[at].code], at))
    return [(code, tuple(found)) for code, found in groupby(placed, key=lambda at: features[at].code)]


def reason_words(features: Sequence[Feature], values: Sequence[Value], points: Sequence[float]) -> str:
    """
    Say the fact behind a reason: that it never happened, or what moved most in the direction of the whole.

    Args:
        features: the k features of one group.
        values: their k values.
        points: the k points they moved.
    """
    for feature, value in zip(features, values, strict=True):
        if isinstance(feature.reduce, DaysSinceLast) and feature.nothing(value):
            return feature.worded(value)
    direction = 1.0 if sum(points) >= 0 else -1.0
    plain = [at for at, feature in enumerate(features) if not isinstance(feature.reduce, Decayed | Trend)]
    told = max(plain or range(len(features)), key=lambda at: (direction * points[at], -at))
    return features[told].worded(values[told])
