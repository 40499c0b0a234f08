"""Live scores: a scorer's features compiled to the store's SQL, one statement a question."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.live import compile_live
from models.receipt import Receipt
from models.scorer import Scorer

_BATCH = 1000
_FEW = 8
# What a score says beside its features, in the same statement, so that it is of the same moment.
_BESIDE = (
    "(SELECT max(a.occurred_at) FROM activities AS a WHERE a.lead_id = f.lead_id AND a.known_at < f.as_of)",
    "EXISTS (SELECT 1 FROM lead_versions AS v WHERE v.lead_id = f.lead_id AND v.known_at < f.as_of)",
)


@dataclass(frozen=True, slots=True)
class Score:
    """A receipt with how fresh and how good it is."""

    receipt: Receipt
    newest_activity_at: int | None
    degraded: bool

    def as_json(self) -> dict[str, Any]:
        """Write the score as the API gives it."""
        return self.receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)


@dataclass(frozen=True, slots=True)
class LiveScorer:
    """
    A scorer with the SQL of its features.

    Args:
        scorer: what scores.
        one: takes ``(lead_id, as_of)``.
        many: takes ``[[lead_id, as_of], …]`` as JSON text.
        problem: why this scorer stands in for the model, if it does.
    """

    scorer: Scorer
    one: str
    many: str
    problem: str | None = None

    @property
    def degraded(self) -> bool:
        """Say whether this scorer only stands in for the model."""
        return self.problem is not None

    def score(self, store: sqlite3.Connection, lead_id: str, *, as_of: int, top: int | None) -> Score | None:
        """Score a lead as of an instant; None where it was not known then."""
        return self._scored(store.execute(self.one, (lead_id, as_of)).fetchone(), top)

    def scores(
        self, store: sqlite3.Connection, lead_ids: Iterable[str], *, as_of: int, top: int | None
    ) -> dict[str, Score]:
        """Score leads as of an instant in one query; those that were not known then are left out."""
        rows = store.execute(self.many, (_pairs(lead_ids, as_of),))
        scored = ((row[0], self._scored(row, top)) for row in rows)
        return {lead_id: score for lead_id, score in scored if score is not None}

    def points(self, store: sqlite3.Connection, lead_ids: Sequence[str], *, as_of: int) -> dict[str, float]:
        """Give the points of leads as of an instant, without reasons; those not known then are left out."""
        if len(lead_ids) <= _FEW:
            scored = self.scores(store, lead_ids, as_of=as_of, top=0)
            return {lead_id: score.receipt.points for lead_id, score in scored.items()}
        return dict(pair for batch in _batches(lead_ids) for pair in self._points(store, batch, as_of))

    def _points(self, store: sqlite3.Connection, lead_ids: Sequence[str], as_of: int) -> Iterator[tuple[str, float]]:
        rows = [row for row in store.execute(self.many, (_pairs(lead_ids, as_of),)) if row[-1]]
        if not rows:
            return iter(())
        frame = pd.DataFrame([row[2:-2] for row in rows], columns=self.scorer.catalog.names)
        return zip((row[0] for row in rows), self.scorer.score_many(frame).points.tolist(), strict=True)

    def _scored(self, row: tuple[Any, ...], top: int | None) -> Score | None:
        *values, newest_activity_at, known = row
        if not known:
            return None
        receipt = self.scorer.receipt(values[0], values[1], values[2:], top=top)
        return Score(receipt, newest_activity_at, self.degraded)


def go_live(scorer: Scorer, *, problem: str | None = None) -> LiveScorer:
    """
    Compile a scorer's features for the store.

    Args:
        scorer: what scores.
        problem: why it stands in for the model, if it does.
    """
    query = compile_live(scorer.catalog)
    beside = ", ".join(_BESIDE)
    one, many = (f"SELECT f.*, {beside} FROM ({body}) AS f" for body in (query.one, query.many))  # noqa: S608 - ours
    return LiveScorer(scorer, one, many, problem)


def _pairs(lead_ids: Iterable[str], as_of: int) -> str:
    return json.dumps([[lead_id, as_of] for lead_id in lead_ids])


def _batches(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (lead_ids[at : at + _BATCH] for at in range(0, len(lead_ids), _BATCH))
