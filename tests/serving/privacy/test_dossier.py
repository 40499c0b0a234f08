"""The dossier contains everything that is held, and explains in plain words how the score comes about."""

import json
import math

import pytest
from markdown_it import MarkdownIt

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from leadscore_client import Client
from serving.privacy.dossier import build_dossier
from serving.store.tables import metadata
from serving.verbs.erase_and_dossier import write_dossier
from tests.serving.conftest import PLAYBOOK, promote, settings_in


def told(store, lead_id="L-1"):
    answer = store.client.get(f"/v1/leads/{lead_id}/dossier")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def known(store):
    store.lead(attributes={"seniority": "vp", "employees": 500})
    store.activity("a-1", kind="demo_request")
    store.activity("a-2", kind="page_view", subject="pricing")
    store.outcome("o-1", "mql")
    store.clock.pass_days(1)
    store.score()
    store.catch_up()
    return store


def test_it_holds_every_row_that_names_the_lead(known):
    held = told(known)["held"]
    tables = {
        "leads": "standing",
        "lead_versions": "versions",
        "activities": "activities",
        "outcomes": "outcomes",
        "merges": "merges",
        "quarantine": "quarantined_facts",
        "rejected_items": "rejected_items",
        "pending_scores": "waiting_to_be_scored",
        "scores": "stored_scores",
        "receipts": "receipts",
        "routes": "handovers",
    }
    naming = {table.name for table in metadata.sorted_tables if "lead_id" in table.columns}
    assert naming - {"idempotent_request_leads"} == set(tables)
    for table, name in tables.items():
        assert len(held[name]) == len(known.rows(table)), name
    assert held["versions"][0]["attributes"] == {"employees": 500.0, "seniority": "vp"}
    assert {one["activity_id"] for one in held["activities"]} == {"a-1", "a-2"}
    assert all(one["reasons"] for one in held["receipts"])


def test_its_reasons_add_up_to_the_score_and_each_stands_in_the_words(known):
    dossier = told(known)
    score, says = dossier["score"], dossier["says"]
    total = math.fsum([score["base_points"], *(reason["points"] for reason in score["reasons"])])
    assert math.isclose(total, score["points"], abs_tol=1e-9)
    assert score["reasons"]
    for reason in score["reasons"]:
        assert f"- {reason['says']}: {reason['points']:+.1f}" in says


def test_it_says_what_follows_and_who_decides_and_what_is_never_used(known):
    dossier = told(known)
    logic, says = dossier["logic"], dossier["says"]
    assert (logic["goal"]["stage"], logic["goal"]["horizon_days"]) == ("sql", 30)
    assert f"rises to {logic['threshold']:.1f} points or more is handed over" in says
    assert "a person in sales, who decides" in says
    assert logic["never_used"] == ["status"]
    assert "no score looks at: status" in says
    assert "kept until they are erased" in says


def test_it_distinguishes_a_model_from_rules_and_explains_its_scale(tmp_path):
    from tests.serving.conftest import opened

    settings = settings_in(tmp_path)
    promote(settings.models)
    store = opened(settings)
    with store.client:
        store.lead()
        dossier = told(store)
    assert dossier["logic"]["scorer"]["kind"] == "model"
    assert "a model learned from past leads" in dossier["says"]
    assert "An average lead has 50 points, and every 10 points more double the odds." in dossier["says"]


def test_a_merged_lead_s_dossier_is_that_of_the_whole_person(known):
    known.lead("L-2", attributes={"country": "NL"})
    known.activity("a-3", lead_id="L-2", kind="webinar")
    Client("http://leads.test", http=known.client).merge("L-2", "L-1")
    known.catch_up()
    for lead_id in ("L-1", "L-2"):
        dossier = told(known, lead_id)
        assert (dossier["lead_id"], dossier["ids"]) == ("L-1", ["L-1", "L-2"])
        assert {"a-1", "a-2", "a-3"} <= {one["activity_id"] for one in dossier["held"]["activities"]}
        assert "It is the same lead as L-2." in dossier["says"]


def test_it_shows_what_exists_only_in_quarantine(store):
    told_too_early = {"lead_id": "L-9", "created_at": store.clock.before(-30)}
    assert Client("http://leads.test", http=store.client).send_leads([told_too_early]).quarantined == 1
    dossier = told(store, "L-9")
    assert dossier["score"] is None
    assert dossier["held"]["quarantined_facts"][0]["fact"]["lead_id"] == "L-9"


def test_nobody_else_is_in_it(known):
    known.lead("L-77", account_id="A-1")
    known.activity("a-77", lead_id="L-77")
    assert "-77" not in json.dumps(told(known)["held"])


def test_an_unknown_lead_has_none(store):
    answer = store.client.get("/v1/leads/nobody/dossier")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs/errors#unknown-lead")


def test_reading_it_is_audited_without_the_id(known):
    told(known)
    note = known.client.get("/v1/audit").json()["notes"][0]
    assert (note["act"], len(note["about"])) == ("leads.dossier", 64)


def test_the_command_line_writes_it_as_a_page(tmp_path, monkeypatch):
    from tests.serving.conftest import opened

    settings = settings_in(tmp_path)
    store = opened(settings)
    with store.client:
        store.lead(attributes={"seniority": "vp"})
        store.activity("a-1")
    monkeypatch.setenv("LEADSCORE_DATABASE", settings.database)
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    out = tmp_path / "dossier.md"
    answer = write_dossier(Workspace(load_playbook(PLAYBOOK), Home(tmp_path)), "L-1", out=out)
    page = out.read_text(encoding="utf-8")
    assert page.startswith("# What is held about lead L-1\n\nThis is all that is held about lead L-1 as of ")
    assert '"activity_id": "a-1"' in page
    assert answer.as_json()["says"] in page
    assert out.stat().st_mode & 0o777 == 0o600, "it is about a person"


def test_nothing_that_was_sent_acts_as_markup_on_the_page(store):
    evil = "<img src=x onerror=alert(1)> [link](javascript:alert(1))"
    store.lead(evil, account_id="```` <script>")
    store.catch_up()
    with store.service.database.reading() as connection:
        live, playbook = store.service.active_scorer.current, store.service.playbook
        page = build_dossier(connection, live, playbook, lead_id=evil, now=store.clock.now_us).as_markdown()
    tokens = MarkdownIt("commonmark", {"html": True}).parse(page)
    inner = [child for token in tokens for child in token.children or ()]
    assert not {token.type for token in [*tokens, *inner]} & {"html_block", "html_inline", "link_open", "image"}
    assert [token.info for token in tokens if token.type == "fence"], "rows are code"
