"""A lead that was lost on 20 January and asks for a demo on 1 February is scored, listed and handed over again."""

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from data.home import Home
from data.instants import iso, now_us
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.app import create_app
from serving.callers.keys import create_key
from serving.settings import settings_for
from tests.data.company import ACTIVITIES, LEADS, OUTCOMES, company
from tests.end_to_end.command_line import leadscore

WORDS = {
    "activities": {
        "view": {"did": "looked at a page", "one": "view", "many": "views"},
        "demo_request": {"did": "asked for a demo", "one": "demo request", "many": "demo requests", "intent": True},
    },
    "stages": {"mql": "marketing-qualified", "sql": "sales-qualified", "won": "won", "lost": "lost"},
    "closed_by": ["won", "lost"],
    "goal": {"stage": "sql", "horizon_days": 30},
}
WHO = "lead_id,created_at\n" + "".join(f"{lead},2026-01-02T08:00:00Z\n" for lead in ("back", "gone", "won", "new"))
DID = """id,lead_id,kind,occurred_at
1,back,demo_request,2026-01-10T09:00:00Z
2,back,demo_request,2026-02-01T09:00:00Z
3,gone,demo_request,2026-01-10T09:00:00Z
4,gone,view,2026-02-01T09:00:00Z
5,won,demo_request,2026-02-01T09:00:00Z
6,new,view,2026-03-01T09:00:00Z
"""
REACHED = """id,lead_id,stage,reached_at
1,back,mql,2026-01-11T09:00:00Z
2,back,lost,2026-01-20T09:00:00Z
3,gone,lost,2026-01-20T09:00:00Z
4,won,won,2026-01-20T09:00:00Z
"""
FILES = {"leads.csv": WHO, "web.csv": DID, "outcomes.csv": REACHED}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    company(folder, FILES, [LEADS, ACTIVITIES, OUTCOMES], **WORDS)
    return folder


def scored(home, as_of):
    out = home / "scores.parquet"
    done = leadscore("score", "--out", str(out), "--as-of", as_of, "--overwrite", "--playbook", str(home), home=home)
    assert done.code == 0, done.stderr
    return {row["lead_id"]: row["stage"] for row in pq.read_table(out).to_pylist()}


def explained(home, lead, as_of, *more):
    done = leadscore("explain", lead, "--as-of", as_of, "--playbook", str(home), *more, home=home)
    assert done.code == 0, done.stderr
    return done


@pytest.mark.parametrize(
    ("as_of", "stages"),
    [
        ("2026-01-12T00:00:00Z", {"back": "mql", "gone": None, "won": None, "new": None}),
        ("2026-01-25T00:00:00Z", {"new": None}),
        ("2026-02-01T09:00:00Z", {"new": None}),
        ("2026-02-02T00:00:00Z", {"back": "lost", "new": None}),
    ],
)
def test_the_list_holds_it_until_it_is_lost_and_again_once_it_asks_for_a_demo(home, as_of, stages):
    assert scored(home, as_of) == stages


@pytest.mark.parametrize(
    ("lead", "as_of", "stage", "closed_at"),
    [
        ("back", "2026-01-25T00:00:00Z", "lost", "2026-01-20T09:00:00Z"),
        ("back", "2026-02-02T00:00:00Z", "lost", None),
        ("gone", "2026-02-02T00:00:00Z", "lost", "2026-01-20T09:00:00Z"),
        ("won", "2026-02-02T00:00:00Z", "won", "2026-01-20T09:00:00Z"),
        ("new", "2026-02-02T00:00:00Z", None, None),
    ],
)
def test_a_closed_lead_is_explained_with_since_when(home, lead, as_of, stage, closed_at):
    answer = explained(home, lead, as_of, "--json").json
    assert (answer["stage"], answer["closed_at"]) == (stage, closed_at)


def test_the_service_says_the_same_of_the_loaded_history_and_hands_over_who_comes_back(tmp_path):
    company(tmp_path, FILES, [LEADS, ACTIVITIES, OUTCOMES], **WORDS)
    (tmp_path / "scorecard.yaml").write_text(
        "rules: [{activity: demo_request, points: 60, because: asked for a demo}]\n"
    )
    assert leadscore("load", "--playbook", str(tmp_path), home=tmp_path).code == 0
    app = create_app(settings_for(Workspace(load_playbook(tmp_path), Home(tmp_path))), works_behind=False)
    database, worker = app.state.service.database, app.state.service.worker
    with database.writing() as connection:
        _, secret = create_key(connection, "test", scopes=["admin"], now=now_us())
    with TestClient(app, headers={"Authorization": f"Bearer {secret}"}) as client:
        worker.catch_up()
        scores = client.post("/v1/scores", json={"lead_ids": ["back", "gone", "won", "new"]}).json()["scores"]
        closed_at = [score["closed_at"] and score["closed_at"][:10] for score in scores]
        assert closed_at == [None, "2026-01-20", "2026-01-20", None]
        assert [score["stage"] for score in scores] == ["lost", "lost", "won", None]
        asked = [
            {"activity_id": f"x-{lead}", "lead_id": lead, "kind": "demo_request", "occurred_at": iso(now_us())}
            for lead in ("back", "gone", "won")
        ]
        assert client.post("/v1/activities", json=asked).json()["stored"] == len(asked)
        worker.catch_up()
        assert [route["lead_id"] for route in client.get("/v1/routes").json()["routes"]] == ["gone"]
        assert {score["lead_id"] for score in client.get("/v1/scores").json()["scores"]} == {"back", "gone", "new"}


def test_check_says_who_stays_closed_where_nothing_opens_a_lead_again(home, tmp_path):
    asked = ("check", "--json", "--playbook")
    assert leadscore(*asked, str(home), home=home).json["returned"] is None
    kinds = {name: {**words, "intent": False} for name, words in WORDS["activities"].items()}
    told = WORDS | {"activities": kinds}
    company(tmp_path, FILES, [LEADS, ACTIVITIES, OUTCOMES], **told)
    returned = leadscore(*asked, str(tmp_path), home=tmp_path).json["returned"]
    assert (returned["leads"], returned["stages"], returned["kinds"]) == (2, ["lost"], ["demo_request", "view"])
    company(tmp_path, FILES, [LEADS, ACTIVITIES, OUTCOMES], **told, reopened_by=[])
    assert leadscore(*asked, str(tmp_path), home=tmp_path).json["returned"] is None


def test_people_read_why_a_lead_is_on_no_list(home):
    closed = " ".join(explained(home, "gone", "2026-02-02T00:00:00Z").stdout.split())
    assert "stage: lost; closed since 2026-01-20 09:00 UTC, so it is on no list and is not handed over" in closed
    assert "stage: lost\n" in explained(home, "back", "2026-02-02T00:00:00Z").stdout
