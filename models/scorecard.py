"""Point rules as a scorer: compiled to features of the same engine, so that they too are as of an instant."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.words.playbook import Business
from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, Rule, ScorecardRules
from features.attribute_features import attribute_feature
from features.catalog import Catalog
from features.feature import Feature, Value
from features.reducers import Count, DaysSinceLast, DecayedCount, LeadAge
from models.bands import Bands
from models.calibration import Platt
from models.errors import ModelError
from models.receipt import Reason, Receipt, ScorerId, by_size
from models.scorer import ScoreArrays

Column = NDArray[Any]
_AGE = Feature("lead_age", LeadAge(), None, "has been a lead for {days}", "age unknown", "lead_age")
_SILENCE = Feature("days_silent", DaysSinceLast(None), None, "was last active {lately}", "never was active", "silence")


@dataclass(frozen=True)
class Scorecard:
    """
    Point rules compiled to features.

    Without a calibration (no history yet) it gives points but no probability.

    Args:
        rules: as sales operations wrote them.
        catalog: the features that the rules read.
        columns: for each rule, the positions of its features in the catalog.
        bands: grades and threshold, from history or else from the rules' own threshold.
        calibration: from points to probability, fitted on history.
    """

    rules: ScorecardRules
    catalog: Catalog
    columns: tuple[tuple[int, ...], ...]
    bands: Bands
    calibration: Platt | None = None

    @cached_property
    def id(self) -> ScorerId:
        """Which rules these are; any change to a rule, the calibration or the bands changes the fingerprint."""
        content = {
            "rules": self.rules.model_dump(mode="json", by_alias=True),
            "catalog": self.catalog.fingerprint,
            "calibration": None if self.calibration is None else self.calibration.as_json(),
            "bands": self.bands.as_json(),
        }
        fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return ScorerId("rules", self.rules.name, fingerprint[:8], fingerprint)

    @property
    def reach(self) -> None:
        """None: people wrote the rules, and no history bounds what these can speak of."""

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The code of each rule's reason."""
        return tuple(f"rule:{index + 1}:{_about(rule)}" for index, rule in enumerate(self.rules.rules))

    def receipt(self, lead_id: str, as_of: int, values: Sequence[Value], *, top: int | None = None) -> Receipt:
        """Score one lead from its feature values in catalog order; list only the ``top`` reasons, or all."""
        return self.receipts({lead_id: values}, as_of, top=top)[0]

    def receipts(self, known: Mapping[str, Sequence[Value]], as_of: int, *, top: int | None = None) -> list[Receipt]:
        """Score leads from their feature values in catalog order; list only the ``top`` reasons of each, or all."""
        if not known:
            return []
        columns = zip(self.catalog.features, zip(*known.values(), strict=True), strict=True)
        scored = self._score([_column(feature, values) for feature, values in columns])
        each = zip(known, scored.points.tolist(), scored.reasons.tolist(), strict=True)
        return [self._receipt(lead_id, as_of, points, moved=moved, top=top) for lead_id, points, moved in each]

    def _receipt(self, lead_id: str, as_of: int, points: float, *, moved: list[float], top: int | None) -> Receipt:
        """Return the receipt of a lead from the points of each rule."""
        says = [rule.because for rule in self.rules.rules]
        reasons = by_size([Reason(*reason) for reason in zip(self.codes, says, moved, strict=True) if reason[2]])
        probability = None if self.calibration is None else self.calibration.probability(points)
        base, grade = self.rules.base_points, self.bands.grade(points)
        rest = math.fsum(reason.points for reason in reasons[len(reasons[:top]) :])
        return Receipt(lead_id, as_of, points, base, probability, grade, reasons[:top], self.id, rest)

    def score_many(self, frame: pd.DataFrame) -> ScoreArrays:
        """Score many leads from a frame with a column per feature."""
        return self._score([_taken(feature, frame[feature.name]) for feature in self.catalog.features])

    def _score(self, columns: list[Column]) -> ScoreArrays:
        moved = [
            _moved(rule, [columns[index] for index in used])
            for rule, used in zip(self.rules.rules, self.columns, strict=True)
        ]
        reasons = np.stack(moved, axis=1)
        points = self.rules.base_points + reasons.sum(axis=1)
        unknown = np.full(len(points), np.nan)
        chances = unknown if self.calibration is None else self.calibration.probabilities(points)
        return ScoreArrays(points, chances, self.rules.base_points, self.codes, reasons)

    def calibrated(self, calibration: Platt, bands: Bands) -> "Scorecard":
        """Return the same rules with a calibration and bands fitted to history."""
        return replace(self, calibration=calibration, bands=bands)


def compile_scorecard(rules: ScorecardRules, business: Business) -> Scorecard:
    """
    Compile point rules to features.

    Raises:
        ModelError: a rule looks at something on ``never_use``.
    """
    features: dict[str, Feature] = {}
    columns = []
    for rule in rules.rules:
        needed = _features(rule, business)
        features |= {feature.name: feature for feature in needed}
        columns.append([feature.name for feature in needed])
    order = list(features)
    never = tuple(kind for kind in business.never_use if kind in business.activities)
    catalog = Catalog(tuple(features.values()), never, business.features.most_colleagues)
    start = rules.threshold
    bands = Bands(start, start + 10, start, start - 20)
    return Scorecard(rules, catalog, tuple(tuple(order.index(name) for name in names) for names in columns), bands)


def _features(rule: Rule, business: Business) -> list[Feature]:
    denied = getattr(rule, "activity", None) or getattr(rule, "attribute", None)
    if denied in business.never_use:
        message = f"scorecard.yaml has a rule on {denied}, which is on the playbook's never_use: remove one of the two."
        raise ModelError(message)
    match rule:
        case AttributeRule(attribute=name):
            return [attribute_feature(name, business.attributes[name])]
        case InactivityRule():
            return [_SILENCE, _AGE]
        case ActivityRule():
            return [_activity_feature(rule, business)]


def _activity_feature(rule: ActivityRule, business: Business) -> Feature:
    kind = business.activities[rule.activity]
    words = kind.words_of(rule.subject)
    name = "_".join(part for part in (rule.activity, rule.subject) if part)
    never = f"never {words.did}"
    if rule.half_life_days is not None:
        decayed = DecayedCount(rule.activity, rule.half_life_days, rule.subject)
        return Feature(
            f"{name}_decayed_{rule.half_life_days:g}d", decayed, 0, f"{words.did}, weight {{x}}", never, name
        )
    count = Count(rule.activity, rule.subject, rule.within_days)
    span = f" in {rule.within_days:g} days" if rule.within_days is not None else ""
    suffix = "ever" if rule.within_days is None else f"{rule.within_days:g}d"
    return Feature(f"{name}_{suffix}", count, 0, f"{words.did} {{n}}{span}", never, name)


def _about(rule: Rule) -> str:
    match rule:
        case ActivityRule(activity=kind, subject=subject):
            return kind if subject is None else f"{kind}/{subject}"
        case AttributeRule(attribute=name):
            return name
        case InactivityRule():
            return "inactivity"


def _column(feature: Feature, values: Iterable[Value]) -> Column:
    """Return one feature of n leads as an array: text as objects, the rest as float64 with NaN for missing."""
    return np.array(list(values), dtype=object if feature.is_category else np.float64)


def _taken(feature: Feature, column: "pd.Series[Any]") -> Column:
    """Return a frame's column in the same form, without a Python object for each number."""
    return column.to_numpy(object) if feature.is_category else column.to_numpy(np.float64, na_value=np.nan)


def _moved(rule: Rule, columns: Sequence[Column]) -> NDArray[np.float64]:
    """Return the points of one rule for n leads, shape (n,)."""
    match rule:
        case ActivityRule(at_most=cap):
            times = np.nan_to_num(columns[0], nan=0.0)
            return np.asarray(rule.points * np.minimum(times, math.inf if cap is None else cap))
        case InactivityRule(inactive_days=days):
            silent = np.where(np.isnan(columns[0]), columns[1], columns[0])
            return np.where(silent >= days, rule.points, 0.0)
        case AttributeRule():
            return np.where(_met(rule, columns[0]), rule.points, 0.0)


def _met(rule: AttributeRule, column: Column) -> NDArray[np.bool_]:
    if rule.among is None and rule.equals is None:
        low = -math.inf if rule.at_least is None else rule.at_least
        high = math.inf if rule.below is None else rule.below
        return np.asarray((column >= low) & (column < high))
    wanted = frozenset(rule.among if rule.among is not None else (rule.equals,))
    return np.array([value in wanted for value in column.tolist()], dtype=np.bool_)
