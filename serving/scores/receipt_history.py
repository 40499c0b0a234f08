"""Past receipts: reading them, and recomputing them from facts."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from data.instants import iso
from features.feature import Feature, Value
from models.errors import ModelError
from models.receipt import Receipt, chance, displayed, scorer_json
from models.scorer import Scorer
from serving.errors import UnknownLeadError, UnknownReceiptError, UnknownScorerError
from serving.lead_ids import shown
from serving.scorers.deployments import Role, load_scorer
from serving.scorers.live_scorer import compile_scorer
from serving.store.changed_accounts import changed_by_erasure
from serving.store.database import Dialect, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import leads, merges, receipts

_TOLERANCE = 1.5e-9  # decayed counts are rounded to 9 decimals, and history and store may round an edge to either side
NO_RECEIPT = "No receipt has this id: see GET /v1/leads/{id}/receipts for those of a lead."


@dataclass(frozen=True, slots=True)
class PastReceipt:
    """
    A stored receipt, with its words.

    Attributes:
        row: its columns.
        content: base, probability, grade, and reasons in points.
        recomputed: what its scorer makes of its feature values now; None if that scorer cannot be loaded.
    """

    row: Row[Any]
    content: Mapping[str, Any]
    recomputed: Receipt | None

    @property
    def values(self) -> list[Value]:
        """The feature values that it was computed from, in the order of its scorer's catalog."""
        values: list[Value] = json.loads(self.row.feature_values)
        return values

    def as_json(self) -> dict[str, Any]:
        """Return it as the API writes it; the points are those stored, the words follow from values and scorer."""
        words = {} if self.recomputed is None else {reason.code: reason.says for reason in self.recomputed.reasons}
        points: Mapping[str, float] = self.content["reasons"]
        order = sorted(points, key=lambda code: (-abs(points[code]), code))
        newest = self.content["newest_activity_at"]
        return {
            "receipt_id": self.row.receipt_id,
            "lead_id": self.row.lead_id,
            "role": self.row.role,
            "as_of": iso(self.row.as_of),
            "score": displayed(self.row.points),
            "points": self.row.points,
            "base_points": self.content["base_points"],
            "probability": self.content["probability"],
            "chance": chance(self.content["probability"]),
            "grade": self.content["grade"],
            "threshold": self.row.threshold,
            "reasons": [{"code": code, "says": words.get(code, code), "points": points[code]} for code in order],
            "scorer": {"fingerprint": self.row.scorer}
            if self.recomputed is None
            else scorer_json(self.recomputed.scorer),
            "degraded": self.content["degraded"],
            "newest_activity_at": None if newest is None else iso(newest),
            "beyond_history": self.content.get("beyond_history"),
        }


def receipts_of(connection: Connection, lead_id: str, *, role: Role, limit: int) -> list[PastReceipt]:
    """
    Return the receipts of a lead and of all leads that were merged with it, newest first.

    Raises:
        UnknownLeadError: the lead is not known.
    """
    return receipts_among(connection, _person(connection, lead_id), role=role, limit=limit)


def receipts_among(connection: Connection, lead_ids: Collection[str], *, role: Role, limit: int) -> list[PastReceipt]:
    """Return the receipts of leads, newest first."""
    query = (
        select(receipts)
        .where(receipts.c.lead_id.in_(lead_ids), receipts.c.role == role)
        .order_by(receipts.c.as_of.desc())
        .limit(limit)
    )
    return [_past(connection, row) for row in connection.execute(query)]


def _person(connection: Connection, lead_id: str) -> set[str]:
    survivor = survivors(connection, [lead_id])[lead_id]
    if connection.execute(select(leads.c.lead_id).where(leads.c.lead_id == survivor)).one_or_none() is None:
        message = f"No lead {shown(lead_id)} is known; send it to /v1/leads first."
        raise UnknownLeadError(message)
    return {
        survivor,
        lead_id,
        *connection.execute(select(merges.c.lead_id).where(merges.c.into_lead_id == survivor)).scalars(),
    }


def receipt_of(connection: Connection, receipt_id: str) -> PastReceipt:
    """
    Return a receipt.

    Raises:
        UnknownReceiptError: there is none with this id.
    """
    row = connection.execute(select(receipts).where(receipts.c.receipt_id == receipt_id)).one_or_none()
    if row is None:
        raise UnknownReceiptError(NO_RECEIPT)
    return _past(connection, row)


def _past(connection: Connection, row: Row[Any]) -> PastReceipt:
    scorer = _scorer(connection, row.scorer)
    content = json.loads(row.content)
    values = json.loads(row.feature_values)
    recomputed = None if scorer is None else scorer.receipt(row.lead_id, row.as_of, values)
    return PastReceipt(row, content, recomputed)


def _scorer(connection: Connection, fingerprint: str) -> Scorer | None:
    try:
        return load_scorer(connection, fingerprint)
    except (UnknownScorerError, ModelError):
        return None


@dataclass(frozen=True, slots=True)
class ReceiptReplay:
    """
    A receipt beside what the facts of its instant give now.

    Attributes:
        past: the receipt as it was served.
        again: the receipt recomputed from facts; None if its scorer cannot be loaded, or the lead is not known then.
        differences: what differs and should not, in words.
        changed_by_erasure: what differs because a lead of the same account was erased, in words.
    """

    past: PastReceipt
    again: Receipt | None
    differences: tuple[str, ...]
    changed_by_erasure: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as the API writes it."""
        degraded = self.past.content["degraded"]
        return {
            "receipt_id": self.past.row.receipt_id,
            "equal": not self.differences,
            "differences": list(self.differences),
            "changed_by_erasure": list(self.changed_by_erasure),
            "given": self.past.as_json(),
            "again": None if self.again is None else self.again.as_json(degraded=degraded),
        }


def recompute_receipt(connection: Connection, past: PastReceipt, dialect: Dialect) -> ReceiptReplay:
    """Recompute a receipt twice: from its stored feature values, and from the facts as they were known then."""
    row = past.row
    scorer = _scorer(connection, row.scorer)
    if scorer is None:
        return ReceiptReplay(past, None, ("the scorer that gave it cannot be loaded any more",))
    differences = [] if past.recomputed is None else _score_differences(past, past.recomputed)
    live = compile_scorer(scorer, dialect=dialect)
    known = live.known(raw_connection(connection), [(row.lead_id, row.as_of)]).get(row.lead_id)
    if known is None:
        return ReceiptReplay(past, None, (*differences, "the lead is not known as of that instant"))
    by_feature = _value_differences(scorer.catalog.features, past.values, known.values)
    excused = any(feature.over == "account" for feature, _ in by_feature) and changed_by_erasure(
        connection, row.lead_id, row.as_of
    )
    by_erasure = [text for feature, text in by_feature if excused and feature.over == "account"]
    differences += [text for _, text in by_feature if text not in by_erasure]
    again = scorer.receipt(row.lead_id, row.as_of, known.values)
    return ReceiptReplay(past, again, tuple(differences), tuple(by_erasure))


def _score_differences(past: PastReceipt, again: Receipt) -> list[str]:
    differences = []
    if abs(past.row.points - again.points) > _TOLERANCE:
        differences.append(f"points: {past.row.points} were served, its values give {again.points} now")
    served: Mapping[str, float] = past.content["reasons"]
    now = {reason.code: reason.points for reason in again.reasons}
    pairs = {code: (served.get(code, 0.0), now.get(code, 0.0)) for code in sorted({*served, *now})}
    differences += [
        f"{code}: {before} points were served, its values give {after} now"
        for code, (before, after) in pairs.items()
        if abs(before - after) > _TOLERANCE
    ]
    return differences


def _value_differences(
    features: Sequence[Feature], served: Sequence[Value], now: Sequence[Value]
) -> list[tuple[Feature, str]]:
    return [
        (feature, f"{feature.name}: {before!r} was known then, the facts give {after!r} now")
        for feature, before, after in zip(features, served, now, strict=True)
        if not same_value(before, after)
    ]


def same_value(left: Value, right: Value) -> bool:
    """
    Return whether two feature values are equal; numbers may differ by rounding.

    >>> same_value(1.0, 1.0 + 1e-12), same_value(None, 0.0), same_value("a", "a")
    (True, False, True)
    """
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return left == right


def newest_by(connection: Connection, lead_id: str, instant: int) -> PastReceipt | None:
    """Return the newest receipt served by an instant."""
    query = (
        select(receipts)
        .where(receipts.c.lead_id == lead_id, receipts.c.role == "champion", receipts.c.as_of <= instant)
        .order_by(receipts.c.as_of.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _past(connection, row)
