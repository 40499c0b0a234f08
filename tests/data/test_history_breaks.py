"""A history whose outcomes or leads begin, end or change in its midst says so, and an honest one says nothing."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.commands import check
from data.home import Home
from data.importing.history_breaks import breaks_of, intake_end
from data.importing.outcome_pace import NEVER, LeadTimes, pace_breaks
from data.instants import DAY_US
from data.simulation import simulate
from data.simulation.company import HISTORY_DAYS, invent
from data.simulation.stages_reached import STAGES
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.data.screens import shown

START, LAST = 0, HISTORY_DAYS - 1


def simulated(seed, *, leads=1_500, drift=0.0):
    """Return when each lead of the simulated company was created and became sales-qualified."""
    company = invent(datetime(2024, 9, 1, tzinfo=UTC), leads=leads, seed=seed, drift=drift)
    goals = company.outcomes.where(company.outcomes.stage == STAGES.index("sql"))
    reached = np.full(leads, NEVER)
    latest_first = np.argsort(-goals.reached_us)
    reached[goals.lead[latest_first]] = goals.reached_us[latest_first] // DAY_US
    return LeadTimes(company.people.created_us // DAY_US, reached)


def drawn(seed, *, days=400, a_day=5.0, slow=20.0, rate=0.2, pace=None):
    """Return leads that arrive evenly and succeed after exponential times; ``pace`` thins successes by their day."""
    generator = np.random.default_rng(seed)
    created = np.sort(generator.integers(0, days, generator.poisson(days * a_day)))
    reached = created + np.floor(generator.exponential(slow, len(created))).astype(np.int64)
    won = generator.random(len(created)) < rate * (1 if pace is None else pace(reached))
    return LeadTimes(created, np.where(won & (reached < days), reached, NEVER))


def found(times, *, last=LAST):
    return breaks_of(times, first=START, last=last, known=last - 2, goal="sql")


@pytest.mark.parametrize("leads", [400, 1_500, 4_000])
def test_honest_companies_have_no_breaks(leads):
    """None of 900 others was suspected of anything: 300 with 500 leads each, 500 with 1,500 and 100 with 6,000."""
    assert [seed for seed in range(6) if found(simulated(seed, leads=leads))] == []


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    a_day=st.floats(0.2, 20),
    slow=st.floats(1, 150),
    rate=st.floats(0.01, 0.6),
)
def test_slow_goals_and_few_leads_are_no_break(seed, a_day, slow, rate):
    """The first weeks have few successes because their leads are young, the last ones because time ends."""
    assert found(drawn(seed, a_day=a_day, slow=slow, rate=rate), last=399) == ()


def test_a_pace_that_drifts_is_no_jump():
    times = drawn(3, a_day=20, pace=lambda day: 0.3 + 0.7 * day / 400)
    assert found(times, last=399) == ()


@pytest.mark.parametrize("seed", range(4))
def test_outcomes_recorded_only_from_some_day_on_are_named_with_the_week(seed):
    times = simulated(seed)
    begun = 210
    (start,) = found(LeadTimes(times.created, np.where(times.reached < begun, NEVER, times.reached)))
    assert start.kind == "outcomes start"
    day = (np.datetime64(start.since) - np.datetime64("1970-01-01")).astype(int)
    assert abs(day - begun) <= 14
    assert start.says.startswith(f"Before {start.since} 0 leads reached sql, and at the pace since then ")
    assert "recorded only from that week on" in start.says


@pytest.mark.parametrize("seed", range(4))
def test_outcomes_that_end_early_are_named_and_strays_do_not_hide_it(seed):
    times = simulated(seed)
    late = np.flatnonzero(times.reached > 400)
    (stop,) = found(LeadTimes(times.created, np.where(times.reached > 400, NEVER, times.reached)))
    assert stop.kind == "outcomes stop"
    strays = times.reached.copy()
    strays[late[1:]] = NEVER
    (stop,) = found(LeadTimes(times.created, strays))
    assert stop.kind == "outcomes stop"
    assert re.search(r"on [123] leads? reached sql", stop.says)


@pytest.mark.parametrize(("factor", "words"), [(2.5, "often"), (0.4, "seldom")])
def test_a_jump_of_the_pace_is_named_with_its_factor(factor, words):
    low = min(1.0, 1 / factor)
    times = drawn(5, a_day=10, pace=lambda day: np.where(day >= 250, low * factor, low))
    (jump,) = found(times, last=399)
    assert jump.kind == "pace"
    assert f"times as {words} as leads of the same age did before" in jump.says
    (pace,) = pace_breaks(times, first=0, last=397)
    assert pace.times == pytest.approx(factor, rel=0.25)
    assert abs(pace.day - 250) <= 14


def test_a_start_and_a_later_jump_are_both_named():
    times = drawn(6, a_day=15, pace=lambda day: np.where(day < 100, 0.0, np.where(day < 280, 0.3, 0.9)))
    assert [each.kind for each in found(times, last=399)] == ["outcomes start", "pace"]


def test_an_intake_that_ends_early_is_named():
    times = simulated(1)
    kept = times.created < 480
    (end,) = found(LeadTimes(times.created[kept], times.reached[kept]))
    assert end.kind == "intake ends"
    assert end.says.startswith("No lead was created after 1971-04-2")


@given(gap=st.integers(0, 27), a_day=st.integers(1, 9))
def test_a_quiet_month_is_no_end_of_the_intake(gap, a_day):
    assert intake_end(np.repeat(np.arange(365), a_day), last=364 + gap) is None


def test_a_company_that_pauses_every_august_may_pause_at_the_end():
    days = np.array([day for day in range(800) if day % 365 < 330])
    assert intake_end(np.repeat(days, 4), last=799 + 50) is None
    assert intake_end(np.repeat(days, 4), last=799 + 80) == 799


def test_a_history_without_goals_or_leads_has_no_breaks():
    never = np.full(500, NEVER)
    assert found(LeadTimes(np.arange(500), never), last=499) == ()
    nobody = np.array([], dtype=np.int64)
    assert found(LeadTimes(nobody, nobody)) == ()


def test_check_says_so_in_files_too(tmp_path):
    """The simulated company's own exports, of which the outcomes of the first 200 days were lost."""
    folder = tmp_path / "company"
    counts = simulate(folder, leads=1_500, seed=3, until=datetime(2026, 3, 1, tzinfo=UTC))
    assert check(Workspace(load_playbook(folder), Home(tmp_path / "home"))).breaks == ()
    (outcomes,) = folder.rglob("outcomes*.csv")
    head, *rows = outcomes.read_text().splitlines()
    lost = counts.start.timestamp() / 86_400 + 200
    since = str(np.datetime64(int(lost), "D"))
    at = head.replace('"', "").split(",").index("reached_at")
    kept = [row for row in rows if row.replace('"', "").split(",")[at] >= since]
    outcomes.write_text("\n".join([head, *kept]) + "\n")
    result = check(Workspace(load_playbook(folder), Home(tmp_path / "home")))
    assert [each.kind for each in result.breaks] == ["outcomes start"]
    assert "recorded only from that week on" in " ".join(shown(result).split())
    assert result.as_json()["breaks"][0]["since"] == result.breaks[0].since
