"""Candidates: every rule of the rule language that the columns of a training set can express, still without points."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contract import AttributeType
from data.words.playbook import Business
from data.words.point_rules import ActivityRule, AttributeRule, InactivityRule, Rule
from features.reducers import AttributeValue, Count, DaysSinceLast, DecayedCount, LeadAge, Reducer
from training.dataset.dataset import Dataset
from training.distillation.rule_wording import activity_words, range_words, silence_words, truth_words, values_words

CAPS = (1, 2, 3, 5, 10)
"""The caps that are tried: how many times an activity counts at most."""

QUIET_DAYS = (7, 14, 30, 60, 90)
MOST_VALUES = 8
"""A rule with a longer list of values would not be read."""

LEAST_SHARE = 0.005
"""A rule that separates fewer of the rows from the others is not worth a line."""

_CUTS = 13
_ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

Column = NDArray[np.float32]
Floats = NDArray[np.float64]
Topic = tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class CandidateRule:
    """
    A rule that gives one point so far, and what it gives to each row.

    Attributes:
        rule: as it would stand in ``scorecard.yaml``.
        topic: what it is about: an activity with its subject, an attribute, or silence.
        column: (n,) how often the points count for each row; 0 or 1 for a condition.
    """

    rule: Rule
    topic: Topic
    column: Column


def candidates(dataset: Dataset, rows: pd.DataFrame, business: Business, *, target: Floats) -> list[CandidateRule]:
    """
    Return every rule that the training set's columns can express and that separates some rows from others.

    Windows and half-lives are those that the columns already have; numbers are cut near the rows' quantiles, at round
    numbers; the values of a category are grouped from the top and from the bottom of their order by the target.

    Args:
        dataset: its columns and the features that they hold.
        rows: (n) rows of it.
        business: its words, and what it never uses.
        target: (n,) probability to be explained.
    """
    columns = {feature.reduce: name for name, feature in reversed(dataset.columns.items()) if feature.over == "lead"}
    distinct: dict[bytes, CandidateRule] = {}
    for candidate in _all(columns, rows, business, target=target):
        if _separates(candidate.column):
            distinct.setdefault(candidate.column.tobytes(), candidate)
    return list(distinct.values())


def _separates(column: Column) -> bool:
    """Return whether a rule separates enough rows from the others."""
    usual = column == np.median(column)
    return bool(np.mean(~usual) >= LEAST_SHARE)


def _all(
    columns: dict[Reducer, str], rows: pd.DataFrame, business: Business, *, target: Floats
) -> Iterator[CandidateRule]:
    for reduce, name in reversed(columns.items()):
        match reduce:
            case Count(kind=str()) | DecayedCount(kind=str()) if reduce.kind not in business.never_use:
                yield from _of_activity(reduce, _numbers(rows[name]), business)
            case AttributeValue() if reduce.name not in business.never_use:
                yield from _of_attribute(reduce, rows[name], business, target=target)
            case DaysSinceLast(kind=None, subject=None) if LeadAge() in columns:
                yield from _of_silence(_numbers(rows[name]), _numbers(rows[columns[LeadAge()]]))
            case _:
                pass


def _numbers(column: "pd.Series[Any]") -> Floats:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _of_activity(reduce: Count | DecayedCount, times: Floats, business: Business) -> Iterator[CandidateRule]:
    kind, subject = str(reduce.kind), reduce.subject
    within = reduce.days if isinstance(reduce, Count) else None
    half_life = reduce.half_life_days if isinstance(reduce, DecayedCount) else None
    because = activity_words(business, kind, subject, within_days=within, half_life_days=half_life)
    for cap in CAPS:
        rule = ActivityRule(
            activity=kind,
            subject=subject,
            points=1,
            at_most=cap,
            within_days=within,
            half_life_days=half_life,
            because=because,
        )
        yield CandidateRule(rule, ("activity", kind, subject), np.minimum(np.nan_to_num(times), cap).astype(np.float32))


def _of_silence(silent: Floats, age: Floats) -> Iterator[CandidateRule]:
    days_silent = np.where(np.isnan(silent), age, silent)
    for days in QUIET_DAYS:
        rule = InactivityRule(points=1, inactive_days=days, because=silence_words(days))
        yield CandidateRule(rule, ("silence",), (days_silent >= days).astype(np.float32))


def _of_attribute(
    attribute: AttributeValue, column: "pd.Series[Any]", business: Business, *, target: Floats
) -> Iterator[CandidateRule]:
    match attribute.type:
        case AttributeType.BOOLEAN:
            yield from _of_boolean(attribute.name, _numbers(column), business)
        case AttributeType.NUMERIC:
            yield from _of_number(attribute.name, _numbers(column), business)
        case AttributeType.CATEGORY:
            yield from _of_category(attribute.name, column, business, target=target)


def _of_boolean(name: str, values: Floats, business: Business) -> Iterator[CandidateRule]:
    for true in (True, False):
        because = truth_words(business, name, true=true)
        yield _condition(name, {"is": true}, values == float(true), because=because)


def _of_number(name: str, values: Floats, business: Business) -> Iterator[CandidateRule]:
    known = values[~np.isnan(values)]
    cuts = sorted({rounded(cut) for cut in np.quantile(known, np.linspace(0.05, 0.95, _CUTS))}) if len(known) else []
    ends = [-math.inf, *cuts, math.inf]
    for low, high in combinations(ends, 2):
        limits = {key: cut for key, cut in (("at_least", low), ("below", high)) if math.isfinite(cut)}
        if limits:
            because = range_words(business, name, **limits)
            yield _condition(name, limits, (values >= low) & (values < high), because=because)


def _of_category(name: str, column: "pd.Series[Any]", business: Business, *, target: Floats) -> Iterator[CandidateRule]:
    codes, values = pd.factorize(column, sort=True)
    known = codes >= 0
    count = np.bincount(codes[known], minlength=len(values))
    mean = np.bincount(codes[known], weights=target[known], minlength=len(values)) / np.maximum(count, 1)
    often = np.flatnonzero(count >= LEAST_SHARE * len(column))
    order = often[np.argsort(-mean[often], kind="stable")]
    for best in range(1, len(order)):
        for group in (order[:best], order[best:]):
            if len(group) > MOST_VALUES:
                continue
            listed = _in_order(name, [str(value) for value in values[group]], business)
            because = values_words(business, name, listed)
            yield _condition(name, {"in": listed}, np.isin(codes, group), because=because)


def _in_order(name: str, values: list[str], business: Business) -> list[str]:
    """Put values into the playbook's order, where it has one."""
    order = business.attributes[name].values or ()  # noqa: PD011 - the playbook's values, no array's
    return sorted(values, key=lambda value: (order.index(value) if value in order else len(order), value))


def _condition(name: str, limits: Mapping[str, object], met: NDArray[np.bool_], *, because: str) -> CandidateRule:
    rule = AttributeRule.model_validate({"attribute": name, "points": 1, "because": because, **limits})
    return CandidateRule(rule, ("attribute", name), met.astype(np.float32))


def rounded(value: float) -> float:
    """
    Return the nearest number that people would write as a limit.

    >>> [rounded(value) for value in (187.0, 4_960.0, 0.0137, -23.0, 0.0)]
    [200.0, 5000.0, 0.015, -25.0, 0.0]
    """
    if value == 0:
        return 0.0
    power = math.floor(math.log10(abs(value)))
    leading = min(_ROUND, key=lambda step: abs(step - abs(value) / 10.0**power))
    return math.copysign(float(f"{leading}e{power}"), value)
