"""Golden rows: leads whose receipts are saved with a model, and must come out again before it may answer."""

import json
import math
from dataclasses import dataclass
from typing import Any

from data.strict_json import canonical_json
from features.feature import Value
from models.checked_json import fields
from models.conversion import ConversionModel
from models.errors import BundleError, StructureError
from models.receipt import Receipt

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A lead's feature values in catalog order, kept with the receipt they gave at training."""

    lead_id: str
    as_of: int
    values: tuple[Value, ...]


def golden_json(model: ConversionModel, row: GoldenRow) -> dict[str, Any]:
    """Return a row with the receipt that a model gives it."""
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in row.values]
    return {"values": values, "expected": _remembered(model.receipt(row.lead_id, row.as_of, values))}


def _remembered(receipt: Receipt) -> dict[str, Any]:
    """Return what a replay must reproduce; the lead's id is not saved."""
    return {
        "points": receipt.points,
        "base_points": receipt.base_points,
        "probability": receipt.probability,
        "grade": receipt.grade,
        "reasons": {reason.code: [reason.says, reason.points] for reason in receipt.reasons},
    }


def replay(model: ConversionModel, golden: object, where: str) -> None:
    """
    Compare a model's receipts with those saved at training.

    Args:
        model: as loaded.
        golden: the content of ``golden.json``.
        where: its place, for messages.

    Raises:
        ModelError: the rows are damaged, or a receipt differs.
    """
    if not isinstance(golden, list) or not golden:
        raise StructureError(where=where, found=golden, expected="golden rows")
    for index, content in enumerate(golden):
        row = fields(content, f"{where}, row {index}", ("values", "expected"))
        values = _golden_values(row["values"], model, f"{where}, row {index}")
        again = json.loads(canonical_json(_remembered(model.receipt("", 0, values))))
        if not _same(again, row["expected"]):
            message = (
                f"{where}: row {index} gives another receipt than at training; export the bundle again from its run."
            )
            raise BundleError(message)


def _golden_values(values: object, model: ConversionModel, where: str) -> list[Value]:
    features = model.catalog.features
    if not isinstance(values, list) or len(values) != len(features):
        raise StructureError(where=where, found=values, expected=f"{len(features)} values")
    for feature, value in zip(features, values, strict=True):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (isinstance(value, str) if feature.is_category else number):
            raise StructureError(where=f"{where}, {feature.name}", found=value, expected="a value of its type")
    return values


def _same(again: object, expected: object) -> bool:
    """Compare two JSON values; numbers may differ by 1e-9."""
    if isinstance(again, dict) and isinstance(expected, dict):
        return again.keys() == expected.keys() and all(_same(again[key], expected[key]) for key in again)
    if isinstance(again, list) and isinstance(expected, list):
        return len(again) == len(expected) and all(map(_same, again, expected))
    if isinstance(again, float) and isinstance(expected, int | float):
        return abs(again - expected) <= _TOLERANCE
    return bool(again == expected)
