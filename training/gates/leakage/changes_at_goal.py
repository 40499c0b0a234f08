"""
Changes at the goal: no attribute with a history changes just when its lead reaches the goal.

What sales writes when it makes up its mind, hours before the stage is booked, is no property of the lead: a score that
reads it tells sales what sales has decided. Of the leads that reached the goal, it counts which share of an attribute's
changes lies within two days of the goal, for all changes and for those to each value. Time alone explains the share
that would lie there if each lead had reached its goal at the age of another: where leads succeed within days, many
changes are near the goal by chance. An attribute fails whose share, even at the lower end of its interval, is above a
quarter and five times what time alone explains.

Measured by ``tests.bench.when_gates`` on 100 simulated companies of 1,500 leads: a rating that sales writes with the
goal for seven in ten of the leads that reach it is found in 100, for four in ten in 97, the simulator's own status in
100. False alarms: 0 of 100 as the companies are, 0 of 100 where it is written on any day, 0 of 100 where it is filled
in at the first call.

Source: Clopper and Pearson 1934 for the interval; accounts are the independent cases.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.contract import AttributeType
from data.importing.unversioned_attributes import may_change
from data.importing.warehouse import Warehouse
from data.instants import DAY_US
from data.words.playbook import Business
from training.dataset.groups import group_leads
from training.gates.gate import GateResult, named
from training.gates.leakage.association import Flags
from training.gates.leakage.certainty import lowest_share
from training.gates.leakage.marks_of_today import FALSE_ALARM
from training.gates.leakage.outcome_arrays import FEWEST_GROUPS, Floats

NAME = "changes at the goal"
WINDOW_DAYS = 2
LEAST, TIMES = 0.25, 5.0
"""The share of changes near the goal must be above the first, and so many times what time alone explains."""

_OF_ALL = 0.10
"""So many of the accounts with success must have such a change: fewer move no number by more than its noise."""


@dataclass(frozen=True, slots=True)
class ChangeBurst:
    """
    How many changes of an attribute lie near the goal.

    Attributes:
        attribute: its name.
        value: the value it changed to; None for all changes.
        share: of the changes, from 0 to 1.
        low: the lower end of its interval.
        by_time: the share that time alone explains.
        common: whether enough leads with success have such a change.
    """

    attribute: str
    value: str | None
    share: float
    low: float
    by_time: float
    common: bool

    @property
    def tells(self) -> bool:
        """Whether the changes come with the goal."""
        return self.common and self.low > max(LEAST, TIMES * self.by_time)


def changes_at_goal(warehouse: Warehouse, business: Business) -> GateResult:
    """
    Look for attributes that change when the goal is reached.

    Args:
        warehouse: the history, with versions of leads.
        business: the goal, and which attributes may be used and may change.
    """
    outcomes = warehouse.outcomes
    reached = outcomes.filter(outcomes.stage == business.goal.stage, outcomes.known_at <= warehouse.cutoff_us)
    goals = reached.group_by("lead_id").agg(goal_at=reached.reached_at.min())
    versions = warehouse.leads.inner_join(goals, "lead_id").order_by(["lead_id", "known_at"]).execute()
    goal_at = versions.drop_duplicates("lead_id").set_index("lead_id")["goal_at"]
    attributes = [name for name in business.attributes if may_change(name, business)]
    return judge_changes(versions, goal_at, business, attributes)


def judge_changes(
    versions: pd.DataFrame, goal_at: "pd.Series[int]", business: Business, attributes: list[str]
) -> GateResult:
    """
    Look for attributes that change when the goal is reached.

    Args:
        versions: of the leads that reached it, sorted by lead and then by when they became known [us].
        goal_at: when each of these leads reached the goal [us], by lead.
        business: types and words of the attributes.
        attributes: names of those that are looked at.
    """
    bursts = measure_bursts(versions, goal_at, {name: business.attributes[name].type for name in attributes})
    numbers = {
        "attributes": len({burst.attribute for burst in bursts}),
        "successes": len(goal_at),
        "largest_share": max((burst.share for burst in bursts if burst.common), default=0.0),
    }
    guilty = {burst.attribute: burst for burst in sorted(bursts, key=lambda burst: burst.low) if burst.tells}
    if guilty:
        return GateResult(name=NAME, passed=False, says=_describe(guilty), numbers=numbers)
    if not bursts:
        says = f"No attribute changed in {FEWEST_GROUPS} accounts that reached the goal, the fewest that tell."
        return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=len(goal_at) >= FEWEST_GROUPS)
    says = (
        f"Of {named(dict.fromkeys(burst.attribute for burst in bursts))}, none changes within {WINDOW_DAYS} days of "
        f"the goal {TIMES:g} times as often as time alone explains."
    )
    hidden = any(burst.common and TIMES * burst.by_time >= 1 for burst in bursts)
    if hidden:
        says = f"{says[:-1]}; leads reach it so soon that this could not show for all of them."
    return GateResult(name=NAME, passed=True, says=says, numbers=numbers, conclusive=not hidden)


def measure_bursts(
    versions: pd.DataFrame, goal_at: "pd.Series[int]", types: Mapping[str, AttributeType]
) -> list[ChangeBurst]:
    """
    Measure how many changes lie near the goal, for all changes of each attribute and for those to each value.

    Args:
        versions: of the leads that reached the goal, sorted.
        goal_at: when each of them did [us], by lead.
        types: of the attributes to measure; one that is no column of the versions is left out.

    Returns:
        One for each set of changes in enough accounts.
    """
    if versions.empty:
        return []
    base = versions[["lead_id", "known_at"]].assign(
        group=group_leads(versions).reindex(versions["lead_id"]).to_numpy(),
        created_at=versions["created_at"],
        goal_at=versions["lead_id"].map(goal_at),
    )
    of_leads = base.drop_duplicates("lead_id")
    ages = np.sort(((of_leads["goal_at"] - of_leads["created_at"]) / DAY_US).to_numpy(dtype=np.float64))
    fewest = max(FEWEST_GROUPS, _OF_ALL * base["group"].nunique())
    named_sets = [
        (name, value, base[rows])
        for name, kind in types.items()
        if name in versions
        for value, rows in _sets(versions, name, kind)
    ]
    enough = [found for found in named_sets if found[2]["group"].nunique() >= FEWEST_GROUPS]
    doubt = FALSE_ALARM / max(len(enough), 1)
    return [_burst(*found, ages=ages, doubt=doubt, fewest=fewest) for found in enough]


def _sets(versions: pd.DataFrame, name: str, kind: AttributeType) -> Iterator[tuple[str | None, Flags]]:
    """Yield the versions in which an attribute changed, all of them and by the value it changed to."""
    column, before = versions[name], versions[name].shift()
    same = (column == before) | (column.isna() & before.isna())
    changed = ((versions["lead_id"] == versions["lead_id"].shift()) & ~same).to_numpy(dtype=np.bool_)
    yield None, changed
    if kind is not AttributeType.NUMERIC:
        leads = versions.loc[changed, "lead_id"].groupby(column[changed], sort=False, observed=True).nunique()
        often = leads.index[leads >= FEWEST_GROUPS]  # in fewer leads, no value can be in enough accounts
        for value in often:
            yield str(value), changed & (column == value).to_numpy(dtype=bool)


def _burst(
    name: str, value: str | None, changes: pd.DataFrame, *, ages: Floats, doubt: float, fewest: float
) -> ChangeBurst:
    age = ((changes["known_at"] - changes["created_at"]) / DAY_US).to_numpy()
    goal_age = ((changes["goal_at"] - changes["created_at"]) / DAY_US).to_numpy()
    near = np.abs(age - goal_age) < WINDOW_DAYS
    # Any other lead's goal age is as likely: how many of them lie within the window around each change.
    others = np.searchsorted(ages, age + WINDOW_DAYS) - np.searchsorted(ages, age - WINDOW_DAYS)
    accounts = changes["group"].nunique()
    low = lowest_share(float(near.mean()), accounts, doubt=doubt)
    common = changes.loc[near, "group"].nunique() >= fewest
    return ChangeBurst(name, value, float(near.mean()), low, float(others.mean() / len(ages)), common)


def _describe(guilty: Mapping[str, ChangeBurst]) -> str:
    found = "; ".join(
        f"{name} changes{'' if burst.value is None else f' to {burst.value}'} when the goal is reached: in leads that "
        f"reached it {burst.share:.0%} of these changes come within {WINDOW_DAYS} days of it, where time alone "
        f"explains {burst.by_time:.0%}"
        for name, burst in guilty.items()
    )
    whose = "it is" if len(guilty) == 1 else "they are"
    return f"{found}. If {whose} written because of the outcome, put {named(guilty)} on never_use."
