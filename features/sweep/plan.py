"""A catalog as a plan: arrays of integers that the kernel walks through, compiled once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.instants import DAY_US
from features.catalog import Catalog
from features.feature import Feature
from features.reducers import KindOfLast, LeadReducer, Over
from features.sweep.operations import COUNT, DAYS, DISTINCT, KIND, NOTHING, PEOPLE, SEQUENCE
from features.sweep.plan_groups import (
    DecayPlace,
    FeatureRead,
    GroupTopic,
    Place,
    PlanGroup,
    PlanGroups,
    WindowKey,
    WindowPlace,
)
from features.zone_offsets import zone_offsets

Records = NDArray[np.void]
"""Records of whole numbers: what belongs together lies together."""


class PlanArrays(NamedTuple):
    """
    The features of one catalog over the lead, or over the account.

    A group is what several features look at: a kind and a subject, either of them any. Every fact falls into a cell,
    which is its kind and subject as the plan tells them apart, and belongs to the groups of that cell.

    Attributes:
        cell_start: (cells + 1,) where the groups of a cell begin in ``cell_groups``.
        cell_groups: the groups of each cell.
        groups: (groups,) where its windows, half-lives, features and sequences begin and end; whether it counts
            ``days``, keeps its facts ``ordered``, only those that are ``valued``; where its ``codes`` begin, or -1.
        windows: (windows,) its ``length`` [us]; whether values are summed in it; the ``row`` in which its subjects are
            counted, or else what it counts: `NOTHING`, `PEOPLE`, or days in rows from `DAYS` downwards. Those of a
            group ascend.
        half_life_us: (decays,) the half-lives.
        features: the features of each group.
        reads: (k,) what each feature is made of (``op``), the window or half-life that it reads (``first``), another
            window (``second``), and another group (``other``).
        missing: (k,) its value when nothing happened; NaN where it stays missing.
        codes: of each group that tells kinds apart, the code of each cell, -1 for none.
        sequences: (sequences,) the group of the activity ``before``, that of the one ``after`` it, and ``within`` how
            long [us].
        group_sequences: the sequences that each group takes part in.
        zone: (changes,) since when the clocks of the catalog's time zone are how far ``ahead`` of UTC [us]; empty if
            it names none.
    """

    cell_start: NDArray[np.int64]
    cell_groups: NDArray[np.int64]
    groups: Records
    windows: Records
    half_life_us: NDArray[np.float64]
    features: NDArray[np.int64]
    reads: Records
    missing: NDArray[np.float64]
    codes: NDArray[np.int64]
    sequences: Records
    group_sequences: NDArray[np.int64]
    zone: Records


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
        texts: feature → the texts that its numbers stand for; of features that are categories.
        arrays: what the kernel reads.
    """

    over: Over
    names: tuple[str, ...]
    kinds: dict[str, int]
    subjects: dict[str, int]
    never_use: frozenset[str]
    texts: dict[str, tuple[str, ...]]
    arrays: PlanArrays

    @property
    def needs_values(self) -> bool:
        """Whether a feature looks at values."""
        return bool(self.arrays.windows["sums"].any() or self.arrays.groups["valued"].any())

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
    groups = PlanGroups()
    reads = [groups.read(at, feature) for at, feature in enumerate(chosen)]
    kinds, subjects = (_numbered(names) for names in zip(*groups.names, strict=True)) if groups.names else ({}, {})
    texts = {feature.name: feature.reduce.kinds for feature in chosen if isinstance(feature.reduce, KindOfLast)}
    arrays = _arrays(groups, list(zip(reads, chosen, strict=True)), kinds, subjects)
    names = tuple(feature.name for feature in chosen)
    return SweepPlan(over, names, kinds, subjects, frozenset(catalog.never_use), texts, arrays)


def looks_at_activities(feature: Feature) -> bool:
    """Return whether a feature is computed from activities, and not from the lead itself."""
    return not isinstance(feature.reduce, LeadReducer)


def _numbered(names: Iterable[str | None]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(name for name in names if name is not None))}


def _cells(topics: list[GroupTopic], kinds: dict[str, int], subjects: dict[str, int]) -> list[list[int]]:
    """Return the groups of each cell: by kind, all others and what may not be used; then by subject and all others."""
    numbers: list[list[int]] = [[] for _ in range((len(kinds) + 2) * (len(subjects) + 1))]
    width = len(subjects) + 1
    for number, (kind, subject, *_) in enumerate(topics):
        rows = range(len(kinds) + 1) if kind is None else [kinds[kind]]
        columns = range(width) if subject is None else [subjects[subject]]
        for row in rows:
            for column in columns:
                numbers[row * width + column].append(number)
    return numbers


def _codes(topic: GroupTopic, kinds: dict[str, int], subjects: dict[str, int]) -> list[int]:
    """Return the code of each cell: the place of its kind and subject, or else of its kind, in the list of names."""
    code = {name: number for number, name in enumerate(topic.kinds)}
    if not code:
        return []
    rows = [[code.get(f"{kind}/{subject}", code.get(kind, -1)) for subject in subjects] for kind in kinds]
    known = [[*row, code.get(kind, -1)] for row, kind in zip(rows, kinds, strict=True)]
    return [number for row in known for number in row] + [-1] * 2 * (len(subjects) + 1)


def _arrays(
    plan: PlanGroups, reads: list[tuple[FeatureRead, Feature]], kinds: dict[str, int], subjects: dict[str, int]
) -> PlanArrays:
    groups, cells = list(plan.by_topic.values()), _cells(list(plan.by_topic), kinds, subjects)
    keys: list[list[WindowKey]] = [sorted(group.windows) for group in groups]
    starts = {
        "windows": _starts(keys),
        "decays": _starts([group.half_lives for group in groups]),
        "features": _starts([group.features for group in groups]),
        "sequences": _starts([group.sequences for group in groups]),
    }
    codes = [_codes(topic, kinds, subjects) for topic in plan.by_topic]
    made = records(("op", "first", "second", "other"), len(reads))
    for at, (read, _) in enumerate(reads):
        first, second = (_number_of(place, groups, keys, starts) for place in (read.first, read.second))
        made[at] = read.op, first, second, read.other
    sequences = records(("before", "after", "within"), len(plan.sequences))
    for at, sequence in enumerate(plan.sequences):
        sequences[at] = sequence
    return PlanArrays(
        cell_start=_starts(cells),
        cell_groups=_flat(cells),
        groups=_bounds(plan, keys, starts, codes),
        windows=_windows(groups, keys),
        half_life_us=np.array([days * DAY_US for group in groups for days in group.half_lives], dtype=np.float64),
        features=_flat([group.features for group in groups]),
        reads=made,
        missing=np.array([_nothing(read, feature.missing) for read, feature in reads], dtype=np.float64),
        codes=_flat(codes),
        sequences=sequences,
        group_sequences=_flat([group.sequences for group in groups]),
        zone=_zone([feature for _, feature in reads]),
    )


def _bounds(
    plan: PlanGroups, keys: list[list[WindowKey]], starts: dict[str, NDArray[np.int64]], codes: list[list[int]]
) -> Records:
    ends = [f"{name}_{end}" for name in starts for end in ("begin", "end")]
    bounds = records([*ends, "days", "ordered", "valued", "codes"], len(keys))
    for name, start in starts.items():
        bounds[f"{name}_begin"], bounds[f"{name}_end"] = start[:-1], start[1:]
    bounds["days"] = [any(key.counts == "days" for key in own) for own in keys]
    bounds["ordered"] = [group.ordered for group in plan.by_topic.values()]
    bounds["valued"] = [topic.valued for topic in plan.by_topic]
    bounds["codes"] = np.where([bool(own) for own in codes], _starts(codes)[:-1], -1)
    return bounds


def _windows(groups: list[PlanGroup], keys: list[list[WindowKey]]) -> Records:
    needs = [(key, group.windows[key]) for group, own in zip(groups, keys, strict=True) for key in own]
    windows = records(("length", "sums", "row"), len(needs))
    rows, days = 0, DAYS
    for at, (key, (sums, distinct)) in enumerate(needs):
        row = PEOPLE if key.counts == "people" else NOTHING
        if distinct:
            row, rows = rows, rows + 1
        elif key.counts == "days":
            row, days = days, days - 1
        windows[at] = key.length, sums, row
    return windows


def _number_of(
    place: Place, groups: list[PlanGroup], keys: list[list[WindowKey]], starts: dict[str, NDArray[np.int64]]
) -> int:
    """Return the number of a window or of a half-life among all of them."""
    match place:
        case WindowPlace(group=group, key=key):
            return int(starts["windows"][group]) + keys[group].index(key)
        case DecayPlace(group=group, half_life_days=days):
            return int(starts["decays"][group]) + groups[group].half_lives.index(days)
        case _:
            return place


def _nothing(read: FeatureRead, missing: float | None) -> float:
    """Return a feature's value when nothing happened; a count of nothing is none."""
    if missing is None or read.op == KIND:
        return 0.0 if read.op in {COUNT, DISTINCT, SEQUENCE} else np.nan
    return float(missing)


def _zone(features: list[Feature]) -> Records:
    """Return the offsets of the time zone that features name; a catalog has one."""
    names = [zone for feature in features if (zone := getattr(feature.reduce, "zone", None)) is not None]
    offsets = zone_offsets(names[0]) if names else ()
    changes = records(("since", "ahead"), len(offsets))
    for at, offset in enumerate(offsets):
        changes[at] = offset
    return changes


def _starts(parts: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)


def _flat(parts: list[list[int]]) -> NDArray[np.int64]:
    return np.array([item for part in parts for item in part], dtype=np.int64)
