"""An attribute that holds today's value is found by the marks that time has left on it, and by nothing else."""

import numpy as np
import pandas as pd
import pytest
import yaml

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.training.gates.leakage.todays_exports import history_of, todays_company
from training import train
from training.errors import LeakError
from training.gates.leakage.aged_leads import AgedLeads
from training.gates.leakage.marks_of_today import FALSE_ALARM, MarkOfToday, rank_correlation, telling
from training.gates.leakage.todays_values import todays_values

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]


def gate_of(playbook):
    return todays_values(AgedLeads.of(history_of(playbook), playbook.business, seed=1))


@pytest.mark.parametrize("seed", SEEDS)
def test_page_views_until_the_export_are_found(tmp_path, seed):
    """Of all attributes of the file, that one alone is named, with what to do."""
    gate = gate_of(todays_company(tmp_path, seed=seed, latest=True, page_views=True))
    assert not gate.passed
    assert gate.says.startswith("page_views holds the value of the export: the number of page views after the lead's ")
    assert "as_of_creation: true for it" in gate.says
    assert gate.says.count("holds the value") == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_attributes_of_the_first_form_raise_no_alarm(tmp_path, seed):
    gate = gate_of(todays_company(tmp_path, seed=seed))
    assert gate.passed, gate.says
    assert gate.conclusive
    assert "industry, seniority" in gate.says


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_what_was_found_out_later_raises_no_alarm(tmp_path, seed):
    """Company sizes and industries that were filled in later do no harm that a mark could show."""
    assert gate_of(todays_company(tmp_path, seed=seed, latest=True)).passed


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_a_counter_whose_own_events_are_not_exported_is_found(tmp_path, seed):
    """Without the website's tracker, e-mails and the age of the lead reproduce page views well enough."""
    folder = todays_company(tmp_path, seed=seed, latest=True, page_views=True).path
    change(folder, lambda playbook: playbook["sources"].pop(1))
    gate = gate_of(load_playbook(folder))
    assert "page_views holds the value of the export" in gate.says
    assert " and " in gate.says.split(". ")[0]


def change(folder, step):
    """Change a playbook's file."""
    playbook = yaml.safe_load((folder / "playbook.yaml").read_text())
    step(playbook)
    (folder / "playbook.yaml").write_text(yaml.safe_dump(playbook, sort_keys=False))


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    """A company with page views until the export; tests change only its playbook and its leads."""
    return todays_company(tmp_path_factory.mktemp("leaking"), seed=3, page_views=True).path


@pytest.mark.parametrize("excuse", ["as_of_creation", "never_use"])
def test_what_the_playbook_vouches_for_or_forbids_is_not_looked_at(leaking, tmp_path, excuse):
    playbook = yaml.safe_load((leaking / "playbook.yaml").read_text())
    if excuse == "never_use":
        playbook["never_use"] = ["page_views"]
    else:
        playbook["attributes"]["page_views"]["as_of_creation"] = True
    business = load_playbook(leaking).business.model_validate(playbook)
    gate = todays_values(AgedLeads.of(history_of(load_playbook(leaking)), business, seed=1))
    assert gate.passed
    assert "page_views" not in gate.says


def test_attributes_with_a_history_are_not_looked_at(warehouse, playbook):
    gate = todays_values(AgedLeads.of(warehouse, playbook, seed=1))
    assert (gate.passed, dict(gate.numbers)) == (True, {"attributes": 0})


def test_a_known_at_that_repeats_the_creation_is_no_history(tmp_path):
    folder = todays_company(tmp_path, seed=2, leads=600, page_views=True).path
    leads = pd.read_parquet(folder / "leads.parquet")
    leads.assign(known_at=leads["created_at"]).to_parquet(folder / "leads.parquet", index=False)
    change(folder, lambda playbook: playbook["sources"][0]["columns"].update(known_at="known_at"))
    assert "page_views holds" in gate_of(load_playbook(folder)).says


@pytest.mark.parametrize("kind", ["number", "category", "presence"])
def test_what_is_written_at_the_outcome_is_found(tmp_path, kind):
    """A field that sales fills in with the goal, whatever it is called."""
    folder = todays_company(tmp_path, seed=4, leads=600).path
    leads, outcomes = pd.read_parquet(folder / "leads.parquet"), pd.read_csv(folder / "outcomes.csv")
    won = leads["lead_id"].isin(outcomes.loc[outcomes["stage"] == "sql", "lead_id"])
    generator = np.random.default_rng(1)
    number = generator.normal(size=len(leads)) + 4 * won
    leads["written"] = {
        "number": number,
        "category": np.where(won & (generator.random(len(leads)) < 0.9), "hot", "cold"),
        "presence": pd.Series(number).where(won.to_numpy()),
    }[kind]
    leads.to_parquet(folder / "leads.parquet", index=False)
    words = {"type": "category" if kind == "category" else "numeric", "says": "is {value}"}
    change(folder, lambda playbook: playbook["attributes"].update(written=words))
    gate = gate_of(load_playbook(folder))
    assert gate.says.startswith("written holds the value of the export: it jumps with the outcome (it identifies")


def test_few_leads_prove_nothing(tmp_path):
    gate = gate_of(todays_company(tmp_path, seed=1, leads=40, page_views=True))
    assert gate.passed
    assert not gate.conclusive


def test_independent_numbers_seldom_have_a_mark():
    """A lower end above zero in at most one of 1,000 pairs, as promised, and it is a lower end."""
    generator, above = np.random.default_rng(5), 0
    for _ in range(2_000):
        value, low = rank_correlation(*generator.normal(size=(2, 200)), np.arange(200), doubt=3.09)
        above += low > 0
        assert low < value
    assert above <= 2 * 2_000 * FALSE_ALARM


def test_one_strong_mark_or_two_weak_ones_tell():
    def mark(kind, low):
        return MarkOfToday("x", kind, 1.0, low, "")

    assert telling([mark("age", 0.1), mark("age", 0.15), mark("activity", 0.1), mark("outcome", 0.7)]) == ()
    assert [each.low for each in telling([mark("age", 0.1), mark("age", 0.15), mark("activity", 0.3)])] == [0.15, 0.3]
    assert [each.low for each in telling([mark("outcome", 0.9), mark("activity", 0.5)])] == [0.9]


def test_training_stops_with_the_name_of_the_column(leaking, tmp_path):
    with pytest.raises(LeakError, match=r"page_views holds the value of the export: .* put it on never_use"):
        train(Workspace(load_playbook(leaking), Home(tmp_path / "home")))
