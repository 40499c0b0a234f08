"""The alarms and the dashboard name metrics that exist, and each alarm says what to do."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.documents.test_pages import anchors
from tests.serving.conftest import ROOT

FOLDER = ROOT / "docs" / "operations"
ALARMS = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]  # fmt: skip
PANELS = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
EXPRESSIONS = {
    **{alarm["alert"]: alarm["expr"] for alarm in ALARMS},
    **{f"{panel['title']} {query['refId']}": query["expr"] for panel in PANELS for query in panel["targets"]},
}
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BASE = "BASE/docs/operations.md#"
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=Path(sys.executable).parent)


@pytest.fixture
def engine():
    """Name SQLite alone: the free space on the disk of PostgreSQL's server is not ours to know."""
    return "sqlite"


def series(text):
    """Return the names of all series that a page of metrics may have, and the labels of those it has."""
    names = set()
    for _, _, name, kind in (line.split() for line in text.splitlines() if line.startswith("# TYPE")):
        names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    return names


def test_every_metric_of_the_alarms_and_the_dashboard_exists(store):
    for _ in range(3):  # receipts are counted by a walk over all leads
        store.clock.pass_days(1)
        store.catch_up()
    answer = store.client.get("/metrics").text
    known = series(answer)
    for name, expression in EXPRESSIONS.items():
        named = set(re.findall(r"\bleadscore_\w+", expression))
        assert named <= known, name
        assert named or expression.startswith("up{"), name


def test_every_label_that_is_selected_or_summed_exists(store):
    store.client.post("/v1/leads", json=[{"lead_id": "L-1"}, {}]).raise_for_status()
    store.score("L-1")
    text = store.client.get("/metrics").text
    known = set(re.findall(r'[{,](\w+)="', text)) | {"instance", "job", "error", "le"}
    for name, expression in EXPRESSIONS.items():
        named = re.findall(r"[{,](\w+)=", expression)
        summed = [label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")]
        assert {*named, *summed} <= known, name
    routes = {route for text in EXPRESSIONS.values() for route in re.findall(r'route="([^"]+)"', text)}
    assert all(f'route="{route}"' in text for route in routes)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm["alert"])
def test_an_alarm_says_what_it_is_about_and_links_to_what_to_do(alarm):
    notes = alarm["annotations"]
    assert notes["summary"]
    assert alarm["labels"]["severity"] in {"page", "ticket"}
    assert notes["runbook_url"] == f"{BASE}{alarm['alert'].lower()}"
    assert alarm["alert"].lower() in anchors(PAGE)


def test_no_paragraph_of_the_page_is_about_an_alarm_that_is_not_there():
    assert re.findall(r"^### (Leadscore\w+)$", PAGE, re.MULTILINE) == [alarm["alert"] for alarm in ALARMS]


def test_panels_have_a_title_a_unit_and_a_place_of_their_own():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS})
    assert all(panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: .ci/run fetches Debian's")
def test_prometheus_reads_the_alarms():
    command = [PROMTOOL, "check", "rules", FOLDER / "alerts.yml"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: .ci/run fetches Debian's")
def test_prometheus_reads_the_queries_of_the_dashboard(tmp_path):
    rules = [{"record": "dashboard:query", "expr": q["expr"], "labels": {"panel": p["title"], "query": q["refId"]}}
             for p in PANELS for q in p["targets"]]  # fmt: skip
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    command = [PROMTOOL, "check", "rules", tmp_path / "rules.yml"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
