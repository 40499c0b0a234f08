"""A score is as of an instant, explained to the last point, and the same however it is asked for."""

import math

import pytest

from models.cold_start import ColdStartStage, save_standing
from serving.scorers.live_scorer import compile_scorer
from tests.models.small import fitted
from tests.serving.conftest import opened, promote, settings_in, wait_until

LEAD = {"account_id": "A-1", "attributes": {"seniority": "vp", "employees": 500, "industry": "retail"}}
SCORE = {
    "lead_id", "as_of", "score", "points", "base_points", "probability", "chance", "grade", "reasons", "rest_points",
    "scorer", "degraded", "newest_activity_at", "stretch", "newest_activity_age_s", "threshold",
    "stage", "closed_at", "beyond_history",
}  # fmt: skip


@pytest.fixture
def learned(settings, promoted):
    found = opened(settings.model_copy(update={"models": promoted}))
    with found.client:
        yield found


@pytest.fixture(params=["rules", "model"])
def either(request, settings, promoted):
    """Give a service that the rules answer for, and one that a model answers for."""
    found = opened(settings if request.param == "rules" else settings.model_copy(update={"models": promoted}))
    with found.client:
        yield found


def told(store):
    """Tell a small story about a lead and its colleague."""
    store.lead(**LEAD)
    store.lead("L-2", account_id="A-1")
    for at, kind in enumerate(["page_view", "email_open", "webinar"]):
        store.activity(f"a-{at}", kind, occurred_at=store.clock.before(at + 1))
    store.activity("a-8", "page_view", subject="pricing", occurred_at=store.clock.before(2))
    store.activity("a-9", "demo_request", lead_id="L-2", occurred_at=store.clock.before(1))


def test_a_score_has_every_promised_part_and_adds_up(either):
    told(either)
    score = either.score(reasons="all")
    assert set(score) == SCORE
    assert set(score["scorer"]) == {"kind", "name", "version", "fingerprint"}
    assert all(set(reason) == {"code", "says", "points"} for reason in score["reasons"])
    total = math.fsum([score["base_points"], score["rest_points"], *(part["points"] for part in score["reasons"])])
    assert total == pytest.approx(score["points"], abs=1e-9)
    assert score["rest_points"] == 0
    assert score["newest_activity_at"] == either.clock.before(1)[:16] + score["newest_activity_at"][16:]


@pytest.mark.parametrize("reasons", [0, 1, 2])
def test_reasons_that_are_not_shown_are_in_the_rest(either, reasons):
    told(either)
    whole, part = either.score(reasons="all"), either.score(reasons=reasons)
    assert [reason["code"] for reason in part["reasons"]] == [reason["code"] for reason in whole["reasons"]][:reasons]
    total = math.fsum([part["base_points"], part["rest_points"], *(reason["points"] for reason in part["reasons"])])
    assert total == pytest.approx(part["points"], abs=1e-9)


def test_an_instant_of_the_past_answers_as_it_did_then(either):
    told(either)
    then = either.score()
    either.clock.pass_days(3)
    either.activity("a-20", "demo_request")
    either.activity("a-21", "page_view", subject="careers", occurred_at=either.clock.before(30))
    either.lead(attributes={"seniority": "student"})
    assert either.score()["points"] != then["points"]
    assert either.score(as_of=then["as_of"]) == then


def test_a_score_right_after_a_fact_sees_it(either):
    either.lead(**LEAD)
    for at in range(5):
        before = either.score(reasons="all")
        either.activity(f"a-{at}", "page_view", subject="pricing")
        after = either.score(reasons="all")
        assert after["newest_activity_at"] is not None
        assert after["newest_activity_at"] != before["newest_activity_at"]


def test_a_lead_is_not_known_before_we_were_told_of_it(store):
    earlier = store.clock.before()
    store.lead(**LEAD)
    answer = store.client.get("/v1/leads/L-1/score", params={"as_of": earlier})
    assert answer.status_code == 404
    assert f"as of {earlier}" in answer.json()["detail"]


def test_many_scores_in_one_query_are_the_same_as_one_by_one(either):
    told(either)
    answer = either.client.post("/v1/scores?reasons=all", json={"lead_ids": ["L-2", "L-9", "L-1", "L-2"]}).json()
    assert [score["lead_id"] for score in answer["scores"]] == ["L-2", "L-9", "L-1", "L-2"]
    assert answer["scores"][1] == {"lead_id": "L-9", "error": "this lead is not known; send it to /v1/leads first."}
    for at, lead_id in ((0, "L-2"), (2, "L-1")):
        assert answer["scores"][at] == either.score(lead_id, reasons="all", as_of=answer["as_of"])


def test_a_preview_equals_the_score_of_the_same_facts_stored_and_stores_nothing(either):
    told(either)
    moment = either.clock.before(1)
    activities = [
        {"kind": "page_view", "subject": "pricing", "value": 30, "occurred_at": moment},
        {"kind": "demo_request", "occurred_at": moment},
    ]
    lead = {"lead_id": "L-7", "created_at": moment, **LEAD}
    before = either.rows("leads"), either.rows("activities")
    preview = either.client.post("/v1/scores/preview?reasons=all", json={"lead": lead, "activities": activities}).json()
    assert (either.rows("leads"), either.rows("activities")) == before
    either.client.post("/v1/leads", json=lead)
    items = [{**activity, "activity_id": f"p-{at}", "lead_id": "L-7"} for at, activity in enumerate(activities)]
    either.client.post("/v1/activities", json=items)
    stored = either.score("L-7", reasons="all")
    assert preview["points"] == pytest.approx(stored["points"], abs=1e-6)
    assert [part["says"] for part in preview["reasons"]] == [part["says"] for part in stored["reasons"]]
    assert set(preview) == SCORE


def test_a_preview_of_what_the_playbook_does_not_know_names_the_place(store):
    activities = [{"kind": "sneeze", "occurred_at": store.clock.before()}]
    answer = store.client.post("/v1/scores/preview", json={"lead": {"lead_id": "a"}, "activities": activities})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("activities.0.kind: not an activity")


def test_points_in_a_batch_are_those_of_the_receipts(learned):
    told(learned)
    lead_ids = [f"L-{at}" for at in range(30)]
    learned.client.post("/v1/leads", json=[{"lead_id": lead_id, **LEAD} for lead_id in lead_ids])
    live, as_of = learned.service.active_scorer.current, learned.clock.now_us + 10**9
    with learned.service.database.live_snapshot() as store:
        points = live.points(store, [(lead_id, as_of) for lead_id in lead_ids])
        scores = live.scores(store, lead_ids, as_of=as_of, top=0)
    assert points == pytest.approx({lead_id: score.receipt.points for lead_id, score in scores.items()}, abs=1e-9)


def test_without_a_model_the_rules_answer_and_say_so(store):
    store.lead(**LEAD)
    assert store.score()["degraded"] is True
    model = store.client.get("/v1/model").json()
    assert (model["degraded"], model["scorer"]["kind"]) == (True, "rules")
    assert "no model serves yet" in model["problem"]
    assert model["goal"] == {"stage": "sql", "horizon_days": 30}


def test_a_promoted_model_answers(learned):
    learned.lead(**LEAD)
    score = learned.score()
    assert (score["degraded"], score["scorer"]["kind"], score["scorer"]["version"]) == (False, "model", "1")
    assert 0 < score["probability"] < 1
    assert learned.client.get("/v1/model").json()["problem"] is None


def test_the_model_route_gives_the_models_card(learned):
    card = learned.client.get("/v1/model").json()["card"]
    assert card == {"data": None, "test": None, "gates": [{"name": "never use", "passed": True}], "accepted_risk": None}


def test_the_model_route_gives_no_card_of_rules(store):
    assert store.client.get("/v1/model").json()["card"] is None


def test_the_model_route_says_how_far_history_carries(store):
    models = store.service.settings.models
    assert store.client.get("/v1/model").json()["standing"] is None
    save_standing(models, ColdStartStage("small model", 120, 3000, "380 more leads that reach sql make a full model"))
    store.service.active_scorer.refresh()
    found = store.client.get("/v1/model").json()["standing"]
    assert (found["rung"], found["succeeded"], found["failed"]) == ("small model", 120, 3000)
    assert found["says"].startswith("Small model, from 120 leads")
    (models / "standing.json").write_text("{")
    store.service.active_scorer.refresh()
    assert store.client.get("/v1/model").json()["standing"] is None


@pytest.mark.parametrize("damage", ["truncated", "edited", "gone", "pointer", "pointer is a folder"])
def test_a_damaged_bundle_leaves_the_rules_to_answer(tmp_path, damage):
    settings = settings_in(tmp_path)
    folder = promote(settings.models)
    trees, pointer = folder / "trees.json", settings.models / "champion.json"
    match damage:
        case "truncated":
            trees.write_bytes(trees.read_bytes()[:500])
        case "edited":
            trees.write_text(trees.read_text().replace("1", "2", 1))
        case "gone":
            trees.unlink()
        case "pointer":
            pointer.write_text('{"version": 1')
        case _:
            pointer.unlink()
            pointer.mkdir()
    found = opened(settings)
    with found.client:
        found.lead(**LEAD)
        assert found.score()["degraded"] is True


def test_another_promotion_is_taken_up_without_a_restart(tmp_path):
    settings = settings_in(tmp_path, model_check_s=0.05)
    found = opened(settings)
    with found.client:
        found.lead(**LEAD)
        assert found.score()["scorer"]["kind"] == "rules"
        promote(settings.models, "one", version="1")
        wait_until(lambda: not found.score()["degraded"])
        assert found.score()["scorer"]["version"] == "1"


def test_after_a_damaged_promotion_the_last_good_model_answers(tmp_path):
    settings = settings_in(tmp_path)
    promote(settings.models, "one", version="1")
    found = opened(settings)
    with found.client:
        found.lead(**LEAD)
        (promote(settings.models, "two", version="2") / "trees.json").unlink()
        found.service.active_scorer.refresh()
        assert (found.score()["scorer"]["version"], found.score()["degraded"]) == ("1", True)


def test_a_lead_without_activities_can_be_scored_by_a_model(learned):
    learned.lead(**LEAD)
    assert learned.score()["newest_activity_at"] is None


def test_a_plus_sign_that_became_a_space_is_still_an_offset(store):
    store.lead(**LEAD)
    store.clock.pass_days(1)
    answer = store.client.get("/v1/leads/L-1/score?as_of=2026-03-02T12:00:00+01:00")
    assert answer.json()["as_of"] == "2026-03-02T11:00:00Z"


def test_an_id_with_a_slash_can_be_asked_for(store):
    store.lead("crm/42 ü")
    assert store.score("crm%2F42%20%C3%BC")["lead_id"] == "crm/42 ü"


def test_the_same_catalog_is_compiled_once():
    model, _ = fitted()
    assert compile_scorer(model).features is compile_scorer(model).features
