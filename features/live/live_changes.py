"""How attributes of leads changed, from the versions that a store holds of them."""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.contract import AttributeType
from features.sweep.kernel import Snapshots
from features.sweep.version_sweep import ChangePlan, VersionColumns, sweep_versions

_OF_ONE = np.empty(0, np.int32)


class LeadVersion(NamedTuple):
    """A version of a lead: since when it is known [us since 1970 UTC], and its attributes."""

    known_at: int
    attributes: Mapping[str, Any]


class ChangeValues(NamedTuple):
    """
    Features of n leads.

    Attributes:
        numbers: (k, n) NaN where one is missing.
        texts: of each attribute, the texts that its numbers stand for.
    """

    numbers: NDArray[np.float64]
    texts: list[tuple[str, ...]]


def changes_of(plan: ChangePlan, versions: Sequence[Sequence[LeadVersion]], as_of: Sequence[int]) -> ChangeValues:
    """
    Compute how the attributes of leads changed, each as of its own instant.

    Args:
        plan: what to compute.
        versions: of each lead, ascending by when they became known; those known later are passed over.
        as_of: (n,) the instants [us since 1970 UTC].
    """
    start = np.array([0, *accumulate(map(len, versions))], np.int64)
    rows = list(chain.from_iterable(versions))
    values, texts = np.full((len(plan.attributes), len(rows)), np.nan), []
    for own, (name, type_) in zip(values, plan.attributes.items(), strict=True):
        cells = [row.attributes.get(name) for row in rows]
        numbers: dict[str, int] = {}
        if type_ is AttributeType.CATEGORY:
            known = [text_of(cell) for cell in cells]
            own[:] = [np.nan if text is None else numbers.setdefault(text, len(numbers)) for text in known]
        else:
            own[:] = [np.nan if (number := number_of(cell)) is None else number for cell in cells]
        texts.append(tuple(numbers))
    out, each = np.empty((len(plan.names), len(as_of))), np.arange(len(as_of) + 1)
    columns = VersionColumns(start, np.array([row.known_at for row in rows], np.int64), values)
    sweep_versions(plan, columns, Snapshots(each, np.array(as_of, np.int64), each[:-1], _OF_ONE), out)
    return ChangeValues(out, texts)


def text_of(value: object) -> str | None:
    """
    Return an attribute of a store as a text.

    >>> text_of("retail"), text_of(3), text_of(None)
    ('retail', '3', None)
    """
    return value if value is None or isinstance(value, str) else json.dumps(value)


def number_of(value: object) -> float | None:
    """
    Return an attribute of a store as a number; None if it is none.

    >>> number_of(True), number_of(3), number_of("3")
    (1.0, 3.0, None)
    """
    return float(value) if isinstance(value, int | float) else None
