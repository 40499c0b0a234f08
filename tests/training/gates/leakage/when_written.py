"""Simulated companies in which somebody wrote values after the fact, and such in which nobody did."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.contract import AttributeType
from data.importing.warehouse import Warehouse
from data.instants import DAY_US, HOUR_US
from data.simulation import simulate
from data.words.playbook import Business, LeadAttribute, Playbook, load_playbook
from tests.conftest import UNTIL
from tests.training.gates.leakage.todays_exports import history_of
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.other_facts import ranked

NUMBER, CATEGORY = AttributeType.NUMERIC, AttributeType.CATEGORY


@dataclass(frozen=True, eq=False)
class KnownHistory:
    """A simulated company as the gates see it, and the truth behind its leads, in the same order."""

    warehouse: Warehouse
    business: Business
    leads: AgedLeads
    truth: pd.DataFrame

    @property
    def won(self) -> np.ndarray:
        return self.leads.reached.astype(float)

    def versions_of_winners(self) -> tuple[pd.DataFrame, "pd.Series[int]"]:
        """Return the versions of the leads that reached the goal, and when each did."""
        outcomes = self.warehouse.frame("outcomes")
        reached = outcomes[(outcomes["stage"] == "sql") & (outcomes["known_at"] <= self.warehouse.cutoff_us)]
        goal_at = reached.groupby("lead_id")["reached_at"].min()
        versions = self.warehouse.frame("leads")
        return versions[versions["lead_id"].isin(goal_at.index)].reset_index(drop=True), goal_at


@contextmanager
def simulated(seed: int, *, leads: int = 1_500) -> Iterator[KnownHistory]:
    """Simulate a company and forget it afterwards."""
    folder = Path(tempfile.mkdtemp())
    try:
        simulate(folder / "company", leads=leads, seed=seed, until=UNTIL)
        playbook = load_playbook(folder / "company")
        yield known_history_of(playbook, history_of(playbook))
    finally:
        shutil.rmtree(folder)


def known_history_of(playbook: Playbook, warehouse: Warehouse) -> KnownHistory:
    """Read a simulated company's leads and the truth about them."""
    leads = AgedLeads.of(warehouse, playbook.business, seed=1)
    truth = pd.read_parquet(playbook.path / "truth" / "leads.parquet").set_index("lead_id")
    chances = pd.read_parquet(playbook.path / "truth" / "chances.parquet").drop_duplicates("lead_id")
    known = truth.assign(chance=chances.set_index("lead_id")["chance"]).reindex(leads.rows["lead_id"])
    return KnownHistory(warehouse, playbook.business, leads, known)


def with_first(leads: AgedLeads, values: object, kind: AttributeType = NUMBER) -> AgedLeads:
    """Return the leads with one more attribute, which their first versions hold."""
    told = LeadAttribute(type=kind, says="is {value}", label="planted")
    attributes = {**leads.business.attributes, "planted": told}
    business = leads.business.model_copy(update={"attributes": attributes})
    return replace(leads, rows=leads.rows.assign(planted=values), business=business)


# what the first versions may hold


def rated(score: np.ndarray) -> np.ndarray:
    """Return five letters, as staff would write them."""
    return np.array(list("EDCBA"), dtype=object)[np.digitize(score, np.quantile(score, [0.2, 0.5, 0.75, 0.9]))]


def rating(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Sales rates the leads once it knows who succeeded, with noise: an AUC of 0.8."""
    return with_first(company.leads, rated(1.2 * company.won + chance.normal(size=len(company.won))), CATEGORY)


def sure_rating(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """The same with less noise: an AUC of 0.89."""
    return with_first(company.leads, rated(1.8 * company.won + chance.normal(size=len(company.won))), CATEGORY)


def faint_rating(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """The same with more noise: an AUC of 0.71."""
    return with_first(company.leads, rated(0.8 * company.won + chance.normal(size=len(company.won))), CATEGORY)


def rating_by_activity(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Sales looks at what the lead did besides: half a standard deviation of its number of activities."""
    activity = np.sqrt(12) * ranked(company.leads.later["any"].to_numpy(dtype=float))
    return with_first(
        company.leads, rated(1.2 * company.won + 0.5 * activity + chance.normal(size=len(activity))), CATEGORY
    )


def closing_minutes(company: KnownHistory, _: np.random.Generator) -> AgedLeads:
    """The minutes of the last call, none where there was no call."""
    return with_first(company.leads, company.leads.activities.newest["call"].to_numpy(dtype=float))


def closing_minutes_or_nothing(company: KnownHistory, _: np.random.Generator) -> AgedLeads:
    """The same, an empty cell where there was no call."""
    minutes = company.leads.activities.newest["call"].to_numpy(dtype=float)
    return with_first(company.leads, np.where(minutes > 0, minutes, np.nan))


def page_views(company: KnownHistory, _: np.random.Generator) -> AgedLeads:
    """The page views of all time."""
    both = (company.leads.activities.earlier, company.leads.later)
    return with_first(company.leads, sum(part["page_view"].to_numpy(dtype=float) for part in both))


def half_of_all(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """The total of another tool, which counts half of all activities and half as many of its own."""
    later = company.leads.later["any"].to_numpy(dtype=np.int64)
    return with_first(company.leads, chance.binomial(later, 0.5) + chance.poisson(later.mean() / 2, len(later)))


def fit(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Honest: how well the lead fits, from a provider of data; hidden otherwise."""
    return with_first(
        company.leads, company.truth["fit"].to_numpy(dtype=float) + 0.3 * chance.normal(size=len(company.won))
    )


def chance_of_success(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Honest: nothing known on the first day can tell more than the true chance of then."""
    return with_first(company.leads, _chance(company) + 0.3 * chance.normal(size=len(company.won)))


def hint_of_chance(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Honest: the same through a haze, an AUC of 0.73."""
    return with_first(company.leads, rated(_chance(company) + chance.normal(size=len(company.won))), CATEGORY)


def lone_trait(company: KnownHistory, chance: np.random.Generator) -> AgedLeads:
    """Honest, and the hardest: a trait by which sales refuses leads at last, and that shows in nothing else."""
    trait = chance.normal(size=len(company.won))
    kept = company.leads.reached & (chance.random(len(trait)) < 1 / (1 + np.exp(-3 * trait)))
    return with_first(replace(company.leads, reached=kept), trait)


def nothing(company: KnownHistory, _: np.random.Generator) -> AgedLeads:
    """Honest: the company as it is."""
    return company.leads


def _chance(company: KnownHistory) -> np.ndarray:
    return np.sqrt(12) * ranked(company.truth["chance"].fillna(0).to_numpy(dtype=float))


TOTALS = (closing_minutes, closing_minutes_or_nothing, page_views, half_of_all)
RATINGS = (sure_rating, rating, faint_rating, rating_by_activity)
HONEST = (nothing, fit, chance_of_success, hint_of_chance)


# when versions may change


def rated_at_goal(company: KnownHistory, chance: np.random.Generator) -> pd.DataFrame:
    """Sales rates seven in ten winners between 40 hours before the goal and a day after it, the others at random."""
    versions, goal_at = company.versions_of_winners()
    drawn = chance.random(len(goal_at)) < 0.7
    near = goal_at.to_numpy() + (chance.uniform(-40, 24, len(goal_at)) * HOUR_US).astype(np.int64)
    return changed(versions, pd.Series(np.where(drawn, near, _some_day(company, goal_at, chance)), goal_at.index))


def rated_by_many(company: KnownHistory, chance: np.random.Generator) -> pd.DataFrame:
    """Only four in ten are rated with the goal."""
    versions, goal_at = company.versions_of_winners()
    drawn = chance.random(len(goal_at)) < 0.4
    near = goal_at.to_numpy() + (chance.uniform(-40, 24, len(goal_at)) * HOUR_US).astype(np.int64)
    return changed(versions, pd.Series(np.where(drawn, near, _some_day(company, goal_at, chance)), goal_at.index))


def rated_some_day(company: KnownHistory, chance: np.random.Generator) -> pd.DataFrame:
    """Honest: rated on a day that has nothing to do with the goal."""
    versions, goal_at = company.versions_of_winners()
    return changed(versions, pd.Series(_some_day(company, goal_at, chance), goal_at.index))


def rated_at_first_call(company: KnownHistory, _: np.random.Generator) -> pd.DataFrame:
    """Honest: filled in when sales first speaks to the lead."""
    versions, _goal_at = company.versions_of_winners()
    activities = company.warehouse.frame("activities")
    return changed(versions, activities[activities["kind"] == "call"].groupby("lead_id")["known_at"].min())


def as_it_was(company: KnownHistory, _: np.random.Generator) -> pd.DataFrame:
    """Honest: the versions as they are."""
    return company.versions_of_winners()[0].assign(planted=np.nan)


def changed(versions: pd.DataFrame, at: "pd.Series[int]") -> pd.DataFrame:
    """Return the versions with one more attribute, unknown at first, which becomes known at an instant of each lead."""
    first = versions.drop_duplicates("lead_id")
    rated_at = first["lead_id"].map(at)
    more = first.assign(known_at=rated_at)[rated_at > first["known_at"]].astype({"known_at": "int64"})
    both = pd.concat([versions, more]).sort_values(["lead_id", "known_at"], kind="stable").reset_index(drop=True)
    return both.assign(planted=(both["known_at"] >= both["lead_id"].map(at)).map({True: 1.0, False: np.nan}))


def _some_day(company: KnownHistory, goal_at: "pd.Series[int]", chance: np.random.Generator) -> np.ndarray:
    created = company.leads.rows.set_index("lead_id")["created_at"].reindex(goal_at.index)
    return created.to_numpy() + (chance.exponential(60, len(goal_at)) * DAY_US).astype(np.int64)


AT_GOAL = (rated_at_goal, rated_by_many)
AT_OTHER_TIMES = (as_it_was, rated_some_day, rated_at_first_call)
