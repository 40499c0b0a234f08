"""What a simulation promises about the files it writes."""

import filecmp
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from data.commands import check
from data.errors import DataError
from data.home import Home
from data.simulation import SimulationCounts, simulate
from data.words.playbook import Playbook, load_playbook
from data.workspace import Workspace
from tests.data.simulated import ACTIVITY_FILES, SMALL, UNTIL, activities, lead_versions, outcomes


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SimulationCounts:
    return simulate(tmp_path_factory.mktemp("simulated") / "small", leads=SMALL, until=UNTIL)


@pytest.fixture(scope="module")
def playbook(small: SimulationCounts) -> Playbook:
    return load_playbook(small.folder)


def test_the_same_arguments_give_the_same_bytes(small: SimulationCounts, tmp_path: Path):
    again = simulate(tmp_path / "again", leads=SMALL, until=UNTIL + timedelta(hours=13))
    files = sorted(path.relative_to(small.folder) for path in small.folder.rglob("*") if path.is_file())
    assert len(files) == 12
    same, _, _ = filecmp.cmpfiles(small.folder, again.folder, [str(file) for file in files], shallow=False)
    assert len(same) == len(files)


def test_another_seed_gives_another_company(small: SimulationCounts, tmp_path: Path):
    other = simulate(tmp_path / "other", leads=SMALL, seed=8, until=UNTIL)
    assert not filecmp.cmp(small.folder / "sales.csv", other.folder / "sales.csv", shallow=False)


def test_the_summary_counts_what_was_written(small: SimulationCounts):
    rows = activities(small.folder)
    assert small.leads == SMALL == lead_versions(small.folder).lead_id.nunique()
    assert small.accounts == lead_versions(small.folder).account_id.nunique()
    assert small.activities == rows.activity_id.nunique()
    assert small.copies == len(rows) - rows.activity_id.nunique() > 0
    assert {stage: n for stage, n in small.outcomes.items() if n} == outcomes(
        small.folder
    ).stage.value_counts().to_dict()
    assert small.goal_rate == small.outcomes["sql"] / SMALL


def test_rates_are_those_of_a_business(small: SimulationCounts):
    assert 0.10 <= small.goal_rate <= 0.25
    assert 12 <= small.activities / SMALL <= 30
    counts = [small.outcomes[stage] for stage in ("mql", "srl", "sql", "opportunity", "won")]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0


def test_the_folder_is_a_playbook_of_its_own(playbook: Playbook, small: SimulationCounts):
    assert playbook.exports_folder == small.folder.resolve()


def test_every_word_is_one_of_the_playbook(playbook: Playbook, small: SimulationCounts):
    kinds = {
        kind for source in playbook.business.sources if source.holds == "activities" for kind in source.kinds or {}
    }
    assert set(activities(small.folder).kind) == kinds
    assert set(outcomes(small.folder).stage) <= set(playbook.business.stages)
    allowed = {name: attribute.model_dump()["values"] for name, attribute in playbook.business.attributes.items()}
    for name, values in allowed.items():
        assert values is None or set(lead_versions(small.folder)[name].dropna()) == set(values)


def test_the_intake_rejects_the_copies_and_nothing_else(playbook: Playbook, small: SimulationCounts, tmp_path: Path):
    report = check(Workspace(playbook, Home(tmp_path))).report
    assert {violation.rule for violation in report.violations} == {"repeated"}
    assert sum(source.rejected for source in report.sources) == small.copies


def test_the_files_have_the_columns_that_the_playbook_maps(playbook: Playbook, small: SimulationCounts):
    for source in playbook.business.sources:
        mapped = [name for name in source.columns.model_dump().values() if name is not None]
        found = {**ACTIVITY_FILES, "leads.parquet": pd.read_parquet, "outcomes.csv": pd.read_csv}[source.file]
        assert set(mapped) <= set(found(small.folder / source.file).columns), source.file


def test_rows_carry_only_the_subjects_and_values_that_the_playbook_allows(playbook: Playbook, small: SimulationCounts):
    words = {
        word: playbook.business.activities[kind]
        for source in playbook.business.sources
        if source.holds == "activities"
        for word, kind in (source.kinds or {}).items()
    }
    for word, rows in activities(small.folder).groupby("kind"):
        assert words[word].carries_subject == rows.subject.notna().any(), word
        assert (words[word].value is not None) == rows.value.notna().any(), word
    views = activities(small.folder).query("kind == 'view'")
    assert set(views.subject) == set(playbook.business.activities["page_view"].subjects)


def test_nothing_is_known_before_it_happened_or_after_the_end(small: SimulationCounts):
    for table, happened in (
        (activities(small.folder), "occurred_at"),
        (outcomes(small.folder), "reached_at"),
        (lead_versions(small.folder), "created_at"),
    ):
        assert (table.known_at >= table[happened]).all()
        assert (table.known_at < UNTIL).all()
        assert (table[happened] >= small.start).all()


def test_nothing_happens_to_a_lead_before_it_is_created(small: SimulationCounts):
    created = lead_versions(small.folder).groupby("lead_id").created_at.first()
    for table, happened in ((activities(small.folder), "occurred_at"), (outcomes(small.folder), "reached_at")):
        assert (table[happened] >= table.lead_id.map(created)).all()


def test_leads_pass_the_stages_in_their_order(small: SimulationCounts):
    rows = outcomes(small.folder).pivot_table(index="lead_id", columns="stage", values="reached_at", aggfunc="min")
    for earlier, later in (("mql", "srl"), ("srl", "sql"), ("sql", "opportunity"), ("opportunity", "won")):
        both = rows.dropna(subset=[earlier, later])
        assert (both[earlier] <= both[later]).all()
        assert len(both) > 0
    assert not outcomes(small.folder).duplicated(["lead_id", "stage"]).any()


def test_amounts_and_reasons_stand_where_they_belong(small: SimulationCounts):
    rows = outcomes(small.folder)
    assert set(rows[rows.amount.notna()].stage) == {"opportunity", "won"}
    assert set(rows[rows.reason.notna()].stage) == {"lost", "disqualified"}


def test_doubled_rows_are_exact_copies(small: SimulationCounts):
    rows = activities(small.folder)
    twice = rows[rows.activity_id.duplicated(keep=False)]
    assert 0.001 < small.copies / small.activities < 0.006
    assert len(twice.drop_duplicates()) == len(twice) / 2


def test_some_activities_become_known_late(small: SimulationCounts):
    rows = activities(small.folder)
    late = rows.known_at - rows.occurred_at
    assert 0.03 < (late > timedelta(hours=1)).mean() < 0.2
    assert timedelta(days=1) < late.max() <= timedelta(days=10, hours=1)


def test_attributes_change_and_are_sometimes_missing(small: SimulationCounts):
    versions = lead_versions(small.folder)
    assert not versions.duplicated(["lead_id", "known_at"]).any()
    changes = versions.groupby("lead_id").nunique()
    for name in ("seniority", "employees", "lead_status"):
        assert (changes[name] > 1).any(), name
    for name in ("seniority", "employees", "industry", "function", "account_id"):
        assert 0.02 < versions[name].isna().mean() < 0.4, name


def test_the_status_knows_the_goal_before_it_is_booked(small: SimulationCounts):
    """The planted leak: what sales writes about a lead tells the label, hence it is on ``never_use``."""
    versions, rows = lead_versions(small.folder), outcomes(small.folder)
    goal = rows[rows.stage == "sql"].set_index("lead_id").reached_at
    qualified = versions[versions.lead_status == "qualified"].groupby("lead_id").known_at.min()
    both = pd.concat([goal, qualified], axis=1).dropna()
    assert (both.known_at < both.reached_at).mean() > 0.8
    assert "lead_status" in load_playbook(small.folder).business.never_use


def test_accounts_have_up_to_six_leads_that_arrive_close_in_time(small: SimulationCounts):
    first = lead_versions(small.folder).drop_duplicates("lead_id")
    by_account = first.groupby("account_id").created_at.agg(["count", "min", "max"])
    assert set(by_account["count"]) == {1, 2, 3, 4, 5, 6}
    spans = (by_account["max"] - by_account["min"])[by_account["count"] > 1]
    assert spans.median() < timedelta(days=60)
    assert spans.max() > timedelta(days=90)


def test_sales_goes_on_with_some_leads_after_the_goal(small: SimulationCounts):
    rows = outcomes(small.folder)
    goal = rows[rows.stage == "sql"].set_index("lead_id").reached_at
    calls = activities(small.folder).query("kind in ('Call', 'Meeting')")
    after = calls[calls.occurred_at > calls.lead_id.map(goal) + timedelta(days=2)].lead_id.nunique()
    assert 0.2 < after / len(goal) < 0.9


@pytest.mark.parametrize("leads", [1, 2, 7])
def test_the_smallest_companies_can_be_simulated(leads: int, tmp_path: Path):
    simulated = simulate(tmp_path / "tiny", leads=leads, until=UNTIL)
    assert simulated.leads == leads == len(set(pd.read_parquet(tmp_path / "tiny" / "leads.parquet").lead_id))
    load_playbook(simulated.folder)


def test_progress_is_told_and_the_default_end_is_today(tmp_path: Path):
    messages: list[str] = []
    simulated = simulate(tmp_path / "messages", leads=1, progress=messages.append)
    assert messages[-1] == "writing the exports"
    assert len(messages) > 10
    assert timedelta(0) <= datetime.now(UTC) - simulated.until < timedelta(days=1, minutes=5)
    assert json.loads((tmp_path / "messages" / "simulation.json").read_text())["leads"] == 1
    assert simulated.until - simulated.start == timedelta(days=548)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"leads": 0}, "0 leads"),
        ({"leads": 1_000_000}, "1000000 leads"),
        ({"seed": -1}, "seed is -1"),
        ({"drift": -0.5}, "drift is -0.5"),
        ({"drift": float("nan")}, "drift is nan"),
        ({"until": datetime(2026, 3, 1)}, "without an offset"),  # noqa: DTZ001 - that is the mistake
        ({"until": datetime(1, 3, 1, tzinfo=UTC)}, "0001-03-01"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_sentence(
    arguments: dict[str, object], message: str, tmp_path: Path
):
    with pytest.raises(DataError, match=message):
        simulate(tmp_path / "refused", **arguments)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
