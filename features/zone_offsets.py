"""Time zones as integers: since when the clocks of a zone are how far ahead of UTC."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.instants import DAY_US, SECOND_US, to_us
from features.errors import CatalogError

_DAY_S = DAY_US // SECOND_US
_FIRST_S = 0
_LAST_S = to_us(datetime(2100, 1, 1, tzinfo=UTC)) // SECOND_US


def find_zone(name: str) -> ZoneInfo:
    """
    Return a time zone by its name.

    Raises:
        CatalogError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name!r} is not a time zone of this machine: use an IANA name, or install the package tzdata."
        raise CatalogError(message) from None


@lru_cache(maxsize=16)
def zone_offsets(name: str) -> tuple[tuple[int, int], ...]:
    """
    Return since when the clocks of a zone are how far ahead of UTC, from 1970 to 2100.

    What was before counts as 1970, and what comes after as the end of 2099.

    Returns:
        Pairs of an instant [us since 1970 UTC] and an offset [us], ascending.

    Raises:
        CatalogError: there is no such zone.

    >>> zone_offsets("Asia/Kolkata")
    ((0, 19800000000),)
    """
    zone = find_zone(name)
    offset = _offset_s(zone, _FIRST_S)
    offsets = [(_FIRST_S, offset)]
    for day in range(_FIRST_S, _LAST_S, _DAY_S):
        if _offset_s(zone, day + _DAY_S) != offset:
            offset = _offset_s(zone, day + _DAY_S)
            offsets.append((_changed_s(zone, day, day + _DAY_S), offset))
    return tuple((instant * SECOND_US, ahead * SECOND_US) for instant, ahead in offsets)


def _offset_s(zone: tzinfo, instant_s: int) -> int:
    ahead = datetime.fromtimestamp(instant_s, zone).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds())


def _changed_s(zone: tzinfo, before: int, after: int) -> int:
    """Return the first second with the offset of ``after``, between two instants with different offsets."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_s(zone, middle) == _offset_s(zone, after):
            after = middle
        else:
            before = middle
    return after
