"""Live scores: a scorer's features compiled to the store's SQL, one statement a question."""

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
"""Around the features of leads: only those that were known, with their newest activity and what they became."""


@dataclass(frozen=True, slots=True)
class Score:
    """
    A receipt with how fresh and how good it is, and everything it takes to give it again.

    Attributes:
        receipt: the explained score.
        newest_activity_at: the newest activity that it knows of [us since 1970 UTC].
        degraded: whether the scorer stood in for a model.
        values: the feature values it was made of, in catalog order.
        threshold: points from which leads were handed over then.
    """

    receipt: Receipt
    newest_activity_at: int | None
    degraded: bool
    values: tuple[Value, ...]
    threshold: float

    def as_json(self) -> dict[str, Any]:
        """Write the score as the API gives it."""
        content = self.receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)
        newest = self.newest_activity_at
        content["newest_activity_age_s"] = None if newest is None else (self.receipt.as_of - newest) / SECOND_US
        content["threshold"] = self.threshold
        return content


@dataclass(frozen=True, slots=True)
class KnownLead:
    """What is known of a lead at an instant: newest activity, feature values in catalog order, what it became."""

    newest_activity_at: int | None
    values: tuple[Value, ...]
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class LiveScorer:
    """
    A scorer with the SQL of its features.

    Args:
        scorer: what scores.
        query: its features, and what stands around them, as SQL of the store.
        dialect: whose SQL that is.
        problem: why no promoted model answers, if none does.
        stands_in: whether a model was promoted that cannot be used, so that this scorer is there for a while only.
    """

    scorer: Scorer
    query: LiveQuery
    dialect: Dialect = "sqlite"
    problem: str | None = None
    stands_in: bool = False

    @property
    def degraded(self) -> bool:
        """Say whether this scorer answers in place of a model."""
        return self.problem is not None

    @property
    def threshold(self) -> float:
        """Give the points from which leads are handed over."""
        return self.scorer.bands.threshold

    @property
    def in_memory(self) -> "LiveScorer":
        """Give the same scorer with its features as SQL of a store in memory, which is SQLite."""
        return replace(self, query=_compiled(self.scorer.catalog, "sqlite"), dialect="sqlite")

    def score(self, store: RawConnection, lead_id: str, *, as_of: int, top: int | None) -> Score | None:
        """Score a lead, or the one it was merged into, as of an instant; None where it was not known then."""
        row = store.execute(self.query.one, (lead_id, as_of)).fetchone()
        if row is None:
            return None
        known = _known(row)
        if known.merged_into is not None:
            return self.score(store, known.merged_into, as_of=as_of, top=top)
        return self.of(lead_id, as_of, known=known, top=top)

    def scores(self, store: RawConnection, lead_ids: Iterable[str], *, as_of: int, top: int | None) -> dict[str, Score]:
        """Score leads as of an instant in one query; those that were not known then are left out."""
        known = self.known(store, [(lead_id, as_of) for lead_id in dict.fromkeys(lead_ids)])
        into = {lead_id: what.merged_into or lead_id for lead_id, what in known.items()}
        known |= self.known(store, [(lead_id, as_of) for lead_id in set(into.values()) - known.keys()])
        standing = {one: known[one] for one in dict.fromkeys(into.values()) if one in known}
        receipts = self.scorer.receipts(dict(zip(standing, _values(standing), strict=True)), as_of, top=top)
        found = {receipt.lead_id: self._given(receipt, known[receipt.lead_id]) for receipt in receipts}
        return {lead_id: found[one] for lead_id, one in into.items() if one in found}

    def known(self, store: RawConnection, asked: Sequence[tuple[str, int]]) -> dict[str, KnownLead]:
        """Give what is known of leads, each as of an instant of its own; those that were not known are left out."""
        if not asked:
            return {}
        rows = store.execute(self.query.many, (json.dumps(asked),)).fetchall()
        return {row[0]: _known(row) for row in rows}

    def points_of(self, known: Mapping[str, KnownLead]) -> dict[str, float]:
        """Give the points of leads of which this is known, without reasons."""
        if not known:
            return {}
        if len(known) <= _FEW:
            few = dict(zip(known, _values(known), strict=True))
            return {receipt.lead_id: receipt.points for receipt in self.scorer.receipts(few, 0, top=0)}
        frame = pd.DataFrame([list(one) for one in _values(known)], columns=self.scorer.catalog.names)
        return dict(zip(known, self.scorer.score_many(frame).points.tolist(), strict=True))

    def points(self, store: RawConnection, asked: Sequence[tuple[str, int]]) -> dict[str, float]:
        """Give the points of leads, each as of an instant of its own; those not known then are left out."""
        return {
            lead_id: points
            for batch in _batches(asked)
            for lead_id, points in self.points_of(self.known(store, batch)).items()
        }

    def of(self, lead_id: str, as_of: int, *, known: KnownLead, top: int | None = None) -> Score:
        """Score a lead of which this is known."""
        return self._given(self.scorer.receipt(lead_id, as_of, known.values, top=top), known)

    def _given(self, receipt: Receipt, known: KnownLead) -> Score:
        return Score(receipt, known.newest_activity_at, self.degraded, known.values, self.threshold)


@lru_cache(maxsize=8)
def _compiled(catalog: Catalog, dialect: Dialect) -> LiveQuery:
    """Compile a catalog, or remember it: models that follow each other often share one."""
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
        scorer: what scores.
        dialect: whose SQL the store speaks.
        problem: why no promoted model answers, if none does.
        stands_in: whether it is there for a while only.
    """
    _compiled(scorer.catalog, "sqlite")  # a preview asks a store in memory
    return LiveScorer(scorer, _compiled(scorer.catalog, dialect), dialect, problem, stands_in)


def _values(known: Mapping[str, KnownLead]) -> Iterator[tuple[Value, ...]]:
    for what in known.values():
        yield what.values  # noqa: PD011 - no frame of pandas


def _batches(asked: Sequence[tuple[str, int]]) -> Iterator[Sequence[tuple[str, int]]]:
    return (asked[at : at + _BATCH] for at in range(0, len(asked), _BATCH))
