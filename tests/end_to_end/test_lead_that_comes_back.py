"""A lead that was lost on 20 January and asks for a demo on 1 February is scored, listed and handed over again."""

import pyarrow.parquet as pq
import pytest

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


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    files = {"leads.csv": WHO, "web.csv": DID, "outcomes.csv": REACHED}
    company(folder, files, [LEADS, ACTIVITIES, OUTCOMES], **WORDS)
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


def test_people_read_why_a_lead_is_on_no_list(home):
    closed = " ".join(explained(home, "gone", "2026-02-02T00:00:00Z").stdout.split())
    assert "stage: lost; closed since 2026-01-20 09:00 UTC, so it is on no list and is not handed over" in closed
    assert "stage: lost\n" in explained(home, "back", "2026-02-02T00:00:00Z").stdout
