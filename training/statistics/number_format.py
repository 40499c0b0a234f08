"""Numbers as a reader sees them: written in one place, so that report, card and screen cannot round differently."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

from data.instants import from_us, parse
from training.statistics.estimate import Estimate

Shape = Literal["share", "loss", "fine", "score", "times", "ratio", "count", "days", "money", "points", "whole"]
Shown = Estimate | float | None
"""What can be written: a number, one with its interval, or None where it is not known."""

UNKNOWN = "–"
_FEW = 0.1
_ROUND = 1_000


def known(number: Shown) -> float | None:
    """
    Return a number, or the value of one with an interval; None where it is not known.

    >>> known(Estimate(value=0.7, low=0.63, high=0.76)), known(float("nan")), known(None)
    (0.7, None, None)
    """
    plain = number.value if isinstance(number, Estimate) else number
    if plain is None or isinstance(plain, bool) or not math.isfinite(plain):
        return None
    return float(plain)


def ends(number: Shown) -> tuple[float, float] | None:
    """Return both ends of a number's interval; None where it has none."""
    if not isinstance(number, Estimate) or number.low is None or number.high is None:
        return None
    return number.low, number.high


def value(number: Shown, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number without its interval.

    Args:
        number: a number, or one with an interval.
        shape: what it counts.
        sign: whether a plus is written too.

    >>> value(0.699, "share"), value(0.0254, "share"), value(-0.0481, "loss", sign=True), value(None, "days")
    ('70%', '2.5%', '−0.048', '–')
    """
    plain = known(number)
    return UNKNOWN if plain is None else _written(plain, shape, like=plain, sign=sign)


def interval(number: Shown, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number's interval, as fine as the number; empty where it has none.

    >>> interval(Estimate(value=0.7, low=0.6312, high=0.76), "share")
    '63% – 76%'
    >>> interval(Estimate(value=-0.048, low=-0.054, high=-0.042), "loss")
    '−0.054 to −0.042'
    """
    plain, both = known(number), ends(number)
    if plain is None or both is None:
        return ""
    between = " to " if both[0] < 0 else " – "  # a dash before a minus cannot be read
    return between.join(_written(end, shape, like=plain, sign=sign) for end in both)


def shown(number: Shown, shape: Shape, *, sign: bool = False) -> str:
    """
    Write the number with its interval.

    >>> shown(Estimate(value=0.7, low=0.6312, high=0.76), "ratio")
    '0.70 (0.63 – 0.76)'
    """
    around = interval(number, shape, sign=sign)
    return f"{value(number, shape, sign=sign)} ({around})" if around else value(number, shape, sign=sign)


def difference(first: str, second: str, *, sign: bool = True) -> str:
    """
    Subtract two numbers as they are shown, so that the difference never contradicts the two beside it.

    Each may be rounded, and their exact difference would then round to something else: 1,212.4 less 1,147.6 is 64.8,
    but a reader who sees 1,212 and 1,148 expects 64.

    Args:
        first: as `value` wrote it.
        second: as `value` wrote it, in the same shape.
        sign: whether a plus is written too.

    Returns:
        The difference with as many decimals as the finer of the two; a dash where one of them is not known.

    >>> difference("1,212", "1,148"), difference("0.256", "0.304"), difference("12.3%", "12.1%", sign=False)
    ('+64', '−0.048', '0.2%')
    """
    if UNKNOWN in (first, second):
        return UNKNOWN
    unit = "%" if first.endswith("%") else ""
    exact = _decimal(first) - _decimal(second)
    text = f"{abs(exact):,f}{unit}"
    if exact == 0:
        return text
    return f"−{text}" if exact < 0 else f"+{text}" if sign else text


def _decimal(text: str) -> Decimal:
    return Decimal(text.rstrip("%").replace(",", "").replace("−", "-"))


def verdict_on(number: Shown, *, better: Literal["lower", "higher"]) -> str:
    """
    Return in words whether a difference is more than chance.

    >>> verdict_on(Estimate(value=-0.02, low=-0.03, high=-0.01), better="lower")
    'better'
    >>> verdict_on(Estimate(value=-0.02, low=-0.03, high=0.01), better="lower")
    'may be chance'
    """
    both = ends(number)
    if both is None or both[0] <= 0 <= both[1]:
        return "may be chance"
    return "better" if (both[1] < 0) == (better == "lower") else "worse"


def day(instant: str | None) -> str:
    """
    Write the UTC day of an instant.

    >>> day("2026-03-01T12:00:00Z")
    '2026-03-01'
    """
    return UNKNOWN if not instant else from_us(parse(instant)).date().isoformat()


def minute(instant: str | None) -> str:
    """
    Write an instant to the minute.

    >>> minute("2026-03-01T12:00:31Z")
    '2026-03-01 12:00 UTC'
    """
    return UNKNOWN if not instant else f"{from_us(parse(instant)):%Y-%m-%d %H:%M} UTC"


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
    """Write a weighted count, which need not be whole: a small one with a decimal."""
    return f"{number:,.0f}" if round(like, 6).is_integer() or abs(like) >= _ROUND / 10 else f"{number:,.1f}"


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
