"""Bundles follow each other under load: nobody is refused, and every score is what the bundle it names gives."""

import asyncio
import random
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from models.bundle import load_files
from serving.scorers.deployments import deploy_bundle, verify_bundle
from serving.scorers.live_scorer import compile_scorer
from serving.store.database import Database
from tests.serving.bundles import blob_of, files_of, fingerprint_of, put
from tests.serving.conftest import opened, wait_until

BUNDLES = (("one", 1), ("two", 2))
LEADS = [f"L-{at}" for at in range(40)]
EVERY_S = 0.1
EFFECTIVE_WITHIN_S = 2
"""What the documentation, `leadscore deploy` and the settings promise."""


@dataclass
class Load:
    """Requests of callers on threads of their own until the block ends, and the answers."""

    server: object
    stop: threading.Event = field(default_factory=threading.Event)
    scores: list = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    errors: list = field(default_factory=list)

    def _loop(self, act, seed):
        rng = random.Random(seed)  # noqa: S311 - an example, no secret
        with httpx.Client(base_url=self.server.url, headers=self.server.headers, timeout=30) as client:
            while not self.stop.is_set():
                try:
                    answer = act(client, rng)
                except httpx.HTTPError as error:
                    self.errors.append(repr(error))
                    continue
                self.statuses[answer.status_code] += 1

    def ask_one(self, client, rng):
        answer = client.get(f"/v1/leads/{rng.choice(LEADS)}/score", params={"reasons": 0})
        if answer.is_success:
            self.scores.append(answer.json())
        return answer

    def ask_many(self, client, rng):
        answer = client.post("/v1/scores", params={"reasons": 0}, json={"lead_ids": rng.sample(LEADS, 10)})
        if answer.is_success:
            self.scores += answer.json()["scores"]
        return answer

    def tell(self, client, rng):
        time.sleep(0.02)
        kind, subject = rng.choice([("page_view", "pricing"), ("demo_request", None), ("page_view", None)])
        told = {"activity_id": f"a-{rng.random()}", "lead_id": rng.choice(LEADS), "kind": kind, "subject": subject}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return client.post("/v1/activities", json={**told, "occurred_at": now})

    @contextmanager
    def running(self):
        acts = (self.ask_one, self.ask_one, self.ask_many, self.tell)
        threads = [threading.Thread(target=self._loop, args=(act, seed)) for seed, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def swap(server, settings, seconds):
    """Deploy one bundle and the other in turn, every 100 ms: over HTTP, or into the store as another process would."""
    bundles = [verify_bundle(files_of(*one)) for one in BUNDLES]
    with closing(Database(settings.database)) as database:
        started = time.monotonic()
        for tick in range(round(seconds / EVERY_S)):
            time.sleep(max(0.0, started + tick * EVERY_S - time.monotonic()))
            if tick % 5 == 0:
                answer = server.client.put("/v1/model", content=blob_of(*BUNDLES[tick % 2]))
                assert answer.status_code == 200, answer.text
            else:
                deploy_bundle(database, bundles[tick % 2], "champion", by="tests", at=tick)


def wrong_scores(settings, scores):
    """Return the scores that differ from what the bundle they name computes for what was known then."""
    with closing(Database(settings.database)) as database:
        lives = {
            fingerprint_of(*one): compile_scorer(load_files(files_of(*one)), dialect=database.dialect)
            for one in BUNDLES
        }
        wrong = []
        with database.live_snapshot() as store:
            for score in scores:
                live = lives[score["scorer"]["fingerprint"]]
                again = live.score(store, score["lead_id"], as_of=instant(score["as_of"]), top=0)
                if again.receipt.points != score["points"]:
                    wrong.append((score, again.receipt.points))
        return wrong


def instant(text):
    from data.instants import parse

    return parse(text)


def hot_swap(process, settings, seconds):
    settings = settings.model_copy(update={"model_check_s": 0.02, "requests_per_s": 0})
    server = process(settings).wait()
    server.client.put("/v1/model", content=blob_of(*BUNDLES[0])).raise_for_status()
    server.client.post("/v1/leads", json=[{"lead_id": lead_id} for lead_id in LEADS]).raise_for_status()
    load = Load(server)
    with load.running():
        swap(server, settings, seconds)
    assert load.errors == []
    assert set(load.statuses) <= {200, 202}, load.statuses
    assert not any(score["degraded"] for score in load.scores)
    seen = Counter(score["scorer"]["fingerprint"] for score in load.scores)
    assert set(seen) == {fingerprint_of(*one) for one in BUNDLES}
    assert min(seen.values()) > len(load.scores) / 10, "both answered for long enough to be seen"
    assert len(load.scores) > 20 * seconds
    assert wrong_scores(settings, load.scores) == []
    return load


@pytest.mark.slow
def test_while_bundles_are_swapped_every_100_ms_nobody_is_refused_and_every_score_is_of_the_bundle_it_names(
    process, settings
):
    hot_swap(process, settings, 2)


@pytest.mark.slow
def test_the_same_for_a_minute(process, settings):
    load = hot_swap(process, settings, 60)
    assert sum(load.statuses.values()) > 60 * 50


def answered_by(server):
    return server.client.get("/v1/model").json()["scorer"]["fingerprint"]


class WatchedEnoughError(Exception):
    """What a test waited for has happened, or cannot happen in time any more."""


def test_a_swap_takes_effect_in_every_process_within_two_seconds(settings, monkeypatch):
    """By what a service waits between two looks at the store; how long loading takes, the benchmarks tell."""
    first, other, waited = opened(settings), opened(settings).service, []

    async def wait(seconds):
        if sum(waited) > EFFECTIVE_WITHIN_S or answering(other) == fingerprint_of(*BUNDLES[1]):
            raise WatchedEnoughError
        waited.append(seconds)

    monkeypatch.setattr("serving.service.asyncio.sleep", wait)
    with closing(first.service), closing(other):
        for one in BUNDLES:
            put(first, blob_of(*one)).raise_for_status()
        with pytest.raises(WatchedEnoughError):
            asyncio.run(other.watch_models())
        assert answering(other) == fingerprint_of(*BUNDLES[1])
        assert 0 < sum(waited) <= EFFECTIVE_WITHIN_S


def answering(service):
    return service.active_scorer.current.scorer.id.fingerprint


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_all_processes_on_a_store_swap(process, settings):
    first, second = process(settings), process(settings)
    for server in (first.wait(), second.wait()):
        assert answered_by(server) not in {fingerprint_of(*one) for one in BUNDLES}
    for one in (*BUNDLES, *BUNDLES):
        first.client.put("/v1/model", content=blob_of(*one)).raise_for_status()
        assert answered_by(first) == fingerprint_of(*one)
        wait_until(lambda one=one: answered_by(second) == fingerprint_of(*one))
