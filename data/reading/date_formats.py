"""How instants are written: SQL that reads text by the formats of a playbook, or as ISO 8601 where it names none."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from data.instants import DAY_US
from data.sql import literal

_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_BASIC_DAY = r"(19|20)\d{6}"
_CLOCK = _DAY + r"[T ]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?"
_OFFSET = r"( ?[Zz]| ?UTC| ?[+-]\d{2}(:?\d{2})?)"
_MIDNIGHT = r"[T ]0?0:00(:00([.]0+)?)?"
_COUNTED = r"\d{9,19}([.]\d*)?"
_BARE = r"[+-]?\d+([.,]\d*)?([eE][+-]?\d+)?"

_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_TIMES_OF_12 = ("%I:%M %p", "%I:%M%p", "%I:%M:%S %p", "%I:%M:%S%p")
_SPELLED = {
    "us": ("%m/%d/%Y", (*_TIMES_OF_12, *_TIMES), r"\d{1,2}/\d{1,2}/\d{4}"),
    "german": ("%d.%m.%Y", _TIMES, r"\d{1,2}[.]\d{1,2}[.]\d{4}"),
}
"""Named format → its day, the times of day that may follow, and the day as a pattern."""

_DECIMALS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0, "epoch_ns": -3}
"""Unit → how many decimals of it a microsecond has."""

_FIRST_COUNTED = 100_000_000 * 1_000_000
_LAST_COUNTED = 253_370_764_800 * 1_000_000
_QUARTER_US = DAY_US // 96


def instant_macros(zone: str) -> list[str]:
    """
    Return the SQL macros that read text as instants [µs]; wall clocks are those of the zone.

    An instant without an offset is a wall clock of the zone. Eight digits that are a date are a date; any other number
    is none, unless the playbook names its unit. What no system writes but as a placeholder (1970-01-01, a day before
    1900, the last of 9999) is not plausible.
    """
    local = "epoch_us(t)" if zone == "UTC" else f"epoch_us(timezone({literal(zone)}, t))"
    clock = "make_timestamp(us)" if zone == "UTC" else f"timezone({literal(zone)}, make_timestamptz(us))"
    day = (
        f"CASE WHEN length(t) > 10 THEN NULL WHEN regexp_full_match(t, '{_DAY}') THEN TRY_CAST(t AS DATE)"
        f" WHEN regexp_full_match(t, '{_BASIC_DAY}') THEN TRY_CAST(try_strptime(t, '%Y%m%d') AS DATE) END"
    )
    iso = (
        f"CASE WHEN regexp_full_match(t, '{_CLOCK}{_OFFSET}')"
        " THEN epoch_us(TRY_CAST(replace(replace(t, 'z', 'Z'), ' +', '+') AS TIMESTAMPTZ))"
        f" WHEN regexp_full_match(t, '{_CLOCK}') THEN local_us(TRY_CAST(t AS TIMESTAMP)) END"
    )
    first, last = (f"epoch_us(TIMESTAMP '{edge}')" for edge in ("1900-01-02 12:00", "2099-12-30 10:00"))
    zero = "us BETWEEN epoch_us(TIMESTAMP '1969-12-31 10:00') AND epoch_us(TIMESTAMP '1970-01-02 12:00')"
    stands_for_none = "us < epoch_us(TIMESTAMP '0002-01-01') OR us >= epoch_us(TIMESTAMP '1600-01-01')"
    zone_midnight = "us = local_us(date_trunc('day', zone_clock(us)))"
    return [
        f"local_us(t) AS {local}",
        f"plausible(us) AS CASE WHEN us BETWEEN {first} AND {last} AND NOT ({zero}) THEN us END",
        f"is_placeholder(us) AS plausible(us) IS NULL AND ({stands_for_none})",
        f"as_day(t) AS {day}",
        f"as_clock(t) AS {iso}",
        f"zone_clock(us) AS {clock}",
        f"is_zone_midnight(us) AS CASE WHEN us % {_QUARTER_US} = 0 THEN {zone_midnight} ELSE FALSE END",
        f"is_own_midnight(t) AS regexp_full_match(t, '{_DAY}{_MIDNIGHT}{_OFFSET}')",
        f"own_day(t) AS TRY_CAST(regexp_extract(t, '^{_DAY}') AS DATE)",
        "day_end(d) AS local_us((d + 1)::TIMESTAMP)",
        f"is_bare_number(t) AS regexp_full_match(t, '{_BARE}') AND as_day(t) IS NULL",
    ]


def reads_clock(given: str, text: str) -> str:
    """Return the SQL that reads text with a time of day by one format of the playbook [µs]."""
    if given == "iso":
        return f"as_clock({text})"
    if given in _DECIMALS:
        return _counted(given, text)
    if given in _SPELLED:
        day, times, pattern = _SPELLED[given]
        clock = f"replace({text}, ',', '')" if given == "us" else f"replace({text}, ', ', ' ')"
        formats = ", ".join(literal(f"{day} {time}") for time in times)
        read = f"local_us(try_strptime({clock}, [{formats}]))"
        return f"CASE WHEN regexp_matches({text}, '^{pattern}') THEN {read} END"
    if not names_time(given):
        return "NULL::BIGINT"
    if "%z" in given:
        offset = f"regexp_replace({text}, ' ?([Zz]|UTC)$', '+00:00')"
        return f"epoch_us(try_strptime({offset}, {literal(given)}))"
    read = f"try_strptime({text}, {literal(given)})"
    return f"epoch_us({read})" if "%Z" in given else f"local_us({read})"


def reads_day(given: str, text: str) -> str:
    """Return the SQL that reads text without a time of day by one format of the playbook, as a DATE."""
    if given == "iso":
        return f"as_day({text})"
    if given in _SPELLED:
        day, _, pattern = _SPELLED[given]
        return (
            f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN TRY_CAST(try_strptime({text}, '{day}') AS DATE) END"
        )
    if given in _DECIMALS or names_time(given):
        return "NULL::DATE"
    return f"TRY_CAST(try_strptime({text}, {literal(given)}) AS DATE)"


def names_time(given: str) -> bool:
    """
    Return whether a format of strptime has a time of day; one without reads days.

    >>> names_time("%d.%m.%Y %H:%M"), names_time("%d.%m.%Y")
    (True, False)
    """
    return re.search(r"%-?[HIMSfnp]", given.replace("%%", "")) is not None


def reads_numbers(formats: tuple[str, ...]) -> bool:
    """Return whether any of the formats may be a bare number: an epoch in a named unit, or digits without marks."""
    return any(given in _DECIMALS or given not in {"iso", *_SPELLED} for given in formats)


def fixed_offsets_us(zone: str) -> tuple[int, ...]:
    """
    Return the zone's offsets in winter and in summer [µs], which some systems keep to all year.

    >>> fixed_offsets_us("Europe/Berlin"), fixed_offsets_us("UTC")
    ((3600000000, 7200000000), (0,))
    """
    seasons = [datetime(2026, month, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    return tuple(sorted({int(offset.total_seconds()) * 1_000_000 for offset in seasons if offset is not None}))


def _counted(unit: str, text: str) -> str:
    """Return the SQL of an epoch in a unit [µs]; what lies before 1973 is in another unit than it is said to be."""
    whole, decimals = f"split_part({text}, '.', 1)", _DECIMALS[unit]
    us = f"TRY_CAST({whole} AS HUGEINT)"
    if decimals > 0:
        rest = f"rpad(left(split_part({text}, '.', 2), {decimals}), {decimals}, '0')"
        us = f"{us} * {10**decimals} + TRY_CAST({rest} AS HUGEINT)"
    elif decimals < 0:
        us = f"{us} // {10**-decimals}"
    bounded = f"CASE WHEN {us} BETWEEN {_FIRST_COUNTED} AND {_LAST_COUNTED} THEN ({us})::BIGINT END"
    return f"CASE WHEN regexp_full_match({text}, '{_COUNTED}') THEN {bounded} END"
