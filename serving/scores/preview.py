"""Previews: the score that a lead would have with given activities, computed in memory and forgotten."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data.words.machine_rules import MachineRule, Occurrence, Timeline
from data.words.playbook import Business
from features.live.live_features import LeadFacts
from features.live.live_sweep import Activity, Members
from serving.errors import InvalidError
from serving.facts import Preview, check_activity, check_lead
from serving.scorers.active_scorer import ActiveScorer
from serving.scorers.live_facts import read_colleagues
from serving.scorers.live_scorer import KnownLead, LiveScorer, Score, newest_activity
from serving.store.database import Database


@dataclass(frozen=True, slots=True)
class Previews:
    """Scores leads that are not stored, beside the stored leads of their accounts."""

    business: Business
    database: Database
    active_scorer: ActiveScorer

    def score(self, preview: Preview, *, as_of: int, latest: int, top: int | None) -> Score:
        """
        Score a lead as if it and its activities had become known just before an instant; none may be after ``latest``.

        Raises:
            InvalidError: a kind, attribute or instant is not valid.
        """
        self._check(preview, latest)
        live, lead, known_at = self.active_scorer.current, preview.lead, as_of - 1
        created_at = known_at if lead.created_at is None else min(lead.created_at, known_at)
        did = list(_activities(preview, known_at, self.business.machines))
        facts = LeadFacts(as_of, created_at, lead.attributes, did)
        (described,) = live.described([facts], self._accounts(live, preview, facts))
        return live.score_known(lead.lead_id, as_of, known=KnownLead(newest_activity(facts), *described), top=top)

    def _check(self, preview: Preview, latest: int) -> None:
        check_lead(preview.lead, self.business, latest=latest)
        for index, activity in enumerate(preview.activities):
            try:
                check_activity(activity, self.business, latest=latest)
            except InvalidError as error:
                message = f"activities.{index}.{error}"
                raise InvalidError(message) from None

    def _accounts(self, live: LiveScorer, preview: Preview, facts: LeadFacts) -> list[Members]:
        """Return the lead's account, with its stored leads beside the one that is not stored."""
        account_id, lead_id = preview.lead.account_id, preview.lead.lead_id
        if account_id is None or live.features.account is None:
            return []
        with self.database.live_snapshot() as store:
            others = read_colleagues(
                store, live.dialect, account_id, live.scorer.catalog, as_of=facts.as_of, without=lead_id
            )
        return [Members(facts.as_of, [facts.activities, *others], [(0, 0)])]


def _activities(preview: Preview, known_at: int, machines: Sequence[MachineRule]) -> Iterator[Activity]:
    happened = [
        Occurrence(min(activity.occurred_at, known_at), known_at, f"preview {index}", activity.kind)
        for index, activity in enumerate(preview.activities)
    ]
    timeline = Timeline(happened)
    for occurrence, activity in zip(happened, preview.activities, strict=True):
        kind = timeline.kind_of(machines, occurrence)
        what = (kind, activity.subject, activity.value, occurrence.occurred_at, known_at)
        yield Activity(preview.lead.lead_id, *what)
