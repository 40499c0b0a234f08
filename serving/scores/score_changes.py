"""
What changed in a lead's score between two instants: reasons in words whose points add up to the difference.

A reason whose facts are the old ones, only older, is said to be getting old. One whose fact reads as before, or that
moved the score by less than half a point, is folded into a line for all of these.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from data.instants import DAY_US, iso
from data.lifecycle.lead_lifecycle import NEW_LEAD, LeadState
from features.feature import Feature, Value
from features.reducers import DaysSinceLast, DecayedCount
from models.receipt import LEAST_TOLD, Reason, Receipt, by_size, changes
from serving.errors import UnknownLeadError
from serving.lead_ids import shown
from serving.scorers.live_scorer import LiveScorer, Score
from serving.scores.receipt_history import PastReceipt, newest_by
from serving.store.database import raw_connection

LEAST_NOTED = 1.0
"""Points below which a change is none that anybody would note."""

_SAME = 1e-6
"""How far a feature may be from what it would be without news: the store rounds to nine decimals."""

_SLIGHT = 2.0
_TOLD_FIRST = 3

Moved = tuple[Feature, Value, Value]


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """What changed in a lead's score, in points that add up to the difference."""

    before: Receipt
    after: Receipt
    receipt_then: PastReceipt | None
    reasons: tuple[Reason, ...]
    state: LeadState = NEW_LEAD
    beyond_history: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the API writes it."""
        before = (self.before.told(is_whole=True) if self.receipt_then is None else self.receipt_then).as_json()
        after = self.after.told(is_whole=True).as_json()
        return {
            "lead_id": self.after.lead_id,
            "since": iso(self.before.as_of),
            "as_of": iso(self.after.as_of),
            "before": before,
            "after": after,
            "points": math.fsum(reason.points for reason in self.reasons),
            "changes": [asdict(reason) for reason in self.reasons],
            "says": change_in_words(before["score"], after["score"], self.reasons),
            "beyond_history": self.beyond_history,
            **self.state.as_json(),
        }


def score_change_since(connection: Connection, live: LiveScorer, lead_id: str, *, since: int, now: int) -> ScoreChange:
    """
    Explain what changed in a lead's score between two instants [us since 1970 UTC].

    If another scorer gave the score then, the effect of the new scorer is one line of its own; the other lines compare
    like with like: what the scorer in use makes of what was known then and of what is known now.

    Raises:
        UnknownLeadError: the lead is not known, or was not yet at the earlier instant.
    """
    scored = [live.score(raw_connection(connection), lead_id, as_of=instant, top=None) for instant in (since, now)]
    before, after = scored
    if before is None or after is None:
        message = f"No lead {shown(lead_id)} was known as of {iso(since if after else now)}; name a later instant."
        raise UnknownLeadError(message)
    then = newest_by(connection, before.receipt.lead_id, since)
    reasons = told_changes(before, after, live.scorer.catalog.features)
    if then is not None and then.row.scorer == live.scorer.id.fingerprint:
        then = None
    if then is not None:
        by_scorer = before.receipt.points - then.row.points
        reasons = (Reason("scorer", "another scorer answers now", by_scorer), *reasons)
    return ScoreChange(before.receipt, after.receipt, then, reasons, after.state, after.beyond_history)


def told_changes(before: Score, after: Score, features: Sequence[Feature]) -> tuple[Reason, ...]:
    """
    Return what changed between two scores of one lead by the same scorer, as people are told.

    Args:
        before: the earlier score, with all its reasons.
        after: the later one.
        features: of the scorer, in the order of the scores' values.

    Returns:
        Reasons by size; their points sum to the difference to 1e-9.
    """
    said = {reason.code: reason.says for reason in before.receipt.reasons}
    older = _older_codes(before, after, features)
    told, rest = [], []
    for reason in changes(before.receipt, after.receipt):
        before_says = said.get(reason.code)
        if abs(reason.points) < LEAST_TOLD:
            rest.append(reason.points)
        elif reason.code in older and before_says is not None:
            earlier = "" if reason.says == before_says else f", before: {before_says}"
            told.append(Reason(reason.code, f"getting old: {reason.says}{earlier}", reason.points))
        elif reason.says == before_says:
            rest.append(reason.points)
        else:
            told.append(reason)
    if rest:
        told.append(_folded(math.fsum(rest)))
    return by_size(told)


def _folded(points: float) -> Reason:
    """Return the line for all that needs none of its own."""
    slightly = "slightly " if abs(points) < _SLIGHT else ""
    return Reason("rest", f"the rest weighs {slightly}differently", points)


def _older_codes(before: Score, after: Score, features: Sequence[Feature]) -> set[str]:
    """Return the codes of the reasons whose facts are the old ones, only older."""
    by_code: dict[str, list[Moved]] = {}
    for moved in zip(features, before.values, after.values, strict=True):
        by_code.setdefault(moved[0].code, []).append(moved)
    passed_days = (after.receipt.as_of - before.receipt.as_of) / DAY_US
    return {code for code, moves in by_code.items() if _is_older(moves, passed_days)}


def _is_older(moves: Sequence[Moved], passed_days: float) -> bool:
    """Return whether everything that shows its age is what it was, only older; False where nothing shows it."""
    expected = list(_expected(moves, passed_days))
    return bool(expected) and all(math.isclose(then, now, rel_tol=_SAME, abs_tol=_SAME) for then, now in expected)


def _expected(moves: Sequence[Moved], passed_days: float) -> Iterator[tuple[float, float]]:
    """Yield what each feature that shows its age would be if nothing had happened, and what it is."""
    for feature, then, now in moves:
        reduce = feature.reduce
        if not isinstance(reduce, DaysSinceLast | DecayedCount) or not isinstance(now, float | int) or not now:
            continue
        if not isinstance(then, float | int):
            yield math.inf, float(now)
        elif isinstance(reduce, DaysSinceLast):
            yield then + passed_days, float(now)
        else:
            yield then * 0.5 ** (passed_days / reduce.half_life_days), float(now)


def change_in_words(before: int, after: int, reasons: Sequence[Reason]) -> str:
    """
    Word in one sentence what changed most.

    >>> change_in_words(63, 63, [Reason("a", "asked for a demo", 3.04), Reason("b", "getting old", -2.98)])
    'Gains and losses cancel out at 63 points: asked for a demo (+3.0); getting old (-3.0).'
    >>> change_in_words(63, 63, [Reason("rest", "the rest weighs slightly differently", -0.3)])
    'Nothing of note changed: 63 points.'
    """
    if not reasons:
        return f"Nothing changed: {after} points."
    told = [reason for reason in reasons if abs(reason.points) >= LEAST_NOTED]
    total = math.fsum(reason.points for reason in reasons)
    if abs(total) < LEAST_NOTED and not told:
        return f"Nothing of note changed: {after} points."
    shown_first = (told or list(reasons))[:_TOLD_FIRST]
    most = "; ".join(f"{reason.says} ({reason.points:+.1f})" for reason in shown_first)
    more = len(reasons) - len(shown_first)
    rest = f"; and {more} more" if more > 0 else ""
    if abs(total) < LEAST_NOTED:
        return f"Gains and losses cancel out at {after} points: {most}{rest}."
    return f"From {before} to {after} points: {most}{rest}."
