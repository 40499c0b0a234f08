"""Parameters are read strictly, and every operation refuses a query that it does not declare."""

import re

import pytest

from tests.serving.api.test_auth import TABLE
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import opened, settings_in

UNDER_V1 = [operation for operation in TABLE if " /v1/" in operation]
USUAL_WAY = {"Content-Length": "0"}
"""A request that may have a body takes the usual way, not the fast path."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One service on SQLite: what is refused leaves nothing behind."""
    service = opened(settings_in(tmp_path_factory.mktemp("parameters"), requests_per_s=0))
    with service.client:
        service.lead()
        yield service


@pytest.mark.parametrize("operation", UNDER_V1)
@pytest.mark.parametrize("query", ["hunter2%20x=1", "limit=1&limit=1", "since=&since="])
def test_an_operation_refuses_what_it_does_not_declare(store, operation, query):
    method, path = operation.split(" ")
    detail = is_problem(store.client.request(method, f"{re.sub(r'{.*?}', '1', path)}?{query}"), 422)["detail"]
    assert detail.startswith("query: ")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/routes?limit=1_0", "limit: expected a whole number from 1 to 1000."),
        ("/v1/routes?limit=5.0", "limit: expected a whole number from 1 to 1000."),
        ("/v1/scores?grade=E", "grade: expected 'A', 'B', 'C' or 'D'."),
        ("/v1/leads/L-1/receipts?role=x", "role: expected 'champion' or 'shadow'."),
        ("/v1/leads/L-1/changes", "since: is missing."),
        ("/v1/leads/L-1/score?reasons=x&as_of=1", None),
        ("/v1/leads/L-1/score?reasons=-1", "reasons: expected a whole number from 0 to 1000 or all."),
        ("/v1/model?role=shadow", "query: unknown parameter role; this address takes none."),
    ],
)
def test_a_wrong_parameter_is_named_with_what_was_expected(store, path, detail):
    found = is_problem(store.client.get(path), 422)["detail"]
    several = (
        "reasons: expected a whole number from 0 to 1000 or all;"
        " as_of: expected an ISO 8601 instant with its offset, such as 2026-03-01T12:00:00Z."
    )
    assert found == (detail or several)


@pytest.mark.parametrize("query", ["", "?reasons=all", "?reasons=x&as_of=1", "?reasons=1&reasons=1", "?x=1", "?as_of="])
@pytest.mark.parametrize("lead_id", ["L-1", "L-9", "%00"])
def test_both_ways_to_a_score_read_a_query_alike(store, lead_id, query):
    answers = [store.client.get(f"/v1/leads/{lead_id}/score{query}", headers=way) for way in ({}, USUAL_WAY)]
    fast, usual = ((answer.status_code, re.sub("2026-[^Z]*Z", "", answer.text)) for answer in answers)
    assert fast == usual


def test_an_instant_whose_plus_sign_became_a_space_is_read(store):
    assert store.client.get("/v1/leads/L-1/score?as_of=2026-03-01T12:00:00 00:00").status_code in (200, 404)
