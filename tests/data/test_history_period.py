"""A history begins and ends where facts lie in mass, whatever single facts lie far away."""

from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from data.commands import check
from data.home import Home
from data.importing.history_period import CROWD, OUTSIDE_SHARE, SHORTEST_GAP_DAYS, DayRange, days_in_mass
from data.instants import parse
from data.workspace import Workspace
from tests.data.company import ACTIVITIES, LEADS, company, imported

BEGIN = 20_000
YEAR = np.arange(BEGIN, BEGIN + 365)


def mass(days, facts=None):
    return days_in_mass(np.asarray(days), np.ones(len(days), dtype=np.int64) if facts is None else np.asarray(facts))


def whole(days):
    return DayRange(int(min(days)), int(max(days)))


@pytest.mark.parametrize("far", [[16_436], [BEGIN + 364 + 28], [BEGIN + 364 + 75], [16_436, BEGIN + 500]])
def test_one_fact_far_from_all_others_moves_neither_end(far):
    """A lead of 2015, and a call a month or more after everything ended."""
    assert mass([*YEAR, *far], [*[3] * 365, *[1] * len(far)]) == whole(YEAR)


def test_several_facts_far_out_are_all_outside():
    assert mass([16_436, 17_000, 18_500, *YEAR], [1, 2, 1, *[9] * 365]) == whole(YEAR)


@pytest.mark.parametrize(
    "days",
    [
        [BEGIN, BEGIN + 1, BEGIN + 3, BEGIN + 400],
        [BEGIN + 90 * n for n in range(10)],
        [16_436, *range(BEGIN, BEGIN + 9)],
    ],
)
def test_of_few_facts_none_is_outside(days):
    assert mass(days) == whole(days)


def test_holidays_and_long_summers_do_not_end_a_history():
    """A company that pauses from 20 December on, and one that is closed for two months each summer."""
    newyear = [*YEAR, *range(BEGIN + 365 + 16, BEGIN + 365 + 18)]
    assert mass(newyear, [5] * len(newyear)) == whole(newyear)
    summers = [BEGIN + 365 * year + day for year in range(3) for day in range(305)]
    summers.append(BEGIN + 365 * 3)
    assert mass(summers, [5] * len(summers)) == whole(summers)


def test_a_pause_from_which_a_company_comes_back_is_no_end():
    """After three months without a fact, a week at the old pace."""
    days = [*YEAR, *range(BEGIN + 455, BEGIN + 462)]
    assert mass(days, [40] * len(days)) == whole(days)


def test_slow_growth_is_all_inside():
    """A company that doubles every half year from its first lead on: its first facts are months apart."""
    cut = 0
    for seed in range(200):
        count = np.arange(1, 4_000)
        waits = np.random.default_rng(seed).exponential(1 / count)
        days = BEGIN + np.floor(np.cumsum(waits) * 180 / np.log(2)).astype(np.int64)
        day, facts = np.unique(days, return_counts=True)
        cut += days_in_mass(day, facts) != whole(day)
    assert cut <= 3


def test_no_day_is_no_history():
    with pytest.raises(ValueError, match="at least one"):
        days_in_mass(np.array([], dtype=np.int64), np.array([], dtype=np.int64))


histories = st.dictionaries(st.integers(-9_000, 40_000), st.integers(1, 3_000), min_size=1, max_size=60)
dense = st.builds(
    lambda first, counts: {first + at: count for at, count in enumerate(counts)},
    st.integers(15_000, 20_000),
    st.lists(st.integers(1, 40), min_size=30, max_size=200),
)


@given(histories | dense, st.dictionaries(st.integers(-9_000, 60_000), st.integers(1, 3), max_size=4))
def test_what_is_outside_is_little_and_far(facts, more):
    """Each rule holds of whatever is outside, at either end, and the order of the days changes nothing."""
    facts = {**more, **facts}
    days, counts = np.array(sorted(facts)), np.array([facts[day] for day in sorted(facts)])
    found = days_in_mass(days, counts)
    assert days_in_mass(days[::-1], counts[::-1]) == found
    assert {found.first, found.last} <= set(facts)
    total = counts.sum()
    for outside, edge in ((days < found.first, found.first), (days > found.last, found.last)):
        if outside.any():
            gap = np.abs(days[outside] - edge).min()
            near = ~outside & (np.abs(days - edge) < gap)
            assert counts[outside].sum() <= total * OUTSIDE_SHARE
            assert gap >= SHORTEST_GAP_DAYS
            assert counts[near].sum() >= CROWD * counts[outside].sum()


@given(dense, st.integers(30, 5_000), st.booleans())
def test_a_far_fact_changes_nothing(facts, away, before):
    """Whatever the period is without it, it is the same with one more fact far enough out."""
    days, counts = np.array(sorted(facts)), np.array([facts[day] for day in sorted(facts)])
    far = days[0] - away if before else days[-1] + away
    near = counts[:30] if before else counts[-30:]
    if near.sum() >= CROWD and counts.sum() >= 1 / OUTSIDE_SHARE:
        assert days_in_mass(np.append(days, far), np.append(counts, 1)) == whole(days)


def rows_of(days, facts_a_day=4):
    """Write leads, one a day, and activities of theirs."""
    leads = [f"l{day},2025-{1 + day // 28:02}-{1 + day % 28:02}T08:00:00Z\n" for day in days]
    web = [
        f"{day}-{n},l{day},view,2025-{1 + day // 28:02}-{1 + day % 28:02}T09:00:0{n}Z\n"
        for day in days
        for n in range(facts_a_day)
    ]
    return leads, web


def test_the_history_of_a_company_ends_where_its_facts_end(tmp_path):
    """A lead of 2015 and a call of the next winter stay in the tables, outside the period."""
    leads, web = rows_of(range(112))
    leads.insert(16, "old,2015-01-01\n")
    web.insert(3, "late,l1,call,2025-08-15T10:00:00Z\n")
    files = {
        "leads.csv": "lead_id,created_at\n" + "".join(leads),
        "web.csv": "id,lead_id,kind,occurred_at\n" + "".join(web),
    }
    playbook = company(tmp_path, files, [LEADS, ACTIVITIES], timezone="Europe/Berlin")
    warehouse = imported(playbook)
    assert (warehouse.begin_us, warehouse.cutoff_us) == (parse("2025-01-01T08:00:00Z"), parse("2025-04-28T09:00:03Z"))
    assert (warehouse.rows["leads"], warehouse.rows["activities"]) == (113, 449)
    result = check(Workspace(playbook, Home(tmp_path / "home")))
    console = Console(file=StringIO(), width=120)
    result.show(console)
    assert (
        "facts from 2025-01-01 to 2025-04-28; 1 lead is far from all others: created 2015-01-01 (leads.csv:18); "
        "1 activity is far from all others: of 2025-08-15 (web.csv:5)" in console.file.getvalue()
    )
    assert result.as_json()["period"]["outliers"][0]["row"] == 18


def test_a_row_after_a_broken_line_keeps_its_number(tmp_path):
    leads, web = rows_of(range(112))
    leads[4] = "x,y,z,too many\n"
    leads.insert(16, "old,2015-01-01\n")
    leads[20] = "x,y,z,too many\n"
    files = {
        "leads.csv": "lead_id,created_at\n" + "".join(leads),
        "web.csv": "id,lead_id,kind,occurred_at\n" + "".join(web),
    }
    warehouse = imported(company(tmp_path, files, [LEADS, ACTIVITIES]))
    assert [(far.file, far.row) for far in warehouse.quality.period.outliers] == [("leads.csv", 18)]


def test_a_day_that_is_not_over_ends_now(tmp_path):
    leads, web = rows_of(range(112))
    files = {
        "leads.csv": "lead_id,created_at\n" + "".join(leads),
        "web.csv": "id,lead_id,kind,occurred_at\n" + "".join(web),
    }
    web.append("today,l1,view,2025-04-29\n")
    files["web.csv"] = "id,lead_id,kind,occurred_at\n" + "".join(web)
    now_us = parse("2025-04-29T12:00:00Z")
    warehouse = imported(company(tmp_path, files, [LEADS, ACTIVITIES]), now_us=now_us)
    assert warehouse.cutoff_us == now_us
    assert warehouse.quality.period.outliers == ()
