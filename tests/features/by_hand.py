"""Every reducer once more, slow and obvious: the oracle that the engines are held against."""

from data.instants import DAY_US, HOUR_US
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
    Sum,
    Trend,
    WeekdayOfLast,
)


def by_hand(world, lead_id, as_of, catalog):
    """Return {feature: value} for one snapshot."""
    values = {}
    for feature in catalog.features:
        value = _value(feature, world, lead_id, as_of, catalog)
        values[feature.name] = feature.missing if value is None else value
    return values


def _newest(world, lead_id, as_of):
    known = [version for version in world.versions if version.lead_id == lead_id and version.known_at < as_of]
    return max(known, key=lambda version: version.known_at, default=None)


def _whose(feature, world, lead_id, as_of, most):
    if feature.over == "lead":
        return {lead_id}
    mine = _newest(world, lead_id, as_of)
    if mine is None or mine.account_id is None:
        return set()
    others = {version.lead_id for version in world.versions} - {lead_id}
    newest = {other: _newest(world, other, as_of) for other in others}
    others = {other for other, version in newest.items() if version and version.account_id == mine.account_id}
    return others if most is None or len(others) <= most else set()


def _seen(feature, world, lead_id, as_of, catalog):
    leads, reduce = _whose(feature, world, lead_id, as_of, catalog.most_colleagues), feature.reduce
    for activity in world.activities:
        if activity.lead_id not in leads or activity.known_at >= as_of or activity.kind in catalog.never_use:
            continue
        if reduce.kind is not None and activity.kind != reduce.kind:
            continue
        if getattr(reduce, "subject", None) is not None and activity.subject != reduce.subject:
            continue
        yield activity


def _value(feature, world, lead_id, as_of, catalog):  # noqa: C901 - one case per reducer
    reduce = feature.reduce
    if isinstance(reduce, AttributeValue | LeadAge):
        version = _newest(world, lead_id, as_of)
        if version is None:
            return None
        return (as_of - version.created_at) / DAY_US if isinstance(reduce, LeadAge) else getattr(version, reduce.name)
    seen = list(_seen(feature, world, lead_id, as_of, catalog))

    def within(days):
        return [a for a in seen if days is None or as_of - days * DAY_US <= a.occurred_at < as_of]

    match reduce:
        case Count():
            return float(len(within(reduce.days)))
        case DaysSinceLast():
            return min([(as_of - a.occurred_at) / DAY_US for a in seen], default=None)
        case DaysSinceFirst():
            return max([(as_of - a.occurred_at) / DAY_US for a in seen], default=None)
        case DecayedCount():
            return round(sum(2 ** (-(as_of - a.occurred_at) / DAY_US / reduce.half_life_days) for a in seen), 9)
        case Distinct():
            return float(len({a.subject for a in within(reduce.days) if a.subject is not None}))
        case Sum():
            return round(sum([a.value for a in within(reduce.days) if a.value is not None]), 6)
        case Mean():
            values = [a.value for a in within(reduce.days) if a.value is not None]
            return round(sum(values) / len(values), 6) if values else None
        case Trend():
            long = within(reduce.long_days)
            return len(within(reduce.days)) / len(long) if long else None
        case HourOfLast() | WeekdayOfLast():
            last = max([a.occurred_at for a in seen], default=None)
            if last is None:
                return None
            hour = isinstance(reduce, HourOfLast)
            return last % DAY_US / HOUR_US if hour else float((last // DAY_US + 3) % 7)
