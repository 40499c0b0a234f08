"""Who may call what: every operation against every kind of key, exactly as documented."""

import json
import re
from functools import partial

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import select

from data.instants import now_us
from serving.app import create_app
from serving.callers.keys import Scope, all_keys, hash_of, revoke_key
from serving.callers.rate_limit import Limiter
from serving.errors import SettingsError
from serving.store.database import Database
from serving.store.tables import api_keys
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import NOON, key_in, opened, settings_in, wait_until

OPEN, ANY_KEY = None, ()
EVENTS, SCORES, ROUTES, MODELS, ADMIN = Scope
TABLE = {
    "GET /health/live": OPEN,
    "GET /health/ready": OPEN,
    "GET /openapi.json": OPEN,
    "GET /docs": OPEN,
    "GET /docs/errors": OPEN,
    "GET /docs/assets/{name}": OPEN,
    "GET /metrics": ANY_KEY,
    "POST /v1/leads": (EVENTS,),
    "POST /v1/activities": (EVENTS,),
    "POST /v1/outcomes": (EVENTS,),
    "POST /v1/leads/{lead_id}/merge": (EVENTS,),
    "GET /v1/quarantine": (EVENTS,),
    "GET /v1/rejected": (EVENTS,),
    "POST /v1/quarantine/{number}/release": (ADMIN,),
    "DELETE /v1/quarantine/{number}": (ADMIN,),
    "GET /v1/leads/{lead_id}/score": (SCORES,),
    "GET /v1/leads/{lead_id}/receipts": (SCORES,),
    "GET /v1/leads/{lead_id}/changes": (SCORES,),
    "GET /v1/receipts/{receipt_id}": (SCORES,),
    "GET /v1/receipts/{receipt_id}/replay": (SCORES,),
    "GET /v1/scores": (SCORES,),
    "POST /v1/scores": (SCORES,),
    "POST /v1/scores/preview": (SCORES,),
    "GET /v1/routes": (SCORES, ROUTES),
    "GET /v1/model": (SCORES,),
    "PUT /v1/model": (MODELS,),
    "DELETE /v1/model": (MODELS,),
    "GET /v1/deployments": (MODELS,),
    "DELETE /v1/leads/{lead_id}": (ADMIN,),
    "GET /v1/leads/{lead_id}/dossier": (ADMIN,),
    "GET /v1/audit": (ADMIN,),
    "GET /v1/keys": (ADMIN,),
    "POST /v1/keys": (ADMIN,),
    "POST /v1/keys/{key_id}/rotate": (ADMIN,),
    "DELETE /v1/keys/{key_id}": (ADMIN,),
}
NOT_IN_THE_DOCUMENT = {"GET /openapi.json", "GET /docs", "GET /docs/errors", "GET /docs/assets/{name}"}
KEYS = [*Scope, "none", "wrong", "expired", "revoked"]


@pytest.fixture
def engine():
    """Name SQLite alone; keys themselves are tested on both engines."""
    return "sqlite"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give one service on SQLite for all of them; floods are another test's."""
    found = opened(settings_in(tmp_path_factory.mktemp("allowed")))
    found.client.app.state.door._wrong = Limiter(0)
    with found.client:
        yield found


@pytest.fixture(scope="module")
def headers(store):
    """Give the header of each kind of key."""
    database = store.service.database
    secrets = {scope: key_in(database, [scope]) for scope in Scope}
    secrets["expired"] = key_in(database, Scope, now=NOON - 2, expires_at=NOON - 1)
    secrets["revoked"] = key_in(database, Scope)
    with database.writing() as connection:
        chosen = select(api_keys.c.key_id).where(api_keys.c.hash == hash_of(secrets["revoked"]))
        revoke_key(connection, connection.execute(chosen).scalar(), now=now_us())
    secrets["wrong"] = "lsk_" + "A" * 43
    return {name: {"Authorization": f"Bearer {secret}"} for name, secret in secrets.items()} | {"none": {}}


def asked(client, operation, headers):
    """Call an operation with nothing but a key."""
    method, path = operation.split(" ")
    del client.headers["Authorization"]
    try:
        return client.request(method, re.sub(r"\{.*?\}", "1", path), headers=headers)
    finally:
        client.headers["Authorization"] = "Bearer lsk_nobody"


def operations(app):
    """Give every operation that the app answers, in the document or not."""
    return {
        f"{method} {re.sub(':[a-z]+}', '}', route.path)}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }


def test_every_operation_stands_in_the_table(store):
    assert operations(store.client.app) == set(TABLE)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("operation", TABLE)
def test_an_operation_answers_a_key_exactly_as_documented(store, headers, operation, key):
    answer, needed = asked(store.client, operation, headers[key]), TABLE[operation]
    if needed is OPEN or (key in set(Scope) and (needed == ANY_KEY or key in needed or key == ADMIN)):
        assert answer.status_code not in (401, 403, 429)
    elif key in set(Scope):
        told = is_problem(answer, 403)
        assert " or ".join(needed) in told["detail"]
        assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'
    else:
        is_problem(answer, 401)
        expected = "Bearer" if key == "none" else 'Bearer error="invalid_token"'
        assert answer.headers["www-authenticate"] == expected


def test_the_document_says_the_same_as_the_table(store):
    paths = store.client.get("/openapi.json").json()["paths"]
    documented = {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert set(documented) == set(TABLE) - NOT_IN_THE_DOCUMENT
    for name, operation in documented.items():
        needed, statuses = TABLE[name], set(operation["responses"])
        if needed is OPEN:
            assert "security" not in operation
            assert not statuses & {"401", "403", "429"}
        else:
            assert operation["x-scopes"] == list(needed)
            assert operation["security"] == ([{"key": [scope]} for scope in needed] or [{"key": []}])
            assert {"401", "429"} <= statuses
            assert ("403" in statuses) == bool(needed)


def test_an_unknown_and_a_revoked_key_are_told_alike_and_an_expired_one_is_told_so(store, headers):
    unknown, revoked, expired = (
        is_problem(asked(store.client, "GET /v1/routes", headers[name]), 401)
        for name in ("wrong", "revoked", "expired")
    )
    assert unknown == revoked
    assert expired["type"] == "/docs/errors#key-expired"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        "lsk_x",
        "Basic bHNrOng=",
        "Bearer hunter2",
        "Bearer lsk_\u00ff",
        "Bearer lsk_" + "x" * 8_000,
        "Digest lsk_x",
        "BEARER",
    ],
)
def test_a_header_that_carries_no_key_is_refused_and_not_repeated(store, sent):
    answer = asked(store.client, "GET /v1/routes", {"Authorization": sent.encode("latin-1")})
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_scheme_is_read_in_any_case_and_two_keys_at_once_are_none(store, headers):
    secret = headers[SCORES]["Authorization"].split()[1]
    assert asked(store.client, "GET /v1/routes", {"authorization": f"bEARER {secret}"}).status_code == 200
    twice = [("Authorization", f"Bearer {secret}"), ("Authorization", f"Bearer {secret}")]
    is_problem(asked(store.client, "GET /v1/routes", twice), 401)


def test_a_key_in_the_query_opens_nothing(store, headers):
    secret = headers[ADMIN]["Authorization"].split()[1]
    is_problem(asked(store.client, f"GET /v1/routes?key={secret}&access_token={secret}", {}), 401)


@pytest.fixture
def time_stands_still(monkeypatch):
    """Limits are by the second, and a busy machine may take seconds for a few requests."""
    monkeypatch.setattr("serving.api.auth.Limiter", partial(Limiter, seconds=lambda: 1_000.0))


def test_a_caller_that_asks_too_often_waits_and_another_does_not(tmp_path, time_stands_still):
    found = opened(settings_in(tmp_path, requests_per_s=2, workers=2))
    with found.client:
        assert found.client.get("/v1/routes").status_code == 200
        refused = found.client.get("/v1/routes")
        is_problem(refused, 429)
        assert refused.headers["retry-after"] == "1"
        found.client.headers["Authorization"] = f"Bearer {key_in(found.service.database)}"
        assert found.client.get("/v1/routes").status_code == 200
        assert found.client.get("/health/live").status_code == 200


def test_a_caller_pays_for_leads_and_not_for_requests(tmp_path, time_stands_still):
    found = opened(settings_in(tmp_path, leads_per_s=10))
    ids = [f"L-{number}" for number in range(32)]
    with found.client:
        answer = found.client.post("/v1/scores", json={"lead_ids": ids})
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"leads";q=10;w=1'
        assert answer.headers["ratelimit"] == '"leads";r=0;t=3'
        refused = found.client.get("/v1/leads/L-1/score")
        is_problem(refused, 429)
        assert refused.headers["retry-after"] == "3"
        found.client.headers["Authorization"] = f"Bearer {key_in(found.service.database)}"
        assert found.client.post("/v1/leads", json={"lead_id": "L-1"}).headers["ratelimit"] == '"leads";r=9;t=0'
        facts = [{"lead_id": each, "attributes": {}} for each in ids]
        assert found.client.post("/v1/leads", json=facts).headers["ratelimit"] == '"leads";r=0;t=3'


def test_a_large_body_counts_by_its_size(tmp_path, time_stands_still):
    found = opened(settings_in(tmp_path, leads_per_s=10))
    with found.client:
        body = json.dumps({"lead_id": "L-1"}).ljust(20 * 1024)
        assert found.client.post("/v1/leads", content=body).headers["ratelimit"] == '"leads";r=0;t=2'


def test_a_flood_of_wrong_keys_is_slowed_down_and_valid_ones_from_there_are_not(tmp_path, time_stands_still):
    found = opened(settings_in(tmp_path))
    with found.client:
        wrong = [found.client.get("/v1/routes", headers={"Authorization": f"Bearer lsk_{at}"}) for at in range(400)]
        assert {answer.status_code for answer in wrong} == {401, 429}
        slowed_down = [answer for answer in wrong if answer.status_code == 429]
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in slowed_down)
        assert found.client.get("/v1/routes").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "leads.example", "127.0.0.1.example"])  # noqa: S104
def test_a_service_without_keys_is_not_opened_to_others(tmp_path, host):
    with pytest.raises(SettingsError, match="keys are off"):
        create_app(settings_in(tmp_path, keys="off", host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_service_without_keys_answers_everybody_on_this_machine(tmp_path, host):
    found = opened(settings_in(tmp_path, keys="off", host=host))
    del found.client.headers["Authorization"]
    with found.client:
        assert found.client.get("/v1/audit").status_code == 200


def test_a_revoked_key_stops_opening_a_running_service(tmp_path, process):
    settings = settings_in(tmp_path)
    server = process(settings).wait()
    database = Database(settings.database)
    try:
        assert server.client.get("/v1/routes").status_code == 200
        with database.writing() as connection:
            (key,) = all_keys(connection)
            revoke_key(connection, key.key_id, now=now_us())
        wait_until(lambda: server.client.get("/v1/routes").status_code != 200)
    finally:
        database.close()
    assert server.client.get("/v1/routes").status_code == 401
