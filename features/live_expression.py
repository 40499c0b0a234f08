"""Snapshots × catalog → one Ibis expression, which becomes the SQL of an operational database; pure."""

import math
from collections.abc import Mapping
from functools import reduce as folded

import ibis
import ibis.expr.types as ir

from data.instants import DAY_US, HOUR_US
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    Mean,
    Reducer,
    Sum,
    Trend,
    WeekdayOfLast,
)
from features.sweep_state import DECAY_DIGITS, VALUE_DIGITS

KEYS = ["lead_id", "as_of"]
_MONDAY_US = 3 * DAY_US  # 1970-01-01 was a Thursday


def describe_known(
    snapshots: ir.Table, activities: ir.Table, catalog: Catalog, *, versions: ir.Table, peers: ir.Table
) -> ir.Table:
    """
    Describe what was known about each lead at each snapshot, given the newest versions and the colleagues.

    Args:
        snapshots: (n, 2) ``lead_id``, ``as_of``; unique rows.
        activities: count if ``known_at < as_of``.
        catalog: k features, unique names.
        versions: (n, 4 + a) ``lead_id``, ``as_of``, ``account_id``, ``created_at``, and ``attribute_…`` of the newest
            version with ``known_at < as_of``.
        peers: ``lead_id``, ``as_of``, ``peer_id`` of each other lead whose newest version names the same account.

    Returns:
        (n, 2 + k): ``lead_id``, ``as_of``, then one column per feature in catalog order.
    """
    # Features of any kind must not count what is on never_use either, so the rows go before anything is counted.
    used = activities.filter(~activities.kind.isin(catalog.never_use)) if catalog.never_use else activities
    parts = [_summed(_activities_of(snapshots, used, actor="lead_id"), catalog, over="lead")]
    if catalog.needs_leads:
        parts.append(versions)
    if catalog.needs_account:
        parts.append(_summed(_activities_of(peers, used, actor="peer_id"), catalog, over="account"))
    joined = folded(_side_by_side, parts)
    columns = {feature.name: _filled(feature, joined) for feature in catalog.features}
    return joined.select(lead_id=joined.lead_id, as_of=joined.as_of, **columns)


def _side_by_side(left: ir.Table, right: ir.Table) -> ir.Table:
    clash = {column: f"_{column}" for column in KEYS}
    renamed = right.rename({new: old for old, new in clash.items()})
    on = [left.lead_id == renamed._lead_id, left.as_of == renamed._as_of]  # noqa: SLF001 - columns, not internals
    return left.left_join(renamed, on).drop(*clash.values())


def _activities_of(snapshots: ir.Table, activities: ir.Table, *, actor: str) -> ir.Table:
    """Pair each snapshot with the activities known by then; with nulls if there are none."""
    # Strict: a fact that becomes known at the very instant could not have been used by then.
    known = [snapshots[actor] == activities.lead_id, activities.known_at < snapshots.as_of]
    # A left join, so that a snapshot without activities keeps its row, and its features their missing values.
    joined = snapshots.left_join(activities, known)
    return joined.select(
        lead_id=snapshots.lead_id,
        as_of=snapshots.as_of,
        kind=activities.kind,
        subject=activities.subject,
        value=activities.value,
        occurred_at=activities.occurred_at,
        age=snapshots.as_of - activities.occurred_at,
    )


def _summed(pairs: ir.Table, catalog: Catalog, *, over: str) -> ir.Table:
    """Reduce the pairs of each snapshot in one flat aggregate; every needed number once."""
    # One flat aggregate over all pairs is one pass; an aggregate for each feature would be one pass each.
    wanted: dict[str, ir.Scalar] = {}
    for feature in catalog.features:
        if feature.over == over:
            wanted |= _aggregates(feature.reduce, pairs, over)
    return pairs.group_by(KEYS).aggregate(**wanted)


def _label(over: str, number: str, reduce: Reducer) -> str:
    """Name an aggregate by its content, so that features that share it compute it once."""
    parts = [getattr(reduce, name, None) for name in ("kind", "subject")]
    return "|".join([over, number, *("*" if part is None else f"={part}" for part in parts)])


def _aggregates(reduce: Reducer, pairs: ir.Table, over: str) -> Mapping[str, ir.Scalar]:
    def windowed(number: str, days: float | None) -> str:
        return _label(over, f"{number}{'' if days is None else f'@{days:g}'}", reduce)

    match reduce:
        case Count(days=days):
            return {windowed("count", days): _counted(pairs, reduce, days)}
        case Trend(days=short, long_days=long):
            return {windowed("count", days): _counted(pairs, reduce, days) for days in (short, long)}
        case DaysSinceLast() | HourOfLast() | WeekdayOfLast():
            return {_label(over, "last", reduce): _those(pairs.occurred_at, pairs, reduce).max()}
        case DaysSinceFirst():
            return {_label(over, "first", reduce): _those(pairs.occurred_at, pairs, reduce).min()}
        case DecayedCount(half_life_days=half_life):
            weight = (pairs.age.cast("float64") * (-math.log(2) / (half_life * DAY_US))).exp()
            return {_label(over, f"decayed@{half_life:g}", reduce): _those(weight, pairs, reduce).sum()}
        case Distinct(days=days):
            return {windowed("distinct", days): _those(pairs.subject, pairs, reduce, days).nunique()}
        case Sum(days=days):
            return {windowed("sum", days): _those(pairs.value, pairs, reduce, days).sum()}
        case Mean(days=days):
            return {windowed("mean", days): _those(pairs.value, pairs, reduce, days).mean()}
        case AttributeValue() | LeadAge():
            return {}


def _counted(pairs: ir.Table, reduce: Reducer, days: float | None) -> ir.Scalar:
    return _those(ibis.literal(1), pairs, reduce, days).count()


def _those(value: ir.Value, pairs: ir.Table, reduce: Reducer, days: float | None = None) -> ir.Column:
    """
    Return a value for the activities that count, and null for the others.

    DuckDB takes half the time for ``count(CASE …)`` that it takes for ``count(*) FILTER (…)``.
    """
    return _where(pairs, reduce, days).ifelse(value, ibis.null(value.type()))


def _where(pairs: ir.Table, reduce: Reducer, days: float | None) -> ir.BooleanValue:
    kind, subject = getattr(reduce, "kind", None), getattr(reduce, "subject", None)
    # The left join leaves a null kind if there was no activity, and null is not "any kind".
    where = pairs.kind.notnull() if kind is None else pairs.kind == kind
    if subject is not None:
        where &= pairs.subject == subject
    return where if days is None else where & (pairs.age <= round(days * DAY_US))


def _filled(feature: Feature, joined: ir.Table) -> ir.Value:
    value = _value(feature, joined)
    if feature.is_category:
        return value
    value = value.cast("float64")
    return value if feature.missing is None else value.fill_null(float(feature.missing))


def _value(feature: Feature, joined: ir.Table) -> ir.Value:
    reduce, over = feature.reduce, feature.over
    match reduce:
        case AttributeValue(name=name):
            return joined[f"attribute_{name}"]
        case LeadAge():
            return _days_to(joined.as_of, joined.created_at)
        case DaysSinceLast():
            return _days_to(joined.as_of, joined[_label(over, "last", reduce)])
        case DaysSinceFirst():
            return _days_to(joined.as_of, joined[_label(over, "first", reduce)])
        case HourOfLast():
            return (joined[_label(over, "last", reduce)] % DAY_US).cast("float64") / float(HOUR_US)
        case WeekdayOfLast():
            # Whole days by integers: floats of microseconds would move instants near midnight to the next day.
            since_monday = (joined[_label(over, "last", reduce)] + _MONDAY_US) % (7 * DAY_US)
            return (since_monday - since_monday % DAY_US).cast("float64") / float(DAY_US)
        case Trend(days=short, long_days=long):
            counts = [joined[_label(over, f"count@{days:g}", reduce)].cast("float64") for days in (short, long)]
            return counts[0] / counts[1].nullif(0.0)
        case Count(days=days) | Distinct(days=days) | Sum(days=days) | Mean(days=days):
            number = type(reduce).__name__.lower()
            number_column = joined[_label(over, f"{number}{'' if days is None else f'@{days:g}'}", reduce)]
            return (
                number_column.cast("float64").round(VALUE_DIGITS) if isinstance(reduce, Sum | Mean) else number_column
            )
        case DecayedCount(half_life_days=half_life):
            return joined[_label(over, f"decayed@{half_life:g}", reduce)].round(DECAY_DIGITS)


def _days_to(as_of: ir.Value, instant: ir.Value) -> ir.Value:
    return (as_of - instant).cast("float64") / float(DAY_US)
