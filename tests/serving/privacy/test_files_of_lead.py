"""Files made of a lead on this machine are gone, too: tables, training sets, reports, MLflow's artefacts, exports."""

import json
import logging
import shutil
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import text

from data.home import Home
from data.workspace import Workspace
from serving.feedback.export import export
from serving.privacy.erasure import scrub
from serving.privacy.files_of_lead import PLACEHOLDER, LeadNames, erase_from_files
from serving.settings import settings_for
from serving.store.database import Database
from serving.verbs.erase_and_dossier import erase_lead
from serving.verbs.load_and_serve import load


@pytest.fixture
def lived_in(world, trained, tmp_path, monkeypatch):
    """A home in which a model was trained, the store was loaded, and an export was written."""
    home = Home(tmp_path / "home")
    shutil.copytree(world.home.root, home.root)
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    load(Workspace(world.playbook, home))
    return home


def database_of(folder, home):
    return Database(settings_for(Workspace(folder, home)).database)


def swapped(home):
    """Return a lead that the training report shows as an example."""
    evaluation = json.loads(next(home.registry.rglob("evaluation.json")).read_text(encoding="utf-8"))
    for pair in evaluation["replay"]["pairwise"]:
        for example in pair["only_other"]["examples"] + pair["only_first"]["examples"]:
            return example["lead_id"]
    pytest.fail("the report shows no example: this test needs one")
    return None


def ids_of(folder, home, lead_id):
    """Return everything that names the lead or what it did."""
    database = database_of(folder, home)
    with database.reading() as connection:
        asked = text("SELECT activity_id FROM activities WHERE lead_id = :lead")
        activities = connection.execute(asked, {"lead": lead_id}).scalars().all()
    database.close()
    assert activities
    return [lead_id, *activities]


def naming(root, ids):
    """Return the files that name any of these, found by other means than the code under test."""
    found = set()
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content = repr(
                    duckdb.sql(f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet('{path}')").fetchall()
                ).encode()
            if any(each.encode() in content for each in ids):
                found.add(path.relative_to(root).as_posix())
    return found


def test_not_one_byte_of_a_lead_is_left_in_store_tables_training_sets_reports_exports_and_mlflow(
    world, lived_in, tmp_path, caplog
):
    lead_id = swapped(lived_in)
    ids, out = ids_of(world.playbook, lived_in, lead_id), tmp_path / "export"
    database = database_of(world.playbook, lived_in)
    export(database, world.playbook.business, out)
    database.close()
    before = naming(tmp_path, ids)
    kinds = {Path(name).name for name in before}
    assert {"leads.parquet", "rows.parquet", "evaluation.json", "report.html", "leadscore.db"} <= kinds
    assert any(name.startswith("export/") for name in before)
    assert any("/artifacts/" in name for name in before)
    with caplog.at_level(logging.DEBUG):
        erased = erase_lead(Workspace(world.playbook, lived_in), lead_id)
    assert naming(tmp_path, ids) == set()
    assert lead_id not in caplog.text
    receipt = erased.as_json()
    assert receipt["bytes"] == "gone"
    assert receipt["files"]["deleted"]
    assert len(receipt["files"]["rewritten"]) > 3
    assert any("exports that history is read from" in one["what"] for one in receipt["held"])
    assert not any("names the lead" in one["what"] for one in receipt["held"])
    without = json.dumps({**receipt, "lead_id": ""})
    assert lead_id not in without


def test_other_leads_stay_and_reports_can_still_be_read(world, lived_in):
    lead_id = swapped(lived_in)
    other = next(one for one in ("L000003", "L000004") if one != lead_id)
    before = {path: path.stat().st_size for path in lived_in.registry.rglob("*") if path.is_file()}
    erase_lead(Workspace(world.playbook, lived_in), lead_id)
    database = database_of(world.playbook, lived_in)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM leads")).scalar() > 1000
        asked = text("SELECT count(*) FROM leads WHERE lead_id = :lead")
        assert connection.execute(asked, {"lead": other}).scalar() == 1
    database.close()
    assert set(before) == {path for path in lived_in.registry.rglob("*") if path.is_file()}
    for path in lived_in.registry.rglob("evaluation.json"):
        assert PLACEHOLDER in json.dumps(json.loads(path.read_text(encoding="utf-8")))
    for path in lived_in.registry.rglob("report.html"):
        assert f"<b>{PLACEHOLDER}</b>, called by" in path.read_text(encoding="utf-8")


def test_a_model_s_bundle_holds_no_id_of_any_lead(world, trained):
    """Hashed files cannot be rewritten, so they must never contain an id."""
    tables = next(world.home.tables(world.playbook.business.name).glob("*/leads.parquet"))
    ids = [row[0] for row in duckdb.sql(f"SELECT DISTINCT lead_id FROM read_parquet('{tables}')").fetchall()]
    bundles = [path.parent for path in world.home.registry.rglob("trees.json")]
    assert len(bundles) >= 3
    texts = [path.read_text(encoding="utf-8") for place in bundles for path in place.iterdir()]
    assert not [one for one in ids if any(one in said for said in texts)]
    assert not LeadNames(ids).appear_in(world.home.registry / "mlflow.db")


def test_the_erased_lead_does_not_come_back_with_the_history_that_is_loaded_again(world, lived_in):
    """Rows of history about an erased lead are refused just like late events."""
    lead_id = swapped(lived_in)
    ids = ids_of(world.playbook, lived_in, lead_id)
    erase_lead(Workspace(world.playbook, lived_in), lead_id)
    load(Workspace(world.playbook, lived_in))
    database = database_of(world.playbook, lived_in)
    assert scrub(database)
    with database.reading() as connection:
        asked = text("SELECT count(*) FROM activities WHERE lead_id = :lead")
        assert connection.execute(asked, {"lead": lead_id}).scalar() == 0
    database.close()
    assert naming(lived_in.tables(world.playbook.business.name), ids) - tables_again(world, lived_in) == set()


def tables_again(world, home):
    root = home.tables(world.playbook.business.name)
    return {path.relative_to(root).as_posix() for path in root.rglob("*.parquet")}


def test_texts_are_changed_where_they_name_the_lead_and_nowhere_else(tmp_path):
    home = Home(tmp_path)
    place = home.models("demo") / "reports"
    place.mkdir(parents=True)
    said = {
        "a.json": ('{"of": "L-7", "n": 7, "says": "L-7 or L-77"}', '{"of": "(erased)", "n": 7, "says": "L-7 or L-77"}'),
        "b.html": ("<b>L-7</b> has 7 <i>L-77</i>", "<b>(erased)</b> has 7 <i>L-77</i>"),
        "c.md": ("lead ann@example.com, not dann@example.com.au", "lead (erased), not dann@example.com.au"),
        "d.json": ('["7", 7, "a 7 b", "caf\\u00e9-x1"]', '["(erased)", 7, "a 7 b", "(erased)"]'),
    }  # fmt: skip
    for name, (before, _) in said.items():
        (place / name).write_text(before, encoding="utf-8")
    traces = erase_from_files(home, "demo", {"L-7", "7", "ann@example.com", "café-x1"})
    assert {name: (place / name).read_text(encoding="utf-8") for name in said} == {
        name: after for name, (_, after) in said.items()
    }
    assert len(traces.rewritten) == len(said)
    assert not list(place.glob(".*"))


def test_a_bundle_that_names_a_lead_and_an_import_under_way_are_left_and_named(tmp_path):
    home = Home(tmp_path)
    bundle, importing = home.models("demo") / "bundles" / "one", home.tables("demo") / ".partial-abc"
    for place in (bundle, importing):
        place.mkdir(parents=True)
    (bundle / "trees.json").write_text("{}", encoding="utf-8")
    (bundle / "model.json").write_text('{"of": "L000001"}', encoding="utf-8")
    traces = erase_from_files(home, "demo", {"L000001"})
    assert set(traces.left) == {str(bundle / "model.json"), str(importing)}
    assert (traces.deleted, traces.rewritten) == ((), ())


def test_what_a_killed_import_left_behind_is_deleted_after_an_hour(tmp_path):
    import os

    home = Home(tmp_path)
    abandoned = home.tables("demo") / ".partial-abc"
    abandoned.mkdir(parents=True)
    (abandoned / "staging.duckdb").write_bytes(b"L000001")
    for path in (abandoned / "staging.duckdb", abandoned):
        os.utime(path, (0, 0))
    assert erase_from_files(home, "demo", {"L000001"}).deleted == (str(abandoned),)
    assert not abandoned.exists()
