"""A lead that crosses the threshold is handed over once, and again only after it has fallen well below."""

import multiprocessing

import pytest

from serving.app import open_service
from tests.serving.conftest import DAY_US, MovableClock

FIT = {"attributes": {"seniority": "vp", "employees": 500}}
"""Base 10 + can sign 15 + large company 10 = 35; a demo request (40) makes 75, past the threshold of 60."""


def test_an_activity_that_lifts_a_lead_over_the_threshold_makes_exactly_one_route(store):
    store.lead(**FIT)
    before = store.score()
    assert store.routes() == []
    store.activity("a-1")
    store.activity("a-2")
    store.activity("a-2")
    after = store.score(reasons="all")
    assert (before["score"], after["score"]) == (35, 75)
    (route,) = store.routes()
    told = {"id", "lead_id", "score", "grade", "threshold", "routed_at", "reasons", "stage", "closed_at"}
    assert set(route) == told
    assert (route["lead_id"], route["score"], route["threshold"], route["grade"]) == ("L-1", 75, 60, "A")
    assert route["reasons"] == after["reasons"]


def test_routes_come_newest_first_and_no_more_than_requested(store):
    for at in range(3):
        store.lead(f"L-{at}", **FIT)
        store.activity(f"a-{at}", lead_id=f"L-{at}")
    assert [route["lead_id"] for route in store.routes()] == ["L-2", "L-1", "L-0"]
    assert [route["lead_id"] for route in store.client.get("/v1/routes?limit=1").json()["routes"]] == ["L-2"]


def test_a_lead_that_goes_quiet_and_comes_back_is_routed_again(store):
    """Trial 20, webinar 8 decaying, 35 of fit; after 40 silent days the score has fallen without any event."""
    store.lead(**FIT)
    store.activity("a-1", "trial_start")
    store.activity("a-2", "webinar", value=60)
    assert len(store.routes()) == 1
    store.clock.pass_days(40)
    assert store.score()["score"] < 55
    store.activity("a-3", "webinar", value=60)
    assert store.score()["score"] >= 60
    assert len(store.routes()) == 2


def test_a_score_between_the_floor_and_the_threshold_does_not_cross_again(store):
    """35 of fit, 20 for a trial and one per page view in 30 days: 60, a month later 56, and then more."""
    store.lead(**FIT)
    store.activity("a-1", "trial_start")
    for at in range(5):
        store.activity(f"b-{at}", "page_view")
    assert store.score()["points"] == 60
    store.clock.pass_days(29)
    store.activity("a-2", "page_view")
    store.clock.pass_days(2)
    assert store.score()["points"] == 56
    assert len(store.routes()) == 1
    store.activity("a-3", "email_reply")
    assert store.score()["points"] == 66
    assert len(store.routes()) == 1


def test_falling_by_an_event_and_rising_by_another_is_a_new_crossing(store):
    store.lead(**FIT)
    store.activity("a-1")
    store.activity("a-2", "unsubscribe")
    assert store.score()["score"] == 50
    store.activity("a-3", "trial_start")
    assert store.score()["score"] == 70
    assert len(store.routes()) == 2


@pytest.mark.parametrize(("stage", "kind"), [("sql", "demo_request"), ("won", "demo_request"), ("lost", "email_reply")])
def test_a_closed_lead_is_never_routed(store, stage, kind):
    """The goal and won are final, and an answer to an e-mail is no intent; a closed lead has its score all the same."""
    store.lead(**FIT)
    store.activity("a-1", "trial_start")
    before = len(store.routes())
    store.outcome("o-1", stage)
    reached_at = store.clock.before()
    store.activity("a-2", kind)
    store.activity("a-3", kind)
    score = store.score()
    assert score["score"] >= 60
    assert (score["stage"], score["closed_at"] <= reached_at) == (stage, True)
    assert len(store.routes()) == before == 0
    assert store.client.get("/v1/scores").json()["scores"] == []


@pytest.mark.parametrize("stage", ["lost", "disqualified"])
def test_a_lead_that_was_lost_and_asks_for_a_demo_is_listed_and_routed_again_once(store, stage):
    store.lead(**FIT)
    store.activity("a-1")
    store.outcome("o-1", stage)
    (route,) = store.routes()
    assert (route["stage"], route["closed_at"]) == (stage, store.score()["closed_at"])
    assert route["closed_at"] is not None
    assert store.client.get("/v1/scores").json()["scores"] == []
    store.clock.pass_days(12)
    store.activity("a-2")
    store.activity("a-3")
    assert [route["closed_at"] for route in store.routes()] == [None, None]
    (listed,) = store.client.get("/v1/scores").json()["scores"]
    for answer in (store.score(), listed):
        assert (answer["stage"], answer["closed_at"]) == (stage, None)


def test_a_lead_that_was_lost_and_came_back_before_it_was_scored_is_routed_again(store):
    """The CRM sends a day's facts at once, the newest first."""
    store.lead(**FIT)
    store.activity("a-1")
    lost_at = store.clock.before()
    store.clock.pass_days(12)
    demo = {"activity_id": "a-2", "lead_id": "L-1", "kind": "demo_request", "occurred_at": store.clock.before()}
    lost = {"outcome_id": "o-1", "lead_id": "L-1", "stage": "lost", "reached_at": lost_at}
    store.client.post("/v1/activities", json=demo)
    store.client.post("/v1/outcomes", json=lost)
    store.catch_up()
    assert len(store.routes()) == 2


def test_a_loss_that_is_reported_after_the_lead_came_back_routes_it_no_second_time(store):
    store.lead(**FIT)
    lost_at = store.clock.before()
    store.clock.pass_days(12)
    store.activity("a-1")
    store._send("outcomes", {"outcome_id": "o-1", "lead_id": "L-1", "stage": "lost", "reached_at": lost_at})
    assert store.score()["closed_at"] is None
    store.activity("a-2")
    assert len(store.routes()) == 1


def test_what_a_lead_did_before_it_was_lost_does_not_open_it_when_it_arrives_late(store):
    store.lead(**FIT)
    asked_at = store.clock.before()
    store.clock.pass_days(3)
    store.outcome("o-1", "lost")
    store.activity("a-1", occurred_at=asked_at)
    assert store.score()["closed_at"] is not None
    assert store.routes() == []


def test_a_change_of_attributes_opens_no_lead(store):
    store.lead()
    store.outcome("o-1", "lost")
    store.lead(**FIT)
    assert (store.score()["stage"], store.score()["closed_at"] is None) == ("lost", False)


def test_every_answer_about_a_lead_says_where_it_stands(store):
    store.lead(**FIT)
    store.activity("a-1")
    score = store.score()
    assert (score["stage"], score["closed_at"]) == (None, None)
    since = score["as_of"]
    store.clock.pass_days(1)
    store.outcome("o-1", "mql")
    store.outcome("o-2", "lost")
    closed_at, read = store.score()["closed_at"], store.client.get
    answers = [
        store.client.post("/v1/scores", json={"lead_ids": ["L-1"]}).json()["scores"][0],
        read(f"/v1/leads/L-1/changes?since={since}").json(),
        *read("/v1/routes").json()["routes"],
    ]
    assert [(answer["stage"], answer["closed_at"]) for answer in answers] == [("lost", closed_at)] * 3
    receipts = read("/v1/leads/L-1/receipts").json()["receipts"]
    assert [(receipt["stage"], receipt["closed_at"]) for receipt in receipts] == [(None, None)] * len(receipts)
    (then,) = store.client.post(f"/v1/scores?as_of={since}", json={"lead_ids": ["L-1"]}).json()["scores"]
    assert (then["stage"], then["closed_at"]) == (None, None)


def test_an_outcome_that_closes_nothing_does_not_stop_a_route(store):
    store.lead(**FIT)
    store.outcome("o-1", "mql")
    store.activity("a-1")
    assert len(store.routes()) == 1


def test_what_becomes_known_of_a_lead_itself_can_lift_it_too(store):
    store.lead()
    store.activity("a-1")
    assert store.routes() == []
    store.lead(**FIT)
    assert len(store.routes()) == 1


def test_one_list_routes_each_lead_once(store):
    told = [{"lead_id": f"L-{at}", **FIT} for at in range(30)]
    store.client.post("/v1/leads", json=told)
    activity = {"kind": "demo_request", "occurred_at": store.clock.before(1)}
    items = [{**activity, "activity_id": f"a-{at}", "lead_id": f"L-{at % 30}"} for at in range(90)]
    assert store.client.post("/v1/activities", json=items).json()["stored"] == 90
    assert sorted(route["lead_id"] for route in store.routes()) == sorted(lead["lead_id"] for lead in told)


def ingest(settings, worker, ready):
    """Send activities of one lead through a service of its own, at the same time as another process."""
    service = open_service(settings, now=MovableClock())
    ready.wait(timeout=300)
    for at in range(5):
        fact = {"lead_id": "L-1", "kind": "demo_request", "occurred_at": "2026-03-01T11:00:00Z"}
        (result,) = service.ingestion.ingest("activities", [{**fact, "activity_id": f"a-{worker}-{at}"}])
        assert result.status == "stored"
        service.worker.catch_up()
    service.close()


@pytest.mark.slow
def test_two_processes_that_lift_the_same_lead_make_one_route(store, settings):
    store.lead(**FIT)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(2)
    other = context.Process(target=ingest, args=(settings, 1, ready))
    other.start()
    ingest(settings, 0, ready)
    other.join(timeout=300)
    assert other.exitcode == 0
    store.clock.now_us += DAY_US
    assert len(store.rows("activities")) == 10
    assert len(store.routes()) == 1
