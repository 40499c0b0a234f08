"""Live scores: the facts of leads, read from the store, through the sweep and a scorer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.instants import SECOND_US
from data.lifecycle.lead_lifecycle import NEW_LEAD, NO_LIFECYCLE, LeadState, Lifecycle, ReachedStage
from features.age_and_silence import apart, with_age_and_silence
from features.feature import Value
from features.live.live_features import LeadFacts, LiveFeatures, compile_live
from features.live.live_sweep import Members
from models.receipt import Receipt
from models.scorer import Scorer
from serving.scorers.live_facts import Question, read_facts
from serving.store.database import Dialect, RawConnection

_BATCH = 1000
_FEW = 8


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
        state: which stage the lead had reached, and since when it was closed.
        beyond_history: what `models.history_reach.HistoryReach.beyond` says of the lead.
    """

    receipt: Receipt
    newest_activity_at: int | None
    degraded: bool
    values: tuple[Value, ...]
    threshold: float
    state: LeadState = NEW_LEAD
    beyond_history: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the score as the API writes it."""
        content = self.receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)
        newest = self.newest_activity_at
        content["newest_activity_age_s"] = None if newest is None else (self.receipt.as_of - newest) / SECOND_US
        content["threshold"] = self.threshold
        content["beyond_history"] = self.beyond_history
        return content | self.state.as_json()


@dataclass(frozen=True, slots=True)
class KnownLead:
    """
    What is known of a lead at an instant.

    Attributes:
        newest_activity_at: the newest activity that counts [us since 1970 UTC].
        values: of the scorer's features, in catalog order.
        beyond_history: what `models.history_reach.HistoryReach.beyond` says of it.
        merged_into: the lead that it had been merged into by then.
        state: which stage it had reached, and since when it was closed.
    """

    newest_activity_at: int | None
    values: tuple[Value, ...]
    beyond_history: str | None = None
    merged_into: str | None = None
    state: LeadState = NEW_LEAD


@dataclass(frozen=True, slots=True)
class LiveScorer:
    """
    A scorer with its features, compiled for live questions.

    Args:
        scorer: computes the score.
        features: its features, with age and silence beside them.
        dialect: the engine of the store.
        problem: why no promoted model answers; None if one does.
        stands_in: whether it temporarily replaces a promoted model that cannot be used.
        lifecycle: what closes a lead, and what opens it again.
    """

    scorer: Scorer
    features: LiveFeatures
    dialect: Dialect = "sqlite"
    problem: str | None = None
    stands_in: bool = False
    lifecycle: Lifecycle = NO_LIFECYCLE

    @property
    def degraded(self) -> bool:
        """Whether this scorer answers in place of a model."""
        return self.problem is not None

    @property
    def threshold(self) -> float:
        """The points from which leads are handed over."""
        return self.scorer.bands.threshold

    def score(self, store: RawConnection, lead_id: str, *, as_of: int, top: int | None) -> Score | None:
        """Score a lead, or the one it was merged into, as of an instant; None if it was not known then."""
        known = self.known(store, [(lead_id, as_of)]).get(lead_id)
        if known is None:
            return None
        if known.merged_into is not None:
            return self.score(store, known.merged_into, as_of=as_of, top=top)
        return self.score_known(lead_id, as_of, known=known, top=top)

    def scores(self, store: RawConnection, lead_ids: Iterable[str], *, as_of: int, top: int | None) -> dict[str, Score]:
        """Score leads as of an instant; those that were not known then are left out."""
        known = self.known(store, [(lead_id, as_of) for lead_id in dict.fromkeys(lead_ids)])
        into = {lead_id: lead.merged_into or lead_id for lead_id, lead in known.items()}
        known |= self.known(store, [(lead_id, as_of) for lead_id in set(into.values()) - known.keys()])
        survivors = {each: known[each] for each in dict.fromkeys(into.values()) if each in known}
        receipts = self.scorer.receipts(dict(zip(survivors, _values(survivors), strict=True)), as_of, top=top)
        scored = {receipt.lead_id: self._score(receipt, known[receipt.lead_id]) for receipt in receipts}
        return {lead_id: scored[survivor] for lead_id, survivor in into.items() if survivor in scored}

    def known(self, store: RawConnection, questions: Sequence[Question]) -> dict[str, KnownLead]:
        """Return what is known of leads, each as of its own instant; those that were not known then are left out."""
        return {lead_id: known for (lead_id, _), known in self.known_then(store, questions).items()}

    def known_then(self, store: RawConnection, questions: Sequence[Question]) -> dict[Question, KnownLead]:
        """Return the same by lead and instant; a lead may be asked about as of several."""
        if not questions:
            return {}
        facts = read_facts(store, self.dialect, questions, self.scorer.catalog)
        described = self.described(facts.leads, facts.accounts)
        return {
            question: KnownLead(
                newest_activity(lead),
                *own,
                version.merged_into,
                self._state(lead, facts.outcomes.get(question[0])),
            )
            for (question, version), lead, own in zip(facts.versions.items(), facts.leads, described, strict=True)
        }

    def described(
        self, leads: Sequence[LeadFacts], accounts: Sequence[Members] = ()
    ) -> Iterator[tuple[tuple[Value, ...], str | None]]:
        """
        Yield of each lead the values of the scorer's features, and whether its age or silence is beyond the history.

        Args:
            leads: n leads, each as of its own instant.
            accounts: as `LiveFeatures.values` takes them.
        """
        reach = self.scorer.reach
        for values in self.features.values(leads, accounts):
            own, age, last_activity = apart(values)
            yield own, None if reach is None else reach.beyond(age, last_activity)

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
        return Score(
            receipt,
            known.newest_activity_at,
            self.degraded,
            known.values,
            self.threshold,
            known.state,
            known.beyond_history,
        )

    def _state(self, lead: LeadFacts, outcomes: Sequence[Any] | None) -> LeadState:
        """Return where a lead stood; most have reached no stage yet."""
        if outcomes is None:
            return NEW_LEAD
        reached = [ReachedStage(*what) for _, *what in outcomes if what[2] < lead.as_of]
        opens = self.lifecycle.reopening
        opened = [each[4] for each in lead.activities if each[1] in opens and each[5] < lead.as_of]
        return self.lifecycle.state(reached, opened)


def newest_activity(lead: LeadFacts) -> int | None:
    """Return when the newest activity that counts occurred."""
    return max((each[4] for each in lead.activities if each[5] < lead.as_of), default=None)


def compile_scorer(
    scorer: Scorer,
    *,
    dialect: Dialect = "sqlite",
    problem: str | None = None,
    stands_in: bool = False,
    lifecycle: Lifecycle = NO_LIFECYCLE,
) -> LiveScorer:
    """
    Compile a scorer's features for live questions.

    Args:
        scorer: computes the score.
        dialect: the engine of the store.
        problem: why no promoted model answers; None if one does.
        stands_in: whether it temporarily replaces a model.
        lifecycle: what closes a lead, and what opens it again; by default nothing closes one.
    """
    features = compile_live(with_age_and_silence(scorer.catalog))
    return LiveScorer(scorer, features, dialect, problem, stands_in, lifecycle)


def _values(known: Mapping[str, KnownLead]) -> Iterator[tuple[Value, ...]]:
    for lead in known.values():
        yield lead.values  # noqa: PD011 - no frame of pandas


def _batches(questions: Sequence[tuple[str, int]]) -> Iterator[Sequence[tuple[str, int]]]:
    return (questions[start : start + _BATCH] for start in range(0, len(questions), _BATCH))
