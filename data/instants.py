"""Instants: UTC, in microseconds since 1970-01-01, as integers wherever they are computed with."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import time_ns
from zoneinfo import ZoneInfo

from data.errors import DataError

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(instant: datetime) -> int:
    """
    Count the microseconds from 1970-01-01 UTC to an instant.

    >>> to_us(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    since = instant - _EPOCH
    return since.days * DAY_US + since.seconds * SECOND_US + since.microseconds


def from_us(instant_us: int) -> datetime:
    """
    Return the UTC instant that is so many microseconds after 1970-01-01.

    >>> from_us(86_400_000_000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=int(instant_us))


def now_us() -> int:
    """Return the present instant in microseconds."""
    return time_ns() // 1000


@lru_cache(maxsize=4096)
def iso(instant_us: int) -> str:
    """
    Write an instant the way the API and the command line print it.

    >>> iso(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return from_us(instant_us).isoformat().replace("+00:00", "Z")


def span_in_words(span_us: int) -> str:
    """
    Word how long a span is, in the largest unit of which there are two.

    >>> span_in_words(90 * 60 * SECOND_US), span_in_words(3 * DAY_US), span_in_words(1)
    ('90 minutes', '3 days', '0 seconds')
    """
    seconds = span_us // SECOND_US
    many, unit = next(((seconds // size, unit) for size, unit in _UNITS if seconds >= 2 * size), (seconds, "seconds"))
    return f"{many:,} {unit}"


def parse(text: str, zone: str = "UTC") -> int:
    """
    Read an ISO 8601 instant; without an offset it is a local time of the given zone.

    Args:
        text: such as ``2026-03-01``, ``2026-03-01T12:00`` or ``2026-03-01T12:00:00+01:00``.
        zone: IANA name of the zone that applies where the text has no offset.

    Returns:
        Microseconds since 1970-01-01 UTC.

    Raises:
        DataError: the text is not an ISO 8601 instant.

    >>> iso(parse("2026-03-01T12:00", "Europe/Amsterdam"))
    '2026-03-01T11:00:00Z'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not an instant: expected ISO 8601 such as 2026-03-01T12:00:00Z."
        raise DataError(message) from None
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=ZoneInfo(zone))
    try:
        return to_us(aware.astimezone(UTC))
    except OverflowError:
        message = f"{text!r} is outside the years 1 to 9999 in UTC: give an instant within them."
        raise DataError(message) from None
