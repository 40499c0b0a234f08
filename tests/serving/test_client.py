"""The client sends what it was given once, again where that helps, and gives back what the service says."""

import json
from datetime import UTC, datetime
from typing import get_type_hints

import httpx
import pytest

from data.instants import iso
from serving import answers
from serving.api.schemas import explained_scores, handed_over_leads, ingestion_results, scorers_in_force, service_state
from serving.client import Client
from serving.errors import InvalidError, ProblemError, UnreachableError
from serving.sending import MOST_ITEMS

TAKEN = {"results": [{"id": "a", "status": "stored"}]}


class Network:
    """A network that answers as it is told to, and remembers what was sent."""

    def __init__(self, *comes):
        self.comes = list(comes)
        self.sent = []
        self.slept = []

    def __call__(self, request):
        self.sent.append(request)
        came = self.comes.pop(0) if len(self.comes) > 1 else self.comes[0]
        if isinstance(came, Exception):
            raise came
        status, content, *headers = came
        return httpx.Response(status, json=content, headers=headers[0] if headers else None)

    def client(self, **given):
        return Client("http://crm.test", transport=httpx.MockTransport(self), sleep=self.slept.append, **given)

    @property
    def keys(self):
        return [request.headers.get("Idempotency-Key") for request in self.sent]


def problem(slug, status=409):
    return status, {"type": f"urn:leadscore:{slug}", "title": "No", "status": status, "detail": "Do something else."}


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        problem("store-unavailable", 503),
        (502, "bad gateway"),
        (504, "gateway timeout"),
        problem("too-many-requests", 429),
        problem("in-flight"),
    ],
)
def test_what_may_succeed_later_is_sent_again_under_the_same_key_after_pauses_that_double(failure):
    network = Network(failure, failure, failure, (202, TAKEN))
    with network.client() as client:
        assert client.tell_leads([{"lead_id": "a"}]).stored == 1
    assert len(network.sent) == 4
    assert len(set(network.keys)) == 1
    assert len({request.content for request in network.sent}) == 1
    assert all(0.05 * 2**at <= pause <= 0.1 * 2**at for at, pause in enumerate(network.slept)), network.slept


@pytest.mark.parametrize(
    "refusal",
    [problem(slug, status) for slug, status in [("invalid", 422), ("conflict", 409), ("merged", 409), ("erased", 410)]]
    + [problem("no-valid-key", 401), problem("unknown-lead", 404), problem("internal-error", 500)],
)
def test_every_other_refusal_is_raised_at_once_with_what_to_do(refusal):
    network = Network(refusal)
    with network.client() as client, pytest.raises(ProblemError, match="Do something else") as raised:
        client.tell_leads([{"lead_id": "a"}])
    assert (raised.value.status, raised.value.slug) == (refusal[0], refusal[1]["type"].removeprefix("urn:leadscore:"))
    assert (len(network.sent), network.slept) == (1, [])


def test_the_service_says_how_long_to_wait_at_least_and_nobody_waits_an_hour():
    later = (*problem("store-unavailable", 503), {"Retry-After": "7"})
    network = Network(later, (200, {"status": "ok", "degraded": False}))
    with network.client() as client:
        assert client.ready()["status"] == "ok"
    assert 7 < network.slept[0] <= 7.1
    tomorrow = (*problem("store-unavailable", 503), {"Retry-After": "86400"})
    with Network(tomorrow).client() as client, pytest.raises(ProblemError):
        client.ready()


def test_a_client_gives_up_after_its_retries_and_names_the_service_but_no_key():
    network = Network(httpx.ConnectError("refused"))
    with network.client(retries=2, key="lsk_secret") as client, pytest.raises(UnreachableError) as raised:
        client.score("L-1")
    assert str(raised.value).startswith("crm.test did not answer in 3 attempts")
    assert "lsk_secret" not in str(raised.value)
    assert len(network.sent) == 3
    assert {request.headers["Authorization"] for request in network.sent} == {"Bearer lsk_secret"}


def test_an_address_that_is_none_is_refused_at_once():
    slept = []
    with Client("crm.test", sleep=slept.append) as client, pytest.raises(UnreachableError):
        client.ready()
    assert slept == []


def test_what_is_no_answer_of_the_service_is_a_problem_too():
    def page(_request):
        return httpx.Response(200, text="<h1>Log in</h1>")

    client = Client("http://crm.test", transport=httpx.MockTransport(page))
    with client, pytest.raises(ProblemError, match="not one of the service"):
        client.ready()


def test_items_go_in_batches_of_a_thousand_each_under_a_key_of_its_own():
    def taken(request):
        items = json.loads(request.content)
        return httpx.Response(202, json={"results": [{"id": item["lead_id"], "status": "stored"} for item in items]})

    network = []
    transport = httpx.MockTransport(lambda request: network.append(request) or taken(request))
    with Client("http://crm.test", transport=transport) as client:
        told = client.tell_leads({"lead_id": f"L-{n}"} for n in range(2 * MOST_ITEMS + 1))
    assert [len(json.loads(request.content)) for request in network] == [1000, 1000, 1]
    assert len({request.headers["Idempotency-Key"] for request in network}) == 3
    assert [result["id"] for result in told.results] == [f"L-{n}" for n in range(2 * MOST_ITEMS + 1)]


def test_long_items_go_in_batches_that_the_service_takes():
    sizes = []

    def taken(request):
        sizes.append(len(request.content))
        return httpx.Response(202, json={"results": []})

    with Client("http://crm.test", transport=httpx.MockTransport(taken)) as client:
        client.tell_leads({"lead_id": f"L-{n}", "attributes": {"a": "x" * 100_000}} for n in range(100))
    assert len(sizes) > 1
    assert max(sizes) < 8 * 2**20


@pytest.mark.parametrize("item", [{"value": float("nan")}, {"at": datetime(2026, 3, 1)}, {"of": object()}])  # noqa: DTZ001
def test_what_cannot_be_written_as_json_is_not_sent(item):
    network = Network((202, TAKEN))
    with network.client() as client, pytest.raises(InvalidError):
        client.tell_activities([item])
    assert network.sent == []


@pytest.mark.parametrize("lead_id", ["L-1", "a/b", "..", "ä ö?#", "50%", "a/score"])
def test_every_id_is_one_part_of_an_address(store, lead_id):
    client = Client(http=store.client, key=None)
    assert client.tell_leads([{"lead_id": lead_id}]).stored == 1
    assert client.score(lead_id)["lead_id"] == lead_id


def test_the_client_does_with_the_service_what_the_api_offers(store):
    client, now = Client(http=store.client), datetime.fromtimestamp(store.clock.now_us / 1e6, UTC)
    assert client.ready() == {"status": "ok", "degraded": True}
    assert client.tell_leads([{"lead_id": "L-1"}, {"lead_id": "L-2"}, {"lead_id": ""}]).rejected == 1
    kinds = ["demo_request", "page_view", "smoke_signal"]
    told = [
        {"activity_id": f"a-{at}", "lead_id": "L-1", "kind": kind, "occurred_at": now} for at, kind in enumerate(kinds)
    ]
    taken = client.tell_activities(told)
    assert (taken.stored, taken.rejected, taken.refused[0]["id"]) == (2, 1, "a-2")
    assert client.tell_activities(told[:2]).duplicates == 2
    assert client.tell_outcomes([]).results == ()
    store.catch_up()
    score = client.score("L-1", reasons=1)
    assert len(score["reasons"]) == 1
    assert client.score("L-1", as_of=score["as_of"])["points"] == score["points"]
    first, unknown = client.scores(["L-1", "L-9"])
    assert first["points"] == score["points"]
    assert "error" in unknown
    assert client.preview({"lead_id": "L-3"}, [{"kind": "demo_request", "occurred_at": now}])["lead_id"] == "L-3"
    assert client.model()["scorer"]["kind"] == "rules"
    assert isinstance(client.routes(5), list)


def test_scores_in_batches_are_as_of_one_instant(store):
    client, names = Client(http=store.client), [f"L-{n}" for n in range(MOST_ITEMS + 5)]
    client.tell_leads({"lead_id": name} for name in names)
    found = client.scores(names)
    assert [score["lead_id"] for score in found] == names
    assert len({score["as_of"] for score in found}) == 1


def test_a_client_meets_a_real_server_and_its_keys(process, settings):
    server = process().wait()
    key = server.headers["Authorization"].removeprefix("Bearer ")
    with Client(server.url, key=key) as client:
        assert client.tell_leads([{"lead_id": "L-1"}]).stored == 1
        assert client.score("L-1")["as_of"] <= iso(2**52)
    with Client(server.url) as client, pytest.raises(ProblemError) as raised:
        client.score("L-1")
    assert raised.value.status == 401


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (answers.ItemResult, ingestion_results.ItemResultOut),
        (answers.ReasonAnswer, explained_scores.ReasonOut),
        (answers.ScorerAnswer, explained_scores.ScorerOut),
        (answers.ScoreAnswer, explained_scores.ScoreOut),
        (answers.UnknownLead, explained_scores.UnknownLeadOut),
        (answers.RouteAnswer, handed_over_leads.HandoverOut),
        (answers.ModelAnswer, scorers_in_force.ModelOut),
        (answers.ReadyAnswer, service_state.ReadinessOut),
    ],
)
def test_the_types_of_answers_have_the_fields_of_the_document(ours, theirs):
    assert set(get_type_hints(ours)) == set(theirs.model_fields)
