"""Stored receipts: each served score, once per change, with all that is needed to recompute it."""

import hashlib
import json
import math
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from models.receipt import Grade, displayed
from serving.scorers.deployments import Role
from serving.scorers.live_scorer import KnownLead, LiveScorer
from serving.store.rows import insert_rows
from serving.store.tables import leads, receipts

_TENTHS = 1
"""Decimals of points that count as a change: a smaller one gives the same receipt, which is stored once."""


_NOTABLE_REASONS = 5


@dataclass(frozen=True, slots=True)
class ServedScore:
    """A score that was served: of which lead, as of when, and from which values."""

    lead_id: str
    as_of: int
    known: KnownLead


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """
    A receipt as it is stored.

    Attributes:
        row: its columns.
        points: the score's points.
        grade: the letter for them.
        probability: the calibrated probability; None for rules without calibration.
        newest_activity_at: the newest activity that it counts [us since 1970 UTC].
        beyond_history: what `models.history_reach.HistoryReach.beyond` says of the lead.
    """

    row: dict[str, Any]
    points: float
    grade: Grade
    probability: float | None
    newest_activity_at: int | None
    beyond_history: str | None = None


def build_receipts(live: LiveScorer, role: Role, *, served: Sequence[ServedScore]) -> list[ReceiptRow]:
    """Build the receipts of scores, all at once and without words, which follow from values and scorer."""
    if not served:
        return []
    frame = pd.DataFrame([list(score.known.values) for score in served], columns=live.scorer.catalog.names)
    scored = live.scorer.score_many(frame)
    points, chances, contributions = scored.points.tolist(), scored.probabilities.tolist(), scored.reasons.tolist()
    rows = zip(served, points, chances, contributions, strict=True)
    return [
        _build(
            live,
            role,
            served=score,
            scored=(total, chance, scored.base_points),
            reasons=zip(scored.codes, by_reason, strict=True),
        )
        for score, total, chance, by_reason in rows
    ]


def _build(
    live: LiveScorer,
    role: Role,
    *,
    served: ServedScore,
    scored: tuple[float, float, float],
    reasons: Iterable[tuple[str, float]],
) -> ReceiptRow:
    """Build one receipt from a score's points, probability and base, and from the points of each reason."""
    points, chance, base_points = scored
    points_by_code = {code: value for code, value in reasons if value}
    probability = None if math.isnan(chance) else chance
    grade, newest = live.scorer.bands.grade(points), served.known.newest_activity_at
    content = {
        "base_points": base_points,
        "probability": probability,
        "grade": grade,
        "degraded": live.degraded,
        "newest_activity_at": newest,
        "beyond_history": served.known.beyond_history,
        "reasons": points_by_code,
    }
    row = {
        "receipt_id": secrets.token_hex(16),
        "lead_id": served.lead_id,
        "role": role,
        "as_of": served.as_of,
        "scorer": live.scorer.id.fingerprint,
        "points": points,
        "threshold": live.threshold,
        "content_hash": _content_hash(live, points, points_by_code, beyond=served.known.beyond_history is not None),
        "feature_values": json.dumps(served.known.values),
        "content": json.dumps(content, allow_nan=False),
    }
    return ReceiptRow(row, points, grade, probability, newest, served.known.beyond_history)


def _content_hash(live: LiveScorer, points: float, reasons: Mapping[str, float], *, beyond: bool) -> str:
    """Return a hash that is equal for two receipts of a lead with the same content, be they of any release."""
    rounded = sorted((code, round(value, _TENTHS)) for code, value in reasons.items() if round(value, _TENTHS))
    summary = [live.scorer.id.fingerprint, live.threshold, live.degraded, round(points, _TENTHS), rounded]
    summary += ["beyond history"] if beyond else []
    return hashlib.sha256(json.dumps(summary).encode()).hexdigest()[:32]


def save_receipts(
    connection: Connection, new: Sequence[ReceiptRow], *, only_notable: Collection[str] = ()
) -> dict[str, str]:
    """
    Store the receipts that differ from the one before them.

    Args:
        connection: holds the write lock.
        new: receipts of one role; those of leads that are no longer known are dropped.
        only_notable: leads of which a receipt is stored only if a person would notice what changed: the points as
            shown, or which five reasons are the largest.

    Returns:
        For each lead the id of the receipt that holds its score.
    """
    new = _of_known_leads(connection, new)
    if not new:
        return {}
    newest = _before(connection, new)
    alike = _alike(connection, [each for each in new if each.row["lead_id"] in only_notable], newest)
    rows, ids = [], {}
    for receipt in sorted(new, key=lambda each: int(each.row["as_of"])):
        lead_id, this = receipt.row["lead_id"], (receipt.row["receipt_id"], receipt.row["content_hash"])
        if lead_id not in newest or (newest[lead_id][1] != this[1] and lead_id not in alike):
            rows.append(receipt.row)
            newest[lead_id] = this
        ids[lead_id] = newest[lead_id][0]
    insert_rows(connection, receipts, rows)
    return ids


def _alike(connection: Connection, new: Sequence[ReceiptRow], before: Mapping[str, tuple[str, str]]) -> set[str]:
    """Return the leads whose new receipt nobody would tell from the one before it."""
    ids = [before[each.row["lead_id"]][0] for each in new if each.row["lead_id"] in before]
    columns = (receipts.c.lead_id, receipts.c.points, receipts.c.threshold, receipts.c.scorer, receipts.c.content)
    query = select(*columns).where(receipts.c.receipt_id.in_(ids))
    earlier = {row["lead_id"]: dict(row) for row in connection.execute(query).mappings()}
    return {
        lead_id
        for each in new
        if (lead_id := each.row["lead_id"]) in earlier and _notable(each.row) == _notable(earlier[lead_id])
    }


def _notable(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what a person notices of a receipt."""
    content = json.loads(row["content"])
    reasons: Mapping[str, float] = content["reasons"]
    largest = frozenset(sorted(reasons, key=lambda code: (-abs(reasons[code]), code))[:_NOTABLE_REASONS])
    beyond = content.get("beyond_history") is not None  # receipts of earlier releases do not say
    return row["scorer"], row["threshold"], content["degraded"], beyond, displayed(row["points"]), largest


def _of_known_leads(connection: Connection, new: Sequence[ReceiptRow]) -> list[ReceiptRow]:
    """Drop the leads that were erased after they were scored."""
    query = select(leads.c.lead_id).where(leads.c.lead_id.in_({receipt.row["lead_id"] for receipt in new}))
    known = set(connection.execute(query).scalars())
    return [receipt for receipt in new if receipt.row["lead_id"] in known]


def _before(connection: Connection, new: Sequence[ReceiptRow]) -> dict[str, tuple[str, str]]:
    """Return id and hash of each lead's newest receipt that is not later than the new one."""
    role = new[0].row["role"]
    newest = _newest(connection, role, {receipt.row["lead_id"] for receipt in new})
    before = {}
    for receipt in new:
        lead_id, as_of = receipt.row["lead_id"], receipt.row["as_of"]
        if lead_id in newest and newest[lead_id].as_of > as_of:
            earlier = _last_before(connection, role, lead_id=lead_id, as_of=as_of)
        else:
            earlier = newest.get(lead_id)
        if earlier is not None:
            before[lead_id] = (earlier.receipt_id, earlier.content_hash)
    return before


def _newest(connection: Connection, role: Role, lead_ids: Iterable[str]) -> dict[str, Any]:
    of_leads = (receipts.c.role == role) & receipts.c.lead_id.in_(list(lead_ids))
    last = (
        select(receipts.c.lead_id, func.max(receipts.c.as_of).label("as_of"))
        .where(of_leads)
        .group_by(receipts.c.lead_id)
        .subquery()
    )
    same = (receipts.c.lead_id == last.c.lead_id) & (receipts.c.as_of == last.c.as_of) & (receipts.c.role == role)
    columns = (receipts.c.lead_id, receipts.c.receipt_id, receipts.c.content_hash, receipts.c.as_of)
    return {row.lead_id: row for row in connection.execute(select(*columns).join(last, same))}


def _last_before(connection: Connection, role: Role, *, lead_id: str, as_of: int) -> Any:
    query = (
        select(receipts.c.receipt_id, receipts.c.content_hash)
        .where(receipts.c.lead_id == lead_id, receipts.c.role == role, receipts.c.as_of <= as_of)
        .order_by(receipts.c.as_of.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()
