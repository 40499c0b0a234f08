"""Drafts take over what the shipped playbooks of known systems say about how their tables belong together."""

import csv
import os
from functools import cache
from pathlib import Path

import pytest

from data.commands import check
from data.drafting.commands import draft_from
from data.drafting.crm_shapes import crm_shapes
from data.drafting.decisions import DecisionLog
from data.drafting.shipped_words import meanings
from data.errors import IntakeError
from data.home import Home
from data.importing.warehouse import import_history
from data.words.playbook import load_playbook
from data.words.sources import ActivitySource, OutcomeSource
from data.workspace import Workspace
from tests.data.company import NOW_US, rows
from tests.data.crm_tables import TABLES, at, write_tables

PLAYBOOKS = Path(__file__).parents[3] / "data/playbooks"
FACTS = {
    "leads": ("lead_id", "account_id", "created_at", "known_at"),
    "activities": ("lead_id", "kind", "occurred_at", "known_at", "subject", "value"),
    "outcomes": ("lead_id", "stage", "reached_at", "known_at", "amount"),
}


def drafted(folder, tables):
    """Write tables, and draft a playbook for them."""
    write_tables(folder / "exports", tables)
    result = draft_from(sorted((folder / "exports").iterdir()), out=folder / "acme")
    return load_playbook(folder / "acme"), result


def facts(playbook, home):
    """Import what a playbook reads, and return its facts in any order."""
    warehouse = import_history(Workspace(playbook, Home(home)), now_us=NOW_US)
    return {table: sorted(rows(warehouse, table, *columns), key=repr) for table, columns in FACTS.items()}


@pytest.fixture(scope="session")
def shipped_facts(tmp_path_factory):
    """What the shipped playbook of a system reads of its small tables, imported once for each system."""

    @cache
    def read(system):
        folder = tmp_path_factory.mktemp(system)
        write_tables(folder / "exports", TABLES[system]())
        return facts(load_playbook(PLAYBOOKS / system, exports=folder / "exports"), folder / "home")

    return read


def source(playbook, file):
    return next(each for each in playbook.business.sources if each.file == file)


def holds(result):
    return {each.file: each.holds for each in result.files}


def why(result, file):
    return next(each.why for each in result.files if each.file == file)


@pytest.mark.parametrize("system", list(TABLES))
def test_a_draft_reads_the_tables_of_a_system_as_its_shipped_playbook_does(system, tmp_path, shipped_facts):
    playbook, result = drafted(tmp_path, TABLES[system]())
    shipped = load_playbook(PLAYBOOKS / system, exports=tmp_path / "exports")
    assert facts(playbook, tmp_path / "home") == shipped_facts(system)
    assert check(Workspace(playbook, Home(tmp_path / "home"))).passed
    assert playbook.business.attributes == shipped.business.attributes
    assert playbook.business.ids == shipped.business.ids
    assert set(playbook.business.closed_by) <= set(shipped.business.closed_by)
    assert playbook.business.reopening_kinds <= shipped.business.reopening_kinds
    assert not playbook.business.final_stages - shipped.business.final_stages
    assert playbook.business.goal.stage == shipped.business.goal.stage
    assert playbook.business.goal.amount_from == shipped.business.goal.amount_from
    assert "nothing" not in holds(result).values()


def test_each_join_stands_in_the_playbook_with_what_it_met(tmp_path):
    playbook, result = drafted(tmp_path, TABLES["hubspot"]())
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert "# of 3 deal_id, 3 meet a row of deal_contact.csv" in text
    assert "# of 13 engagement_id, 12 meet a row of engagement_contact.csv; the others are such as 907" in text
    assert "where: {name: lifecyclestage}  # 47 of 123 rows count" in text
    assert holds(result)["deal_contact.csv"] == "lookup"
    assert why(result, "deal_contact.csv") == "3 of 3 deal_id of deal.csv meet one of its rows"


def test_contacts_and_deals_alone_need_no_more_than_their_associations(tmp_path):
    """Without merges, histories and e-mail, the deals still find their contacts; the pipeline says which are won."""
    tables = TABLES["hubspot"]()
    names = ("contact", "deal", "deal_contact", "deal_pipeline_stage")
    playbook, _ = drafted(tmp_path, {name: tables[name] for name in names})
    assert [each.file for each in playbook.business.sources] == ["contact.csv", "deal.csv"]
    outcomes = facts(playbook, tmp_path / "home")["outcomes"]
    assert check(Workspace(playbook, Home(tmp_path / "home"))).passed
    assert [(lead, stage) for lead, stage, *_ in outcomes] == [("4", "won"), ("5", "won"), ("8", "lost")]
    assert (playbook.business.goal.stage, playbook.business.goal.amount_from) == ("won", None)


def test_deals_without_their_pipeline_are_left_out_with_what_to_add(tmp_path):
    """Nobody knows which of their stages are closed; the life cycle of the contacts is still read."""
    tables = TABLES["hubspot"]()
    del tables["deal_pipeline_stage"]
    playbook, result = drafted(tmp_path, tables)
    assert why(result, "deal.csv") == (
        "the shipped playbook hubspot reads it with deal_pipeline_stage.csv (stage_id, closed_won, is_closed), which "
        "the files lack"
    )
    assert playbook.business.goal.stage == "sql"
    assert "won" not in playbook.business.stages


def test_a_system_without_deals_is_read_by_its_life_cycle(tmp_path):
    tables = {name: table for name, table in TABLES["hubspot"]().items() if not name.startswith("deal")}
    playbook, _ = drafted(tmp_path, tables)
    assert playbook.business.goal.amount_from is None
    assert len(facts(playbook, tmp_path / "home")["outcomes"]) == 9
    assert check(Workspace(playbook, Home(tmp_path / "home"))).passed


def test_leads_and_opportunities_of_salesforce_are_enough(tmp_path):
    tables = TABLES["salesforce"]()
    playbook, _ = drafted(tmp_path, {name: tables[name] for name in ("lead", "opportunity")})
    stages = [stage for _, stage, *_ in facts(playbook, tmp_path / "home")["outcomes"]]
    assert {stage: stages.count(stage) for stage in stages} == {"converted": 10, "won": 3, "lost": 3}
    assert check(Workspace(playbook, Home(tmp_path / "home"))).passed
    assert (playbook.business.goal.stage, playbook.business.goal.amount_from) == ("converted", "won")


def test_a_stage_that_no_row_has_yet_is_still_read_later(tmp_path):
    """All opportunities are lost so far; one that is won after the draft is no mistake."""
    tables = TABLES["salesforce"]()
    lost = [{**row, "is_won": "false"} for row in tables["opportunity"]]
    playbook, _ = drafted(tmp_path, {"lead": tables["lead"], "opportunity": lost})
    write_tables(tmp_path / "exports", {"opportunity": tables["opportunity"]})
    assert "won" in {stage for _, stage, *_ in facts(playbook, tmp_path / "home")["outcomes"]}


def test_columns_that_an_export_lacks_are_done_without_where_that_changes_nothing(tmp_path, shipped_facts):
    """No row is deleted where no column says so; a lead's e-mail, which nothing asks for, may be missing as well."""
    tables = {
        name: [{column: cell for column, cell in row.items() if column != "is_deleted"} for row in table]
        for name, table in TABLES["salesforce"]().items()
    }
    playbook, _ = drafted(tmp_path, tables)
    assert facts(playbook, tmp_path / "drafted") == shipped_facts("salesforce")
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert "# The export lacks is_deleted: done without." in text


def test_headers_of_a_screen_are_the_same_columns(tmp_path):
    """A report says Opportunity ID, Won and Closed; what looks rows up is spelled as the file spells it."""
    tables = TABLES["salesforce"]()
    spelled = {"id": "Opportunity ID", "is_won": "Won", "is_closed": "Closed", "close_date": "Close Date"}
    report = [{spelled.get(name, name.title()): cell for name, cell in row.items()} for row in tables["opportunity"]]
    heads = {"id": "Lead ID", "converted_opportunity_id": "Converted Opportunity ID", "is_converted": "Converted"}
    leads = [{heads.get(name, name): cell for name, cell in row.items()} for row in tables["lead"]]
    playbook, _ = drafted(tmp_path, {"Leads": leads, "Opportunities": report})
    (lookup,) = source(playbook, "Opportunities.csv").via
    assert (lookup.file, lookup.match) == ("Leads.csv", {"Opportunity ID": "Converted Opportunity ID"})
    assert lookup.take == {"lead": "Lead ID"}
    stages = [stage for _, stage, *_ in facts(playbook, tmp_path / "home")["outcomes"]]
    assert (stages.count("won"), stages.count("lost")) == (3, 3)


def test_a_new_column_takes_a_name_that_is_free(tmp_path):
    tables = TABLES["salesforce"]()
    taken = [{**row, "Lead": "x", "outcome": "y"} for row in tables["opportunity"]]
    playbook, _ = drafted(tmp_path, {"lead": tables["lead"], "opportunity": taken})
    opportunities = source(playbook, "opportunity.csv")
    assert (opportunities.columns.lead_id, opportunities.columns.stage) == ("lead_2", "outcome_2")
    assert len(facts(playbook, tmp_path / "home")["outcomes"]) == 16


def test_files_that_the_shipped_playbook_does_not_know_are_read_as_they_look(tmp_path):
    tables = TABLES["hubspot"]()
    web = [{"visit_id": f"v{n}", "contact_id": n, "event": "page view", "at": at(n + 3)} for n in range(1, 30)]
    playbook, result = drafted(tmp_path, {**tables, "web_visits": web})
    assert holds(result)["web_visits.csv"] == "activities"
    assert source(playbook, "web_visits.csv").kinds == {"page view": "page_view"}


def test_ids_that_only_look_like_times_stay_ids(tmp_path):
    """Ten digits are a time in seconds elsewhere; here they name deals, contacts and calls."""
    far = 1_240_000_000
    tables = TABLES["hubspot"]()
    moved = {
        name: [
            {c: far + int(v) if c in {"deal_id", "engagement_id", "contact_id"} or (name, c) == ("contact", "id") else v
             for c, v in row.items()} for row in table
        ]
        for name, table in tables.items()
    }  # fmt: skip
    moved["contact"][7]["property_hs_merged_object_ids"] = far + 7
    playbook, _ = drafted(tmp_path, moved)
    shipped = load_playbook(PLAYBOOKS / "hubspot", exports=tmp_path / "exports")
    assert facts(playbook, tmp_path / "drafted") == facts(shipped, tmp_path / "shipped")


def test_how_looked_up_files_are_written_is_said_too(tmp_path, shipped_facts):
    write_tables(tmp_path / "exports", TABLES["hubspot"]())
    for name in ("deal_contact", "deal_pipeline_stage"):
        path = tmp_path / "exports" / f"{name}.csv"
        path.write_bytes(path.read_text(encoding="utf-8").replace(",", ";").encode("utf-16"))
    draft_from(sorted((tmp_path / "exports").iterdir()), out=tmp_path / "acme")
    assert facts(load_playbook(tmp_path / "acme"), tmp_path / "drafted") == shipped_facts("hubspot")


def test_words_are_known_in_any_spelling_and_unknown_ones_wait_for_a_person():
    said = {"file": "h.csv", "holds": "outcomes", "stages": {"marketingqualifiedlead": "mql"}, "ignore": ["subscriber"]}
    log = DecisionLog()
    counted = [("Marketing Qualified Lead", 3), ("Subscriber", 2), ("Closed Won", 1), ("94837262", 5)]
    words = meanings(OutcomeSource.model_validate(said), counted, file="h.csv", log=log)
    assert words.named == {
        "marketingqualifiedlead": "mql", "Marketing Qualified Lead": "mql", "Closed Won": "closed_won"
    }  # fmt: skip
    assert words.ignore == ("subscriber", "Subscriber", "94837262")
    assert [each.about for each in log if not each.is_certain] == ["h.csv: stage 94837262"]


def test_an_unknown_kind_is_marked_in_the_playbook(tmp_path):
    tables = TABLES["salesforce"]()
    tables["task"][0]["task_subtype"] = "Zeppelin"
    playbook, result = drafted(tmp_path, tables)
    tasks = source(playbook, "task.csv")
    assert isinstance(tasks, ActivitySource)
    assert "Zeppelin" in tasks.ignore
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert "# DECIDE: Zeppelin: 1 rows, unknown to the shipped playbook. Name it above, or leave it here" in text
    assert [each.chosen for each in result.undecided if each.about == "task.csv: kind Zeppelin"] == ["ignored"]


def test_an_attribute_that_comes_with_the_outcome_is_never_used_whatever_a_shipped_playbook_says(tmp_path):
    tables = TABLES["salesforce"]()
    more = [{**row, "id": f"00Q5A00002OVC{n:02d}", "is_converted": "true", "converted_date": row["created_date"]}
            for n, row in enumerate(tables["lead"])]  # fmt: skip
    for row in tables["lead"]:
        row["industry"] = "" if row["is_converted"] == "false" else "Retail"
    playbook, _ = drafted(tmp_path, {"lead": [*tables["lead"], *more]})
    assert "industry" in playbook.business.never_use
    assert playbook.business.attributes["industry"].says == "company in {value}"


@pytest.mark.parametrize("system", list(TABLES))
def test_the_real_columns_of_a_system_are_read(system, tmp_path, shipped_facts):
    """Headers and names of files are those that connectors deliver; the cells are those of the small tables."""
    datasets = Path(os.environ.get("LEADSCORE_DATASETS", PLAYBOOKS.parents[1] / ".." / "shared" / "datasets"))
    folder = datasets / "crm_shapes" / system
    if not folder.is_dir():
        pytest.skip("the tables of the CRMs are not on this machine: name their folder in LEADSCORE_DATASETS")
    small = TABLES[system]()
    documented = {
        name: table for name, table in small.items() if name == "lead_history"
    }  # no connector's sample has it
    write_tables(tmp_path / "exports", documented)
    for path in folder.glob("*.csv"):
        fitting = [
            name for name in small if path.stem in {f"{prefix}{name}_data" for prefix in ("", "sf_", "marketo_")}
        ]
        for name in fitting:
            with path.open(encoding="utf-8-sig", newline="") as text:
                header = next(csv.reader(text))
            whole = [{**dict.fromkeys(header), **row} for row in small[name]]
            write_tables(tmp_path / "exports", {path.stem: whole})
    draft_from(sorted((tmp_path / "exports").iterdir()), out=tmp_path / "acme")
    playbook = load_playbook(tmp_path / "acme")
    assert facts(playbook, tmp_path / "home") == shipped_facts(system)
    assert check(Workspace(playbook, Home(tmp_path / "home"))).passed


@pytest.mark.parametrize("system", list(TABLES))
def test_the_real_rows_of_a_system_are_drafted_or_refused_with_reasons(system, tmp_path):
    """They are samples of tables of different companies, so that hardly any key meets."""
    datasets = Path(os.environ.get("LEADSCORE_DATASETS", PLAYBOOKS.parents[1] / ".." / "shared" / "datasets"))
    folder = datasets / "crm_shapes" / system
    if not folder.is_dir():
        pytest.skip("the tables of the CRMs are not on this machine: name their folder in LEADSCORE_DATASETS")
    files = sorted(folder.glob("*.csv"))
    if system == "salesforce":
        draft_from(files, out=tmp_path / "acme")
        assert check(Workspace(load_playbook(tmp_path / "acme"), Home(tmp_path / "home"))).passed
    else:
        with pytest.raises(IntakeError, match=r"No file says which leads succeeded(.|\n)+ is left out: "):
            draft_from(files, out=tmp_path / "acme")


def test_each_shipped_playbook_of_a_system_has_a_shape_for_each_of_its_files():
    for shape in crm_shapes():
        if shape.playbook is not None:
            sources = load_playbook(PLAYBOOKS / shape.playbook).business.sources
            files = {name for each in sources for name in (each.file, *(lookup.file for lookup in each.via))}
            assert files == set(shape.files)
