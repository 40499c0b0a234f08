"""Leads whose true conversion process is known: a company's exports, and the truth beside them."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from data.company_identity import CompanyIdentity
from data.errors import DataError
from data.simulation.company import HISTORY_DAYS, Company, invent
from data.simulation.export_files import write_activities, write_leads, write_outcomes
from data.simulation.output_folder import (
    TRUTH,
    check_inside,
    check_place,
    copy_playbook,
    put_in_place,
    require_unchanged,
    write_mark,
)
from data.simulation.process import Stage
from data.simulation.stages_reached import STAGES
from data.simulation.truth import write_truth

_MOST_LEADS = 999_999
_MOST_DRIFT = 10
_YEARS = range(1980, 2200)


@dataclass(frozen=True, slots=True)
class SimulationCounts:
    """What a simulation wrote, in numbers."""

    folder: Path
    start: datetime
    until: datetime
    leads: int
    accounts: int
    """accounts that the exports name"""
    activities: int
    """unique activities"""
    copies: int
    """activities that stand in the exports a second time"""
    outcomes: Mapping[str, int]
    """stage → leads known to have reached it"""
    goal_rate: float
    """share of leads known to have reached the goal"""


def simulate(  # noqa: PLR0913 - each is a choice of its own
    out: Path,
    *,
    leads: int = 20_000,
    seed: int = 7,
    until: datetime | None = None,
    drift: float = 0.0,
    overwrite: bool = False,
    another_company: bool = False,
    name: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> SimulationCounts:
    """
    Write 18 months of a B2B company's exports, a playbook that reads them, and the truth behind them.

    The same arguments give the same bytes. Nothing is put in place before everything is written.

    Args:
        out: folder to write; new, empty, or an earlier simulation of as many leads from the same seed, in which no
            file was changed.
        leads: how many leads arrive, from 1 to 999,999.
        seed: not negative.
        until: nothing is known from the midnight UTC before this instant on; default: now.
        drift: from 0, none, to 10. At 1, over the last 150 days, sales qualifies leads half as often, people visit
            the website 1.5 times as often and use e-mail half as often, and adverts bring twice as many leads.
        overwrite: replace any earlier simulation, also one in which files were changed.
        another_company: replace an unchanged simulation of another size or seed too.
        name: what the company is called; the demo's company by default.
        progress: called with the progress in words.

    Raises:
        DataError: an argument is out of range, the folder holds something that would be lost, or it cannot be written.
    """
    _check(leads, seed, drift=drift, until=until)
    check_place(out)
    mark = {"leads": leads, "seed": seed}
    if not overwrite:
        require_unchanged(out, None if another_company else mark)
    check_inside(out)
    end = (until or datetime.now(UTC)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=HISTORY_DAYS)
    company = invent(start, leads=leads, seed=seed, drift=drift, progress=progress)
    if progress is not None:
        progress("writing the exports")
    with put_in_place(out) as folder:
        _write(folder, company, drift=drift)
        copy_playbook(folder, None if name is None else _identity(name, mark))
        write_mark(folder, mark | {"until": end.isoformat(), "drift": drift})
    return _summary(out, company, until=end)


def _check(leads: int, seed: int, *, drift: float, until: datetime | None) -> None:
    if not 1 <= leads <= _MOST_LEADS:
        message = f"{leads} leads cannot be simulated: choose 1 to {_MOST_LEADS:,}."
        raise DataError(message)
    if seed < 0:
        message = f"The seed is {seed}: give a whole number, 0 or more."
        raise DataError(message)
    if not (math.isfinite(drift) and 0 <= drift <= _MOST_DRIFT):
        message = f"The drift is {drift}: give a number from 0 (none) to {_MOST_DRIFT}."
        raise DataError(message)
    if until is not None and until.tzinfo is None:
        message = f"until is {until.isoformat()}, without an offset: give an instant such as 2026-03-01T00:00:00Z."
        raise DataError(message)
    if until is not None and until.year not in _YEARS:
        message = f"until is {until.isoformat()}: give an instant in the years {_YEARS[0]} to {_YEARS[-1]}."
        raise DataError(message)


def _identity(name: str, mark: Mapping[str, int]) -> CompanyIdentity:
    """Return the identity of a simulated company: the same arguments make the same company, on any machine."""
    digest = hashlib.sha256(json.dumps([name, mark]).encode()).hexdigest()
    return CompanyIdentity(f"{name}-{digest[:12]}", name)


def _write(folder: Path, company: Company, *, drift: float) -> None:
    write_leads(folder, company.people, company.versions, start=company.start)
    write_activities(folder, company.activities, start=company.start)
    write_outcomes(folder, company.outcomes, start=company.start)
    (folder / TRUTH).mkdir()
    write_truth(folder / TRUTH, company, drift=drift)


def _summary(out: Path, company: Company, *, until: datetime) -> SimulationCounts:
    people, rows = company.people, company.activities
    unique = len(np.unique(rows.number))
    counts = np.bincount(company.outcomes.stage, minlength=len(STAGES)).tolist()
    return SimulationCounts(
        folder=out,
        start=company.start,
        until=until,
        leads=len(people),
        accounts=len(np.unique(people.account[people.named_account])),
        activities=unique,
        copies=len(rows.number) - unique,
        outcomes={stage: count for stage, count in zip(STAGES, counts, strict=True) if stage != "new"},
        goal_rate=counts[Stage.SQL] / len(people),
    )
