"""Live scores: a scorer's features compiled to the store's SQL, one statement a question."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from features.catalog import Catalog
from features.live import LiveQuery, compile_live
from models.receipt import Receipt
from models.scorer import Scorer

_BATCH = 1000
_FEW = 8
_NEWEST = "SELECT max(a.occurred_at) FROM activities AS a WHERE a.lead_id = {lead} AND a.known_at < {as_of}"
_KNOWN = "EXISTS (SELECT 1 FROM lead_versions AS v WHERE v.lead_id = {lead} AND v.known_at < {as_of})"
_ONE = {"lead": "?1", "as_of": "?2"}
_EACH = {"lead": "CAST(j.value ->> 0 AS TEXT)", "as_of": "CAST(j.value ->> 1 AS INTEGER)"}
# Beside the features; not around them, since SQLite's parser has no room for one more level.
_BESIDE_ONE = f"SELECT ({_NEWEST}) WHERE {_KNOWN}".format(**_ONE)
_BESIDE_MANY = f"SELECT {{lead}}, ({_NEWEST}) FROM json_each(?) AS j WHERE {_KNOWN}".format(**_EACH)  # noqa: S608 - ours


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
        problem: why no promoted model answers, if none does.
        stands_in: whether a model was promoted that cannot be used, so that this scorer is there for a while only.
    """

    scorer: Scorer
    one: str
    many: str
    problem: str | None = None
    stands_in: bool = False

    @property
    def degraded(self) -> bool:
        """Say whether this scorer answers in place of a model."""
        return self.problem is not None

    def score(self, store: sqlite3.Connection, lead_id: str, *, as_of: int, top: int | None) -> Score | None:
        """Score a lead as of an instant; None where it was not known then."""
        with _one_moment(store):
            beside = store.execute(_BESIDE_ONE, (lead_id, as_of)).fetchone()
            if beside is None:
                return None
            row = store.execute(self.one, (lead_id, as_of)).fetchone()
        return Score(self.scorer.receipt(lead_id, as_of, row[2:], top=top), beside[0], self.degraded)

    def scores(
        self, store: sqlite3.Connection, lead_ids: Iterable[str], *, as_of: int, top: int | None
    ) -> dict[str, Score]:
        """Score leads as of an instant in one query; those that were not known then are left out."""
        newest, rows = self._many(store, lead_ids, as_of)
        return {
            row[0]: Score(self.scorer.receipt(row[0], as_of, row[2:], top=top), newest[row[0]], self.degraded)
            for row in rows
        }

    def points(self, store: sqlite3.Connection, lead_ids: Sequence[str], *, as_of: int) -> dict[str, float]:
        """Give the points of leads as of an instant, without reasons; those not known then are left out."""
        if len(lead_ids) <= _FEW:
            scored = self.scores(store, lead_ids, as_of=as_of, top=0)
            return {lead_id: score.receipt.points for lead_id, score in scored.items()}
        return dict(pair for batch in _batches(lead_ids) for pair in self._points(store, batch, as_of))

    def _points(self, store: sqlite3.Connection, lead_ids: Sequence[str], as_of: int) -> Iterable[tuple[str, float]]:
        _, rows = self._many(store, lead_ids, as_of)
        if not rows:
            return ()
        frame = pd.DataFrame([row[2:] for row in rows], columns=self.scorer.catalog.names)
        return zip((row[0] for row in rows), self.scorer.score_many(frame).points.tolist(), strict=True)

    def _many(
        self, store: sqlite3.Connection, lead_ids: Iterable[str], as_of: int
    ) -> tuple[dict[str, int | None], list[tuple[Any, ...]]]:
        """Give the newest activity of each lead that was known, and their rows of features."""
        asked = json.dumps([[lead_id, as_of] for lead_id in lead_ids])
        with _one_moment(store):
            newest = dict(store.execute(_BESIDE_MANY, (asked,)).fetchall())
            known = json.dumps([[lead_id, as_of] for lead_id in newest])
            return newest, store.execute(self.many, (known,)).fetchall() if newest else []


@lru_cache(maxsize=4)
def _compiled(catalog: Catalog) -> LiveQuery:
    """Compile a catalog, or remember it: models that follow each other often share one."""
    return compile_live(catalog)


def go_live(scorer: Scorer, *, problem: str | None = None, stands_in: bool = False) -> LiveScorer:
    """
    Compile a scorer's features for the store.

    Args:
        scorer: what scores.
        problem: why no promoted model answers, if none does.
        stands_in: whether it is there for a while only.
    """
    query = _compiled(scorer.catalog)
    return LiveScorer(scorer, query.one, query.many, problem, stands_in)


class _one_moment:  # noqa: N801 - reads as a statement; a class costs half of what a generator would, on the hot path
    """Let several statements see the store as it was at one moment."""

    __slots__ = ("_mine", "_store")

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._mine = not store.in_transaction

    def __enter__(self) -> None:
        if self._mine:
            self._store.execute("BEGIN")

    def __exit__(self, *_error: object) -> None:
        if self._mine:
            self._store.execute("COMMIT")


def _batches(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (lead_ids[at : at + _BATCH] for at in range(0, len(lead_ids), _BATCH))
