"""What the features of a catalog look at, collected group by group, before it becomes arrays."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from data.instants import DAY_US
from features.feature import Feature
from features.reducers import (
    ActiveDays,
    ActivePeople,
    Count,
    DaysBetweenFirsts,
    DaysSinceFirst,
    DaysSinceLast,
    DaysSinceNthLast,
    DecayedCount,
    Distinct,
    FirstValue,
    HourOfLast,
    KindOfLast,
    LastValue,
    LeadReducer,
    LocalHourOfLast,
    LocalWeekdayOfLast,
    LongestGap,
    Mean,
    MeanGap,
    Reducer,
    RelativeSilence,
    SequenceCount,
    ShareOfAll,
    Sum,
    Trend,
    WeekdayOfLast,
)
from features.sweep.operations import (
    BETWEEN,
    COUNT,
    DECAYED,
    DISTINCT,
    EVER_US,
    FIRST,
    FIRST_VALUE,
    HOUR,
    KIND,
    LAST,
    LAST_VALUE,
    LOCAL_HOUR,
    LOCAL_WEEKDAY,
    LONGEST_GAP,
    MEAN,
    MEAN_GAP,
    NTH,
    SEQUENCE,
    SHARE,
    SILENCE,
    SUM,
    TREND,
    WEEKDAY,
    WINDOW_MEAN_GAP,
)


class GroupTopic(NamedTuple):
    """
    What the features of one group look at.

    Attributes:
        kind: None is any.
        subject: None is any.
        kinds: the names between which its features tell activities apart.
        valued: whether only those that carry a value have a place in the order of the group.
    """

    kind: str | None
    subject: str | None
    kinds: tuple[str, ...] = ()
    valued: bool = False


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
    sequences: list[int] = field(default_factory=list)
    ordered: bool = False

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
        self.sequences: list[tuple[int, int, int]] = []

    def of(self, topic: GroupTopic) -> PlanGroup:
        """Return the group of a topic, a new one if there is none."""
        return self.by_topic.setdefault(topic, PlanGroup(len(self.by_topic)))

    @property
    def names(self) -> list[tuple[str | None, str | None]]:
        """The kinds and subjects that have to be told apart."""
        told = [name.partition("/") for topic in self.by_topic for name in topic.kinds]
        return [(topic.kind, topic.subject) for topic in self.by_topic] + [
            (kind, subject or None) for kind, _, subject in told
        ]

    def read(self, position: int, feature: Feature) -> FeatureRead:
        """Note what the feature at a position needs, and return what it reads."""
        reduce = feature.reduce
        if isinstance(reduce, ShareOfAll):
            # All activities decide whether there is a share at all.
            own, part = self.of(GroupTopic(None, None)), self.of(GroupTopic(reduce.kind, reduce.subject))
            own.features.append(position)
            return FeatureRead(SHARE, part.window(reduce.days), own.window(reduce.days), part.number)
        own = self.of(_topic(reduce))
        own.features.append(position)
        if isinstance(reduce, DaysBetweenFirsts | SequenceCount):
            return self._read_pair(reduce, own, self.of(GroupTopic(reduce.after, reduce.after_subject)))
        return _read_group(feature, own)

    def _read_pair(self, reduce: DaysBetweenFirsts | SequenceCount, own: PlanGroup, before: PlanGroup) -> FeatureRead:
        if isinstance(reduce, DaysBetweenFirsts):
            return FeatureRead(BETWEEN, other=before.number)
        number = len(self.sequences)
        self.sequences.append((before.number, own.number, round(reduce.within_days * DAY_US)))
        for group in (before, own):
            group.ordered = True
            group.sequences.append(number)
        return FeatureRead(SEQUENCE, second=number)


def _topic(reduce: Reducer) -> GroupTopic:
    kind, subject = getattr(reduce, "kind", None), getattr(reduce, "subject", None)
    kinds = reduce.kinds if isinstance(reduce, KindOfLast) else ()
    return GroupTopic(kind, subject, kinds, valued=isinstance(reduce, FirstValue | LastValue))


def _read_group(feature: Feature, group: PlanGroup) -> FeatureRead:
    """Note what a feature of one group needs, and return what it reads."""
    if isinstance(feature.reduce, LeadReducer):
        message = f"{feature.name} is not computed from activities"
        raise TypeError(message)
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
        case LongestGap() | KindOfLast() | DaysSinceNthLast() | FirstValue() | LastValue():
            return _read_order(feature.reduce, group)
        case MeanGap(days=days) if days is not None:
            group.ordered = True
            return FeatureRead(WINDOW_MEAN_GAP, group.window(days))
        case _:
            return FeatureRead(_TIMES[type(feature.reduce)])


def _read_order(
    reduce: LongestGap | KindOfLast | DaysSinceNthLast | FirstValue | LastValue, group: PlanGroup
) -> FeatureRead:
    """Note that a group needs its facts in order, and return what a feature reads of them."""
    group.ordered = True
    match reduce:
        case LongestGap(days=days):
            return FeatureRead(LONGEST_GAP, group.window(days))
        case KindOfLast(nth=nth):
            return FeatureRead(KIND, second=int(nth))
        case DaysSinceNthLast(nth=nth):
            return FeatureRead(NTH, second=int(nth))
        case FirstValue():
            return FeatureRead(FIRST_VALUE)
        case LastValue():
            return FeatureRead(LAST_VALUE)


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
