"""The worker goes on, whatever comes in and whatever fails."""

import sqlite3
import threading

from sqlalchemy import select

from serving.scores.recorder import Recorder
from serving.store.tables import store_state
from serving.worker import Worker
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import opened, wait_until


class Following:
    """Follows facts that never end, and sweeps three batches of leads."""

    def __init__(self, *, followed=1, fails=0):
        self._followed = followed
        self._fails = fails
        self.steps = 0
        self.waited_s = 0.0
        self.swept = []
        self.is_done = threading.Event()

    def step(self):
        self.steps += 1
        if self.steps <= self._fails:
            raise sqlite3.OperationalError
        return self._followed

    def sweep(self, after):
        self.swept.append(after)
        if after == "L-2":
            self.is_done.set()
        return {"": "L-1", "L-1": "L-2", "L-2": None}[after]


class Gone:
    """A lease in a store that is gone."""

    def acquire(self, _now):
        raise sqlite3.OperationalError

    def release(self):
        raise sqlite3.OperationalError


def worker_of(store, follower):
    service = store.service
    return Worker(service.database, service.clock, Recorder(), follower, sweep_every_s=3600)


def swept_at(store):
    with store.service.database.reading() as connection:
        return connection.execute(select(store_state.c.content).where(store_state.c.name == "swept_at")).scalar()


def test_the_sweep_comes_to_its_end_though_facts_never_do(store):
    follower = Following()
    worker = worker_of(store, follower)
    for _ in range(20):
        assert worker.step()
    assert follower.swept == ["", "L-1", "L-2"]
    assert swept_at(store) is not None
    assert follower.steps == 20, "each round follows facts first"


def test_a_sweep_waits_while_the_backlog_is_old(store):
    follower = Following()
    worker = worker_of(store, follower)
    follower.waited_s = 30.0
    for _ in range(20):
        assert worker.step()
    assert follower.swept == []
    follower.waited_s = 1.0
    for _ in range(20):
        assert worker.step()
    assert follower.swept == ["", "L-1", "L-2"]


def test_many_that_wait_are_scored_in_larger_steps(store):
    follower = store.service.worker.backlog_follower
    assert store.client.post("/v1/leads", json=[{"lead_id": f"L-{n}"} for n in range(500)]).status_code == 202
    steps = [follower.step() for _ in range(4)]
    assert steps == [100, 200, 200, 0]


def test_facts_are_refused_for_a_while_where_the_backlog_is_too_old(settings):
    service = opened(settings.model_copy(update={"backlog_s": 10.0}))
    service.client.app.state.works_behind = True
    with service.client:
        service.service.worker.stop()
        assert service.client.post("/v1/leads", json={"lead_id": "L-1"}).status_code == 202
        service.clock.now_us += 11_000_000
        wait_until(lambda: service.client.post("/v1/leads", json={"lead_id": "L-2"}).status_code == 503)
        refused = service.client.post("/v1/leads", json={"lead_id": "L-2"})
        assert is_problem(refused, 503)["type"] == "/docs/errors#backlog-full"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert service.client.get("/v1/leads/L-1/score").status_code == 200
        service.catch_up()
        wait_until(lambda: service.client.post("/v1/leads", json={"lead_id": "L-2"}).status_code == 202)


def test_a_sweep_is_due_again_only_once_its_time_has_passed(store):
    follower = Following(followed=0)
    worker = worker_of(store, follower)
    while worker.step():
        pass
    assert follower.swept == ["", "L-1", "L-2"]
    assert not worker.step()
    store.clock.pass_days(1)
    assert worker.step()
    assert follower.swept == ["", "L-1", "L-2", ""]


def test_a_round_that_fails_is_counted_and_the_next_one_goes_on(store):
    follower = Following(followed=0, fails=3)
    worker = worker_of(store, follower)
    worker.start()
    assert follower.is_done.wait(20)
    worker.stop()
    assert follower.swept == ["", "L-1", "L-2"]
    assert worker.store_errors.total() == 3


def test_a_worker_stops_though_its_store_is_gone(store, monkeypatch):
    worker = worker_of(store, Following(followed=0))
    worker.start()
    monkeypatch.setattr(worker, "_lease", Gone())
    worker.stop()
    assert not worker._thread.is_alive()


def rested(store, *, tells):
    """Return how long the worker rested after each of two rounds of work, with or without facts sent during them."""
    follower = Following(followed=0)
    worker, rests = worker_of(store, follower), []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            rests.append(timeout)
            return super().wait(0)

    swept = follower.sweep

    def sweep(after):
        if tells:
            store.client.post("/v1/leads", json={"lead_id": f"L-{after}"})
        return swept(after)

    follower.sweep = sweep
    worker._stop = Stop()
    worker.start()
    assert follower.is_done.wait(20)
    worker.stop()
    return rests


def test_while_facts_come_in_the_worker_rests_twice_as_long_as_it_worked_but_never_for_long(store):
    rests = rested(store, tells=True)
    assert len(rests) >= 2
    assert all(0 < rest <= 0.5 for rest in rests)


def test_where_no_facts_come_in_the_worker_never_rests(store):
    assert rested(store, tells=False) == []
