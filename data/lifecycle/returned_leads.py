"""Leads that came back after they were closed, where a playbook does not say what opens a lead again."""

from dataclasses import dataclass
from typing import Any

from data.lifecycle.closed_leads import latest_ends
from data.words.business import Business

_MOST_KINDS = 3


@dataclass(frozen=True, slots=True)
class ReturnedLeads:
    """
    Leads that did something after they were closed, and stay closed.

    Attributes:
        leads: how many.
        stages: the stages after which they could open again.
        kinds: what most of them did, the most frequent kinds first.
    """

    leads: int
    stages: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def says(self) -> str:
        """
        What was found, and what to do.

        >>> ReturnedLeads(1, ("lost",), ("call", "visit")).says
        '1 lead came back after lost (call, visit) and stays closed, since nothing opens a lead again: set intent: true
        for the kinds of activity that show that a lead wants to buy, or reopened_by: [] if none does.'
        """
        who = "1 lead" if self.leads == 1 else f"{self.leads:,} leads"
        return (
            f"{who} came back after {' or '.join(self.stages)} ({', '.join(self.kinds)}) and "
            f"{'stays' if self.leads == 1 else 'stay'} closed, since nothing opens a lead again: set intent: true for "
            "the kinds of activity that show that a lead wants to buy, or reopened_by: [] if none does."
        )


def returned_leads(activities: Any, outcomes: Any, business: Business) -> ReturnedLeads | None:
    """
    Find them; None where the playbook says what opens a lead again, or no lead came back.

    Args:
        activities: an Ibis table of activities.
        outcomes: one of outcomes.
        business: the playbook's words.
    """
    lifecycle = business.lifecycle
    stages = lifecycle.closing - lifecycle.final
    if lifecycle.reopening or business.reopened_by is not None or not stages:
        return None
    ends = latest_ends(outcomes, lifecycle)
    usable = activities.filter(~activities.kind.isin(list(business.never_use))) if business.never_use else activities
    came = usable.inner_join(ends.filter(~ends.is_final), "lead_id")
    came = came.filter(came.occurred_at > came.over_at)
    leads = int(came.lead_id.nunique().execute())
    if not leads:
        return None
    by_kind = (
        came.group_by("kind")
        .agg(n=came.lead_id.nunique())
        .execute()
        .sort_values(["n", "kind"], ascending=[False, True])
    )
    return ReturnedLeads(
        leads, tuple(name for name in business.stages if name in stages), tuple(by_kind["kind"].head(_MOST_KINDS))
    )
