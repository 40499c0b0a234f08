"""Metrics count requests by the template of their route, report the service's state, and name nobody."""

import os
import re
import subprocess
import sys

import pytest
from sqlalchemy import text

from serving.observability import prometheus
from serving.observability.prometheus import _forget_dead_processes, route_of
from tests.serving.conftest import key_in

SECRET = "Zaphod-Beeblebrox-4711"


def metrics(store):
    """Read the metrics; return each series with its value."""
    answer = store.client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def requests(found, route, status, method="GET"):
    return found.get(f'leadscore_request_seconds_count{{method="{method}",route="{route}",status="{status}"}}', 0)


def test_requests_are_counted_by_route_and_status_and_never_by_their_path(store):
    store.lead(SECRET)
    store.score(SECRET)
    store.client.get(f"/v1/leads/{SECRET}-unknown/score")
    store.client.get(f"/{SECRET}")
    store.client.request(SECRET.upper(), "/v1/leads")
    found = metrics(store)
    assert requests(found, "/v1/leads/{lead_id}/score", 200) == 1
    assert requests(found, "/v1/leads/{lead_id}/score", 404) == 1
    assert requests(found, "/v1/leads", 202, "POST") == 1
    assert requests(found, "none", 404) == 1
    assert SECRET.lower() not in "".join(found).lower()
    assert key_in(store.service.database) not in "".join(found)


def test_every_route_has_a_template(store):
    """A route without one would be counted as none, or by its path."""
    templates = set(store.client.app.openapi()["paths"])
    store.lead("L-1")
    store.score("L-1")
    for path in ("/v1/routes", "/v1/model", "/health/live", "/health/ready", "/metrics"):
        store.client.get(path)
    routes = {re.search(r'route="([^"]*)"', name)[1] for name in metrics(store) if "request_seconds_count" in name}
    assert {"/v1/routes", "/v1/model", "/health/live", "/health/ready", "/metrics"} <= routes
    assert routes <= templates


def test_metrics_take_a_key_of_any_scope(store):
    database = store.service.database
    assert store.client.get("/metrics", headers={"Authorization": ""}).status_code == 401
    key = key_in(database, ["routes:write"])
    assert store.client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_waiting_leads_are_reported_with_their_age_until_they_are_scored(store):
    assert (metrics(store)["leadscore_queue_leads"], metrics(store)["leadscore_queue_oldest_seconds"]) == (0, 0)
    store.client.post("/v1/leads", json={"lead_id": "L-1"}).raise_for_status()
    store.clock.now_us += 90_000_000
    waiting = metrics(store)
    assert waiting["leadscore_queue_leads"] == 1
    assert 90 < waiting["leadscore_queue_oldest_seconds"] < 91
    assert waiting['leadscore_feature_lag_seconds{of="stored"}'] == pytest.approx(90, abs=1)
    assert waiting['leadscore_feature_lag_seconds{of="live"}'] < 1
    store.catch_up()
    assert metrics(store)["leadscore_queue_leads"] == 0


def test_sweeps_are_reported(store):
    store.lead("L-1")
    store.clock.pass_days(1)
    store.catch_up()
    swept = metrics(store)["leadscore_swept_leads_total"]
    store.clock.pass_days(1)
    store.catch_up()
    found = metrics(store)
    assert found["leadscore_swept_leads_total"] == swept + 1
    assert found["leadscore_sweep_last_timestamp_seconds"] == pytest.approx(store.clock.now_us / 1e6, abs=1)


def test_facts_are_counted_by_kind_and_outcome_and_what_was_rejected_by_its_sender(store):
    ahead = {"activity_id": "a-1", "lead_id": "L-1", "kind": "demo_request", "occurred_at": store.clock.before(-2)}
    lead, wrong = {"lead_id": "L-1"}, {"lead_id": "L-2", "surprise": 1}
    store.client.post("/v1/leads", json=[lead, lead, wrong]).raise_for_status()
    store.client.post("/v1/activities", json=ahead).raise_for_status()
    found, (key_id,) = metrics(store), {row[2] for row in store.rows("rejected_items")}
    counted = {name: value for name, value in found.items() if name.startswith("leadscore_facts_total")}
    assert counted == {
        'leadscore_facts_total{kind="leads",outcome="stored"}': 1,
        'leadscore_facts_total{kind="leads",outcome="duplicate"}': 1,
        'leadscore_facts_total{kind="leads",outcome="rejected"}': 1,
        'leadscore_facts_total{kind="activities",outcome="quarantined"}': 1,
    }
    assert found[f'leadscore_rejected_items_total{{key_id="{key_id}"}}'] == 1
    store.client.post("/v1/quarantine/1/release").raise_for_status()
    assert metrics(store)['leadscore_facts_total{kind="activities",outcome="stored"}'] == 1


def test_only_so_many_senders_have_a_series_of_their_own(store, monkeypatch):
    monkeypatch.setattr(prometheus, "_MOST_KEYS", 2)
    for number in range(4):
        store.service.ingestion.ingest("leads", [{}], caller=f"key-{number}")
    counted = {name: value for name, value in metrics(store).items() if "rejected_items_total" in name}
    names = {f'leadscore_rejected_items_total{{key_id="{key_id}"}}': 1 for key_id in ("key-0", "key-1")}
    assert counted == names | {'leadscore_rejected_items_total{key_id="other"}': 2}


def test_handovers_are_counted(store):
    assert metrics(store)["leadscore_handovers_total"] == 0
    store.lead("L-1", attributes={"seniority": "vp", "employees": 500})
    store.activity("a-1", kind="demo_request")
    store.activity("a-2", kind="trial_start")
    assert metrics(store)["leadscore_handovers_total"] == len(store.routes()) == 1


def test_receipts_that_wait_are_reported(store):
    store.lead("L-1")
    store.score("L-1")
    assert metrics(store)["leadscore_receipts_waiting"] == 1
    store.catch_up()
    assert metrics(store)["leadscore_receipts_waiting"] == 0
    assert metrics(store)["leadscore_receipts_lost_total"] == 0


def test_a_store_that_does_not_answer_is_reported_and_counted(store):
    assert metrics(store)["leadscore_store_up"] == 1
    with store.service.database.writing() as connection:
        connection.execute(text("ALTER TABLE pending_scores RENAME TO elsewhere"))
    assert store.client.post("/v1/leads", json={"lead_id": "L-1"}).status_code == 503
    found = metrics(store)
    assert found["leadscore_store_up"] == 0
    (counted,) = [name for name in found if name.startswith("leadscore_store_errors_total")]
    assert found[counted] == 1
    assert counted.endswith(('{error="SQLITE_ERROR"}', '{error="42P01"}'))
    assert "leadscore_queue_leads" not in found


def test_the_scorer_and_whether_it_is_a_stand_in_are_reported(store):
    found = metrics(store)
    assert found["leadscore_degraded"] == store.service.active_scorer.current.degraded
    assert found["leadscore_model_swaps_total"] == store.service.active_scorer.swaps
    info = next(name for name in found if name.startswith("leadscore_build_info"))
    assert store.service.active_scorer.current.scorer.id.fingerprint in info
    assert found["leadscore_requests_in_flight"] == 1, "the scrape itself"


def test_a_request_that_no_route_took_has_no_route():
    assert route_of({"path": f"/{SECRET}"}) == "none"


def test_every_answer_carries_an_id_and_keeps_the_one_it_came_with(store):
    mine = "0123456789abcdef"
    assert store.client.get("/health/live", headers={"X-Request-Id": mine}).headers["X-Request-Id"] == mine
    for strange in ("L-1", "a" * 15, "a" * 65, f"{mine}x"):
        given = store.client.get("/nowhere", headers={"X-Request-Id": strange}).headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{16}", given)
        assert given != strange


def test_a_service_that_is_stopping_is_not_ready_but_still_answers(store):
    store.client.app.state.stopping.has_begun = True
    refused = store.client.get("/health/ready")
    assert (refused.status_code, refused.json()["type"]) == (503, "/docs/errors#stopping")
    store.lead("L-1")
    assert store.score("L-1")["lead_id"] == "L-1"


def test_gauges_of_dead_processes_are_dropped_and_their_counts_stay(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"{kind}_{process}.db" for kind in ("gauge_livesum", "counter") for process in (ended.pid, os.getpid())]
    for name in names:
        (tmp_path / name).touch()
    _forget_dead_processes(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(names) - {f"gauge_livesum_{ended.pid}.db"}


def test_rate_limited_requests_are_counted(store):
    meter = store.client.app.state.meter
    meter.answered({"method": "GET"}, 429, seconds=0.001)
    assert metrics(store)["leadscore_rate_limited_requests_total"] == 1
