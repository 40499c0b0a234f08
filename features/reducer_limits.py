"""What a reducer can be asked for: over whom it can be exact, and with which values it means something."""

from features.feature import Feature
from features.reducers import (
    ActiveDays,
    ActivePeople,
    AttributeChanges,
    DaysBetweenFirsts,
    DaysSinceChange,
    DaysSinceNthLast,
    FirstValue,
    KindOfLast,
    LastValue,
    LongestGap,
    MeanGap,
    Over,
    PreviousValue,
    Reducer,
    SequenceCount,
)
from features.zone_offsets import find_zone

_MOST_BACK = 1_000_000


def broken_limit(feature: Feature) -> str | None:
    """
    Return what is wrong with what a feature asks for; None if nothing is.

    Raises:
        CatalogError: its time zone does not exist.

    >>> broken_limit(Feature("active", ActivePeople(None), 0, "{x} colleagues were active"))
    'active is computed over the account alone: set over to account.'
    """
    reduce, name = feature.reduce, feature.name
    only = _only_over(reduce)
    if only not in {None, feature.over}:
        return f"{name} is computed over the {only} alone: set over to {only}."
    match reduce:
        case DaysBetweenFirsts(kind=kind) | SequenceCount(kind=kind):
            if (kind, reduce.subject) == (reduce.after, reduce.after_subject):
                return f"{name} compares {kind} with itself: name two different activities."
        case KindOfLast(nth=nth) | DaysSinceNthLast(nth=nth) if not 1 <= nth <= _MOST_BACK or nth != int(nth):
            return f"{name} asks for activity number {nth:g} from the end: expected 1, the last, to {_MOST_BACK:,}."
        case KindOfLast(kinds=kinds) if not kinds or len(kinds) != len({*kinds, ""}) - 1:
            return f"{name} lists no kind, one twice, or one without a name: list each kind once."
        case _:
            pass
    zone = getattr(reduce, "zone", None)
    if zone is not None:
        find_zone(zone)
    return None


def _only_over(reduce: Reducer) -> Over | None:
    """Return over whom alone a reducer is exact; what others did is what all did without the lead's own part."""
    match reduce:
        case ActivePeople():
            return "account"
        case ActiveDays() | LongestGap() | KindOfLast() | DaysSinceNthLast() | FirstValue() | LastValue():
            return "lead"
        case SequenceCount() | AttributeChanges() | DaysSinceChange() | PreviousValue():
            return "lead"
        case MeanGap(days=days) if days is not None:
            return "lead"
        case _:
            return None
