"""Past receipts: read, given again from what was known, and what has changed since an instant."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from data.instants import iso
from features.feature import Value
from models.errors import ModelError
from models.receipt import Reason, Receipt, changes, displayed, scorer_json
from models.scorer import Scorer
from serving.errors import UnknownLeadError, UnknownReceiptError, UnknownScorerError
from serving.facts import shown
from serving.scorers.deployments import Role, load_scorer
from serving.scorers.live_scorer import LiveScorer, Score, compile_scorer
from serving.store.database import Dialect, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import leads, merges, receipts

_TOLERANCE = 1e-9
NO_RECEIPT = "No receipt has this id: see GET /v1/leads/{id}/receipts for those of a lead."


@dataclass(frozen=True, slots=True)
class PastReceipt:
    """
    A receipt as it is kept, with its words.

    Attributes:
        row: its columns.
        said: what it said: base, probability, grade, reasons in points.
        again: the receipt that its scorer makes of its feature values now; None where that scorer cannot be loaded.
    """

    row: Row[Any]
    said: Mapping[str, Any]
    again: Receipt | None

    @property
    def values(self) -> list[Value]:
        """Give the feature values it was made of, in the order of its scorer's catalog."""
        found: list[Value] = json.loads(self.row.feature_values)
        return found

    def as_json(self) -> dict[str, Any]:
        """Write it as the API gives it; words follow from values and scorer, points are those that were kept."""
        words = {} if self.again is None else {reason.code: reason.says for reason in self.again.reasons}
        moved: Mapping[str, float] = self.said["reasons"]
        order = sorted(moved, key=lambda code: (-abs(moved[code]), code))
        newest = self.said["newest_activity_at"]
        return {
            "receipt_id": self.row.receipt_id,
            "lead_id": self.row.lead_id,
            "role": self.row.role,
            "as_of": iso(self.row.as_of),
            "score": displayed(self.row.points),
            "points": self.row.points,
            "base_points": self.said["base_points"],
            "probability": self.said["probability"],
            "grade": self.said["grade"],
            "threshold": self.row.threshold,
            "reasons": [{"code": code, "says": words.get(code, code), "points": moved[code]} for code in order],
            "scorer": {"fingerprint": self.row.scorer} if self.again is None else scorer_json(self.again.scorer),
            "degraded": self.said["degraded"],
            "newest_activity_at": None if newest is None else iso(newest),
        }


def receipts_of(connection: Connection, lead_id: str, *, role: Role, limit: int) -> list[PastReceipt]:
    """
    Give the receipts of a lead, and of all that were merged with it, newest first.

    Raises:
        UnknownLeadError: nobody has told us of it.
    """
    return receipts_among(connection, _person(connection, lead_id), role=role, limit=limit)


def receipts_among(connection: Connection, lead_ids: Collection[str], *, role: Role, limit: int) -> list[PastReceipt]:
    """Give the receipts of leads, newest first."""
    asked = (
        _columns()
        .where(receipts.c.lead_id.in_(lead_ids), receipts.c.role == role)
        .order_by(receipts.c.as_of.desc())
        .limit(limit)
    )
    return [_past(connection, row) for row in connection.execute(asked)]


def _person(connection: Connection, lead_id: str) -> set[str]:
    stays = survivors(connection, [lead_id])[lead_id]
    if connection.execute(select(leads.c.lead_id).where(leads.c.lead_id == stays)).one_or_none() is None:
        message = f"No lead {shown(lead_id)} is known; send it to /v1/leads first."
        raise UnknownLeadError(message)
    return {
        stays,
        lead_id,
        *connection.execute(select(merges.c.lead_id).where(merges.c.into_lead_id == stays)).scalars(),
    }


def receipt_of(connection: Connection, receipt_id: str) -> PastReceipt:
    """
    Give a receipt.

    Raises:
        UnknownReceiptError: none has this id.
    """
    row = connection.execute(_columns().where(receipts.c.receipt_id == receipt_id)).one_or_none()
    if row is None:
        raise UnknownReceiptError(NO_RECEIPT)
    return _past(connection, row)


def _columns() -> Any:
    return select(receipts)


def _past(connection: Connection, row: Row[Any]) -> PastReceipt:
    scorer = _scorer(connection, row.scorer)
    said = json.loads(row.content)
    again = None if scorer is None else scorer.receipt(row.lead_id, row.as_of, json.loads(row.feature_values))
    return PastReceipt(row, said, again)


def _scorer(connection: Connection, fingerprint: str) -> Scorer | None:
    try:
        return load_scorer(connection, fingerprint)
    except (UnknownScorerError, ModelError):
        return None


def recompute_receipt(connection: Connection, past: PastReceipt, dialect: Dialect) -> dict[str, Any]:
    """
    Give a receipt again, twice: from the feature values it was made of, and from the facts as they were known then.

    Args:
        connection: reads the store.
        past: the receipt.
        dialect: whose SQL the store speaks.
    """
    row = past.row
    scorer = _scorer(connection, row.scorer)
    if scorer is None:
        differences = ["the scorer that gave it cannot be loaded any more"]
        return _replayed(past, differences, again=None)
    differences = [] if past.again is None else _score_differences(past, past.again)
    live = compile_scorer(scorer, dialect=dialect)
    known = live.known(raw_connection(connection), [(row.lead_id, row.as_of)]).get(row.lead_id)
    if known is None:
        return _replayed(past, [*differences, "the lead is not known as of that instant"], again=None)
    differences += _value_differences(scorer.catalog.names, past.values, known.values)
    return _replayed(past, differences, again=scorer.receipt(row.lead_id, row.as_of, known.values))


def _replayed(past: PastReceipt, differences: Sequence[str], *, again: Receipt | None) -> dict[str, Any]:
    return {
        "receipt_id": past.row.receipt_id,
        "equal": not differences,
        "differences": list(differences),
        "given": past.as_json(),
        "again": None if again is None else again.as_json(degraded=past.said["degraded"]),
    }


def _score_differences(past: PastReceipt, again: Receipt) -> list[str]:
    found = []
    if abs(past.row.points - again.points) > _TOLERANCE:
        found.append(f"points: {past.row.points} were given, its values give {again.points} now")
    moved: Mapping[str, float] = past.said["reasons"]
    now = {reason.code: reason.points for reason in again.reasons}
    pairs = {code: (moved.get(code, 0.0), now.get(code, 0.0)) for code in sorted({*moved, *now})}
    found += [
        f"{code}: {before} points were given, its values give {after} now"
        for code, (before, after) in pairs.items()
        if abs(before - after) > _TOLERANCE
    ]
    return found


def _value_differences(names: Sequence[str], given: Sequence[Value], now: Sequence[Value]) -> list[str]:
    pairs = zip(names, given, now, strict=True)
    return [
        f"{name}: {before!r} was known then, the facts give {after!r} now"
        for name, before, after in pairs
        if not same_value(before, after)
    ]


def same_value(one: Value, other: Value) -> bool:
    """
    Say whether two feature values are the same; numbers may differ by rounding.

    >>> same_value(1.0, 1.0 + 1e-12), same_value(None, 0.0), same_value("a", "a")
    (True, False, True)
    """
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return one == other


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """What changed in a lead's score, in points that add up to the difference."""

    before: Score
    after: Score
    given_then: PastReceipt | None
    moved: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """Write it as the API gives it."""
        first = _first(self)
        points = math.fsum(reason.points for reason in self.moved)
        return {
            "lead_id": self.after.receipt.lead_id,
            "since": iso(self.before.receipt.as_of),
            "as_of": iso(self.after.receipt.as_of),
            "before": first,
            "after": _short(self.after.receipt),
            "points": points,
            "changes": [{"code": one.code, "says": one.says, "points": one.points} for one in self.moved],
            "says": _sentence(first["points"], self.after.receipt.points, self.moved),
        }


def score_change_since(connection: Connection, live: LiveScorer, lead_id: str, *, since: int, now: int) -> ScoreChange:
    """
    Say what changed in a lead's score since an instant.

    Where another scorer gave the score then, what that alone changed is one line of its own; the others compare like
    with like: what the scorer in use makes of what was known then and of what is known now.

    Args:
        connection: reads the store.
        live: the scorer in use.
        lead_id: the lead.
        since: the earlier instant [us since 1970 UTC].
        now: the later one.

    Raises:
        UnknownLeadError: the lead is not known, or was not at the earlier instant.
    """
    scored = [live.score(raw_connection(connection), lead_id, as_of=at, top=None) for at in (since, now)]
    before, after = scored
    if before is None or after is None:
        message = f"No lead {shown(lead_id)} was known as of {iso(since if after else now)}; ask since a later instant."
        raise UnknownLeadError(message)
    then = _in_force(connection, before.receipt.lead_id, since)
    moved = changes(before.receipt, after.receipt)
    if then is not None and then.row.scorer != live.scorer.id.fingerprint:
        by_scorer = before.receipt.points - then.row.points
        moved = (Reason("scorer", "another scorer answers now", by_scorer), *moved)
        return ScoreChange(before, after, then, moved)
    return ScoreChange(before, after, None, moved)


def _in_force(connection: Connection, lead_id: str, at: int) -> PastReceipt | None:
    """Give the newest receipt that was given by an instant."""
    asked = (
        _columns()
        .where(receipts.c.lead_id == lead_id, receipts.c.role == "champion", receipts.c.as_of <= at)
        .order_by(receipts.c.as_of.desc())
        .limit(1)
    )
    row = connection.execute(asked).one_or_none()
    return None if row is None else _past(connection, row)


def _first(told: ScoreChange) -> dict[str, Any]:
    if told.given_then is None:
        return _short(told.before.receipt)
    given = told.given_then.as_json()
    return {name: given[name] for name in ("score", "points", "grade", "scorer")}


def _short(receipt: Receipt) -> dict[str, Any]:
    return {
        "score": receipt.score,
        "points": receipt.points,
        "grade": receipt.grade,
        "scorer": scorer_json(receipt.scorer),
    }


def _sentence(before: float, after: float, moved: Sequence[Reason]) -> str:
    """Say in a sentence what changed most."""
    ends = f"{displayed(before)} to {displayed(after)}"
    if not moved:
        return f"Nothing changed: {displayed(after)} points."
    most = "; ".join(f"{reason.says} ({reason.points:+.1f})" for reason in moved[:3])
    more = len(moved) - 3
    return f"From {ends} points: {most}{f'; and {more} more' if more > 0 else ''}."
