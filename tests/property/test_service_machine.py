"""
Callers may do anything, in any order, and a plain model says what must hold.

The machine sends leads, activities and outcomes (late, repeated, contradictory, too early), merges, erases, deploys,
lets time pass, and reads. After every step the answers match the model; at the end the store holds what the model
holds, past answers can be repeated, and the batch engine computes the same features that were served.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from data.instants import parse
from data.lifecycle.lead_lifecycle import ReachedStage
from serving.feedback.reconciliation import recheck
from serving.store.tables import activities, leads, outcomes, pending_scores, scores
from tests.data.lifecycle.lives import is_open_by_hand
from tests.serving.bundles import blob_of, put
from tests.serving.conftest import MovableClock, opened, settings_in

LEADS = [f"L-{at}" for at in range(5)]
KINDS = ["page_view", "webinar", "demo_request"]
STEPS = Counter()
lead = st.sampled_from(LEADS)
number = st.integers(0, 25)


class Service(RuleBasedStateMachine):
    """The service, and beside it what its store should hold."""

    url = None  # a fresh store on PostgreSQL; None is a file

    @initialize()
    def open(self):
        self._folder = tempfile.TemporaryDirectory()
        given = {} if self.url is None else {"database": self.url()}
        self.store = opened(settings_in(Path(self._folder.name), **given), MovableClock())
        self.store.client.__enter__()
        self.known, self.became, self.erased = {}, {}, set()
        self.did, self.reached, self.waiting = {}, {}, {}
        self.answers, self.released = [], set()
        self.rounds = 0
        for who in LEADS[:3]:
            self._tell_of_a_lead(who, "vp", "A")

    # ---- sending

    @rule(who=lead, seniority=st.sampled_from(["vp", "student", None]), account=st.sampled_from(["A", "B", None]))
    def tell_of_a_lead(self, who, seniority, account):
        STEPS["lead"] += 1
        self._tell_of_a_lead(who, seniority, account)

    def _tell_of_a_lead(self, who, seniority, account):
        attributes = {} if seniority is None else {"seniority": seniority}
        told = {"lead_id": who, "attributes": attributes} | ({} if account is None else {"account_id": account})
        answer = self.store.client.post("/v1/leads", json=told)
        if who in self.erased:
            assert answer.status_code == 410
        elif who in self.became:
            assert answer.status_code == 409
        else:
            content = (account, attributes)
            expected = "duplicate" if self.known.get(who) == content else "stored"
            assert answer.json()["results"] == [{"id": who, "status": expected}]
            self.known[who] = content

    @rule(name=number, who=lead, kind=st.sampled_from(KINDS), days=st.sampled_from([0, 1, 40, -2]))
    def tell_of_an_activity(self, name, who, kind, days):
        STEPS["activity"] += 1
        occurred_at = self.store.clock.before(days)
        told = {"activity_id": f"a-{name}", "lead_id": who, "kind": kind, "occurred_at": occurred_at}
        self._tell("activities", f"a-{name}", told, early=days < 0)

    @precondition(lambda self: self.did)
    @rule(data=st.data())
    def tell_of_it_again(self, data):
        """Sending the very same fact again, however old, changes nothing."""
        STEPS["again"] += 1
        told = self.did[data.draw(st.sampled_from(sorted(self.did)))]
        (result,) = self.store.client.post("/v1/activities", json=told).json()["results"]
        assert result["status"] == "duplicate"

    @rule(name=number, who=lead, stage=st.sampled_from(["sql", "mql", "lost"]))
    def convert(self, name, who, stage):
        STEPS["outcome"] += 1
        told = {"outcome_id": f"o-{name}", "lead_id": who, "stage": stage, "reached_at": self.store.clock.before()}
        self._tell("outcomes", f"o-{name}", told)

    def _tell(self, kind, name, told, *, early=False):
        held = self.did if kind == "activities" else self.reached
        answer = self.store.client.post(f"/v1/{kind}", json=told)
        if told["lead_id"] in self.erased:
            assert answer.status_code == 410
        elif told["lead_id"] not in self.known:
            assert answer.status_code == 422
        elif name in self.released and told["kind"] == held[name]["kind"] and told["lead_id"] == held[name]["lead_id"]:
            assert answer.status_code in {202, 409}, "it counts from the instant of its release, which may be this one"
        elif name in held or (name in self.waiting and self.waiting[name] != told):
            assert answer.status_code == 409, "another instant is another content"
        else:
            status = "quarantined" if early else "stored"
            assert answer.json()["results"] == [{"id": name, "status": status}], answer.text
            (self.waiting if early else held)[name] = told

    @precondition(lambda self: self.waiting)
    @rule()
    def release(self):
        STEPS["release"] += 1
        (newest, *_) = self.store.client.get("/v1/quarantine").json()["quarantine"]
        told = self.waiting.pop(newest["fact_id"])
        answer = self.store.client.post(f"/v1/quarantine/{newest['id']}/release")
        assert answer.status_code == 200, answer.text
        self.did[newest["fact_id"]] = told
        self.released.add(newest["fact_id"])

    @rule(one=lead, other=lead)
    def merge(self, one, other):
        STEPS["merge"] += 1
        answer = self.store.client.post(f"/v1/leads/{one}/merge", json={"into": other})
        into = self.became.get(other, other)
        if one not in self.known or other not in self.known or one == other:
            assert answer.status_code in {404, 410, 422}
        elif into == one or self.became.get(one, into) != into:
            assert answer.status_code == 409
        else:
            assert answer.status_code == 200, answer.text
            if one not in self.became:
                self._merged(one, into)

    def _merged(self, one, into):
        account, attributes = self.known[into]
        other_account, other_attributes = self.known[one]
        self.known[into] = (other_account if account is None else account, other_attributes | attributes)
        self.became |= {who: into for who, now in self.became.items() if now == one} | {one: into}

    @precondition(lambda self: self.rounds % 7 == 3)
    @rule(who=lead)
    def erase(self, who):
        STEPS["erase"] += 1
        answer = self.store.client.delete(f"/v1/leads/{who}")
        if who not in self.known and who not in self.erased and answer.status_code == 200:
            assert answer.json()["rows"].keys() == {"rejected_items"}, "only what was refused named the lead"
            self.erased.add(who)
            return
        assert answer.status_code == (200 if who in self.known or who in self.erased else 404), answer.text
        if who in self.known:
            stays = self.became.get(who, who)
            person = {stays, *(one for one, now in self.became.items() if now == stays)}
            for held in (self.did, self.reached, self.waiting):
                for name in [name for name, told in held.items() if told["lead_id"] in person]:
                    del held[name]
                    self.released.discard(name)
            self.known = {one: content for one, content in self.known.items() if one not in person}
            self.became = {one: now for one, now in self.became.items() if one not in person}
            self.erased |= person

    # ---- models, time, and reading

    @precondition(lambda self: self.rounds % 5 == 2)
    @rule(which=st.sampled_from(["one", "two"]))
    def deploy(self, which):
        STEPS["deploy"] += 1
        assert put(self.store, blob_of(which, seed=1 if which == "one" else 2)).status_code == 200
        self.store.service.active_scorer.refresh()

    @rule(days=st.sampled_from([0.01, 1, 30]))
    def pass_time(self, days):
        STEPS["time"] += 1
        self.store.clock.pass_days(days)

    @precondition(lambda self: self.rounds % 3 == 1)
    @rule()
    def follow(self):
        STEPS["follow"] += 1
        self.store.catch_up()
        open_leads = {who for who in self.known if who not in self.became and not self._is_closed(who)}
        assert set(self._column(scores.c.lead_id)) == open_leads
        assert self._column(pending_scores.c.lead_id) == []

    @rule()
    def ask_about_all(self):
        STEPS["all"] += 1
        found = self.store.client.post("/v1/scores", json={"lead_ids": LEADS}).json()
        for who, score in zip(LEADS, found["scores"], strict=True):
            assert ("points" in score) == (who in self.known)
            if who in self.known:
                self.answers.append((who, score))

    @rule(who=lead)
    def ask(self, who):
        STEPS["ask"] += 1
        answer = self.store.client.get(f"/v1/leads/{who}/score")
        if who not in self.known:
            assert answer.status_code == 404, answer.text
            return
        assert answer.status_code == 200, answer.text
        score = answer.json()
        assert score["lead_id"] == self.became.get(who, who)
        self.answers.append((who, score))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def ask_again_about_then(self, data):
        STEPS["then"] += 1
        who, then = data.draw(st.sampled_from(self.answers))
        answer = self.store.client.get(f"/v1/leads/{who}/score", params={"as_of": then["as_of"]})
        if who in self.erased:
            assert answer.status_code == 404
        elif answer.json()["scorer"] == then["scorer"]:
            assert answer.json() == then
        else:
            assert answer.status_code == 200

    # ---- invariants

    @invariant()
    def no_fact_is_lost_or_doubled(self):
        if not hasattr(self, "rounds"):
            return
        self.rounds += 1
        told = self._column(activities.c.activity_id)
        assert sorted(name for name in told if not name.startswith("merged-")) == sorted(self.did)
        ended = self._column(outcomes.c.outcome_id)
        assert sorted(name for name in ended if not name.startswith("merged-")) == sorted(self.reached)
        assert sorted(self._column(leads.c.lead_id)) == sorted(self.known)

    def teardown(self):
        if not hasattr(self, "store"):
            return
        try:
            self._check_the_end()
        finally:
            self.store.client.__exit__(None, None, None)
            self._folder.cleanup()

    def _check_the_end(self):
        self.store.catch_up()
        for who in self.known:
            for receipt in self.store.client.get(f"/v1/leads/{who}/receipts").json()["receipts"]:
                again = self.store.client.get(f"/v1/receipts/{receipt['receipt_id']}/replay").json()
                assert again["equal"], again["differences"]
        playbook = self.store.service.playbook.business
        database = self.store.service.database
        checked = recheck(database, playbook, now_us=self.store.clock.now_us, sample=50, hours=1e5, seed=1)
        assert checked.passed, checked.as_json()

    def _is_closed(self, who):
        """By the outcomes that the store holds of it, and what was sent about everyone that it is."""
        mine = {who, *(one for one, now in self.became.items() if now == who)}
        columns = (outcomes.c.stage, outcomes.c.reached_at, outcomes.c.known_at)
        with self.store.service.database.reading() as connection:
            reached = [
                ReachedStage(*row) for row in connection.execute(select(*columns).where(outcomes.c.lead_id == who))
            ]
        told = [told for told in self.did.values() if told["lead_id"] in mine and told["kind"] == "demo_request"]
        opened = [parse(each["occurred_at"]) for each in told]
        return not is_open_by_hand(reached, opened, self.store.service.playbook.business.lifecycle)

    def _column(self, column):
        with self.store.service.database.reading() as connection:
            return list(connection.execute(select(column)).scalars())


def run(machine, *, examples, steps):
    quiet = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=quiet)


def test_nothing_breaks_in_any_order():
    run(Service, examples=6, steps=30)


@pytest.mark.slow
def test_nothing_breaks_in_ten_thousand_steps():
    STEPS.clear()
    examples = int(os.environ.get("MACHINE_EXAMPLES", "290"))
    run(Service, examples=examples, steps=50)
    assert STEPS.total() >= 10_000, STEPS


@pytest.mark.slow
def test_nothing_breaks_on_postgres(postgres, template):
    class OnPostgres(Service):
        url = staticmethod(lambda: postgres.fresh(template))

    run(OnPostgres, examples=20, steps=40)
