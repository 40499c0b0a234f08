"""The clients send what they were given once, again where that may help, and return what the service answers."""

import asyncio
import json
import math
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from inspect import signature
from itertools import islice

import httpx
import pytest

from leadscore_client import (
    AsyncClient,
    Client,
    InvalidArgumentError,
    InvalidItemError,
    InvalidUrlError,
    ProblemError,
    UnreachableError,
)
from leadscore_client.batching import MAX_ITEMS
from tests.client import answer_types
from tests.serving.conftest import ROOT

URL = "http://leads.test"
LISTS = {"worklist": "scores", "handovers": "routes", "rejected_items": "rejected"}
STORED = {"results": [{"id": "a", "status": "stored"}]}
READY = {"status": "ok", "degraded": False}


class Network:
    """A network that gives prepared responses and records the requests."""

    def __init__(self, *responses):
        self.responses = list(responses)
        self.sent = []

    def __call__(self, request):
        self.sent.append(request)
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        if isinstance(response, Exception):
            response.request = request
            raise response
        status, content, *headers = response
        return httpx.Response(status, json=content, headers=headers[0] if headers else None)

    async def asynchronously(self, request):
        return self(request)

    @property
    def keys(self):
        return [request.headers.get("Idempotency-Key") for request in self.sent]


class Blocking:
    """Calls the synchronous client."""

    def call(self, network, name, *args, key=None, patience_s=60):
        with httpx.Client(transport=httpx.MockTransport(network)) as http:
            result = getattr(Client(URL, http=http, key=key, patience_s=patience_s), name)(*args)
            return list(result) if name in LISTS else result


class Async:
    """Calls the asynchronous client."""

    def call(self, network, name, *args, key=None, patience_s=60):
        async def main():
            async with httpx.AsyncClient(transport=httpx.MockTransport(network.asynchronously)) as http:
                result = getattr(AsyncClient(URL, http=http, key=key, patience_s=patience_s), name)(*args)
                return [entry async for entry in result] if name in LISTS else await result

        return asyncio.run(main())


@pytest.fixture(params=[Blocking, Async])
def caller(request):
    """Each claim holds for both clients."""
    return request.param()


@pytest.fixture
def pauses(monkeypatch):
    """Record the pauses between attempts instead of waiting."""
    recorded = []

    async def sleep(seconds):
        recorded.append(seconds)

    monkeypatch.setattr("time.sleep", recorded.append)
    monkeypatch.setattr("asyncio.sleep", sleep)
    return recorded


def problem(slug, status=409):
    kind = f"/docs/errors#{slug}"
    return status, {"type": kind, "title": "No", "status": status, "detail": "Do something else."}


# ---- what is sent again


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
def test_what_may_succeed_later_is_sent_again_under_the_same_key_after_growing_pauses(caller, failure, pauses):
    network = Network(failure, failure, failure, (202, STORED))
    assert caller.call(network, "send_leads", [{"lead_id": "a"}]).stored == 1
    assert len(network.sent) == 4
    assert len(set(network.keys)) == 1
    assert len({request.content for request in network.sent}) == 1
    assert len(pauses) == 3
    assert all(0 <= pause <= 0.2 * 2**number for number, pause in enumerate(pauses)), pauses


@pytest.mark.parametrize(
    "refusal",
    [problem(slug, status) for slug, status in [("invalid", 422), ("conflict", 409), ("merged", 409), ("erased", 410)]]
    + [problem("no-valid-key", 401), problem("unknown-lead", 404), problem("internal-error", 500)],
)
def test_every_other_refusal_is_raised_at_once_with_what_to_do(caller, refusal, pauses):
    network = Network(refusal)
    with pytest.raises(ProblemError, match="Do something else") as raised:
        caller.call(network, "send_leads", [{"lead_id": "a"}])
    assert (raised.value.status, raised.value.slug) == (refusal[0], refusal[1]["type"].partition("#")[2])
    assert (len(network.sent), pauses) == (1, [])


def test_the_service_sets_the_least_pause(caller, pauses):
    network = Network((*problem("store-unavailable", 503), {"Retry-After": "7"}), (200, READY))
    assert caller.call(network, "ready") == READY
    assert 7 <= pauses[0] <= 7.2


def test_a_pause_beyond_the_patience_is_not_begun(caller, pauses):
    tomorrow = (*problem("store-unavailable", 503), {"Retry-After": "86400"})
    with pytest.raises(ProblemError):
        caller.call(Network(tomorrow), "ready")
    assert pauses == []


def test_a_client_out_of_patience_names_the_host_but_not_the_key(caller):
    network = Network(httpx.ConnectError("refused"))
    with pytest.raises(UnreachableError) as raised:
        caller.call(network, "score", "L-1", key="lsk_secret", patience_s=0.3)
    assert str(raised.value).startswith(f"leads.test did not answer in {len(network.sent)} attempts")
    assert "lsk_secret" not in str(raised.value)
    assert {request.headers["Authorization"] for request in network.sent} == {"Bearer lsk_secret"}


def test_a_page_that_is_not_the_service_is_a_problem(caller):
    def page(_request):
        return httpx.Response(200, text="<h1>Log in</h1>")

    page.asynchronously = Network.asynchronously.__get__(page)
    with pytest.raises(ProblemError, match="not one of leadscore"):
        caller.call(page, "ready")


# ---- what is refused before anything is sent


@pytest.mark.parametrize("url", ["leads.test", "leads.test:8000", "localhost:8000", "", "ftp://leads.test", "http://"])
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_an_address_without_scheme_gets_one_clear_sentence(client, url):
    with pytest.raises(InvalidUrlError, match="write it with its scheme, such as http://"):
        client(url)


@pytest.mark.parametrize("lead_ids", ["L1", b"L1"])
def test_one_id_in_place_of_a_list_is_refused(caller, lead_ids):
    network = Network((200, {}))
    with pytest.raises(InvalidArgumentError, match="must be a list of ids: write"):
        caller.call(network, "scores", lead_ids)
    with pytest.raises(InvalidArgumentError, match="must be text, not 7"):
        caller.call(network, "scores", [7])
    assert network.sent == []


@pytest.mark.parametrize("name", ["send_leads", "send_activities", "send_outcomes"])
@pytest.mark.parametrize("items", [{"lead_id": "a"}, "L1"])
def test_one_item_in_place_of_a_list_is_refused(caller, name, items):
    network = Network((202, STORED))
    with pytest.raises(InvalidArgumentError, match="put a single item into a list"):
        caller.call(network, name, items)
    assert network.sent == []


@pytest.mark.parametrize("lead_id", ["", None, 7])
def test_an_id_that_is_not_text_is_refused(caller, lead_id):
    network = Network((200, {}))
    with pytest.raises(InvalidArgumentError, match="an id must be text"):
        caller.call(network, "score", lead_id)
    assert network.sent == []


CIRCLE = {}
CIRCLE["self"] = CIRCLE
FAULTY = {
    "NaN": ({"value": math.nan}, "value", "NaN and Infinity"),
    "Infinity inside": ({"attributes": {"employees": -math.inf}}, "attributes.employees", "NaN and Infinity"),
    "in a list": ({"tags": [1, math.inf]}, "tags.1", "NaN and Infinity"),
    "no offset": ({"occurred_at": datetime(2026, 3, 1)}, "occurred_at", "has no offset"),  # noqa: DTZ001
    "no JSON": ({"of": object()}, "of", "of type object has no form in JSON"),
    "a circle": (CIRCLE, "", "nested too deeply"),
    "no dict": ("L-1", "", "expected a dict, not str"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_an_item_that_is_no_json_is_refused_with_its_index_and_field(caller, name):
    item, field, reason = FAULTY[name]
    network = Network((202, STORED))
    with pytest.raises(InvalidItemError, match=reason) as raised:
        caller.call(network, "send_activities", [{"activity_id": "fine"}, item])
    assert (raised.value.index, raised.value.field) == (1, field)
    assert network.sent == []


# ---- batches and pages


def test_items_go_in_batches_of_a_thousand_each_under_a_key_of_its_own(caller):
    class Stores(Network):
        def __call__(self, request):
            self.sent.append(request)
            ids = [item["lead_id"] for item in json.loads(request.content)]
            return httpx.Response(202, json={"results": [{"id": lead_id, "status": "stored"} for lead_id in ids]})

    network = Stores()
    sent = caller.call(network, "send_leads", ({"lead_id": f"L-{n}"} for n in range(2 * MAX_ITEMS + 1)))
    assert [len(json.loads(request.content)) for request in network.sent] == [1000, 1000, 1]
    assert len(set(network.keys)) == 3
    assert [result["id"] for result in sent.results] == [f"L-{n}" for n in range(2 * MAX_ITEMS + 1)]


def test_long_items_go_in_batches_that_the_service_accepts(caller):
    network = Network((202, {"results": []}))
    caller.call(network, "send_leads", [{"lead_id": f"L-{n}", "attributes": {"a": "x" * 100_000}} for n in range(100)])
    assert len(network.sent) > 1
    assert max(len(request.content) for request in network.sent) < 8 * 2**20


class Leads(Network):
    """A service with 2,500 leads in its lists, and a cursor that is the number of the next one."""

    def __call__(self, request):
        self.sent.append(request)
        query = request.url.params
        first, size = int(query.get("cursor", 0)), int(query["limit"])
        following = str(first + size) if first + size < 2_500 else None
        leads = [{"lead_id": f"L-{n}"} for n in range(first, min(first + size, 2_500))]
        return httpx.Response(200, json={**dict.fromkeys(LISTS.values(), leads), "next": following})


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_read_page_by_page_with_the_cursor_of_the_page_before(caller, name):
    network = Leads()
    assert [entry["lead_id"] for entry in caller.call(network, name)] == [f"L-{n}" for n in range(2_500)]
    queries = [dict(request.url.params) for request in network.sent]
    assert queries == [{"limit": "1000"}, {"limit": "1000", "cursor": "1000"}, {"limit": "1000", "cursor": "2000"}]


@pytest.mark.parametrize(("limit", "sizes"), [(0, []), (7, [7]), (1_000, [1_000]), (1_300, [1_000, 300])])
def test_a_limit_counts_over_all_pages(caller, limit, sizes):
    network = Leads()
    assert len(caller.call(network, "worklist", limit)) == limit
    assert [int(request.url.params["limit"]) for request in network.sent] == sizes


def test_a_list_without_a_next_page_ends(caller):
    assert caller.call(Network((200, {"scores": [{"lead_id": "L-1"}]})), "worklist") == [{"lead_id": "L-1"}]


def test_a_page_is_requested_only_when_it_is_reached():
    network = Leads()
    with httpx.Client(transport=httpx.MockTransport(network)) as http:
        assert len(list(islice(Client(URL, http=http).worklist(), 5))) == 5
    assert len(network.sent) == 1


# ---- against the service


@pytest.mark.parametrize("lead_id", ["L-1", "a/b", "..", "ä ö?#", "50%", "a/score"])
def test_every_id_is_one_part_of_an_address(store, lead_id):
    client = Client(URL, http=store.client)
    assert client.send_leads([{"lead_id": lead_id}]).stored == 1
    assert client.score(lead_id)["lead_id"] == lead_id


def test_the_client_offers_what_the_service_does(store):
    client, now = Client(URL, http=store.client), datetime.fromtimestamp(store.clock.now_us / 1e6, UTC)
    assert client.ready() == {"status": "ok", "degraded": True}
    assert client.send_leads([{"lead_id": "L-1"}, {"lead_id": "L-2"}, {"lead_id": ""}]).rejected == 1
    kinds = ["demo_request", "page_view", "smoke_signal"]
    activities = [
        {"activity_id": f"a-{n}", "lead_id": "L-1", "kind": kind, "occurred_at": now} for n, kind in enumerate(kinds)
    ]
    sent = client.send_activities(activities)
    assert (sent.stored, sent.rejected) == (2, 1)
    assert (sent.refused[0].index, sent.refused[0].id, sent.refused[0].field) == (2, "a-2", "kind")
    assert [item["item_id"] for item in client.rejected_items()] == ["a-2", None]
    assert [item["fields"] for item in client.rejected_items(1)] == [["kind"]]
    assert client.send_activities(activities[:2]).duplicates == 2
    assert client.send_outcomes([]).results == ()
    store.catch_up()
    score = client.score("L-1", reasons=1)
    assert len(score["reasons"]) == 1
    assert client.score("L-1", as_of=score["as_of"])["points"] == score["points"]
    first, unknown = client.scores(["L-1", "L-9"])
    assert first["points"] == score["points"]
    assert "error" in unknown
    assert client.preview({"lead_id": "L-3"}, [{"kind": "demo_request", "occurred_at": now}])["lead_id"] == "L-3"
    assert client.model()["scorer"]["kind"] == "rules"
    assert {entry["lead_id"] for entry in client.worklist()} == {"L-1", "L-2"}
    assert list(client.handovers(5)) == store.routes()[:5]
    (receipt,) = client.receipts("L-1", 1)
    assert client.replay(receipt["receipt_id"])["equal"]
    assert client.changes("L-1", score["as_of"])["lead_id"] == "L-1"
    assert client.merge("L-2", "L-1")["into"] == "L-1"
    assert client.dossier("L-1")["ids"] == ["L-1", "L-2"]
    assert client.erase("L-1")["lead_id"] == "L-1"
    ahead = {"lead_id": "L-4", "created_at": store.clock.before(-30)}
    assert client.send_leads([ahead]).quarantined == 1
    (held,) = client.quarantine()
    assert client.release(held["id"])["status"] == "stored"


def test_scores_in_batches_are_as_of_one_instant(store):
    client, names = Client(URL, http=store.client), [f"L-{n}" for n in range(MAX_ITEMS + 5)]
    client.send_leads({"lead_id": name} for name in names)
    scores = client.scores(names)
    assert [score["lead_id"] for score in scores] == names
    assert len({score["as_of"] for score in scores}) == 1


def test_both_clients_meet_a_real_server_and_its_keys(process):
    server = process().wait()
    key = server.headers["Authorization"].removeprefix("Bearer ")

    async def read():
        async with AsyncClient(server.url, key=key) as client:
            score = await client.score("L-1")
            return score["points"], [entry["lead_id"] async for entry in client.worklist()]

    with Client(server.url, key=key) as client:
        assert client.send_leads([{"lead_id": "L-1"}]).stored == 1
        while not list(client.worklist()):
            time.sleep(0.05)
        assert asyncio.run(read()) == (client.score("L-1")["points"], ["L-1"])
    with Client(server.url) as client, pytest.raises(ProblemError) as raised:
        client.score("L-1")
    assert (raised.value.status, raised.value.slug) == (401, "no-valid-key")


@pytest.mark.slow
def test_a_request_outlasts_a_restart_of_the_service(process, settings):
    """With the patience of the default on any machine but a very busy one, which gets more of it here."""
    assert signature(Client).parameters["patience_s"].default == 60
    server = process().wait()
    key = server.headers["Authorization"].removeprefix("Bearer ")
    with Client(server.url, key=key, patience_s=300) as client:
        client.send_leads([{"lead_id": "L-1"}])
        server.end()
        scores = []
        waiting = threading.Thread(target=lambda: scores.append(client.score("L-1")))
        waiting.start()
        process(settings, port=int(server.url.rpartition(":")[2])).wait()
        waiting.join(timeout=120)
    assert [score["lead_id"] for score in scores] == ["L-1"]


# ---- what it is made of


def test_the_answer_types_are_those_of_the_openapi_document():
    """Renew them with ``python -m tests.client.answer_types``."""
    assert answer_types.TARGET.read_text(encoding="utf-8") == answer_types.source()


def test_both_clients_have_the_same_methods():
    public = {name for name in dir(Client) if not name.startswith("_")} - {"close"}
    assert {name for name in dir(AsyncClient) if not name.startswith("_")} - {"aclose"} == public


def test_importing_the_client_loads_neither_numpy_nor_the_service():
    script = "import sys, leadscore_client; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    heavy = {"numpy", "pyarrow", "pandas", "pydantic", "fastapi", "data", "features", "models", "training", "serving"}
    assert heavy & set(done.stdout.split()) == set()
