"""The store is exported as Parquet, month by month, whole, and without erased leads."""

import json

import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy import delete, insert

from data.arrow_schemas import ACTIVITY_COLUMNS, OUTCOME_COLUMNS, lead_schema
from data.instants import DAY_US, parse
from data.words.playbook import load_playbook
from serving.errors import ExportError
from serving.feedback.export import export, exports_of, remove_leads
from serving.feedback.export_folder import locked
from serving.store.database import Database
from serving.store.epoch import begin_epoch
from serving.store.tables import leads, receipts, routes, tombstones
from tests.data.stores import activity, change, fill, merged, outcome, version
from tests.serving.conftest import PLAYBOOK

JANUARY, MARCH = parse("2026-01-31T23:59:59.999999Z"), parse("2026-03-01T00:00:00Z")
PLAYBOOK_OF = load_playbook(PLAYBOOK).business


@pytest.fixture
def database(settings):
    found = Database(settings.database)
    yield found
    found.close()


@pytest.fixture
def url(database):
    return fill(
        database.url.render_as_string(hide_password=False),
        versions=[
            version("ann", JANUARY, account_id="acme", employees=5.0, business_email=True, seniority="vp"),
            version("bob", JANUARY),
            version("ann", MARCH, account_id="acme", employees=6.0),
        ],
        activities=[activity("a-1", "ann", JANUARY + 1, kind="call"), activity("a-2", "bob", MARCH, kind="call")],
        outcomes=[outcome("o-1", "ann", MARCH + 5, stage="sql", amount=7.0)],
    )


def rows(out, table, *columns):
    found = pq.read_table(out / table).to_pylist()
    return sorted(tuple(row[name] for name in columns) for row in found)


def files(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("*/*.parquet")}


def exported(database, out, **asked):
    return export(database, asked.get("playbook", PLAYBOOK_OF), out)


def receipt(receipt_id, lead_id="ann", as_of=MARCH):
    said = {"grade": "B", "probability": 0.25, "degraded": False, "reasons": {}}
    return {
        "receipt_id": receipt_id,
        "lead_id": lead_id,
        "role": "champion",
        "as_of": as_of,
        "scorer": "f" * 64,
        "points": 61.5,
        "threshold": 60.0,
        "content_hash": "m",
        "feature_values": "[1.0]",
        "content": json.dumps(said),
    }


def route(lead_id="ann", at=MARCH):
    told = {"points": 61.5, "score": 62, "grade": "B", "threshold": 60.0, "reasons": "[]"}
    return {"lead_id": lead_id, "routed_at": at, "scorer": json.dumps({"fingerprint": "f" * 64}), **told}


def keep(database, table, *content):
    with database.writing() as connection:
        connection.execute(insert(table), list(content))


def test_an_export_has_the_columns_of_the_contract_and_a_file_per_month(database, url, tmp_path):
    told = exported(database, tmp_path / "out")
    assert set(files(tmp_path / "out")) == {
        "leads/2026-01.parquet",
        "leads/2026-03.parquet",
        "activities/2026-02.parquet",
        "activities/2026-03.parquet",
        "outcomes/2026-03.parquet",
    }
    assert told.rows == {"leads": 3, "activities": 2, "outcomes": 1, "receipts": 0, "routes": 0}
    schemas = [pq.read_table(tmp_path / "out" / name).schema for name in ("leads", "activities", "outcomes")]
    assert schemas == [lead_schema(PLAYBOOK_OF.attribute_types), ACTIVITY_COLUMNS, OUTCOME_COLUMNS]
    assert rows(tmp_path / "out", "leads", "lead_id", "account_id", "employees") == [
        ("ann", "acme", 5.0),
        ("ann", "acme", 6.0),
        ("bob", None, None),
    ]


def test_receipts_and_routes_are_exported_with_their_content(database, url, tmp_path):
    keep(database, receipts, receipt("r-1"))
    keep(database, routes, route())
    exported(database, tmp_path / "out")
    assert rows(tmp_path / "out", "receipts", "lead_id", "role", "score", "grade", "probability", "scorer") == [
        ("ann", "champion", 62, "B", 0.25, "f" * 64)
    ]
    assert rows(tmp_path / "out", "routes", "lead_id", "score", "scorer") == [("ann", 62, "f" * 64)]


def test_only_the_months_of_what_is_new_are_written_again(database, url, tmp_path):
    exported(database, tmp_path / "out")
    before = files(tmp_path / "out")
    assert exported(database, tmp_path / "out").months == 0
    fill(url, activities=[activity("a-3", "bob", MARCH + DAY_US, kind="call")])
    told = exported(database, tmp_path / "out")
    assert (told.months, told.written["activities"]) == (1, 2)
    after = files(tmp_path / "out")
    assert [name for name in after if after[name] != before[name]] == ["activities/2026-03.parquet"]


def test_history_that_is_loaded_late_is_not_missed(database, url, tmp_path):
    """Its known_at is long before everything exported so far: a watermark would miss it."""
    exported(database, tmp_path / "out")
    fill(
        url,
        versions=[version("old", JANUARY - 90 * DAY_US)],
        activities=[activity("a-0", "old", JANUARY - 80 * DAY_US, kind="call"), activity("a-9", "ann", JANUARY + 9)],
    )
    keep(database, receipts, receipt("late", as_of=JANUARY))
    assert exported(database, tmp_path / "out").written["activities"] == 3
    assert [lead_id for lead_id, _ in rows(tmp_path / "out", "activities", "lead_id", "activity_id")] == [
        "ann",
        "ann",
        "bob",
        "old",
    ]
    assert rows(tmp_path / "out", "receipts", "receipt_id") == [("late",)]


def test_a_second_export_and_one_from_scratch_hold_the_same(database, url, tmp_path):
    exported(database, tmp_path / "grown")
    fill(url, versions=[version("cat", MARCH + 1)], activities=[activity("a-3", "cat", JANUARY + 7, kind="call")])
    exported(database, tmp_path / "grown")
    exported(database, tmp_path / "new")
    assert files(tmp_path / "grown") == files(tmp_path / "new")


def test_a_merged_lead_has_the_outcomes_it_shares(database, url, tmp_path):
    exported(database, tmp_path / "out")
    fill(url, merges=[merged("bob", "ann", MARCH)])
    exported(database, tmp_path / "out")
    assert rows(tmp_path / "out", "outcomes", "lead_id", "outcome_id") == [("ann", "o-1"), ("bob", "o-1~bob")]


def test_other_attributes_in_the_playbook_make_another_export(database, url, tmp_path):
    exported(database, tmp_path / "out")
    fewer = {name: said for name, said in PLAYBOOK_OF.attributes.items() if name != "employees"}
    told = exported(database, tmp_path / "out", playbook=PLAYBOOK_OF.model_copy(update={"attributes": fewer}))
    assert told.written["leads"] == 3
    assert "employees" not in pq.read_table(tmp_path / "out" / "leads").column_names


def test_an_attribute_of_another_type_is_left_out_and_counted(database, url, tmp_path):
    fill(url, versions=[version("odd", MARCH, employees="many", seniority="vp")])
    assert exported(database, tmp_path / "out").misfits == {"employees": 1}
    assert rows(tmp_path / "out", "leads", "lead_id", "employees", "seniority")[-1] == ("odd", None, "vp")


@pytest.mark.parametrize("breaks_at", range(6))
def test_a_run_that_breaks_leaves_whole_files_and_the_next_one_mends_it(
    database, url, tmp_path, monkeypatch, breaks_at
):
    out = tmp_path / "out"
    exported(database, out)
    fill(url, versions=[version("new", MARCH + 1)], activities=[activity("a-5", "new", MARCH + 2, kind="call")])
    keep(database, receipts, receipt("r-1"))

    def broken(*_told):
        nonlocal breaks_at
        breaks_at -= 1
        if breaks_at < 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for module in ("serving.feedback.export_folder", "data.atomic_files"):
            patch.setattr(f"{module}.sync", broken)
        with pytest.raises(KeyboardInterrupt):
            exported(database, out)
    known = {lead_id for (lead_id,) in rows(out, "leads", "lead_id")}
    assert {lead_id for (lead_id,) in rows(out, "activities", "lead_id")} <= known
    exported(database, out)
    exported(database, tmp_path / "new")
    assert files(out) == files(tmp_path / "new")
    assert not (out / ".partial").exists()


def test_a_month_whose_file_was_deleted_comes_back(database, url, tmp_path):
    exported(database, tmp_path / "out")
    (tmp_path / "out" / "leads" / "2026-01.parquet").unlink()
    assert exported(database, tmp_path / "out").months == 1


def test_another_folder_than_an_export_is_left_alone(database, url, tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(ExportError, match="something else"):
        exported(database, tmp_path)
    exported(database, tmp_path / "out")
    with pytest.raises(ExportError, match="of the playbook demo"):
        exported(database, tmp_path / "out", playbook=PLAYBOOK_OF.model_copy(update={"name": "other"}))
    (tmp_path / "out" / "manifest.json").write_text("{")
    with pytest.raises(ExportError, match="damaged"):
        exported(database, tmp_path / "out")


def test_files_that_somebody_put_into_an_export_stay(database, url, tmp_path):
    out = tmp_path / "out"
    exported(database, out)
    put = {
        out / name: name.encode()
        for name in ("leads/mine.parquet", "leads/1999-01.parquet", ".partial/notes.txt", ".partial/leads/mine.parquet")
    }
    for path, content in put.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    fill(url, versions=[version("new", MARCH + 1)])
    exported(database, out)
    assert remove_leads(out, "new") > 0
    assert {path: path.read_bytes() for path in put} == put


def test_a_hidden_folder_of_somebody_s_is_no_export(database, url, tmp_path):
    (tmp_path / "out/.partial").mkdir(parents=True)
    with pytest.raises(ExportError, match="something else"):
        exported(database, tmp_path / "out")


def test_the_store_remembers_where_exports_are(database, url, tmp_path):
    for name in ("one", "two", "one"):
        exported(database, tmp_path / name)
    with database.reading() as connection:
        assert exports_of(connection) == [tmp_path / "one", tmp_path / "two"]


def erase(database, lead_id):
    with database.writing() as connection:
        connection.execute(delete(leads).where(leads.c.lead_id == lead_id))
        connection.execute(insert(tombstones), {"keyed_hash": "t", "erased_at": MARCH})


def test_an_erased_lead_leaves_no_byte_in_an_export(database, url, tmp_path):
    out = tmp_path / "out"
    keep(database, receipts, receipt("r-1"), receipt("r-2", "bob"))
    keep(database, routes, route())
    exported(database, out)
    erase(database, "ann")
    assert remove_leads(out, "ann") == 6
    assert [path.name for path in out.rglob("*") if path.is_file() and b"ann" in path.read_bytes()] == []
    assert rows(out, "leads", "lead_id") == [("bob",)]
    assert rows(out, "receipts", "receipt_id") == [("r-2",)]
    assert remove_leads(out, "ann") == 0
    assert remove_leads(tmp_path / "gone", "ann") is None


def test_an_export_after_an_erasure_is_rewritten(database, url, tmp_path):
    """Even if rows of other leads with the same instants have taken their place."""
    exported(database, tmp_path / "out")
    erase(database, "ann")
    fill(url, versions=[version("Ann", JANUARY), version("Ann", MARCH)])
    exported(database, tmp_path / "out")
    assert rows(tmp_path / "out", "leads", "lead_id") == [("Ann",), ("Ann",), ("bob",)]
    assert not (tmp_path / "out" / "outcomes" / "2026-03.parquet").exists()


def test_a_folder_of_another_epoch_or_of_another_store_is_left_alone(database, url, tmp_path):
    exported(database, tmp_path / "out")
    before = files(tmp_path / "out")
    with database.writing() as connection:
        begin_epoch(connection, 2)
    with pytest.raises(ExportError, match=r"export of store \w+ in epoch 1, and this is store \w+ in epoch 2"):
        exported(database, tmp_path / "out")
    exported(database, tmp_path / "new")
    with database.writing() as connection:
        begin_epoch(connection, 1)
    with pytest.raises(ExportError, match=r"in epoch 2, and this is store \w+ in epoch 1"):
        exported(database, tmp_path / "new")
    change(url, "UPDATE store_state SET content = 'other' WHERE name = 'store_id'")
    with pytest.raises(ExportError, match="this is store other in epoch 1"):
        exported(database, tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_a_folder_of_an_earlier_release_is_adopted(database, url, tmp_path):
    exported(database, tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({name: content[name] for name in content if name not in {"store_id", "epoch"}}))
    assert exported(database, tmp_path / "out").months == 0
    assert json.loads(manifest.read_text()) == content


def test_a_folder_that_holds_more_facts_than_the_store_is_left_alone(database, url, tmp_path):
    """As when a copy was put in the store's place by hand."""
    exported(database, tmp_path / "out")
    before = files(tmp_path / "out")
    change(url, "DELETE FROM activities WHERE activity_id = 'a-1'")
    with pytest.raises(ExportError, match="holds more of store"):
        exported(database, tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_two_at_once_wait_for_each_other(database, url, tmp_path):
    import fcntl

    exported(database, tmp_path / "out")
    with locked(tmp_path / "out"), (tmp_path / "out" / ".lock").open("ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_lines_to_paste_name_the_folder_and_its_files(database, url, tmp_path):
    exported(database, tmp_path / "out")
    said = yaml.safe_load((tmp_path / "out" / "sources.yaml").read_text())
    assert said["folder"] == str(tmp_path / "out")
    assert [source["file"] for source in said["sources"]] == [
        "leads/*.parquet",
        "activities/*.parquet",
        "outcomes/*.parquet",
    ]


def test_instants_before_1970_and_of_any_month_find_their_file(database, tmp_path):
    days = ["1900-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2024-02-29T12:00:00Z"]
    url = database.url.render_as_string(hide_password=False)
    fill(url, versions=[version(f"L-{at}", parse(day)) for at, day in enumerate(days)])
    assert exported(database, tmp_path / "out").rows["leads"] == 4
    assert sorted(files(tmp_path / "out")) == [
        "leads/1900-01.parquet",
        "leads/1969-12.parquet",
        "leads/1970-01.parquet",
        "leads/2024-02.parquet",
    ]
    assert exported(database, tmp_path / "out").months == 0
    erase(database, "L-1")
    exported(database, tmp_path / "out")
    assert not (tmp_path / "out" / "leads" / "1969-12.parquet").exists()
