"""
The sweep over the versions of leads: how their attributes changed.

As with activities, each version is looked at once, in the order in which they became known, and the features of each
snapshot are written as it is passed. History and the live store come through here.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.compiled_loops import compiled_when_called
from data.contract import AttributeType
from data.instants import DAY_US
from features.catalog import Catalog
from features.reducers import AttributeChanges, ChangeReducer, DaysSinceChange
from features.sweep.kernel import Snapshots

_TIMES, _SINCE, _BEFORE = 0, 1, 2
"""What a feature reads of an attribute: how often it changed, when it last did, what it was before."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangePlan:
    """
    The features of a catalog that look at how attributes changed.

    Attributes:
        names: the features, k of them.
        attributes: the attributes they look at, by name, with their types.
        texts: feature → the place of its attribute; of features whose numbers stand for texts.
        reads: (k, 2) what each reads, and the place of its attribute.
        missing: (k,) its value when there is none; NaN where it stays missing.
    """

    names: tuple[str, ...]
    attributes: dict[str, AttributeType]
    texts: dict[str, int]
    reads: NDArray[np.int64]
    missing: NDArray[np.float64]


class VersionColumns(NamedTuple):
    """
    Versions in columns, sorted by lead, then by when they became known.

    Attributes:
        start: (leads + 1,) where the versions of each begin.
        known: (n,) [us since 1970 UTC].
        values: (attributes, n) NaN where nothing is known; of a text, a number that no other text has.
    """

    start: NDArray[np.int64]
    known: NDArray[np.int64]
    values: NDArray[np.float64]


def compile_changes(catalog: Catalog) -> ChangePlan:
    """
    Compile the features of a catalog that look at how attributes changed.

    >>> from features.feature import Feature
    >>> changes = AttributeChanges("country", AttributeType.CATEGORY)
    >>> compile_changes(Catalog((Feature("moves", changes, 0.0, "moved {n}"),))).names
    ('moves',)
    """
    chosen = [(feature, feature.reduce) for feature in catalog.features if isinstance(feature.reduce, ChangeReducer)]
    attributes = {reduce.name: reduce.type for _, reduce in chosen}
    place = {name: at for at, name in enumerate(attributes)}
    reads = [(_what(reduce), place[reduce.name]) for _, reduce in chosen]
    missing = [np.nan if feature.missing is None else feature.missing for feature, _ in chosen]
    return ChangePlan(
        names=tuple(feature.name for feature, _ in chosen),
        attributes=attributes,
        texts={feature.name: place[reduce.name] for feature, reduce in chosen if feature.is_category},
        reads=np.array(reads, np.int64).reshape(-1, 2),
        missing=np.array(missing, np.float64),
    )


def _what(reduce: ChangeReducer) -> int:
    match reduce:
        case AttributeChanges():
            return _TIMES
        case DaysSinceChange():
            return _SINCE
        case _:
            return _BEFORE


def sweep_versions(plan: ChangePlan, versions: VersionColumns, snapshots: Snapshots, out: NDArray[np.float64]) -> None:
    """
    Write the features of every snapshot.

    Args:
        plan: what to compute.
        versions: of each lead.
        snapshots: of each lead.
        out: (k, rows) the rows of the snapshots are written.
    """
    of_snapshots = snapshots.start, snapshots.as_of, snapshots.row
    _walk((plan.reads, plan.missing), (versions.start, versions.known, versions.values), of_snapshots, out)


@compiled_when_called
def _walk(
    plan: tuple[NDArray[np.int64], NDArray[np.float64]],
    versions: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    snapshots: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    out: NDArray[np.float64],
) -> None:
    (reads, missing), (version_start, known, values), (start, as_of, row) = plan, versions, snapshots
    times, last = np.zeros(len(values), np.int64), np.zeros(len(values), np.int64)
    for lead in range(len(start) - 1):
        times[:] = 0
        version = version_start[lead]
        for snapshot in range(start[lead], start[lead + 1]):
            while version < version_start[lead + 1] and known[version] < as_of[snapshot]:
                for at in range(len(values) if version > version_start[lead] else 0):
                    new, old = values[at, version], values[at, version - 1]
                    # NaN is not itself, but two versions that say nothing are the same.
                    if new != old and (new == new or old == old):  # noqa: PLR0124
                        times[at] += 1
                        last[at] = version
                version += 1
            for feature in range(len(reads)):
                what, at = reads[feature]
                value = missing[feature]
                if times[at] and what == _TIMES:
                    value = np.float64(times[at])
                elif times[at] and what == _SINCE:
                    value = np.float64(as_of[snapshot] - known[last[at]]) / DAY_US
                elif times[at] and values[at, last[at] - 1] == values[at, last[at] - 1]:
                    value = values[at, last[at] - 1]
                out[feature, row[snapshot]] = value


def compile_version_sweep() -> None:
    """Compile the sweep over versions, or load what an earlier process compiled, so that nobody waits for it later."""
    nothing = np.zeros(1, np.int64)
    none = nothing[:0]
    versions = VersionColumns(nothing, none, np.zeros((0, 0)))
    no_leads = Snapshots(nothing, none, none, np.zeros(0, np.int32))
    sweep_versions(compile_changes(Catalog(())), versions, no_leads, np.zeros((0, 0)))
