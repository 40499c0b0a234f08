"""What the features of a catalog look at, collected group by group, before it becomes arrays."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from data.instants import DAY_US
from features.feature import Feature
from features.operations import (
    BETWEEN,
    COUNT,
    DECAYED,
    DISTINCT,
    EVER_US,
    FIRST,
    HOUR,
    LAST,
    LOCAL_HOUR,
    LOCAL_WEEKDAY,
    MEAN,
    MEAN_GAP,
    SHARE,
    SILENCE,
    SUM,
    TREND,
    WEEKDAY,
)
from features.reducers import (
    ActiveDays,
    ActivePeople,
    AttributeValue,
    Count,
    DaysBetweenFirsts,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    Mean,
    MeanGap,
    Reducer,
    RelativeSilence,
    ShareOfAll,
    Sum,
    Trend,
    WeekdayOfLast,
)


class GroupTopic(NamedTuple):
    """What the features of one group look at: a kind and a subject; None is any."""

    kind: str | None
    subject: str | None


class WindowKey(NamedTuple):
    """A window of a group: its length [us], and what is counted in it besides activities and their subjects."""

    length: int
    counts: Literal["", "people", "days"] = ""


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """Where a window lies, once all windows are known."""

    group: int
    key: WindowKey


@dataclass(frozen=True, slots=True)
class DecayPlace:
    """Where a half-life lies, once all half-lives are known."""

    group: int
    half_life_days: float


Place = WindowPlace | DecayPlace | int


@dataclass(frozen=True, slots=True)
class FeatureRead:
    """What a feature reads: an operation, one or two windows or half-lives, and another group."""

    op: int
    first: Place = 0
    second: Place = 0
    other: int = 0


@dataclass(slots=True)
class PlanGroup:
    """What the features of one group need."""

    number: int
    windows: dict[WindowKey, list[bool]] = field(default_factory=dict)  # sums, distinct
    half_lives: list[float] = field(default_factory=list)
    features: list[int] = field(default_factory=list)

    def window(
        self,
        days: float | None,
        *,
        sums: bool = False,
        distinct: bool = False,
        counts: Literal["", "people", "days"] = "",
    ) -> WindowPlace:
        """Note that a window is needed, and return its place."""
        key = WindowKey(EVER_US if days is None else round(days * DAY_US), counts)
        wanted = self.windows.setdefault(key, [False, False])
        self.windows[key] = [wanted[0] or sums, wanted[1] or distinct]
        return WindowPlace(self.number, key)

    def half_life(self, days: float) -> DecayPlace:
        """Note that a half-life is needed, and return its place."""
        if days not in self.half_lives:
            self.half_lives.append(days)
        return DecayPlace(self.number, days)


class PlanGroups:
    """The groups of a catalog, in the order in which its features name them."""

    def __init__(self) -> None:
        self.by_topic: dict[GroupTopic, PlanGroup] = {}

    def of(self, kind: str | None, subject: str | None) -> PlanGroup:
        """Return the group of a kind and a subject, a new one if there is none."""
        return self.by_topic.setdefault(GroupTopic(kind, subject), PlanGroup(len(self.by_topic)))

    def read(self, position: int, feature: Feature) -> FeatureRead:
        """Note what the feature at a position needs, and return what it reads."""
        reduce = feature.reduce
        if isinstance(reduce, ShareOfAll):
            # All activities decide whether there is a share at all.
            own, part = self.of(None, None), self.of(reduce.kind, reduce.subject)
            own.features.append(position)
            return FeatureRead(SHARE, part.window(reduce.days), own.window(reduce.days), part.number)
        own = self.of(getattr(reduce, "kind", None), getattr(reduce, "subject", None))
        own.features.append(position)
        if isinstance(reduce, DaysBetweenFirsts):
            return FeatureRead(BETWEEN, other=self.of(reduce.after, reduce.after_subject).number)
        return _read_group(feature, own)


def _read_group(feature: Feature, group: PlanGroup) -> FeatureRead:
    """Note what a feature of one group needs, and return what it reads."""
    match feature.reduce:
        case Count(days=days):
            return FeatureRead(COUNT, group.window(days))
        case Trend(days=short, long_days=long):
            return FeatureRead(TREND, group.window(short), group.window(long))
        case Distinct(days=days):
            return FeatureRead(DISTINCT, group.window(days, distinct=True))
        case ActiveDays(days=days):
            return FeatureRead(DISTINCT, group.window(days, counts="days"))
        case ActivePeople(days=days):
            return FeatureRead(DISTINCT, group.window(days, counts="people"))
        case Sum(days=days):
            return FeatureRead(SUM, group.window(days, sums=True))
        case Mean(days=days):
            return FeatureRead(MEAN, group.window(days, sums=True))
        case DecayedCount(half_life_days=half_life):
            return FeatureRead(DECAYED, group.half_life(half_life))
        case AttributeValue() | LeadAge():
            message = f"{feature.name} is not computed from activities"
            raise ValueError(message)
        case _:
            return FeatureRead(_TIMES[type(feature.reduce)])


_TIMES: dict[type[Reducer], int] = {
    DaysSinceLast: LAST,
    DaysSinceFirst: FIRST,
    HourOfLast: HOUR,
    WeekdayOfLast: WEEKDAY,
    LocalHourOfLast: LOCAL_HOUR,
    LocalWeekdayOfLast: LOCAL_WEEKDAY,
    MeanGap: MEAN_GAP,
    RelativeSilence: SILENCE,
}
"""What is read from when a group's first and last activity occurred, and how many there are."""
