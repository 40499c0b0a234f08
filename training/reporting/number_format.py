"""Numbers as a reader sees them: written in one place, so that report, card and screen cannot round differently."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from data.instants import from_us, parse

Shape = Literal["share", "loss", "fine", "score", "times", "ratio", "count", "days", "money", "points", "whole"]
UNKNOWN = "–"
_FEW = 0.1
_ROUND = 1_000


def known(number: Any) -> float | None:
    """
    Give a number, or the value of one with an interval; None where it is not known.

    >>> known({"value": 0.7, "low": 0.63, "high": 0.76}), known(float("nan")), known(None)
    (0.7, None, None)
    """
    found = number.get("value") if isinstance(number, Mapping) else number
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def ends(number: Any) -> tuple[float, float] | None:
    """Give both ends of a number's interval; None where it has none."""
    if not isinstance(number, Mapping):
        return None
    low, high = known(number.get("low")), known(number.get("high"))
    return None if low is None or high is None else (low, high)


def value(number: Any, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number without its interval.

    Args:
        number: a number, or one with an interval.
        shape: what it counts.
        sign: whether a plus is written too.

    >>> value({"value": 0.699}, "share"), value(0.0254, "share"), value(-0.0481, "loss", sign=True), value(None, "days")
    ('70%', '2.5%', '−0.048', '–')
    """
    found = known(number)
    return UNKNOWN if found is None else _written(found, shape, like=found, sign=sign)


def interval(number: Any, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number's interval, as fine as the number; empty where it has none.

    >>> interval({"value": 0.7, "low": 0.6312, "high": 0.76}, "share")
    '63% – 76%'
    >>> interval({"value": -0.048, "low": -0.054, "high": -0.042}, "loss")
    '−0.054 to −0.042'
    """
    found, both = known(number), ends(number)
    if found is None or both is None:
        return ""
    between = " to " if both[0] < 0 else " – "  # a dash before a minus cannot be read
    return between.join(_written(end, shape, like=found, sign=sign) for end in both)


def shown(number: Any, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number with its interval.

    >>> shown({"value": 0.7, "low": 0.6312, "high": 0.76}, "ratio")
    '0.70 (0.63 – 0.76)'
    """
    around = interval(number, shape, sign=sign)
    return f"{value(number, shape, sign=sign)} ({around})" if around else value(number, shape, sign=sign)


def verdict_on(difference: Any, *, better: Literal["lower", "higher"]) -> str:
    """
    Say whether a difference is more than chance.

    >>> verdict_on({"value": -0.02, "low": -0.03, "high": -0.01}, better="lower")
    'better'
    >>> verdict_on({"value": -0.02, "low": -0.03, "high": 0.01}, better="lower")
    'may be chance'
    """
    both = ends(difference)
    if both is None or both[0] <= 0 <= both[1]:
        return "may be chance"
    return "better" if (both[1] < 0) == (better == "lower") else "worse"


def day(instant: Any) -> str:
    """
    Write the UTC day of an instant.

    >>> day("2026-03-01T12:00:00Z")
    '2026-03-01'
    """
    return UNKNOWN if not instant else from_us(parse(str(instant))).date().isoformat()


def minute(instant: Any) -> str:
    """
    Write an instant to the minute.

    >>> minute("2026-03-01T12:00:31Z")
    '2026-03-01 12:00 UTC'
    """
    return UNKNOWN if not instant else f"{from_us(parse(str(instant))):%Y-%m-%d %H:%M} UTC"


def _written(number: float, shape: Shape, *, like: float, sign: bool) -> str:
    text = _SHAPES[shape](number, like).replace("-", "−")
    zero = not text.strip("−0.,%")
    if zero:
        text = text.removeprefix("−")
    return f"+{text}" if sign and number > 0 and not zero else text


def _share(number: float, like: float) -> str:
    return f"{number:.1%}" if abs(like) < _FEW else f"{number:.0%}"


def _fixed(decimals: int) -> Callable[[float, float], str]:
    return lambda number, _like: f"{number:,.{decimals}f}"


def _count(number: float, like: float) -> str:
    """Weighted counts are no whole numbers; small ones are shown as they are."""
    return f"{number:,.0f}" if float(like).is_integer() or abs(like) >= _ROUND / 10 else f"{number:,.1f}"


_SHAPES: Mapping[str, Callable[[float, float], str]] = {
    "share": _share,
    "loss": _fixed(3),
    "fine": _fixed(4),
    "score": _fixed(3),
    "times": _fixed(2),
    "ratio": _fixed(2),
    "count": _count,
    "days": _fixed(1),
    "money": lambda number, like: f"{number:,.0f}" if abs(like) >= _ROUND else f"{number:,.2f}",
    "points": _fixed(1),
    "whole": _fixed(0),
}
