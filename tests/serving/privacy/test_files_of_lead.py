"""Files made of a lead on this machine are gone, too: tables, training sets, reports, MLflow's artefacts, exports."""

import contextlib
import gzip
import json
import logging
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data.atomic_files import scratch_folder
from data.home import Home
from data.importing.warehouse import import_history
from data.simulation import simulate
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.feedback.export import export
from serving.privacy.erasure import scrub
from serving.privacy.files_of_lead import PLACEHOLDER, LeadNames, erase_from_files
from serving.settings import LEDGER_NAME, settings_for
from serving.store.database import Database
from serving.verbs.erase_and_dossier import _remove_from_exports, erase_lead
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
    after = {path for path in lived_in.registry.rglob("*") if path.is_file()}
    assert {path.name for path in after ^ set(before)} == {LEDGER_NAME}
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


RUN = "0" * 32


def report_of(folder, playbook, **texts):
    """Write a report of a training of a playbook."""
    folder.mkdir(parents=True)
    evaluation = {"playbook": {"name": playbook}, **texts.pop("evaluation", {})}
    for name, content in {"evaluation.json": json.dumps(evaluation), **texts}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_texts_are_changed_where_they_name_the_lead_and_nowhere_else(tmp_path):
    names = LeadNames({"L-7", "7", "ann@example.com", "café-x1"})
    said = {
        "a.json": ('{"of": "L-7", "n": 7, "says": "L-7 or L-77"}', '{"of": "(erased)", "n": 7, "says": "L-7 or L-77"}'),
        "b.html": ("<b>L-7</b> has 7 <i>L-77</i>", "<b>(erased)</b> has 7 <i>L-77</i>"),
        "c.md": ("lead ann@example.com, not dann@example.com.au", "lead (erased), not dann@example.com.au"),
        "d.json": ('["7", 7, "a 7 b", "caf\\u00e9-x1"]', '["(erased)", 7, "a 7 b", "(erased)"]'),
    }  # fmt: skip
    for name, (before, after) in said.items():
        (tmp_path / name).write_text(before, encoding="utf-8")
        assert names.appear_in(tmp_path / name)
        names.remove_from(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == after
    assert {path.name for path in tmp_path.iterdir()} == set(said)


def test_the_reports_of_the_playbook_are_rewritten_and_those_of_another_one_are_not_touched(tmp_path):
    """Another company's leads may have the same ids."""
    home = Home(tmp_path)
    own = report_of(home.models("demo") / "reports" / RUN, "demo", **{"report.html": "<b>L000001</b>"})
    logged = report_of(home.registry / "artifacts/1/artifacts/report", "demo", **{"report.html": "<b>L000001</b>"})
    other = report_of(home.models("acme") / "reports" / RUN, "acme", **{"report.html": "<b>L000001</b>"})
    theirs = report_of(home.registry / "artifacts/2/artifacts/report", "acme", **{"report.html": "<b>L000001</b>"})
    found = erase_from_files(home, "demo", {"L000001"})
    assert set(found.rewritten) == {str(folder / "report.html") for folder in (own, logged)}
    assert (own / "report.html").read_text() == "<b>(erased)</b>"
    assert [(folder / "report.html").read_text() for folder in (other, theirs)] == ["<b>L000001</b>"] * 2
    assert (found.deleted, dict(found.left)) == ((), {})


def test_what_somebody_put_beside_models_and_reports_is_listed_and_not_rewritten(tmp_path):
    home = Home(tmp_path)
    own = report_of(home.models("demo") / "reports" / RUN, "demo")
    notes = [
        own / "notes.md",
        home.models("demo") / "calls.csv",
        home.models("demo") / "reports" / "copy" / "card.json",
    ]
    for path in notes:
        path.parent.mkdir(exist_ok=True)
        path.write_text('"L000001"')
    found = erase_from_files(home, "demo", {"L000001"})
    assert found.left == {str(path): "names the lead" for path in sorted(notes)}
    assert [path.read_text() for path in notes] == ['"L000001"'] * 3
    assert (found.deleted, found.rewritten) == ((), ())


def test_a_bundle_that_names_a_lead_and_an_import_under_way_are_left_and_named(tmp_path):
    home = Home(tmp_path)
    bundle = home.models("demo") / "bundles" / "one"
    bundle.mkdir(parents=True)
    (bundle / "trees.json").write_text("{}", encoding="utf-8")
    (bundle / "model.json").write_text('{"of": "L000001"}', encoding="utf-8")
    with scratch_folder(home.tables("demo")) as importing:
        (importing / "staging.duckdb").write_bytes(b"L000001")
        found = erase_from_files(home, "demo", {"L000001"})
        assert (importing / "staging.duckdb").exists()
    assert {str(bundle / "model.json"), str(importing)} <= set(found.left)
    assert (found.deleted, found.rewritten) == ((), ())


def abandoned_draft(tables):
    """Make what a killed import leaves behind, two hours ago."""
    with scratch_folder(tables) as importing:
        (importing / "staging.duckdb").write_bytes(b"L000001")
        kept = shutil.copytree(importing, tables / "kept")
    kept.rename(importing)
    for path in (*importing.rglob("*"), importing):
        os.utime(path, (0, 0))
    return importing


def test_what_a_killed_import_left_behind_is_deleted_after_an_hour(tmp_path):
    home = Home(tmp_path)
    abandoned = abandoned_draft(home.tables("demo"))
    assert erase_from_files(home, "demo", {"L000001"}).deleted == (str(abandoned),)
    assert not abandoned.exists()


def test_a_cache_that_cannot_be_deleted_is_in_the_receipt_as_there(tmp_path, monkeypatch):
    home = Home(tmp_path)
    place = an_import(home.tables("demo"))

    def denied(self, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", denied)
    found = erase_from_files(home, "demo", {"L000001"})
    assert found.deleted == ()
    assert found.left[str(place)] == "cannot be deleted (Permission denied), and names the lead"


def test_what_somebody_put_into_a_cache_stays_and_what_was_deleted_around_it_is_said(tmp_path):
    home = Home(tmp_path)
    place = an_import(home.tables("demo"))
    (place / "notes.txt").write_text("call L000001")
    found = erase_from_files(home, "demo", {"L000001"})
    assert (place / "notes.txt").read_text() == "call L000001"
    assert set(found.deleted) == {str(place / name) for name in ("leads.parquet", "manifest.json")}
    assert found.left == {str(place / "notes.txt"): "names the lead"}


@pytest.mark.parametrize("put", ["bytes", "gzip", "parquet", "database", "wide", "link", "unknown form"])
def test_a_file_that_holds_the_lead_in_any_form_is_listed(tmp_path, put):
    home, table = Home(tmp_path), pa.table({"who": [["L000001"]]})
    path = home.tables("demo") / "exports" / "file"
    path.parent.mkdir(parents=True)
    match put:
        case "bytes":
            path.write_text("id;L000001;")
        case "gzip":
            path.write_bytes(gzip.compress(b"id,L000001,"))
        case "parquet":
            pq.write_table(table, path)
        case "database":
            with contextlib.closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("CREATE TABLE calls AS SELECT 'L000001' AS lead, 'call' AS kind")
        case "wide":
            path.write_bytes("L000001".encode("utf-16"))
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
        case _:
            path.write_bytes(b"PK\0\0zipped")
    left = erase_from_files(home, "demo", {"L000001"}).left
    assert list(left) == [str(path)]
    assert erase_from_files(home, "demo", {"L000009"}).left.keys() == (
        {str(path)} if put in {"link", "wide", "unknown form"} else set()
    )


HASH = "0123456789abcdef" * 4
FILE_NAMES = st.sampled_from(
    [HASH[:16], f"{HASH[:16]}.rejected.parquet", f".{HASH[:16]}.0123456789ab", ".partial-abc", ".erased-1-x",
     "training", "exports", "backup", "leads.parquet", "manifest.json", "rows.parquet", "spill", "new",
     ".leadscore-draft", "n.txt"]
)  # fmt: skip
CONTENTS = st.sampled_from(
    [b"", b"L000001", b"PAR1", b'{"a": "L000001"}', b"{}", b"[]", HASH.encode(),
     json.dumps({"fingerprint": HASH, "files": {"n.txt": 7, "leads.parquet": 7}}).encode(),
     json.dumps({"key": HASH, "bytes": {"../n.txt": 7}}).encode(), b".partial-abc"]
)  # fmt: skip
TREES = st.dictionaries(
    st.lists(FILE_NAMES, min_size=1, max_size=4).map("/".join), st.one_of(CONTENTS, st.just("link")), max_size=8
)


@given(tree=TREES, inside=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_nothing_that_leadscore_did_not_make_is_ever_deleted(tmp_path_factory, tree, inside):
    """Whatever it is called and whatever it holds: it is as it was, and what names the lead is listed."""
    home = Home(tmp_path_factory.mktemp("home"))
    tables = home.tables("demo")
    tables.mkdir(parents=True)
    own = an_import(tables, digest="f" * 64)
    put = put_into(own if inside else tables, tree)
    before = contents_below(tables)
    found = erase_from_files(home, "demo", {"L000001"})
    after = contents_below(tables)
    made = {own / "leads.parquet", own / "manifest.json"}
    assert {path: kept for path, kept in before.items() if path not in made} == {
        path: kept for path, kept in after.items() if path not in made
    }
    assert not [path for path in found.deleted if os.path.lexists(path)]
    gone = {path for path in before if path not in after}
    assert all(any(path.is_relative_to(each) for each in found.deleted) for path in gone)
    named = {path for path in put if after.get(path) and b"L000001" in after[path]}
    assert {str(path) for path in named - made} <= set(found.left)


def put_into(folder, tree):
    """Write files and links, where their folders can be made; return those that were written."""
    put = set()
    for name, content in tree.items():
        path = folder / name
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path):
                continue
            path.symlink_to(folder.parent) if content == "link" else path.write_bytes(content)
            put.add(path)
    return put


def contents_below(folder):
    """Return each file's bytes, and None for links; folders are walked without following links."""
    return {
        Path(place) / name: None if (Path(place) / name).is_symlink() else (Path(place) / name).read_bytes()
        for place, folders, files in os.walk(folder)
        for name in (*files, *(each for each in folders if (Path(place) / each).is_symlink()))
    }


def an_import(tables, digest=HASH):
    """Write what an import writes, of one lead."""
    place = tables / digest[:16]
    place.mkdir(parents=True)
    pq.write_table(pa.table({"lead_id": ["L000001"]}), place / "leads.parquet")
    sizes = {"leads.parquet": (place / "leads.parquet").stat().st_size}
    manifest = {"fingerprint": digest, "cutoff_us": 0, "rows": {}, "files": sizes, "quality": {}}
    (place / "manifest.json").write_text(json.dumps(manifest))
    return place


def test_erasing_a_lead_of_a_simulated_company_deletes_no_export_playbook_or_backup(tmp_path):
    """The exports of the demo lie where its tables lie; so may a playbook, and a backup of both."""
    home = Home(tmp_path)
    tables = home.tables("demo")
    simulate(tables / "exports", leads=300, seed=1, until=datetime(2026, 3, 1, tzinfo=UTC))
    shutil.copytree(tables / "exports", tables / "backup")
    playbook = load_playbook(tables / "exports")
    warehouse = import_history(Workspace(playbook, home))
    shutil.copytree(warehouse.folder, tables / "backup" / warehouse.folder.name)
    before = contents_below(tables)
    found = erase_from_files(home, playbook.business.name, {"L000200"})
    tables_made = {path for path in before if path.is_relative_to(warehouse.folder)}
    rejected = Path(f"{warehouse.folder}.rejected.parquet")
    gone = set(before) - set(contents_below(tables))
    assert tables_made <= gone <= tables_made | {rejected}
    assert str(warehouse.folder) in found.deleted
    listed = {str(tables / folder / "leads.parquet") for folder in ("exports", "exports/truth", "backup")}
    assert listed <= set(found.left)
    assert str(tables / "backup" / warehouse.folder.name / "leads.parquet") in found.left


def test_an_export_that_cannot_be_rewritten_is_in_the_receipt(tmp_path):
    """An erasure is not stopped half-way by it: the store has forgotten the lead already."""
    (tmp_path / "manifest.json").write_text("{")
    written, missing = _remove_from_exports([tmp_path, tmp_path / "gone"], ["L000001"])
    assert written == ()
    assert missing[str(tmp_path)].startswith("could not be rewritten (")
    assert missing[str(tmp_path / "gone")] == "is not on this machine"
