"""Promote, load, serve, post what happened: the score rises and the lead is handed over once."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from data.home import Home
from data.words.playbook import Playbook
from data.workspace import Workspace
from models.receipt import Reason, folded_small, told_reasons
from serving.verbs.manage_keys import create
from tests.end_to_end.command_line import leadscore

PATIENCE_S = 120


@dataclass(frozen=True)
class Way:
    """A company whose model was promoted and whose store was loaded, and what each verb answered on the way."""

    playbook: Playbook
    home: Home
    answers: dict

    def run(self, verb, *arguments):
        """Run a verb on the company; return its answer."""
        done = leadscore(verb, *arguments, "--playbook", str(self.playbook.path), "--json", home=self.home.root)
        assert done.code == 0, done.stderr
        return done.json


@pytest.fixture(scope="module")
def way(world, trained, tmp_path_factory):
    """The trained company, and from there on by the command line alone; `test_demo` goes the way before as well."""
    home = Home(tmp_path_factory.mktemp("whole_way") / "home")
    shutil.copytree(world.home.root, home.root)
    found = Way(world.playbook, home, {"train": json.loads(json.dumps(trained.as_json()))})
    for verb in ("check", "build", "compare", "promote", "load"):
        found.answers[verb] = found.run(verb)
    return found


@pytest.fixture(scope="module")
def service(way):
    """The service as a process of its own on a free port, which its log names."""
    environment = os.environ | {"LEADSCORE_HOME": str(way.home.root)}
    key = create(Workspace(way.playbook, way.home), "crm", scopes=["admin"]).secret
    command = [sys.executable, "-m", "leadscore", "serve", "--playbook", str(way.playbook.path), "--port", "0"]
    log = way.home.root / "serve.log"
    with log.open("wb") as file, subprocess.Popen(command, env=environment, stdout=file, stderr=file) as process:
        try:
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=_address(process, log), headers=headers, timeout=60) as client:
                yield client
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE_S) == 0
        finally:
            process.kill()


def _address(process, log):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        if listening := re.search(r"Listening on (http://[0-9.]+:[0-9]+)", log.read_text()):
            return listening[1]
        time.sleep(0.05)
    pytest.fail(f"the service did not become ready: {log.read_text()}")


def test_train_says_what_was_agreed(way):
    trained = way.answers["train"]
    assert {"version", "run_id", "bundle", "rows", "positives", "features", "test"} <= trained.keys()
    assert {"value", "low", "high"} <= trained["test"]["auc"].keys()
    assert {"value", "noise_95"} <= trained["test"]["ece"].keys()
    assert {"log_loss", "base_log_loss", "precision_at_capacity", "lift_at_10"} <= trained["test"].keys()


def test_compare_puts_both_scorers_on_the_same_rows(way):
    compared = way.answers["compare"]
    assert [scorer["kind"] for scorer in compared["scorers"]] == ["model", "rules", "rules", "learned rules"]
    assert [one["name"] for one in compared["replay"]["participants"]] == [one["name"] for one in compared["scorers"]]
    assert compared["winner"] in {scorer["name"] for scorer in compared["scorers"]}
    assert all("auc" in scorer and "log_loss" in scorer for scorer in compared["scorers"])


def test_the_promoted_model_answers(way, service):
    model = service.get("/v1/model").json()
    assert not model["degraded"]
    assert str(way.answers["train"]["version"]) in json.dumps(model)


def test_a_lead_that_wakes_up_is_handed_over_once(service):
    """From a quiet lead to pricing, trial and demo: the score rises, and one route is written however much follows."""
    lead = {"lead_id": "new-1", "attributes": {"industry": "software", "seniority": "student", "business_email": False}}
    assert service.post("/v1/leads", json=lead).status_code == 202
    quiet = service.get("/v1/leads/new-1/score").json()
    assert [route for route in _routes(service) if route["lead_id"] == "new-1"] == []
    grown = {
        **lead,
        "attributes": {"industry": "software", "seniority": "vp", "employees": 400, "business_email": True},
    }
    assert service.post("/v1/leads", json=grown).status_code == 202
    for round_ in range(4):
        answer = service.post("/v1/activities", json=_burst("new-1", round_))
        assert answer.status_code == 202, answer.text
        assert answer.json()["rejected"] == 0, answer.text
    awake = service.get("/v1/leads/new-1/score?reasons=all").json()
    assert awake["points"] > quiet["points"] + 10
    total = awake["base_points"] + sum(reason["points"] for reason in awake["reasons"]) + awake["rest_points"]
    assert total == pytest.approx(awake["points"], abs=1e-9)
    routes = _routed(service, "new-1")
    assert len(routes) == 1
    assert {"id", "lead_id", "score", "grade", "threshold", "routed_at", "reasons"} <= routes[0].keys()


def _routes(service):
    return service.get("/v1/routes").json()["routes"]


def _routed(service, lead_id):
    """Wait until a lead was handed over, which follows what happened within moments; give all its routes."""
    until = time.monotonic() + PATIENCE_S
    while not (found := [route for route in _routes(service) if route["lead_id"] == lead_id]):
        assert time.monotonic() < until, "the lead was not handed over"
        time.sleep(0.05)
    return found


def _burst(lead_id, round_):
    now = datetime.now(UTC)
    kinds = ["page_view", "page_view", "page_view", "webinar", "trial_start", "trial_use", "demo_request", "call"]
    return [
        {
            "activity_id": f"{lead_id}-{round_}-{at}",
            "lead_id": lead_id,
            "kind": kind,
            "occurred_at": (now - timedelta(minutes=90 - 10 * at)).isoformat(),
            **({"subject": "pricing"} if kind == "page_view" else {}),
        }
        for at, kind in enumerate(kinds)
    ]


def test_history_and_service_give_the_same_score_for_the_same_instant(way, service, tmp_path):
    """`score` reads Parquet, the service SQLite: 200 leads as of the end of the history, with all reasons."""
    out = tmp_path / "scores.parquet"
    answer = way.run("score", "--reasons", "--out", str(out))
    import pandas as pd

    scores = pd.read_parquet(out).set_index("lead_id").head(200)
    for lead_id, row in scores.iterrows():
        asked = {"as_of": answer["as_of"], "reasons": "all"}
        live = service.get(f"/v1/leads/{lead_id}/score", params=asked).json()
        told = json.loads(row["reasons"]) if isinstance(row["reasons"], str) else row["reasons"]
        as_told = folded_small(told_reasons([Reason(each["code"], each["says"], each["points"]) for each in told]))
        assert [each["says"] for each in live["reasons"]] == [each.says for each in as_told], lead_id
        assert live["points"] == pytest.approx(row["points"], abs=1e-9), lead_id
        assert live["grade"] == row["grade"]


def test_explain_and_the_service_say_the_same(way, service):
    lead_id = service.get("/v1/routes").json()["routes"][0]["lead_id"]
    told = way.run("explain", "L000500")
    live = service.get("/v1/leads/L000500/score", params={"reasons": "all", "as_of": told["as_of"]}).json()
    assert lead_id
    assert [reason["says"] for reason in live["reasons"]] == [reason["says"] for reason in told["reasons"]]
    assert live["points"] == pytest.approx(told["points"], abs=1e-9)
    assert live["scorer"] == told["scorer"]


def test_scores_of_days_the_model_learnt_from_are_said_to_be_hindsight(way):
    learnt = way.answers["train"]["plan"]["train"]["end"]
    assert way.run("explain", "L000100", "--as-of", learnt)["hindsight"]
    assert not way.run("explain", "L000100")["hindsight"]
