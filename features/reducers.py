"""The ways to reduce what a lead did, or is, to one number; frozen values without behaviour."""

from dataclasses import dataclass
from typing import Literal

from data.contract import AttributeType


@dataclass(frozen=True, slots=True)
class Count:
    """How many activities occurred in ``[as_of - days, as_of)``; without days, ever. ``kind`` None is any kind."""

    kind: str | None
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class DaysSinceLast:
    """Days from the latest activity to the snapshot."""

    kind: str | None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class DaysSinceFirst:
    """Days from the earliest activity to the snapshot."""

    kind: str | None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class DecayedCount:
    """Count in which an activity of age a weighs ``2 ** (-a / half_life_days)``, to 9 decimals."""

    kind: str | None
    half_life_days: float
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different subjects occurred in the window."""

    kind: str | None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """Sum of the values in the window, to 6 decimals."""

    kind: str
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean of the values in the window, to 6 decimals; missing without any."""

    kind: str
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Share of the long window's activities that fell into the short one; missing when the long one is empty."""

    kind: str | None
    days: float
    long_days: float
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class HourOfLast:
    """Hour of the day (UTC, 0 to 24 with fractions) of the latest activity."""

    kind: str | None


@dataclass(frozen=True, slots=True)
class WeekdayOfLast:
    """Weekday (UTC, Monday 0 to Sunday 6) of the latest activity."""

    kind: str | None


@dataclass(frozen=True, slots=True)
class LocalHourOfLast:
    """Hour of the day (0 to 24 with fractions) of the latest activity, on the clocks of a time zone."""

    kind: str | None
    zone: str


@dataclass(frozen=True, slots=True)
class LocalWeekdayOfLast:
    """Weekday (Monday 0 to Sunday 6) of the latest activity, in a time zone."""

    kind: str | None
    zone: str


@dataclass(frozen=True, slots=True)
class ActiveDays:
    """On how many calendar days of a time zone the window's activities occurred."""

    kind: str | None
    zone: str
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class ActivePeople:
    """How many other leads of the account have an activity in the window."""

    kind: str | None
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class ShareOfAll:
    """Share that activities of this kind have in all activities of the window; missing when it is empty."""

    kind: str
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class DaysBetweenFirsts:
    """Days from the earliest activity of kind ``after`` to the earliest of ``kind``; below 0 if that came first."""

    kind: str
    after: str
    subject: str | None = None
    after_subject: str | None = None


@dataclass(frozen=True, slots=True)
class MeanGap:
    """Mean days between one activity of the window and the next; missing with fewer than two."""

    kind: str | None
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class LongestGap:
    """Most days between one activity of the window and the next; missing with fewer than two."""

    kind: str | None
    subject: str | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class RelativeSilence:
    """Days since the latest activity, divided by the mean gap; missing with fewer than two gaps, or a mean of 0."""

    kind: str | None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class KindOfLast:
    """
    The kind of the ``nth`` last activity, as text; missing if it is none of those listed, or there are fewer.

    A name ``kind/subject`` stands for activities of the kind that are about the subject. Of activities at one instant,
    the one whose name is listed last counts as the latest.
    """

    kinds: tuple[str, ...]
    nth: int = 1


@dataclass(frozen=True, slots=True)
class DaysSinceNthLast:
    """Days from the ``nth`` last activity to the snapshot; missing if there are fewer."""

    kind: str | None
    nth: int
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class FirstValue:
    """The value of the earliest activity that carries one; of several at that instant, the smallest."""

    kind: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class LastValue:
    """The value of the latest activity that carries one; of several at that instant, the largest."""

    kind: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class SequenceCount:
    """How many activities of ``kind`` have one of kind ``after`` before them, at most ``within_days`` earlier."""

    kind: str
    after: str
    within_days: float
    subject: str | None = None
    after_subject: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """The attribute in the newest version of the lead; text for a category, else a number."""

    name: str
    type: AttributeType


@dataclass(frozen=True, slots=True)
class AttributeChanges:
    """How often the attribute changed: versions of the lead with another value than the version before them."""

    name: str
    type: AttributeType


@dataclass(frozen=True, slots=True)
class DaysSinceChange:
    """Days from when the latest change of the attribute became known to the snapshot."""

    name: str
    type: AttributeType


@dataclass(frozen=True, slots=True)
class PreviousValue:
    """The attribute before its latest change; missing if it never changed, or was not known before."""

    name: str
    type: AttributeType


@dataclass(frozen=True, slots=True)
class LeadAge:
    """Days since the lead was created."""


ChangeReducer = AttributeChanges | DaysSinceChange | PreviousValue
"""What an attribute was before: to say nothing of it is a value too, and to say the same again is no change."""
AttributeReducer = AttributeValue | ChangeReducer
LeadReducer = AttributeReducer | LeadAge
"""What is read from the versions of the lead, not from activities."""
Reducer = (
    Count
    | DaysSinceLast
    | DaysSinceFirst
    | DecayedCount
    | Distinct
    | Sum
    | Mean
    | Trend
    | HourOfLast
    | WeekdayOfLast
    | LocalHourOfLast
    | LocalWeekdayOfLast
    | ActiveDays
    | ActivePeople
    | ShareOfAll
    | DaysBetweenFirsts
    | MeanGap
    | RelativeSilence
    | LongestGap
    | KindOfLast
    | DaysSinceNthLast
    | FirstValue
    | LastValue
    | SequenceCount
    | AttributeValue
    | AttributeChanges
    | DaysSinceChange
    | PreviousValue
    | LeadAge
)
Over = Literal["lead", "account"]

NAMES: dict[str, type[Reducer]] = {
    "count": Count,
    "days_since_last": DaysSinceLast,
    "days_since_first": DaysSinceFirst,
    "decayed": DecayedCount,
    "distinct": Distinct,
    "sum": Sum,
    "mean": Mean,
    "trend": Trend,
    "hour_of_last": HourOfLast,
    "weekday_of_last": WeekdayOfLast,
    "local_hour_of_last": LocalHourOfLast,
    "local_weekday_of_last": LocalWeekdayOfLast,
    "active_days": ActiveDays,
    "active_people": ActivePeople,
    "share": ShareOfAll,
    "days_between_firsts": DaysBetweenFirsts,
    "mean_gap": MeanGap,
    "relative_silence": RelativeSilence,
    "longest_gap": LongestGap,
    "kind_of_last": KindOfLast,
    "days_since_nth_last": DaysSinceNthLast,
    "first_value": FirstValue,
    "last_value": LastValue,
    "sequence": SequenceCount,
    "attribute": AttributeValue,
    "attribute_changes": AttributeChanges,
    "days_since_change": DaysSinceChange,
    "previous_value": PreviousValue,
    "lead_age": LeadAge,
}
