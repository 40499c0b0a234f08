"""The truth behind the exports, for tests and benches: who each lead is, and its true chance over time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.arrow_schemas import INSTANT
from data.instants import DAY_US, to_us
from data.simulation.arrays import Floats
from data.simulation.chances import chances
from data.simulation.company import HISTORY_DAYS, Company, calendar
from data.simulation.export_files import lead_ids
from data.simulation.process import LeadType, Stage
from data.simulation.timeline import NEVER

FILES = ("leads.parquet", "chances.parquet")
HORIZON_DAYS = 30
"""The horizon of the demo playbook's goal."""


def write_truth(folder: Path, company: Company, *, drift: float) -> None:
    """
    Write ``leads.parquet`` and ``chances.parquet``.

    Args:
        folder: exists.
        company: whose truth it is.
        drift: as the company was made up with.
    """
    pq.write_table(_leads(company), folder / "leads.parquet")
    pq.write_table(_chances(company, drift=drift), folder / "chances.parquet")


def _leads(company: Company) -> pa.Table:
    """Return each lead's type, fit and rep, and when it truly reached the goal, known or not."""
    people, moves = company.people, company.history.moves
    goal_us = np.full(len(people), NEVER, dtype=np.int64)
    goal = moves.stage == Stage.SQL
    goal_us[moves.lead[goal]] = moves.at_us[goal]
    names = np.array([lead_type.name.lower() for lead_type in LeadType], dtype=object)
    columns = {
        "lead_id": pa.array(lead_ids(np.arange(len(people))), pa.string()),
        "type": pa.array(names[people.types], pa.string()),
        "fit": people.fit,
        "rep": people.rep,
        "rep_quality": people.rep_quality,
        "goal_reached_at": pa.array(goal_us + to_us(company.start), INSTANT, mask=goal_us == NEVER),
    }
    return pa.table(columns)


def _chances(company: Company, *, drift: float) -> pa.Table:
    """Return each open lead's chance, at midnights, to reach the goal within the horizon from then on."""
    sightings, people = company.history.sightings, company.people
    tables = _tables(company, sorted(set(sightings.day.tolist())), drift=drift)
    chance = np.zeros(len(sightings.lead))
    for day, table in tables.items():
        of_day = slice(*np.searchsorted(sightings.day, (day, day + 1)))
        lead = sightings.lead[of_day]
        state = (sightings.season[of_day], sightings.intent[of_day], sightings.stage[of_day], sightings.warm[of_day])
        chance[of_day] = table[people.fit[lead], people.rep_quality[lead], *state]
    chance[people.types[sightings.lead] != LeadType.BUYER] = 0
    as_of = sightings.day * DAY_US + to_us(company.start)
    ids = pa.array(lead_ids(np.arange(len(people))), pa.string())
    return pa.table(
        {"lead_id": ids.take(pa.array(sightings.lead)), "as_of": pa.array(as_of, INSTANT), "chance": chance}
    )


def _tables(company: Company, days: list[int], *, drift: float) -> Mapping[int, Floats]:
    """Compute the chances from each of these days on, once for each pattern of the days ahead."""
    kinds = calendar(company.start, HISTORY_DAYS + HORIZON_DAYS, drift=drift)
    ahead = {day: kinds[day : day + HORIZON_DAYS] for day in days}
    by_pattern = {pattern: chances(pattern) for pattern in set(ahead.values())}
    return {day: by_pattern[pattern] for day, pattern in ahead.items()}
