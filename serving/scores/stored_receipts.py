"""Receipts: each score that was given, kept once per change with all it takes to give it again."""

import hashlib
import json
import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from models.receipt import Grade
from serving.scorers.deployments import Role
from serving.scorers.live_scorer import KnownLead, LiveScorer
from serving.store.rows import insert_rows
from serving.store.tables import leads, receipts

_TENTHS = 1
"""Decimals of points that make a change: what moved by less is the same receipt, and is never stored twice."""


@dataclass(frozen=True, slots=True)
class ServedScore:
    """A score that was given: whose, when, and what it was made of."""

    lead_id: str
    as_of: int
    known: KnownLead


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """
    A receipt as it is kept.

    Attributes:
        row: its columns.
        points: the score's points.
        grade: the letter they stand for.
        probability: the calibrated chance; None for rules that nothing calibrated.
        newest_activity_at: the newest activity that it knows of [us since 1970 UTC].
    """

    row: dict[str, Any]
    points: float
    grade: Grade
    probability: float | None
    newest_activity_at: int | None


def build_receipts(live: LiveScorer, role: Role, *, given: Sequence[ServedScore]) -> list[ReceiptRow]:
    """
    Draw up the receipts of scores, all at once and without words: words follow from values and scorer.

    Args:
        live: what scored them.
        role: whether it was the champion, or a shadow that nobody heeds.
        given: the scores.
    """
    if not given:
        return []
    frame = pd.DataFrame([list(one.known.values) for one in given], columns=live.scorer.catalog.names)
    scored = live.scorer.score_many(frame)
    points, chances, moved = scored.points.tolist(), scored.probabilities.tolist(), scored.reasons.tolist()
    rows = zip(given, points, chances, moved, strict=True)
    return [
        _drawn(
            live,
            role,
            given=one,
            scored=(total, chance, scored.base_points),
            moved=zip(scored.codes, each, strict=True),
        )
        for one, total, chance, each in rows
    ]


def _drawn(
    live: LiveScorer,
    role: Role,
    *,
    given: ServedScore,
    scored: tuple[float, float, float],
    moved: Iterable[tuple[str, float]],
) -> ReceiptRow:
    """Draw up one receipt of a score's points, chance and base, and of what each reason moved."""
    points, chance, base_points = scored
    reasons = {code: value for code, value in moved if value}
    probability = None if math.isnan(chance) else chance
    grade, newest = live.scorer.bands.grade(points), given.known.newest_activity_at
    said = {
        "base_points": base_points,
        "probability": probability,
        "grade": grade,
        "degraded": live.degraded,
        "newest_activity_at": newest,
        "reasons": reasons,
    }
    row = {
        "receipt_id": secrets.token_hex(16),
        "lead_id": given.lead_id,
        "role": role,
        "as_of": given.as_of,
        "scorer": live.scorer.id.fingerprint,
        "points": points,
        "threshold": live.threshold,
        "content_hash": _mark(live, points, reasons),
        "feature_values": json.dumps(given.known.values),
        "content": json.dumps(said, allow_nan=False),
    }
    return ReceiptRow(row, points, grade, probability, newest)


def _mark(live: LiveScorer, points: float, reasons: Mapping[str, float]) -> str:
    """Give what is equal for two receipts of a lead that say the same."""
    moved = sorted((code, round(value, _TENTHS)) for code, value in reasons.items() if round(value, _TENTHS))
    said = [live.scorer.id.fingerprint, live.threshold, live.degraded, round(points, _TENTHS), moved]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def save_receipts(connection: Connection, drawn: Sequence[ReceiptRow]) -> dict[str, str]:
    """
    Keep the receipts that say something else than the one before them.

    Args:
        connection: holds the write lock.
        drawn: receipts of one role; those of leads that are not known any more are not kept.

    Returns:
        For each lead the id of the receipt that says its score.
    """
    drawn = _of_known_leads(connection, drawn)
    if not drawn:
        return {}
    before = _before(connection, drawn)
    new, ids = [], {}
    for one in sorted(drawn, key=lambda each: int(each.row["as_of"])):
        lead_id, earlier = one.row["lead_id"], before.get(one.row["lead_id"])
        if earlier is not None and earlier[1] == one.row["content_hash"]:
            ids[lead_id] = earlier[0]
            continue
        new.append(one.row)
        before[lead_id] = one.row["receipt_id"], one.row["content_hash"]
        ids[lead_id] = one.row["receipt_id"]
    if new:
        insert_rows(connection, receipts, new)
    return ids


def _of_known_leads(connection: Connection, drawn: Sequence[ReceiptRow]) -> list[ReceiptRow]:
    """Leave out the leads that were erased since they were scored."""
    asked = select(leads.c.lead_id).where(leads.c.lead_id.in_({one.row["lead_id"] for one in drawn}))
    known = set(connection.execute(asked).scalars())
    return [one for one in drawn if one.row["lead_id"] in known]


def _before(connection: Connection, drawn: Sequence[ReceiptRow]) -> dict[str, tuple[str, str]]:
    """Give id and mark of the newest receipt of each lead, as far as it is not later than the one drawn."""
    role = drawn[0].row["role"]
    newest = _newest(connection, role, {one.row["lead_id"] for one in drawn})
    found = {}
    for one in drawn:
        lead_id, as_of = one.row["lead_id"], one.row["as_of"]
        if lead_id in newest and newest[lead_id].as_of > as_of:
            told = _last_before(connection, role, lead_id=lead_id, as_of=as_of)
        else:
            told = newest.get(lead_id)
        if told is not None:
            found[lead_id] = (told.receipt_id, told.content_hash)
    return found


def _newest(connection: Connection, role: Role, lead_ids: Iterable[str]) -> dict[str, Any]:
    wanted = (receipts.c.role == role) & receipts.c.lead_id.in_(list(lead_ids))
    last = (
        select(receipts.c.lead_id, func.max(receipts.c.as_of).label("as_of"))
        .where(wanted)
        .group_by(receipts.c.lead_id)
        .subquery()
    )
    same = (receipts.c.lead_id == last.c.lead_id) & (receipts.c.as_of == last.c.as_of) & (receipts.c.role == role)
    columns = (receipts.c.lead_id, receipts.c.receipt_id, receipts.c.content_hash, receipts.c.as_of)
    return {row.lead_id: row for row in connection.execute(select(*columns).join(last, same))}


def _last_before(connection: Connection, role: Role, *, lead_id: str, as_of: int) -> Any:
    asked = (
        select(receipts.c.receipt_id, receipts.c.content_hash)
        .where(receipts.c.lead_id == lead_id, receipts.c.role == role, receipts.c.as_of <= as_of)
        .order_by(receipts.c.as_of.desc())
        .limit(1)
    )
    return connection.execute(asked).one_or_none()
