"""Live scores: a scorer's features compiled to the store's SQL, one statement per question."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pandas as pd

from data.instants import SECOND_US
from features.catalog import Catalog
from features.feature import Value
from features.live import LiveQuery, compile_live
from models.receipt import Receipt
from models.scorer import Scorer
from serving.store.database import Dialect, RawConnection

_BATCH = 1000
_FEW = 8
_AROUND = (
    "SELECT f.*,"
    " (SELECT max(a.occurred_at) FROM activities AS a WHERE a.lead_id = f.lead_id AND a.known_at < f.as_of),"
    " (SELECT m.into_lead_id FROM merges AS m WHERE m.lead_id = f.lead_id AND m.merged_at < f.as_of"
    " ORDER BY m.merged_at DESC LIMIT 1)"
    " FROM ({features}) AS f"
    " WHERE EXISTS (SELECT 1 FROM lead_versions AS v WHERE v.lead_id = f.lead_id AND v.known_at < f.as_of)"
)
"""Around the features: only leads known by then, with the newest activity and the lead merged into."""


@dataclass(frozen=True, slots=True)
class Score:
    """
    A receipt with its freshness, and everything needed to recompute it.

    Attributes:
        receipt: the explained score.
        newest_activity_at: the newest activity that it counts [us since 1970 UTC].
        degraded: whether the scorer stood in for a model.
        values: the feature values that it was computed from, in catalog order.
        threshold: the points from which leads were handed over then.
    """

    receipt: Receipt
    newest_activity_at: int | None
    degraded: bool
    values: tuple[Value, ...]
    threshold: float

    def as_json(self) -> dict[str, Any]:
        """Return the score as the API writes it."""
        content = self.receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)
        newest = self.newest_activity_at
        content["newest_activity_age_s"] = None if newest is None else (self.receipt.as_of - newest) / SECOND_US
        content["threshold"] = self.threshold
        return content


@dataclass(frozen=True, slots=True)
class KnownLead:
    """What is known of a lead at an instant; the values are in catalog order."""

    newest_activity_at: int | None
    values: tuple[Value, ...]
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class LiveScorer:
    """
    A scorer with the SQL of its features.

    Args:
        scorer: computes the score.
        query: its features and what surrounds them, as SQL of the store.
        dialect: the dialect of that SQL.
        problem: why no promoted model answers; None if one does.
        stands_in: whether it temporarily replaces a promoted model that cannot be used.
    """

    scorer: Scorer
    query: LiveQuery
    dialect: Dialect = "sqlite"
    problem: str | None = None
    stands_in: bool = False

    @property
    def degraded(self) -> bool:
        """Whether this scorer answers in place of a model."""
        return self.problem is not None

    @property
    def threshold(self) -> float:
        """The points from which leads are handed over."""
        return self.scorer.bands.threshold

    @property
    def in_memory(self) -> "LiveScorer":
        """The same scorer for a store in memory, which is SQLite."""
        return replace(self, query=_compiled(self.scorer.catalog, "sqlite"), dialect="sqlite")

    def score(self, store: RawConnection, lead_id: str, *, as_of: int, top: int | None) -> Score | None:
        """Score a lead, or the one it was merged into, as of an instant; None if it was not known then."""
        row = store.execute(self.query.one, (lead_id, as_of)).fetchone()
        if row is None:
            return None
        known = _known(row)
        if known.merged_into is not None:
            return self.score(store, known.merged_into, as_of=as_of, top=top)
        return self.score_known(lead_id, as_of, known=known, top=top)

    def scores(self, store: RawConnection, lead_ids: Iterable[str], *, as_of: int, top: int | None) -> dict[str, Score]:
        """Score leads as of an instant in one query; those that were not known then are left out."""
        known = self.known(store, [(lead_id, as_of) for lead_id in dict.fromkeys(lead_ids)])
        into = {lead_id: lead.merged_into or lead_id for lead_id, lead in known.items()}
        known |= self.known(store, [(lead_id, as_of) for lead_id in set(into.values()) - known.keys()])
        survivors = {each: known[each] for each in dict.fromkeys(into.values()) if each in known}
        receipts = self.scorer.receipts(dict(zip(survivors, _values(survivors), strict=True)), as_of, top=top)
        scored = {receipt.lead_id: self._score(receipt, known[receipt.lead_id]) for receipt in receipts}
        return {lead_id: scored[survivor] for lead_id, survivor in into.items() if survivor in scored}

    def known(self, store: RawConnection, questions: Sequence[tuple[str, int]]) -> dict[str, KnownLead]:
        """Return what is known of leads, each as of its own instant; those that were not known then are left out."""
        if not questions:
            return {}
        rows = store.execute(self.query.many, (json.dumps(questions),)).fetchall()
        return {row[0]: _known(row) for row in rows}

    def points_of(self, known: Mapping[str, KnownLead]) -> dict[str, float]:
        """Return the points of leads from what is known of them, without reasons."""
        if not known:
            return {}
        if len(known) <= _FEW:
            few = dict(zip(known, _values(known), strict=True))
            return {receipt.lead_id: receipt.points for receipt in self.scorer.receipts(few, 0, top=0)}
        frame = pd.DataFrame([list(values) for values in _values(known)], columns=self.scorer.catalog.names)
        return dict(zip(known, self.scorer.score_many(frame).points.tolist(), strict=True))

    def points(self, store: RawConnection, questions: Sequence[tuple[str, int]]) -> dict[str, float]:
        """Return the points of leads, each as of its own instant; those that were not known then are left out."""
        return {
            lead_id: points
            for batch in _batches(questions)
            for lead_id, points in self.points_of(self.known(store, batch)).items()
        }

    def score_known(self, lead_id: str, as_of: int, *, known: KnownLead, top: int | None = None) -> Score:
        """Score a lead from what is known of it."""
        return self._score(self.scorer.receipt(lead_id, as_of, known.values, top=top), known)

    def _score(self, receipt: Receipt, known: KnownLead) -> Score:
        return Score(receipt, known.newest_activity_at, self.degraded, known.values, self.threshold)


@lru_cache(maxsize=8)
def _compiled(catalog: Catalog, dialect: Dialect) -> LiveQuery:
    """Compile a catalog; the last ones are cached, since successive models often share one."""
    query = compile_live(catalog, dialect)
    one, many = (_AROUND.format(features=features) for features in (query.one, query.many))
    return LiveQuery(one, many, query.names)


def _known(row: tuple[Any, ...]) -> KnownLead:
    """Read a row: lead_id, as_of, the features, the newest activity, the lead that it was merged into."""
    return KnownLead(row[-2], row[2:-2], row[-1])


def compile_scorer(
    scorer: Scorer, *, dialect: Dialect = "sqlite", problem: str | None = None, stands_in: bool = False
) -> LiveScorer:
    """
    Compile a scorer's features for the store.

    Args:
        scorer: computes the score.
        dialect: the SQL dialect of the store.
        problem: why no promoted model answers; None if one does.
        stands_in: whether it temporarily replaces a model.
    """
    _compiled(scorer.catalog, "sqlite")  # previews run on a store in memory
    return LiveScorer(scorer, _compiled(scorer.catalog, dialect), dialect, problem, stands_in)


def _values(known: Mapping[str, KnownLead]) -> Iterator[tuple[Value, ...]]:
    for lead in known.values():
        yield lead.values  # noqa: PD011 - no frame of pandas


def _batches(questions: Sequence[tuple[str, int]]) -> Iterator[Sequence[tuple[str, int]]]:
    return (questions[start : start + _BATCH] for start in range(0, len(questions), _BATCH))
