"""What a reducer can be asked for: over whom it can be exact, and with which values it means something."""

from features.feature import Feature
from features.reducers import ActiveDays, ActivePeople, DaysBetweenFirsts, Over, Reducer
from features.zone_offsets import find_zone

_ONLY_OVER: dict[type[Reducer], Over] = {ActiveDays: "lead", ActivePeople: "account"}
"""What cannot be told of the other leads of an account without looking at each, and what is about them alone."""


def broken_limit(feature: Feature) -> str | None:
    """
    Return what is wrong with what a feature asks for; None if nothing is.

    Raises:
        CatalogError: its time zone does not exist.

    >>> broken_limit(Feature("active", ActivePeople(None), 0, "{x} colleagues were active"))
    'active is computed over the account alone: set over to account.'
    """
    reduce = feature.reduce
    only = _ONLY_OVER.get(type(reduce))
    if only not in {None, feature.over}:
        return f"{feature.name} is computed over the {only} alone: set over to {only}."
    if isinstance(reduce, DaysBetweenFirsts) and (reduce.kind, reduce.subject) == (reduce.after, reduce.after_subject):
        return f"{feature.name} compares {reduce.kind} with itself: name two different activities."
    zone = getattr(reduce, "zone", None)
    if zone is not None:
        find_zone(zone)
    return None
