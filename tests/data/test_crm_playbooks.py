"""The playbooks of Salesforce, HubSpot and Marketo read their tables by YAML alone, from files to an explained list."""

import os
import shutil
from pathlib import Path

import pytest

from data.home import Home
from data.importing.unversioned_attributes import unversioned_attributes
from data.importing.warehouse import import_history
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.data.company import NOW_US, rows
from tests.data.crm_tables import TABLES, write_tables

DOCUMENTED = {"lead_history": ["id", "is_deleted", "lead_id", "created_date", "field", "old_value", "new_value"]}
"""Columns of tables that are not among the real ones, as Salesforce documents them, spelled as connectors do."""

PLAYBOOKS = Path(__file__).parents[2] / "data/playbooks"


@pytest.fixture(scope="module", params=list(TABLES))
def imported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    playbook = folder / request.param
    shutil.copytree(PLAYBOOKS / request.param, playbook)
    write_tables(folder / "exports", TABLES[request.param]())
    loaded = load_playbook(playbook, exports=folder / "exports")
    return request.param, Workspace(loaded, Home(folder / "home"))


@pytest.fixture
def warehouse(imported):
    return import_history(imported[1], now_us=NOW_US)


def test_no_row_is_rejected_and_none_is_lost(imported, warehouse):
    counts = {(count.source, count.holds): count for count in warehouse.quality.sources}
    assert {count.rejected for count in counts.values()} == {0}, warehouse.quality.violations
    assert all(count.rows == count.kept + count.ignored for count in counts.values())


def test_what_happened_meets_the_leads(imported, warehouse):
    name, _ = imported
    outcomes = rows(warehouse, "outcomes", "lead_id", "stage")
    kinds = {kind for (kind,) in rows(warehouse, "activities", "kind")}
    lead_ids = {lead for (lead,) in rows(warehouse, "leads", "lead_id")}
    match name:
        case "salesforce":
            assert warehouse.rows == {"leads": 40 + 20, "activities": 50, "outcomes": 10 + 10 + 6}
            assert kinds == {"call", "meeting"}
            stages = [stage for _, stage in outcomes]
            assert {stage: stages.count(stage) for stage in set(stages)} == {
                "converted": 10, "proposal": 10, "won": 3, "lost": 3
            }  # fmt: skip
            assert [join.met for join in warehouse.quality.joins][:2] == [5, 0]
        case "hubspot":
            assert len(lead_ids) == 38, "contact 7 was merged into 8"
            assert kinds == {"email_open", "email_click", "call", "meeting"}
            assert [lead for lead, stage in outcomes if stage == "won"] == ["4", "5"]
            assert [lead for lead, stage in outcomes if stage == "lost"] == ["8"]
            assert len([lead for lead, stage in outcomes if stage == "sql"]) == 9
        case _:
            assert len(lead_ids) == 38, "lead 3 was merged into 4"
            opened = [lead for lead, kind in rows(warehouse, "activities", "lead_id", "kind") if kind == "email_open"]
            assert (opened.count("3"), opened.count("4")) == (0, 2)
            assert [lead for lead, stage in outcomes if stage == "deleted"] == ["5"]


def test_attributes_are_what_they_were_at_the_time(imported, warehouse):
    """No attribute holds the value of the day of the export where a history says what it was before."""
    name, workspace = imported
    match name:
        case "salesforce":
            of_lead = [
                row[1:] for row in rows(warehouse, "leads", "lead_id", "industry", "employees") if "C02" in row[0]
            ]
            assert of_lead == [("Retail", 10), ("Retail", 20)]
        case "hubspot":
            of_lead = [row[1:] for row in rows(warehouse, "leads", "lead_id", "job_title", "revenue") if row[0] == "9"]
            assert of_lead == [("Buyer", None), ("Buyer", 9000)]
        case _:
            titles = [row for row in rows(warehouse, "leads", "lead_id", "job_title") if row[0] in {"4", "5", "6"}]
            assert titles == [("4", None), ("5", "Buyer"), ("5", "VP"), ("6", None)]
    assert unversioned_attributes(workspace.playbook.business) == ()


def test_the_list_is_explained(imported, tmp_path):
    from models.commands import score

    _, workspace = imported
    score(workspace, out=tmp_path / "list.csv", reasons=True)
    lines = (tmp_path / "list.csv").read_text().splitlines()
    assert len(lines) > 1


@pytest.mark.parametrize("name", list(TABLES))
def test_a_playbook_speaks_of_columns_that_connectors_deliver(name):
    """The columns of the small tables are among those of the real ones."""
    datasets = Path(os.environ.get("LEADSCORE_DATASETS", PLAYBOOKS.parents[1] / ".." / "shared" / "datasets"))
    folder = datasets / "crm_shapes" / name
    if not folder.is_dir():
        pytest.skip("the tables of the CRMs are not on this machine: name their folder in LEADSCORE_DATASETS")
    headers = {
        path.name: path.read_text(encoding="utf-8-sig").splitlines()[0].split(",") for path in folder.glob("*.csv")
    }
    headers |= {f"{table}_data.csv": columns for table, columns in DOCUMENTED.items()}
    for table, content in TABLES[name]().items():
        real = [columns for file, columns in headers.items() if file.endswith(f"{table}_data.csv")]
        assert any(set(content[0]) <= set(columns) for columns in real), (table, set(content[0]) - set(real[0]))
