"""What the page on operations names exists, and its downgrade works."""

import os
import re
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, inspect, text

import leadscore
from serving.observability.prometheus import Meter
from serving.settings import Settings
from serving.store.migrating import take_back
from tests.serving.conftest import ROOT, opened

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PACKAGES = ("client", "data", "features", "models", "serving", "training")


def commands():
    """Return the verbs of the command line."""
    named = [one.name or one.callback.__name__ for one in leadscore.app.registered_commands]
    return {*named, *(one.name or one.typer_instance.info.name for one in leadscore.app.registered_groups)}


def test_every_command_on_the_page_exists():
    named = set(re.findall(r"(?:^|[`/ ])(?:as_)?leadscore ([a-z]+)(?=[ `\n])", PAGE, flags=re.MULTILINE))
    assert {"serve", "load", "keys", "recheck", "export", "deploy"} <= named
    assert named <= commands()


def test_every_variable_on_the_page_exists():
    named = set(re.findall(r"LEADSCORE_([A-Z_]+)", PAGE))
    assert {"WORKERS", "DRAIN_S", "DATABASE", "ENGINE"} <= named
    sources = [ROOT / "leadscore.py", *(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))]
    read = {name for file in sources for name in re.findall(r"LEADSCORE_([A-Z_]+)", file.read_text(encoding="utf-8"))}
    assert named <= read | {name.upper() for name in Settings.model_fields}


def test_every_metric_is_on_the_page_and_every_one_on_the_page_exists(store):
    store.service.worker.catch_up()
    told = {line.split()[2] for line in store.client.get("/metrics").text.splitlines() if line.startswith("# TYPE")}
    told = {name for name in told if not name.endswith("_created")}
    assert isinstance(store.client.app.state.meter, Meter)
    only_of_files = {"leadscore_disk_free_bytes"} if store.service.database.path is None else set()
    assert told | only_of_files == set(re.findall(r"`(leadscore_[a-z_]+)`", PAGE))


def test_every_file_on_the_page_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_a_store_is_taken_back_keeps_its_facts_and_comes_forward_again(settings):
    store = opened(settings)
    with store.client:
        store.lead("L-1", attributes={"seniority": "vp", "employees": 500})
        store.activity("a")
        routes = store.rows("routes")
    take_back(settings.database, "1")
    engine = create_engine(settings.database)
    tables = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        kept = [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in ("leads", "activities")]
    engine.dispose()
    assert kept == [1, 1]
    assert tables.isdisjoint({"receipts", "api_keys", "merges", "quarantine", "scores"})
    again = opened(settings, store.clock)
    with again.client:
        assert again.score("L-1")["lead_id"] == "L-1"
        assert len(again.rows("routes")) == len(routes) == 1


@pytest.mark.parametrize(
    ("given", "database", "said"), [([], "x.db", "Name the store"), (["7"], "x.db", "there is no other earlier step")]
)
def test_an_impossible_way_back_is_refused_in_one_sentence(tmp_path, given, database, said):
    done = subprocess.run(
        [sys.executable, "-m", "serving.store.migrating", *given],
        cwd=ROOT, env={**os.environ, "LEADSCORE_DATABASE": str(tmp_path / database)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / database).exists()
