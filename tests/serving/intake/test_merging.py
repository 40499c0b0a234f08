"""Two leads turn out to be one: from then on they share one score, and nothing before it changes."""

import json
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from data.contract import AttributeType
from data.instants import iso, parse
from features.catalog import Catalog
from features.feature import Feature
from features.live.live_features import compile_live
from features.reducers import (
    AttributeChanges,
    AttributeValue,
    Count,
    DaysSinceChange,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Distinct,
    LeadAge,
    PreviousValue,
    Sum,
)
from serving.app import open_service
from serving.errors import RequestError
from serving.intake.merging import LeadMerger, merge
from serving.scorers.live_facts import read_facts
from serving.store.database import Database, raw_connection
from serving.store.merged_leads import survivors
from serving.store.tables import activities, lead_versions, leads
from tests.serving.conftest import MovableClock, key_in, settings_in

FIT = {"seniority": "vp", "employees": 500}
"""Base 10 + can sign 15 + large company 10 = 35; a demo request (40) makes 75, past the threshold of 60."""


def survivor(store, lead_id, *, as_of=2**62):
    """Return what a lead had become by an instant, looked up by hand."""
    mark = "?" if isinstance(store, sqlite3.Connection) else "%s"
    newest = (
        f"SELECT into_lead_id FROM merges WHERE lead_id = {mark} AND merged_at < {mark} ORDER BY merged_at DESC LIMIT 1"
    )
    found = store.execute(newest, (lead_id, as_of)).fetchone()
    return lead_id if found is None else found[0]


def merged(store, lead_id="L-2", into="L-1", **given):
    answer = store.client.post(f"/v1/leads/{lead_id}/merge", json={"into": into}, **given)
    store.catch_up()
    return answer


def now(store):
    """Return an instant after everything so far."""
    return iso(store.clock())


@pytest.fixture
def two(store):
    store.lead("L-1", attributes=FIT)
    store.lead("L-2", account_id="A-2", created_at="2026-02-01T00:00:00Z", attributes={"employees": 5, "country": "NL"})
    store.activity("a-1", "trial_start", lead_id="L-1")
    store.activity("a-2", "webinar", lead_id="L-2", value=30)
    return store


def test_the_survivor_has_what_both_did_and_one_score_stands_for_both(two):
    apart = two.score("L-1")["points"]
    answer = merged(two)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("lead_id", "into", "status")} == {
        "lead_id": "L-2",
        "into": "L-1",
        "status": "merged",
    }
    one, other = two.score("L-1"), two.score("L-2")
    assert one["points"] == pytest.approx(apart + 8, abs=0.01), "a webinar more"
    assert other["lead_id"] == "L-1"
    assert one["points"] == pytest.approx(other["points"], abs=1e-6), "asked a few milliseconds later"
    many = two.client.post("/v1/scores", json={"lead_ids": ["L-2", "L-1"]}).json()["scores"]
    assert [score["lead_id"] for score in many] == ["L-1", "L-1"]
    assert {row[0] for row in two.rows("scores")} == {"L-1"}


def test_as_of_any_instant_before_both_are_what_they_were(two):
    instant = now(two)
    before = {lead_id: two.score(lead_id, as_of=instant, reasons="all") for lead_id in ("L-1", "L-2")}
    merged_at = merged(two).json()["merged_at"]
    assert {lead_id: two.score(lead_id, as_of=instant, reasons="all") for lead_id in ("L-1", "L-2")} == before
    assert two.score("L-2", as_of=merged_at)["lead_id"] == "L-2", "facts count from the instant after they are known"


def test_what_is_unknown_of_the_survivor_is_filled_from_the_duplicate(two):
    merged_at = parse(merged(two).json()["merged_at"])
    version = _newest(two.service.database, "L-1")
    assert json.loads(version.attributes) == {"seniority": "vp", "employees": 500.0, "country": "NL"}
    assert (version.account_id, version.created_at) == ("A-2", parse("2026-02-01T00:00:00Z"))
    assert version.known_at == merged_at


def test_the_survivor_keeps_its_account_and_gets_no_version_where_nothing_is_new(store):
    store.lead("L-1", account_id="A-1", created_at="2026-01-01T00:00:00Z", attributes=FIT)
    store.lead("L-2", account_id="A-2", attributes={"employees": 5})
    merged(store)
    version = _newest(store.service.database, "L-1")
    assert (version.account_id, json.loads(version.attributes)["employees"]) == ("A-1", 500)
    assert len([row for row in store.rows("lead_versions") if row[0] == "L-1"]) == 1


def test_the_duplicate_leaves_its_account(two):
    merged(two)
    assert _newest(two.service.database, "L-2").account_id is None


def test_outcomes_come_along_so_that_a_closed_lead_stays_closed(store):
    store.lead("L-1", attributes=FIT)
    store.lead("L-2")
    store.outcome("o-1", "lost", lead_id="L-2")
    store.activity("a-1", lead_id="L-2")
    merged(store)
    assert store.routes() == []
    assert sorted(row[1] for row in store.rows("outcomes")) == ["L-1", "L-2"]


def test_leads_that_were_merged_before_follow_and_each_instant_keeps_its_answer(two):
    two.lead("L-3", attributes={"seniority": "student"})
    apart = now(two)
    before = {lead_id: two.score(lead_id, as_of=apart) for lead_id in ("L-1", "L-2", "L-3")}
    merged(two, "L-2", "L-1")
    between = now(two)
    halfway = {lead_id: two.score(lead_id, as_of=between) for lead_id in ("L-1", "L-2", "L-3")}
    assert halfway["L-2"]["lead_id"] == "L-1"
    merged(two, "L-1", "L-3")
    assert {two.score(lead_id)["lead_id"] for lead_id in ("L-1", "L-2", "L-3")} == {"L-3"}
    assert {lead_id: two.score(lead_id, as_of=apart) for lead_id in before} == before
    assert {lead_id: two.score(lead_id, as_of=between) for lead_id in halfway} == halfway
    many = two.client.post(f"/v1/scores?as_of={between}", json={"lead_ids": ["L-2"]}).json()["scores"]
    assert many[0]["points"] == halfway["L-2"]["points"]
    assert many[0]["lead_id"] == "L-1"


def test_survivors_are_found_one_by_one_and_in_batches(two):
    database = two.service.database
    at = two.clock()
    merged(two)
    with database.live_snapshot() as store:
        assert survivor(store, "L-2") == survivor(store, "L-1") == "L-1"
        assert survivor(store, "L-2", as_of=at) == "L-2"
        assert survivor(store, "nobody") == "nobody"
    with database.reading() as connection:
        assert survivors(connection, ["L-1", "L-2", "nobody"]) == {"L-1": "L-1", "L-2": "L-1", "nobody": "nobody"}


def test_the_same_merge_again_changes_nothing(two):
    first = merged(two).json()
    tables = ("activities", "lead_versions", "merges", "audit_log")
    rows = [two.rows(table) for table in tables]
    again = merged(two)
    assert again.status_code == 200
    assert again.json() == {**first, "status": "duplicate"}
    assert [two.rows(table) for table in tables] == rows


def test_a_merge_into_a_lead_that_is_merged_goes_to_the_one_that_stays(two):
    two.lead("L-3")
    merged(two, "L-2", "L-1")
    assert merged(two, "L-3", "L-2").json()["into"] == "L-1"
    assert merged(two, "L-3", "L-1").json()["status"] == "duplicate"


@pytest.mark.parametrize(
    ("lead_id", "into", "status", "said"),
    [
        ("L-1", "L-1", 422, "itself"),
        ("L-9", "L-1", 404, "No lead 'L-9'"),
        ("L-1", "L-9", 422, "no lead 'L-9'"),
        ("L-1", "L-2", 409, "cannot be reversed"),
        ("L-2", "L-3", 409, "another one already"),
        ("L%001", "L-1", 404, "No such lead"),
    ],
)
def test_an_invalid_merge_is_refused_and_changes_nothing(two, lead_id, into, status, said):
    two.lead("L-3")
    merged(two, "L-2", "L-1")
    rows = two.rows("activities"), two.rows("merges")
    answer = merged(two, lead_id, into)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True)
    assert (two.rows("activities"), two.rows("merges")) == rows


@pytest.mark.parametrize("body", [{}, {"into": 3}, {"into": "L-1", "force": True}, [], "L-1"])
def test_a_merge_names_one_lead_and_nothing_else(two, body):
    assert two.client.post("/v1/leads/L-2/merge", json=body).status_code == 422


def test_what_is_sent_for_the_duplicate_later_belongs_to_the_survivor(two):
    merged(two)
    assert two.activity("a-3", "email_reply", lead_id="L-2").json()["stored"] == 1
    assert {row[0] for row in two.rows("activities") if row[2] == "a-3"} == {"L-1"}
    assert two.outcome("o-1", "mql", lead_id="L-2").json()["stored"] == 1
    assert {row[1] for row in two.rows("outcomes")} == {"L-1"}


@pytest.mark.parametrize("lead_id", ["L-1", "L-2"])
def test_an_activity_of_before_sent_again_is_a_duplicate_under_either_id(store, lead_id):
    store.lead("L-1")
    store.lead("L-2")
    told = {"kind": "call", "occurred_at": "2026-02-28T10:00:00Z", "value": 3}
    store.activity("a-1", lead_id="L-2", **told)
    merged(store)
    assert store.activity("a-1", lead_id=lead_id, **told).json()["duplicates"] == 1
    assert store.activity("a-1", lead_id=lead_id, **{**told, "value": 4}).status_code == 409
    assert len(store.rows("activities")) == 2


# ---- handovers


@pytest.mark.parametrize(("duplicate", "into"), [("L-1", "L-2"), ("L-2", "L-1")])
def test_a_lead_that_was_handed_over_is_not_handed_over_again(store, duplicate, into):
    store.lead("L-1", attributes=FIT)
    store.activity("a-1", lead_id="L-1")
    store.lead("L-2", attributes={"employees": 500})
    assert len(store.routes()) == 1
    merged(store, duplicate, into)
    assert store.score(into)["score"] == 75
    store.activity("a-2", "email_reply", lead_id=into)
    (route,) = store.routes()
    assert route["lead_id"] == "L-1", "a route stays listed under the lead that was handed over"


def test_two_leads_that_cross_only_together_are_handed_over_once(store):
    store.lead("L-1", attributes=FIT)
    store.lead("L-2")
    store.activity("a-1", lead_id="L-2")
    assert store.routes() == []
    merged(store)
    assert [route["lead_id"] for route in store.routes()] == ["L-1"]


def test_a_duplicate_that_fell_long_ago_does_not_keep_the_two_from_being_handed_over(store):
    """It was above once and has not been scored since; its score has faded by now, so together they cross again."""
    store.lead("L-2", attributes=FIT)
    store.activity("a-1", "trial_start", lead_id="L-2")
    store.activity("a-2", "webinar", lead_id="L-2", value=60)
    assert len(store.routes()) == 1
    store.clock.pass_days(40)
    store.lead("L-1", attributes={"employees": 500})
    told = {"activity_id": "a-3", "lead_id": "L-1", "kind": "email_reply", "occurred_at": store.clock.before()}
    store.client.post("/v1/activities", json=told)
    store.client.post("/v1/leads/L-2/merge", json={"into": "L-1"})
    assert store.score("L-1")["score"] >= 60
    assert [route["lead_id"] for route in store.routes()] == ["L-1", "L-2"]


@pytest.mark.parametrize("pending_of", ["L-1", "L-2"])
def test_a_pending_crossing_is_handed_over_once_under_the_survivor(store, pending_of):
    store.lead("L-1", attributes=FIT)
    store.lead("L-2", attributes=FIT)
    told = {"activity_id": "a-1", "lead_id": pending_of, "kind": "demo_request", "occurred_at": store.clock.before()}
    store.client.post("/v1/activities", json=told)
    merged(store)
    assert [route["lead_id"] for route in store.routes()] == ["L-1"]


# ---- audit, idempotency, whole transactions


def test_a_merge_is_audited_without_naming_a_lead(two):
    merged(two)
    (note,) = [row for row in two.rows("audit_log") if row[3] == "leads.merge"]
    assert "L-1" not in note[4]
    assert "L-2" not in note[4]


def test_a_merge_under_a_key_is_done_once_and_its_answer_names_both_leads(two):
    first, again = (merged(two, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.content == again.content
    assert first.json()["status"] == "merged"
    assert sorted(row[-1] for row in two.rows("idempotent_request_leads")) == ["L-1", "L-2"]


def test_a_merge_is_whole_or_not_at_all(two, monkeypatch):
    tables = ("activities", "lead_versions", "merges", "pending_scores", "scores", "leads")
    rows = [two.rows(table) for table in tables]

    def fails(*_):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("serving.intake.merging._point_to", fails)
        assert merged(two).status_code == 500
    assert [two.rows(table) for table in tables] == rows
    assert merged(two).status_code == 200


def test_a_key_that_only_reads_scores_merges_nothing(two):
    secret = key_in(two.service.database, ("scores:read",))
    assert merged(two, headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    assert two.rows("merges") == []


def test_copies_that_are_there_already_are_left_alone(two):
    """History that was exported from a store and loaded into another one contains the copies that its merges made."""
    copy = "merged-" + _mark("a-2", "L-1")
    (original,) = [row for row in two.rows("activities") if row[2] == "a-2"]
    told = {"kind": "webinar", "occurred_at": iso(original[4]), "value": 30}
    assert two.activity(copy, lead_id="L-1", **told).status_code == 202
    assert merged(two).status_code == 200
    assert sorted(row[2] for row in two.rows("activities")) == sorted(["a-1", "a-2", copy])


def test_the_id_of_a_copy_that_is_taken_by_another_lead_stops_the_merge(two):
    two.lead("L-3")
    two.activity("merged-" + _mark("a-2", "L-1"), "webinar", lead_id="L-3")
    assert merged(two).status_code == 409
    assert two.rows("merges") == []


def _mark(fact_id, lead_id):
    from hashlib import sha256

    return sha256(f"{fact_id}\x1f{lead_id}".encode()).hexdigest()[:32]


def _newest(database, lead_id):
    newest_first = lead_versions.c.known_at.desc()
    asked = select(lead_versions).where(lead_versions.c.lead_id == lead_id).order_by(newest_first).limit(1)
    with database.reading() as connection:
        return connection.execute(asked).one()


# ---- whatever is sent in whatever order

CATALOG = Catalog(
    (
        Feature("calls_7d", Count("call", days=7), 0, "{n} calls"),
        Feature("all", Count(None), 0, "{n}"),
        Feature("minutes", Sum("call"), 0, "{n}"),
        Feature("fading", DecayedCount(None, 3), 0, "{n}"),
        Feature("kinds", Distinct(None), 0, "{n}"),
        Feature("last", DaysSinceLast(None), None, "{ago}"),
        Feature("first", DaysSinceFirst("call"), None, "{ago}"),
        Feature("age", LeadAge(), None, "{days}"),
        Feature("size", AttributeValue("employees", AttributeType.NUMERIC), None, "{value}"),
        Feature("mates", Count(None), 0, "{n}", over="account"),
        Feature("mates_last", DaysSinceLast("call"), None, "{ago}", over="account"),
        Feature("sizes", AttributeChanges("employees", AttributeType.NUMERIC), 0, "{n}"),
        Feature("resized", DaysSinceChange("employees", AttributeType.NUMERIC), None, "{ago}"),
        Feature("size_before", PreviousValue("employees", AttributeType.NUMERIC), None, "{value}"),
    )
)
OF_ACTIVITIES = slice(2, 9)
NAMES = ("A", "B", "C", "D")
some_lead = st.sampled_from(NAMES)
step = st.one_of(
    st.tuples(st.just("lead"), some_lead, st.sampled_from([None, "acme", "ajax"]), st.integers(1, 3)),
    st.tuples(st.just("activity"), some_lead, st.sampled_from(["call", "webinar"]), st.integers(0, 9)),
    st.tuples(st.just("merge"), some_lead, some_lead, st.just(0)),
)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    clock = MovableClock()
    service = open_service(settings_in(tmp_path_factory.mktemp("worlds")), now=clock)
    yield service, clock
    service.close()


class World:
    """Leads with unique names in a store that many examples share."""

    count = 0

    def __init__(self, service, clock):
        World.count += 1
        self.service, self.clock, self.mark = service, clock, f"w{World.count}-"
        self.merging = LeadMerger(service.database, service.clock, service.active_scorer, service.crossing_rules)
        self.features = compile_live(CATALOG)
        self.family = {name: {name} for name in NAMES}
        self.did = {name: [] for name in NAMES}
        self.facts = 0

    def tell(self, what, name, first, second):
        if what == "merge":
            self.merge(name, first)
        elif what == "lead":
            account = None if first is None else self.mark + first
            fact = {"lead_id": self.mark + name, "account_id": account, "attributes": {"employees": second}}
            self.service.ingestion.ingest("leads", [fact])
        else:
            self.facts += 1
            occurred_at = iso(self.clock.now_us - second * 86_400_000_000)
            did = {"kind": first, "occurred_at": occurred_at, "value": second}
            fact = {"activity_id": f"{self.mark}{self.facts}", "lead_id": self.mark + name, **did}
            (result,) = self.service.ingestion.ingest("activities", [fact])
            if result.status == "stored":
                self.did[name].append(did)

    def merge(self, name, into):
        try:
            result = self.merging.merge(self.mark + name, self.mark + into, actor="tests")
        except RequestError:
            return
        stays = result.into.removeprefix(self.mark)
        both = self.family[name] | self.family[stays]
        self.family |= dict.fromkeys(both, both)

    def seen(self, as_of, names=NAMES):
        """Return everything that can be read about the leads as of an instant, bit by bit."""
        lead_ids = [self.mark + name for name in names]
        with self.service.database.live_snapshot() as store:
            questions = [(lead_id, as_of) for lead_id in lead_ids]
            facts = read_facts(store, self.service.database.dialect, questions, CATALOG)
            values = self.features.values(facts.leads, facts.accounts)
            scores = self.service.active_scorer.current.scores(store, lead_ids, as_of=as_of, top=None)
            into = {one: survivor(store, one, as_of=as_of) for one in lead_ids}
        return (
            dict(zip(facts.versions, values, strict=True)),
            {one: score.as_json() for one, score in scores.items()},
            into,
        )


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, max_size=14))
def test_no_merge_changes_any_answer_as_of_before_it_and_none_loses_an_activity(worlds, steps):
    """After any facts and merges, every past answer stays as it was, and each family is one lead."""
    world = World(*worlds)
    for name in NAMES[:2]:
        world.tell("lead", name, "acme", 1)
    looks = []
    for one in steps:
        world.tell(*one)
        as_of = world.service.clock.as_of()
        looks.append((as_of, world.seen(as_of)))
    for as_of, seen in looks:
        assert world.seen(as_of) == seen
    _check_families(world)


def _check_families(world):
    """The survivor of each family has the features of a lead that did everything itself."""
    as_of, told = world.service.clock.as_of(), {}
    _, _, into = world.seen(as_of)
    with world.service.database.reading() as connection:
        known = set(connection.execute(select(leads.c.lead_id)).scalars())
    for at, family in enumerate({frozenset(family) for family in world.family.values()}):
        stays = {into[world.mark + name] for name in family}
        assert len(stays) == 1, "a family has one survivor"
        if (survives := stays.pop()) in known:
            told[survives] = f"whole-{at}"
            world.tell("lead", told[survives], None, 1)
            for did in [did for name in family for did in world.did[name]]:
                world.facts += 1
                fact = {"activity_id": f"{world.mark}{world.facts}", "lead_id": world.mark + told[survives], **did}
                assert world.service.ingestion.ingest("activities", [fact])[0].status == "stored"
    as_of = world.service.clock.as_of()
    for survives, whole in told.items():
        (one,), _, _ = world.seen(as_of, [survives.removeprefix(world.mark)])
        (other,), _, _ = world.seen(as_of, [whole])
        assert one[OF_ACTIVITIES] == other[OF_ACTIVITIES]


def test_facts_of_two_clocks_keep_their_order(tmp_path):
    """A version that another machine's clock dated in the future stays before the merge."""
    database = Database(str(tmp_path / "leadscore.db"))
    with database.writing() as connection:
        connection.execute(leads.insert(), [{"lead_id": "A"}, {"lead_id": "B"}])
        version = {"account_id": "X", "created_at": 5, "attributes": "{}"}
        rows = [{"lead_id": name, "known_at": known_at, **version} for name, known_at in (("A", 10), ("B", 500))]
        connection.execute(lead_versions.insert(), rows)
        connection.execute(
            activities.insert(),
            [{"lead_id": "B", "known_at": 499, "activity_id": "b", "kind": "call", "occurred_at": 3}],
        )
        done = merge(connection, "B", into="A", at=100, above=lambda *_: ())
        assert done.merged_at == 501
        assert survivor(raw_connection(connection), "B", as_of=501) == "B"
        assert survivor(raw_connection(connection), "B", as_of=502) == "A"
    database.close()
