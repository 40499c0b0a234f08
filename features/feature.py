"""Feature: one thing known about a lead at an instant, with the words for it."""

import math
from dataclasses import dataclass

from data.contract import AttributeType
from features.reducers import AttributeValue, KindOfLast, Over, PreviousValue, Reducer

Value = float | str | None
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Feature:
    """
    One thing known about a lead at an instant; data, not code, so it travels with the model.

    Attributes:
        name: unique in its catalog.
        reduce: how the number comes about.
        missing: the value when nothing happened; None keeps it missing.
        says: words for a value, with the places of `spoken`: ``{n} {lately} {debut} {ago} {days} {x} {share} {hour}
            {weekday} {value}``. Models of earlier releases say ``{ago}``.
        says_none: words when nothing happened or nothing is known.
        group: what it is about; all features of a group make one reason.
        over: the lead itself, or the other leads of its account.
        words: category or boolean value → how to say it.
    """

    name: str
    reduce: Reducer
    missing: float | None
    says: str
    says_none: str = ""
    group: str = ""
    over: Over = "lead"
    words: tuple[tuple[str, str], ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether the value is text."""
        if isinstance(self.reduce, AttributeValue | PreviousValue):
            return self.reduce.type is AttributeType.CATEGORY
        return isinstance(self.reduce, KindOfLast)

    @property
    def code(self) -> str:
        """The code of the reason this feature belongs to."""
        return self.group or self.name

    def worded(self, value: Value) -> str:
        """
        Put a value into the playbook's words.

        >>> from features.reducers import Count
        >>> count = Count("page_view", subject="pricing", days=7)
        >>> opened = Feature("pricing_7d", count, 0, "opened the pricing page {n} in 7 days", "no price seen in 7 days")
        >>> opened.worded(3), opened.worded(0)
        ('opened the pricing page 3 times in 7 days', 'no price seen in 7 days')
        """
        if self.nothing(value):
            return self.says_none or f"{self.name.replace('_', ' ')} unknown"
        direct = isinstance(self.reduce, AttributeValue | PreviousValue | KindOfLast)
        return self._direct(value) if direct else spoken(self.says, _number(value))

    def nothing(self, value: Value) -> bool:
        """Return whether a value means that nothing happened or nothing is known."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return True
        return not isinstance(self.reduce, AttributeValue) and self.missing is not None and value == self.missing

    def _direct(self, value: Value) -> str:
        reduce = self.reduce
        if isinstance(reduce, AttributeValue | PreviousValue) and reduce.type is AttributeType.BOOLEAN:
            return dict(self.words).get("true" if value else "false", self.says)
        if isinstance(value, str):
            return self.says.replace("{value}", dict(self.words).get(value, value))
        return self.says.replace("{value}", _plain(_number(value)))


def spoken(template: str, value: float) -> str:
    """
    Put a number into a sentence, as people say it.

    >>> spoken("last met us {lately}", 1.4), spoken("met us {n}", 2.0), spoken("{x} minutes", 12345.678)
    ('last met us yesterday', 'met us twice', '12,346 minutes')
    >>> spoken("met us {debut}", 0.4), spoken("met us {debut}", 12.0), spoken("last met us {lately}", 0.4)
    ('met us today, for the first time', 'met us for the first time 12 days ago', 'last met us today')
    """
    for place, write in _PLACES.items():
        if place in template:
            template = template.replace(place, write(value))
    return template


def _number(value: Value) -> float:
    return float(value) if value is not None else math.nan


def _times(count: float) -> str:
    return {1: "once", 2: "twice"}.get(round(count), f"{round(count):,} times")


def _ago(days: float) -> str:
    whole = math.floor(days)
    return {0: "within a day", 1: "yesterday"}.get(whole, f"{whole:,} days ago")


def _lately(days: float) -> str:
    return "today" if math.floor(days) == 0 else _ago(days)


def _debut(days: float) -> str:
    return "today, for the first time" if math.floor(days) == 0 else f"for the first time {_ago(days)}"


def _days(days: float) -> str:
    whole = math.floor(days)
    return {0: "less than a day", 1: "1 day"}.get(whole, f"{whole:,} days")


def _plain(number: float) -> str:
    if abs(number) >= 100 or number == round(number):  # noqa: PLR2004 - from here on fractions only distract
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 1 else f"{number:.2g}"


def _share(share: float) -> str:
    return f"{share:.0%}"


def _hour(hour: float) -> str:
    return f"{int(hour) % 24}:{int(hour % 1 * 60):02d}"


def _weekday(day: float) -> str:
    return _WEEKDAYS[int(day) % 7]


_PLACES = {
    "{n}": _times,
    "{lately}": _lately,
    "{debut}": _debut,
    "{ago}": _ago,
    "{days}": _days,
    "{x}": _plain,
    "{share}": _share,
    "{hour}": _hour,
    "{weekday}": _weekday,
}
