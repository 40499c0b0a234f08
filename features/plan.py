"""A catalog as a plan: arrays of integers that the kernel walks through, compiled once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import (
    AttributeValue,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    HourOfLast,
    LeadAge,
    Mean,
    Over,
    Reducer,
    Sum,
    Trend,
    WeekdayOfLast,
)

EVER_US = 2**62
"""The length of a window that never closes."""

COUNT, DISTINCT, SUM, MEAN, TREND, LAST, FIRST, HOUR, WEEKDAY, DECAYED = range(10)
"""What a feature is made of, as the kernel reads it."""

Records = NDArray[np.void]
"""Records of whole numbers: what belongs together lies together."""

Topic = tuple[str | None, str | None]
"""A kind and a subject; None is any."""


class PlanArrays(NamedTuple):
    """
    The features of one catalog over the lead, or over the account.

    A group is what several features look at: a kind and a subject, either of them any. Every fact falls into a cell,
    which is its kind and subject as the plan tells them apart, and belongs to the groups of that cell.

    Attributes:
        cell_start: (cells + 1,) where the groups of a cell begin in ``cell_groups``.
        cell_groups: the groups of each cell.
        groups: (groups,) where its windows, half-lives and features begin and end.
        windows: (windows,) its ``length`` [us]; whether values are summed in it; the ``row`` in which its subjects are
            counted, -1 if they are not. Those of a group ascend.
        half_life_us: (decays,) the half-lives.
        features: the features of each group.
        reads: (k,) what each feature is made of (``op``), the window or half-life that it reads (``first``), and the
            long window of a trend (``second``).
        missing: (k,) its value when nothing happened; NaN where it stays missing.
    """

    cell_start: NDArray[np.int64]
    cell_groups: NDArray[np.int64]
    groups: Records
    windows: Records
    half_life_us: NDArray[np.float64]
    features: NDArray[np.int64]
    reads: Records
    missing: NDArray[np.float64]


def records(names: Sequence[str], *shape: int) -> Records:
    """Return records of whole numbers, all 0."""
    return np.zeros(shape, dtype=[(name, np.int64) for name in names])


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """
    A plan with what its cells mean.

    Attributes:
        over: whose facts it is about.
        names: the features it computes, in the order of the plan.
        kinds: kind → its number; one more for all others, and one for what may not be used.
        subjects: subject → its number; one more for all others and for none.
        never_use: kinds that no feature looks at.
        arrays: what the kernel reads.
    """

    over: Over
    names: tuple[str, ...]
    kinds: dict[str, int]
    subjects: dict[str, int]
    never_use: frozenset[str]
    arrays: PlanArrays

    @property
    def needs_values(self) -> bool:
        """Whether a feature sums values."""
        return bool(self.arrays.windows["sums"].any())

    @property
    def needs_subjects(self) -> bool:
        """Whether a feature counts different subjects."""
        return bool((self.arrays.windows["row"] >= 0).any())

    def kind_number(self, kind: str) -> int:
        """Return the number of a kind."""
        return len(self.kinds) + 1 if kind in self.never_use else self.kinds.get(kind, len(self.kinds))

    def subject_number(self, subject: str | None) -> int:
        """Return the number of a subject."""
        return len(self.subjects) if subject is None else self.subjects.get(subject, len(self.subjects))

    def cell(self, kind: str, subject: str | None) -> int:
        """Return the cell of a fact."""
        return self.kind_number(kind) * (len(self.subjects) + 1) + self.subject_number(subject)


@dataclass(slots=True)
class _Group:
    """What the features of one topic need."""

    number: int
    windows: dict[int, list[bool]] = field(default_factory=dict)  # length → sums, distinct
    half_lives: list[float] = field(default_factory=list)
    features: list[int] = field(default_factory=list)

    def window(self, days: float | None, *, sums: bool = False, distinct: bool = False) -> int:
        length = EVER_US if days is None else round(days * DAY_US)
        wanted = self.windows.setdefault(length, [False, False])
        self.windows[length] = [wanted[0] or sums, wanted[1] or distinct]
        return length

    def half_life(self, days: float) -> float:
        if days not in self.half_lives:
            self.half_lives.append(days)
        return days


def compile_plan(catalog: Catalog, over: Over) -> SweepPlan:
    """
    Compile the features of a catalog that look at activities.

    Args:
        catalog: the features; attributes and the age of the lead need no plan.
        over: the lead itself, or the other leads of its account.

    >>> from features.reducers import Count
    >>> plan = compile_plan(Catalog((Feature("calls", Count("call", days=7), 0, "called {n}"),)), "lead")
    >>> plan.names, plan.cell("call", None) == plan.cell("visit", None)
    (('calls',), False)
    """
    chosen = [feature for feature in catalog.features if feature.over == over and looks_at_activities(feature)]
    groups: dict[Topic, _Group] = {}
    reads = [_read(at, feature, groups) for at, feature in enumerate(chosen)]
    kinds = _numbered(kind for kind, _ in groups)
    subjects = _numbered(subject for _, subject in groups)
    cells = _cells(list(groups), kinds, subjects)
    arrays = _arrays(list(groups.values()), reads, cells, [feature.missing for feature in chosen])
    names = tuple(feature.name for feature in chosen)
    return SweepPlan(over, names, kinds, subjects, frozenset(catalog.never_use), arrays)


def looks_at_activities(feature: Feature) -> bool:
    """Return whether a feature is computed from activities, and not from the lead itself."""
    return not isinstance(feature.reduce, AttributeValue | LeadAge)


def _numbered(names: Iterable[str | None]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(name for name in names if name is not None))}


@dataclass(frozen=True, slots=True)
class _Read:
    """What a feature reads: its group, its operation, and windows or half-lives by their value."""

    group: int
    op: int
    first: float = 0
    second: float = 0


def _read(position: int, feature: Feature, groups: dict[Topic, _Group]) -> _Read:
    """Note in its group what a feature needs, and return what it reads."""
    reduce = feature.reduce
    topic = getattr(reduce, "kind", None), getattr(reduce, "subject", None)
    group = groups.setdefault(topic, _Group(len(groups)))
    group.features.append(position)
    number = group.number
    match reduce:
        case Count(days=days):
            return _Read(number, COUNT, group.window(days))
        case Trend(days=short, long_days=long):
            return _Read(number, TREND, group.window(short), group.window(long))
        case Distinct(days=days):
            return _Read(number, DISTINCT, group.window(days, distinct=True))
        case Sum(days=days) | Mean(days=days):
            return _Read(number, SUM if isinstance(reduce, Sum) else MEAN, group.window(days, sums=True))
        case DecayedCount(half_life_days=half_life):
            return _Read(number, DECAYED, group.half_life(half_life))
        case AttributeValue() | LeadAge():
            message = f"{feature.name} is not computed from activities"
            raise ValueError(message)
        case _:
            return _Read(number, _TIMES[type(reduce)])


_TIMES: dict[type[Reducer], int] = {
    DaysSinceLast: LAST,
    DaysSinceFirst: FIRST,
    HourOfLast: HOUR,
    WeekdayOfLast: WEEKDAY,
}
"""What is read from the time of one fact."""


def _cells(topics: list[Topic], kinds: dict[str, int], subjects: dict[str, int]) -> list[list[int]]:
    """Return the groups of each cell: by kind, all others and what may not be used; then by subject and all others."""
    numbers: list[list[int]] = [[] for _ in range((len(kinds) + 2) * (len(subjects) + 1))]
    width = len(subjects) + 1
    for number, (kind, subject) in enumerate(topics):
        rows = range(len(kinds) + 1) if kind is None else [kinds[kind]]
        columns = range(width) if subject is None else [subjects[subject]]
        for row in rows:
            for column in columns:
                numbers[row * width + column].append(number)
    return numbers


def _arrays(
    groups: list[_Group], reads: list[_Read], cells: list[list[int]], missing: list[float | None]
) -> PlanArrays:
    lengths = [sorted(group.windows) for group in groups]
    starts = {
        "windows": _starts(lengths),
        "decays": _starts([group.half_lives for group in groups]),
        "features": _starts([group.features for group in groups]),
    }
    bounds = records([f"{name}_{end}" for name in starts for end in ("begin", "end")], len(groups))
    for name, start in starts.items():
        bounds[f"{name}_begin"], bounds[f"{name}_end"] = start[:-1], start[1:]
    flags = [group.windows[length] for group, own in zip(groups, lengths, strict=True) for length in own]
    windows = records(("length", "sums", "row"), len(flags))
    windows["length"] = _flat(lengths)
    windows["sums"] = [flag[0] for flag in flags]
    distinct = np.array([flag[1] for flag in flags], dtype=bool)
    windows["row"] = np.where(distinct, np.cumsum(distinct) - 1, -1)
    made = records(("op", "first", "second"), len(reads))
    for at, read in enumerate(reads):
        made[at] = (read.op, *(_place(read, value, groups, lengths, starts) for value in (read.first, read.second)))
    return PlanArrays(
        cell_start=_starts(cells),
        cell_groups=_flat(cells),
        groups=bounds,
        windows=windows,
        half_life_us=np.array([days * DAY_US for group in groups for days in group.half_lives], dtype=np.float64),
        features=_flat([group.features for group in groups]),
        reads=made,
        missing=np.array([_nothing(*each) for each in zip(reads, missing, strict=True)], dtype=np.float64),
    )


def _place(
    read: _Read, value: float, groups: list[_Group], lengths: list[list[int]], starts: dict[str, NDArray[np.int64]]
) -> int:
    """Return where a window or a half-life of a feature lies; 0 where it reads none."""
    if read.op == DECAYED and value:
        return int(starts["decays"][read.group]) + groups[read.group].half_lives.index(value)
    if read.op in {COUNT, DISTINCT, SUM, MEAN, TREND} and value:
        return int(starts["windows"][read.group]) + lengths[read.group].index(int(value))
    return 0


def _nothing(read: _Read, missing: float | None) -> float:
    """Return a feature's value when nothing happened; a count of nothing is none."""
    if missing is None:
        return 0.0 if read.op in {COUNT, DISTINCT} else np.nan
    return float(missing)


def _starts(parts: list[list[int]] | list[list[float]]) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)


def _flat(parts: list[list[int]]) -> NDArray[np.int64]:
    return np.array([item for part in parts for item in part], dtype=np.int64)
