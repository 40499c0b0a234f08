"""Who is closed in the contract's tables as of an instant, as Ibis expressions for DuckDB and Spark."""

from itertools import starmap
from typing import Any

import ibis

from data.instants import DAY_US
from data.lifecycle.lead_lifecycle import LeadState, Lifecycle, ReachedStage


def open_leads(leads: Any, activities: Any, outcomes: Any, *, lifecycle: Lifecycle, as_of: int) -> Any:
    """
    Return an expression for the leads that were known before an instant and not known to be closed.

    Args:
        leads: an Ibis table of versions of leads.
        activities: one of activities.
        outcomes: one of outcomes.
        lifecycle: what closes a lead, and what opens it again.
        as_of: the instant [us since 1970 UTC].

    Returns:
        ``lead_id`` and ``stage``, the last one that it reached; null before any.
    """
    known = leads.filter(leads.known_at < as_of).select("lead_id").distinct()
    closed = closed_leads(activities, outcomes, lifecycle=lifecycle, as_of=as_of)
    still_open = known.anti_join(closed, "lead_id")
    last = _last_stages(outcomes.filter(outcomes.known_at < as_of), lifecycle)
    return still_open.left_join(last, "lead_id").select("lead_id", "stage")


def closed_leads(activities: Any, outcomes: Any, *, lifecycle: Lifecycle, as_of: int) -> Any:
    """
    Return an expression for the ``lead_id`` of the leads that were known to be closed at an instant.

    `data.lifecycle.lead_lifecycle.Lifecycle.state` is the rule; by the latest of each a walk is not needed.
    """
    ends = latest_ends(outcomes.filter(outcomes.known_at < as_of), lifecycle)
    if not lifecycle.reopens:
        return ends.select("lead_id")
    opening = activities.filter(activities.kind.isin(sorted(lifecycle.reopening)), activities.known_at < as_of)
    opened = opening.group_by("lead_id").agg(opened_at=opening.occurred_at.max())
    both = ends.left_join(opened, "lead_id")
    return both.filter(both.is_final | both.opened_at.isnull() | (both.opened_at <= both.over_at)).select("lead_id")


def latest_ends(outcomes: Any, lifecycle: Lifecycle) -> Any:
    """
    Return an expression for the leads that outcomes have closed.

    Returns:
        ``lead_id``, ``over_at``, after which what the lead does is after all of its ends [us since 1970 UTC], and
        ``is_final``, whether one of them is.
    """
    ended = outcomes.filter(outcomes.stage.isin(sorted(lifecycle.closing)))
    return ended.group_by("lead_id").agg(
        over_at=ibis.least(ended.known_at, ended.reached_at + DAY_US).max(),
        is_final=ended.stage.isin(sorted(lifecycle.final)).any(),
    )


def state_of(activities: Any, outcomes: Any, lead_id: str, *, lifecycle: Lifecycle, as_of: int) -> LeadState:
    """
    Return where one lead stood at an instant, by what was known then.

    Args:
        activities: an Ibis table of activities.
        outcomes: one of outcomes.
        lead_id: the lead.
        lifecycle: what closes a lead, and what opens it again.
        as_of: the instant [us since 1970 UTC].
    """
    own = outcomes.filter(outcomes.lead_id == lead_id, outcomes.known_at < as_of)
    did = activities.filter(activities.lead_id == lead_id, activities.known_at < as_of)
    opening = did.filter(did.kind.isin(sorted(lifecycle.reopening)))
    reached = own.select("stage", "reached_at", "known_at").execute().itertuples(index=False)
    return lifecycle.state(starmap(ReachedStage, reached), opening.occurred_at.execute().tolist())


def _last_stages(outcomes: Any, lifecycle: Lifecycle) -> Any:
    """Return the last stage of each lead; of those reached at one instant, the one that the playbook names last."""
    place = outcomes.stage.cases(*((stage, number) for number, stage in enumerate(lifecycle.stages)), else_=-1)
    placed = outcomes.select("lead_id", "stage", "reached_at", place=place)
    latest = ibis.window(group_by="lead_id", order_by=[ibis.desc("reached_at"), ibis.desc("place")])
    ranked = placed.mutate(rank=ibis.row_number().over(latest))
    return ranked.filter(ranked["rank"] == 0).select("lead_id", "stage")
