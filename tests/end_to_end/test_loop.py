"""The loop closes: what the service was loaded with and told is history, the same by every way."""

import shutil

import pytest
import yaml
from fastapi.testclient import TestClient

from data.home import Home
from data.importing.warehouse import import_history
from data.instants import DAY_US, iso
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.app import create_app
from serving.callers.keys import create_key
from serving.settings import settings_for
from serving.store.database import Database
from serving.verbs.export_and_recheck import export, recheck
from serving.verbs.load_and_serve import load
from training.dataset.dataset_builder import build_dataset

STORE = {"sources": [{"holds": "store"}]}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def home(request, tmp_path, monkeypatch):
    """A home whose store is of either kind."""
    found = Home(tmp_path / "home")
    store = tmp_path / "leadscore.db"
    url = str(store) if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()
    monkeypatch.setenv("LEADSCORE_DATABASE", url)
    return found


def retold(folder, path, says):
    """Copy a playbook with another place where its history is."""
    shutil.copytree(folder.path, path, ignore=shutil.ignore_patterns("*.parquet", "*.csv*", "*.jsonl", "truth"))
    said = yaml.safe_load((path / "playbook.yaml").read_text())
    (path / "playbook.yaml").write_text(yaml.safe_dump({**said, **says}, sort_keys=False))
    return load_playbook(path)


def built(folder, home):
    history = import_history(Workspace(folder, home))
    dataset, place = build_dataset(history, Workspace(folder, home))
    return history, dataset, (place / "rows.parquet").read_bytes()


def by_the_store_and_by_its_export(world, home, tmp_path):
    """Build training sets of the store itself and of what is exported from it."""
    of_store = retold(world.playbook, tmp_path / "of_store", STORE)
    export(Workspace(of_store, home), out=tmp_path / "out")
    lines = yaml.safe_load((tmp_path / "out" / "sources.yaml").read_text())
    of_export = retold(world.playbook, tmp_path / "of_export", lines)
    return built(of_store, Home(tmp_path / "store_home")), built(of_export, Home(tmp_path / "export_home"))


@pytest.mark.slow
def test_retraining_from_files_store_or_export_begins_with_the_same_bytes(world, home, tmp_path):
    load(Workspace(world.playbook, home))
    history, files, rows = built(world.playbook, world.home)
    for found_history, found, found_rows in by_the_store_and_by_its_export(world, home, tmp_path):
        assert found.sha256 == files.sha256
        assert found_rows == rows
        assert found_history.cutoff_us == history.cutoff_us
        for table in ("leads", "activities", "outcomes"):
            name = f"{table}.parquet"
            assert (found_history.folder / name).read_bytes() == (history.folder / name).read_bytes(), table


@pytest.mark.slow
def test_what_the_service_was_told_is_learned_from_too(world, home, tmp_path):
    """Facts told live, a merge and its outcome: equal by both ways, and equal to what was served."""
    load(Workspace(world.playbook, home))
    history, before, _ = built(world.playbook, world.home)
    clock = Ticking(history.cutoff_us + DAY_US)
    tell(world.playbook, home, clock, leads=history.frame("leads")["lead_id"].unique()[:4].tolist())
    (one, of_store, first), (two, of_export, second) = by_the_store_and_by_its_export(world, home, tmp_path)
    assert (of_store.sha256, first) == (of_export.sha256, second)
    assert of_store.sha256 != before.sha256
    shared = [row for row in one.frame("outcomes").to_dict("records") if row["outcome_id"].startswith("live-o")]
    assert sorted(row["lead_id"] for row in shared) == ["live-1", "live-2"]
    assert one.rows == two.rows
    found = recheck_at(world.playbook, home, clock)
    assert found.given > 0
    assert found.passed, found.differences[:3]


class Ticking:
    """A clock that goes on by a millisecond each time it is asked."""

    def __init__(self, now_us):
        self.now_us = now_us

    def __call__(self):
        self.now_us += 1000
        return self.now_us


def recheck_at(folder, home, clock):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.verbs.export_and_recheck.now_us", clock)
        return recheck(Workspace(folder, home), sample=50, seed=3)


def tell(folder, home, clock, *, leads):
    """Send new leads and old ones to the service, merge two, and win one of them."""
    settings = settings_for(Workspace(folder, home))
    with TestClient(create_app(settings, now=clock, works_behind=False)) as client:
        service = client.app.state.service
        client.headers["Authorization"] = f"Bearer {key_in(service.database)}"

        def post(path, **content):
            answer = client.post(f"/v1/{path}", json=content)
            assert answer.status_code < 300, answer.text
            service.worker.catch_up()

        for at, lead_id in enumerate(["live-1", "live-2", *leads]):
            if lead_id.startswith("live"):
                told = {"employees": 40 + at, "seniority": "vp", "business_email": True}
                post("leads", lead_id=lead_id, account_id="live-account", attributes=told)
            now = iso(clock())
            post("activities", activity_id=f"live-a-{at}", lead_id=lead_id, kind="demo_request", occurred_at=now)
        post("leads/live-2/merge", into="live-1")
        post("outcomes", outcome_id="live-o", lead_id="live-1", stage="sql", reached_at=iso(clock()))
        for lead_id in ("live-1", *leads):
            assert client.get(f"/v1/leads/{lead_id}/score").status_code == 200
        service.worker.catch_up()


def key_in(database: Database) -> str:
    with database.writing() as connection:
        _, secret = create_key(connection, "all", scopes=["events:write", "scores:read", "admin"], now=0)
    return secret
