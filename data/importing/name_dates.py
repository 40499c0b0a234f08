"""The date that stands in the name of a file, such as that of a monthly dump."""

import re
from calendar import monthrange
from datetime import date

from data.errors import IntakeError

_DIGITS = {"%Y": r"(?P<Y>\d{4})", "%m": r"(?P<m>\d{2})", "%d": r"(?P<d>\d{2})"}
_PARTS = re.compile(r"%.?|[^%]+")


def require_name_format(given: str) -> str:
    """
    Return a format of dates in names, if it is one.

    Raises:
        ValueError: it has other parts than %Y, %m and %d, one of them twice, or no year or month.

    >>> require_name_format("%Y-%m")
    '%Y-%m'
    """
    found = [part for part in _PARTS.findall(given) if part.startswith("%")]
    unknown = [part for part in found if part not in _DIGITS]
    if unknown or len(set(found)) < len(found) or not {"%Y", "%m"} <= set(found):
        message = f'{given} is not the format of a date in a name: use "%Y-%m-%d", "%Y%m%d" or "%Y-%m"'
        raise ValueError(message)
    return given


def date_in_name(name: str, given: str) -> date:
    """
    Return the date in a file's name; one without a day means the last day of its month.

    A dump of a month may have been made on any day of it, so the last one is the first on which it is surely known.

    Args:
        name: the file's, without its folder.
        given: the format, as `require_name_format` accepts it.

    Raises:
        IntakeError: the name holds no such date, or several.

    >>> date_in_name("leads_20240131.csv", "%Y%m%d"), date_in_name("leads 2024-02.csv", "%Y-%m")
    (datetime.date(2024, 1, 31), datetime.date(2024, 2, 29))
    """
    dates = sorted({found for match in _pattern(given).finditer(name) if (found := _read(match)) is not None})
    if not dates:
        example = date(2024, 1, 31).strftime(given)
        message = (
            f'{name} has no date in its name such as {example}, which from_name "{given}" expects:'
            " rename the file, or correct file or from_name in playbook.yaml."
        )
        raise IntakeError(message)
    if len(dates) > 1:
        message = (
            f'{name} has several dates in its name by from_name "{given}", {dates[0]} and {dates[1]}, and only one can'
            " be that of its rows: rename the file."
        )
        raise IntakeError(message)
    return dates[0]


def _pattern(given: str) -> re.Pattern[str]:
    """Return the pattern of a format, which matches at every place where it can, and inside no longer number."""
    parts = "".join(_DIGITS.get(part, re.escape(part)) for part in _PARTS.findall(given))
    return re.compile(rf"(?<!\d)(?={parts}(?!\d))")


def _read(match: re.Match[str]) -> date | None:
    year, month = int(match["Y"]), int(match["m"])
    try:
        return date(year, month, int(match["d"]) if "d" in match.re.groupindex else monthrange(year, month)[1])
    except ValueError:
        return None
