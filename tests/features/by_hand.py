"""Every reducer once more, slow and obvious: the oracle that the engines are held against."""

from itertools import pairwise
from zoneinfo import ZoneInfo

from data.instants import DAY_US, HOUR_US, from_us
from features.reducers import (
    ActiveDays,
    ActivePeople,
    AttributeChanges,
    AttributeValue,
    ChangeReducer,
    Count,
    DaysBetweenFirsts,
    DaysSinceChange,
    DaysSinceFirst,
    DaysSinceLast,
    DaysSinceNthLast,
    DecayedCount,
    Distinct,
    FirstValue,
    HourOfLast,
    KindOfLast,
    LastValue,
    LeadAge,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    LongestGap,
    Mean,
    MeanGap,
    PreviousValue,
    RelativeSilence,
    SequenceCount,
    ShareOfAll,
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


def _known(feature, world, lead_id, as_of, catalog):
    leads = _whose(feature, world, lead_id, as_of, catalog.most_colleagues)
    return [
        a for a in world.activities if a.lead_id in leads and a.known_at < as_of and a.kind not in catalog.never_use
    ]


def _of(known, kind, subject):
    """Return the activities of a kind and a subject; None is any."""
    return [a for a in known if kind in {None, a.kind} and subject in {None, a.subject}]


def _value(feature, world, lead_id, as_of, catalog):
    reduce = feature.reduce
    if isinstance(reduce, ChangeReducer):
        return _changed(reduce, world, lead_id, as_of)
    if isinstance(reduce, AttributeValue | LeadAge):
        version = _newest(world, lead_id, as_of)
        if version is None:
            return None
        return (as_of - version.created_at) / DAY_US if isinstance(reduce, LeadAge) else getattr(version, reduce.name)
    known = _known(feature, world, lead_id, as_of, catalog)
    seen = _of(known, getattr(reduce, "kind", None), getattr(reduce, "subject", None))
    for of_some in (_counted, _timed, _compared, _ordered):
        value = of_some(reduce, seen, known, as_of)
        if value is not NotImplemented:
            return value
    raise NotImplementedError(reduce)


def _changed(reduce, world, lead_id, as_of):
    """Compare each version of a lead with the one before it; to say nothing of an attribute is a value too."""
    known = sorted((v for v in world.versions if v.lead_id == lead_id and v.known_at < as_of), key=lambda v: v.known_at)
    told = [(version.known_at, getattr(version, reduce.name)) for version in known]
    changes = [(at, before) for (_, before), (at, value) in pairwise(told) if value != before]
    match reduce:
        case AttributeChanges():
            return float(len(changes))
        case DaysSinceChange():
            return (as_of - changes[-1][0]) / DAY_US if changes else None
        case PreviousValue():
            return changes[-1][1] if changes else None


def _within(activities, as_of, days):
    return [a for a in activities if days is None or as_of - days * DAY_US <= a.occurred_at < as_of]


def _counted(reduce, seen, _known, as_of):
    def within(days):
        return _within(seen, as_of, days)

    match reduce:
        case Count():
            return float(len(within(reduce.days)))
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
        case ActiveDays():
            return float(len({_clock(a.occurred_at, reduce.zone).date() for a in within(reduce.days)}))
        case ActivePeople():
            return float(len({a.lead_id for a in within(reduce.days)}))
    return NotImplemented


def _timed(reduce, seen, _known, as_of):
    last = max([a.occurred_at for a in seen], default=None)
    match reduce:
        case DaysSinceLast():
            return None if last is None else (as_of - last) / DAY_US
        case DaysSinceFirst():
            return max([(as_of - a.occurred_at) / DAY_US for a in seen], default=None)
        case HourOfLast():
            return None if last is None else last % DAY_US / HOUR_US
        case WeekdayOfLast():
            return None if last is None else float((last // DAY_US + 3) % 7)
        case LocalHourOfLast():
            return None if last is None else _hours(_clock(last, reduce.zone))
        case LocalWeekdayOfLast():
            return None if last is None else float(_clock(last, reduce.zone).weekday())
    return NotImplemented


def _compared(reduce, seen, known, as_of):
    times, gaps = [a.occurred_at for a in seen], _gaps(seen)
    match reduce:
        case ShareOfAll():
            every = _within(known, as_of, reduce.days)
            return len(_within(seen, as_of, reduce.days)) / len(every) if every else None
        case DaysBetweenFirsts():
            before = [a.occurred_at for a in _of(known, reduce.after, reduce.after_subject)]
            return (min(times) - min(before)) / DAY_US if times and before else None
        case MeanGap():
            gaps = _gaps(_within(seen, as_of, reduce.days))
            return sum(gaps) / len(gaps) if gaps else None
        case LongestGap():
            return max(_gaps(_within(seen, as_of, reduce.days)), default=None)
        case RelativeSilence():
            silence = (as_of - max(times, default=0)) / DAY_US
            return silence / (sum(gaps) / len(gaps)) if len(gaps) > 1 and sum(gaps) else None
    return NotImplemented


def _gaps(activities):
    times = sorted(a.occurred_at for a in activities)
    return [(later - earlier) / DAY_US for earlier, later in pairwise(times)]


def _ordered(reduce, seen, known, as_of):
    valued = [a for a in seen if a.value is not None]
    match reduce:
        case KindOfLast():
            inorder = sorted(seen, key=lambda a: (a.occurred_at, _code(a, reduce.kinds)))
            code = _code(inorder[-reduce.nth], reduce.kinds) if len(inorder) >= reduce.nth else -1
            return reduce.kinds[code] if code >= 0 else None
        case DaysSinceNthLast():
            times = sorted(a.occurred_at for a in seen)
            return (as_of - times[-reduce.nth]) / DAY_US if len(times) >= reduce.nth else None
        case FirstValue():
            return min(valued, key=lambda a: (a.occurred_at, a.value)).value if valued else None
        case LastValue():
            return max(valued, key=lambda a: (a.occurred_at, a.value)).value if valued else None
        case SequenceCount():
            before = [a.occurred_at for a in _of(known, reduce.after, reduce.after_subject)]
            longest = reduce.within_days * DAY_US
            return float(sum(any(0 < a.occurred_at - at <= longest for at in before) for a in seen))
    return NotImplemented


def _code(activity, kinds):
    for name in (f"{activity.kind}/{activity.subject}", activity.kind):
        if name in kinds:
            return kinds.index(name)
    return -1


def _clock(instant, zone):
    """Return what the clocks of a zone show at an instant."""
    return from_us(instant).astimezone(ZoneInfo(zone))


def _hours(clock):
    return clock.hour + clock.minute / 60 + (clock.second + clock.microsecond / 1e6) / 3600
