"""An id has one spelling, a request one host, and an answer of health needs no body."""

import unicodedata

import pytest

COMPOSED = "L-é-가"
SPELLINGS = [COMPOSED, unicodedata.normalize("NFD", COMPOSED)]


def test_the_spellings_of_an_id_are_one_lead(store):
    assert SPELLINGS[0] != SPELLINGS[1]
    for spelling in SPELLINGS:
        assert store.lead(spelling, account_id=spelling).status_code == 202
    assert [row[0] for row in store.rows("leads")] == [COMPOSED]
    fact = {"activity_id": "a-é", "lead_id": COMPOSED, "kind": "demo_request", "occurred_at": store.clock.before()}
    again = {name: unicodedata.normalize("NFD", value) for name, value in fact.items()}
    assert store.client.post("/v1/activities", json=[fact, again]).json()["duplicates"] == 1
    first, second = (store.score(spelling)["lead_id"] for spelling in SPELLINGS)
    assert first == second == COMPOSED
    many = store.client.post("/v1/scores", json={"lead_ids": SPELLINGS}).json()["scores"]
    assert {score["lead_id"] for score in many} == {COMPOSED}
    assert store.client.delete(f"/v1/leads/{SPELLINGS[1]}").status_code == 200
    assert store.rows("leads") == []


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_answers_a_request_for_the_head_alone(store, path):
    answer = store.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
