"""Segments: the kinds of leads that a playbook tells apart, and which rows of a training set are of each."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contract import AttributeType
from data.words.playbook import Business
from features.attribute_features import attribute_feature
from training.dataset.dataset import SEGMENT

MOST_VALUES = 12
"""Most values of one attribute, by size; those beyond are taken together."""

UNKNOWN, OTHERS = "unknown", "other values"
_WORDS = {1.0: "yes", 0.0: "no"}
_NUMBERS: Mapping[str, float] = {"yes": 1.0, "no": 0.0}


def segment_values(
    rows: pd.DataFrame, name: str, *, business: Business
) -> Iterator[tuple[dict[str, str], NDArray[np.bool_]]]:
    """
    Yield the values of an attribute that some rows have, the largest first and those beyond 12 as one.

    Args:
        rows: (n) rows with ``segment.<name>``.
        name: of the attribute.
        business: knows its words.

    Yields:
        ``attribute``, ``label``, ``value`` and ``says`` of the value; (n,) which rows have it.
    """
    values = _values(rows[SEGMENT + name], business.attributes[name].type)
    for value in _ordered(values):
        yield _worded(name, value, business), (values == value).to_numpy()


def _values(column: "pd.Series[Any]", kind: AttributeType) -> "pd.Series[str]":
    """Return each row's segment as text; the values beyond the largest are one."""
    known = column.map(_WORDS) if kind is AttributeType.BOOLEAN else column.astype(object)
    text = known.where(known.notna(), UNKNOWN).astype(str)
    if text.nunique() <= MOST_VALUES:
        return text
    return text.where(text.isin([*_ordered(text)[: MOST_VALUES - 1], UNKNOWN]), OTHERS)


def _ordered(values: "pd.Series[str]") -> list[str]:
    """Return the values by size, equal ones by name; unknown and other values come last."""
    sizes = {str(value): int(size) for value, size in values.value_counts().items()}
    return sorted(sizes, key=lambda value: (value == UNKNOWN, value == OTHERS, -sizes[value], value))


def _worded(name: str, value: str, business: Business) -> dict[str, str]:
    """Return attribute and value with their words."""
    attribute = business.attributes[name]
    label = attribute.label or name.replace("_", " ")
    if value == OTHERS:
        says = f"any other {label}"
    elif value == UNKNOWN:
        says = f"{label} unknown"
    else:
        says = attribute_feature(name, attribute).worded(
            _NUMBERS[value] if attribute.type is AttributeType.BOOLEAN else value
        )
    return {"attribute": name, "label": label, "value": value, "says": says}
