"""Tables are made once, whole or not at all, and hold what the contract says."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.arrow_schemas import ACTIVITY_COLUMNS, OUTCOME_COLUMNS, lead_schema
from data.contract import AttributeType
from data.errors import DataError
from data.importing import warehouse as module
from data.importing.warehouse import Warehouse
from data.instants import parse
from tests.data.company import ACTIVITIES, LEADS, NOW_US, OUTCOMES, TWO_LEADS, company, imported

HEAD = "id,lead_id,kind,occurred_at\n"
FILES = {
    "leads.csv": TWO_LEADS,
    "web.csv": HEAD + "2,bob,view,2026-02-03\n1,ann,view,2026-02-02\n3,ann,call,2026-02-01\n",
    "outcomes.csv": "id,lead_id,stage,reached_at\no,ann,won,2026-03-01T08:00:00Z\n",
}
SOURCES = [LEADS, ACTIVITIES, OUTCOMES]
VIP = {
    "vip": {"type": "boolean", "says": "is a vip", "says_not": "is no vip"},
    "size": {"type": "numeric", "says": "has {value}"},
    "land": {"type": "category", "says": "is in {value}"},
}


def test_tables_hold_what_the_contract_says(tmp_path):
    leads = "lead_id,created_at,vip,size,land\nann,2026-01-01T08:00:00Z,yes,3,de\nbob,2026-01-01T08:00:00Z,no,,\n"
    warehouse = imported(company(tmp_path, {**FILES, "leads.csv": leads}, SOURCES, attributes=VIP))
    kinds = {name: AttributeType(attribute["type"]) for name, attribute in VIP.items()}
    contract = {"leads": lead_schema(kinds), "activities": ACTIVITY_COLUMNS, "outcomes": OUTCOME_COLUMNS}
    for table, columns in contract.items():
        held = pq.read_schema(warehouse.folder / f"{table}.parquet")
        assert dict(zip(held.names, held.types, strict=True)) == dict(zip(columns.names, columns.types, strict=True))


def test_engines_see_numbers_alone(tmp_path):
    """Instants are microseconds, yes and no are 1 and 0, so that one expression runs on every engine."""
    warehouse = imported(company(tmp_path, FILES, SOURCES))
    assert warehouse.activities.schema()["occurred_at"].is_int64()
    outcomes = warehouse.frame("outcomes")
    assert outcomes["reached_at"].tolist() == [parse("2026-03-01T08:00:00Z")]
    assert outcomes["reached_at"].dtype == "int64"
    assert outcomes["amount"].isna().all()


def test_activities_lie_sorted_by_lead_and_time(tmp_path):
    assert imported(company(tmp_path, FILES, SOURCES)).frame("activities")["activity_id"].tolist() == ["3", "1", "2"]


def test_the_cut_off_is_the_latest_instant_at_which_anything_became_known(tmp_path):
    assert imported(company(tmp_path, FILES, SOURCES)).cutoff_us == parse("2026-03-01T08:00:00Z")


def test_snapshots_join_the_tables(tmp_path):
    warehouse = imported(company(tmp_path, FILES, SOURCES))
    frame = pd.DataFrame({"lead_id": ["ann", "zoe"], "as_of": [NOW_US, NOW_US]})
    snapshots = warehouse.snapshots_table(frame)
    counted = snapshots.left_join(warehouse.activities, "lead_id").group_by("lead_id").agg(n=ibis._.kind.count())
    frame = counted.order_by("lead_id").execute()
    assert dict(zip(frame["lead_id"], frame["n"], strict=True)) == {"ann": 2, "zoe": 0}
    assert warehouse.snapshots_table(frame.head(1)).count().execute() == 1, "a table of that name is replaced"


def test_tables_are_reused_where_nothing_has_changed(tmp_path, monkeypatch):
    folder = company(tmp_path, FILES, SOURCES)
    first = imported(folder)
    monkeypatch.setattr(module, "stage", lambda *_, **__: pytest.fail("the exports were read again"))
    again = imported(folder)
    assert again == first
    assert again.quality == first.quality


@pytest.mark.parametrize("change", ["exports", "zone", "ids", "empty", "words"])
def test_tables_are_made_anew_where_something_that_matters_has_changed(tmp_path, change):
    first = imported(company(tmp_path, FILES, SOURCES))
    files = {**FILES, "web.csv": FILES["web.csv"] + "4,ann,view,2026-02-02\n"} if change == "exports" else FILES
    says = {
        "zone": {"timezone": "Asia/Tokyo"},
        "ids": {"ids": "casefold"},
        "empty": {"empty": ["?"]},
        "words": {"title": "Another title"},
    }.get(change, {})
    second = imported(company(tmp_path, files, SOURCES, **says))
    assert (second.fingerprint == first.fingerprint) == (change == "words")


def test_rows_from_the_future_are_looked_at_again(tmp_path):
    files = {**FILES, "web.csv": HEAD + "1,ann,view,2026-11-05T00:00:00Z\n"}
    folder = company(tmp_path, files, SOURCES)
    assert imported(folder).rows["activities"] == 0
    assert imported(folder, now_us=parse("2026-11-06")).rows["activities"] == 1


@pytest.mark.parametrize("damage", ["manifest", "missing", "cut"])
def test_damaged_tables_are_made_anew(tmp_path, damage):
    folder = company(tmp_path, FILES, SOURCES)
    first = imported(folder)
    table = first.folder / "activities.parquet"
    match damage:
        case "manifest":
            (first.folder / "manifest.json").write_text("{")
        case "missing":
            table.unlink()
        case "cut":
            table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(DataError, match="import the history again"):
        Warehouse.open(first.folder)
    assert imported(folder).activities.count().execute() == 3


def test_nothing_half_written_stays_when_the_import_breaks(tmp_path, monkeypatch):
    folder = company(tmp_path, FILES, SOURCES)

    def breaks(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "period_of", breaks)
    with pytest.raises(KeyboardInterrupt):
        imported(folder)
    assert list((tmp_path / "home/data/store/tiny").iterdir()) == []


SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
import sys
from pathlib import Path
from tests.data.company import imported, load_playbook
imported(load_playbook(Path(sys.argv[1])))
"""


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    rows = "".join(f"{at},ann,view,2026-02-01\n" for at in range(1_500_000))
    company(tmp_path, {**FILES, "web.csv": HEAD + rows}, SOURCES)
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=Path(__file__).parents[2], stderr=subprocess.PIPE
    )
    store = tmp_path / "home/data/store/tiny"
    wait_until(lambda: running.poll() is not None or is_staging(store))
    os.kill(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "KeyboardInterrupt" in errors.decode()[-300:]
    assert list(store.iterdir()) == []


def is_staging(store):
    """Return whether an import has begun to write rows."""
    with suppress(FileNotFoundError):  # DuckDB renames its files
        return sum(file.stat().st_size for file in store.glob(".partial-*/staging.duckdb*")) > 0
    return False


def wait_until(holds, seconds=300):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "the import never began"
        time.sleep(0.01)


def test_the_manifest_says_what_is_there(tmp_path):
    warehouse = imported(company(tmp_path, FILES, SOURCES))
    manifest = json.loads((warehouse.folder / "manifest.json").read_text())
    assert manifest["rows"] == {"leads": 2, "activities": 3, "outcomes": 1}
    assert set(manifest["files"]) == {"leads.parquet", "activities.parquet", "outcomes.parquet"}
