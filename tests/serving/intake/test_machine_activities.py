"""The service tells machines from people as an import of the same facts does."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import select

from data.home import Home
from data.importing.warehouse import import_history
from data.instants import iso, parse
from data.workspace import Workspace
from serving.app import open_service
from serving.facts import Preview
from serving.intake.loading import load_history
from serving.intake.merging import LeadMerger
from serving.scores.preview import _activities
from serving.store.tables import activities
from tests.data.company import LEADS, NOW_US, TWO_LEADS, company, imported, rows
from tests.data.machine_facts import ACTIVITIES, ANSWER, BURST, NOON_US, activity, as_file, histories, oracle
from tests.serving.conftest import settings_in

RULES = [BURST, ANSWER]
SAYS = {"activities": ACTIVITIES, "machines": RULES, "company": "tiny-of-these-tests"}
WEB = {
    "file": "web.csv",
    "holds": "activities",
    "columns": {"activity_id": "id", "kind": "kind", "known_at": "known_at"},
}


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self):
        self.now_us = parse("2026-01-03T00:00:00Z")

    def __call__(self):
        return self.now_us


class Sender:
    """Sends facts to a service; each example has leads of its own."""

    count = 0

    def __init__(self, service, clock, database=None):
        Sender.count += 1
        self.service, self.clock, self.mark = service, clock, f"s{Sender.count}-"
        self.database = database if database is None else str(database)
        for lead in ("ann", "bob"):
            service.ingestion.ingest("leads", [{"lead_id": self.mark + lead}])

    def send(self, batch, status="stored"):
        self.clock.now_us = max([self.clock.now_us, *(each["known_at"] for each in batch)])
        facts = [
            {
                "activity_id": self.mark + each["id"],
                "lead_id": self.mark + each["lead"],
                "kind": each["kind"],
                "occurred_at": iso(each["occurred_at"]),
            }
            for each in batch
        ]
        results = self.service.ingestion.ingest("activities", facts)
        assert {result.status for result in results} == {status}, results

    def merge(self, duplicate, into):
        service = self.service
        merger = LeadMerger(service.database, service.clock, service.active_scorer, service.crossing_rules)
        merger.merge(self.mark + duplicate, self.mark + into, actor="tests")

    def stored(self, sent):
        """Return the kind and ``known_at`` of what was sent, by its id."""
        query = select(activities.c.activity_id, activities.c.kind, activities.c.known_at)
        names = [self.mark + each["id"] for each in sent]
        with self.service.database.reading() as connection:
            found = connection.execute(query.where(activities.c.activity_id.in_(names)))
            return {name.removeprefix(self.mark): (kind, known_at) for name, kind, known_at in found}

    def kinds(self, sent):
        return {name: kind for name, (kind, _) in self.stored(sent).items()}

    def as_known(self, sent):
        """Return what was sent with the instants at which the store says that it became known."""
        known = self.stored(sent)
        return [{**each, "known_at": known[each["id"]][1]} for each in sent]


@pytest.fixture
def playbook(tmp_path):
    return playbook_in(tmp_path / "company")


def playbook_in(folder, facts=(), *, leads=TWO_LEADS):
    files = {"leads.csv": leads, "web.csv": as_file(facts)}
    return company(folder, files, [LEADS, WEB], **SAYS)


@pytest.fixture
def sender(settings, playbook):
    clock = SetClock()
    service = open_service(settings.model_copy(update={"playbook": playbook.path}), now=clock)
    yield Sender(service, clock, settings.database)
    service.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("shared"), SetClock()
    service = open_service(settings_in(folder, playbook=playbook_in(folder / "company").path), now=clock)
    yield service, clock
    service.close()


def clicks(*seconds, lead="ann", first=1):
    return [activity(f"c{number}", at=at, lead=lead) for number, at in enumerate(seconds, start=first)]


def test_a_burst_over_several_requests_is_a_machines(sender):
    sent = clicks(0, 1, 2, 3, 60)
    for each in sent:
        sender.send([each])
    assert sender.kinds(sent) == oracle(sent, RULES)
    assert list(sender.kinds(sent).values()).count("machine_click") == 2


def test_a_burst_in_one_request_is_a_machines(sender):
    sent = [activity("d1", "delivered", at=50), *clicks(0, 1, 2, 3, 50.5)]
    sender.send(sent)
    assert [name for name, kind in sender.kinds(sent).items() if kind == "machine_click"] == ["c3", "c4", "c5"]


def test_what_was_sent_before_is_a_duplicate_under_its_own_kind(sender):
    sent = clicks(0, 1, 2)
    sender.send(sent)
    kinds = sender.kinds(sent)
    sender.send(sent, status="duplicate")
    assert sender.kinds(sent) == kinds
    assert kinds["c3"] == "machine_click"


def test_an_instant_ahead_of_the_clock_counts_as_now(sender):
    """The sender's clock is 100 seconds fast; what it sends is stored as happening now, where the burst is."""
    sender.send(clicks(0, 1))
    sender.clock.now_us = NOON_US + 2_000_000
    fast = {**activity("c9", at=100), "known_at": NOON_US}
    sender.send([fast])
    assert sender.kinds([fast]) == {"c9": "machine_click"}


def test_a_merged_lead_is_the_one_that_the_sender_names(sender):
    """Clicks of the other lead make no burst; those of the lead itself do, before its merge and after it."""
    sender.send(clicks(0, 1, lead="bob"))
    before = clicks(2, lead="ann", first=3)
    sender.send(before)
    sender.merge("ann", into="bob")
    after = clicks(3, 4, lead="ann", first=4)
    for each in after:
        sender.send([each])
    assert sender.kinds([*before, *after]) == {"c3": "click", "c4": "click", "c5": "machine_click"}


@examples(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(several=st.lists(histories(), min_size=3, max_size=3), data=st.data())
def test_a_store_has_the_kinds_of_an_import_of_the_same_facts(shared, tmp_path_factory, several, data):
    """Activities arrive in the order in which they become known, one by one or several at once, bursts out of order."""
    facts = []
    for number, history in enumerate(several):
        sender = Sender(*shared)
        in_order = sorted(history, key=lambda each: (each["known_at"], each["id"]))
        waiting = list(in_order)
        while waiting:
            size = data.draw(st.integers(1, 4))
            sender.send(waiting[:size])
            del waiting[:size]
        known = sender.as_known(in_order)
        assert sender.kinds(in_order) == oracle(known, RULES)
        facts += [{**each, "id": f"{number}-{each['id']}", "lead": f"{each['lead']}-{number}"} for each in known]
    leads = "lead_id,created_at\n" + "".join(f"{lead},2026-01-01\n" for lead in {each["lead"] for each in facts})
    as_files = imported(playbook_in(tmp_path_factory.mktemp("files") / "company", facts, leads=leads))
    assert dict(rows(as_files, "activities", "activity_id", "kind")) == oracle(facts, RULES)


def test_a_preview_counts_machines_as_the_store_would(playbook):
    """What is previewed becomes known at one instant; of equal instants the one that is listed first comes first."""
    sent = [{"kind": "click", "occurred_at": iso(NOON_US + at)} for at in (2, 0, 1)]
    preview = Preview(lead={"lead_id": "x"}, activities=sent)
    found = _activities(preview, NOON_US + 9, playbook.business.machines)
    assert [activity.kind for activity in found] == ["machine_click", "click", "click"]


def test_loading_keeps_the_kinds_and_the_store_as_history_does_too(sender, playbook, tmp_path):
    facts = [activity("d1", "delivered", at=50), *clicks(0, 1, 2, 3, 50.5)]
    history = imported(playbook_in(tmp_path / "files", facts))
    service = sender.service
    for new in (6, 0):
        loaded = load_history(
            history, service.database, playbook=playbook, live=service.active_scorer.current, now_us=NOW_US
        )
        assert (loaded.activities, loaded.conflicts) == (new, {})
    stored = company(tmp_path / "stored", {}, [{"holds": "store", "database": sender.database}], **SAYS)
    again = import_history(Workspace(stored, Home(tmp_path / "home")), now_us=NOW_US)
    assert rows(again, "activities", "activity_id", "kind") == rows(history, "activities", "activity_id", "kind")
    assert [count.marked for count in again.quality.machines] == [0, 0]


def test_what_was_sent_and_is_exported_otherwise_later_is_no_conflict(sender, playbook, tmp_path):
    """The service heard of the first click last, so that only it made the burst; the export does not know that."""
    live = [{**each, "lead": each["lead"]} for each in clicks(1, 2, 0)]
    sender.mark = ""
    sender.service.ingestion.ingest("leads", [{"lead_id": "ann"}, {"lead_id": "bob"}])
    sender.clock.now_us = NOON_US + 5_000_000
    for each in live:
        sender.send([each])
    assert set(sender.kinds(live).values()) == {"click"}
    history = imported(playbook_in(tmp_path / "files", live))
    assert dict(rows(history, "activities", "activity_id", "kind"))["c2"] == "machine_click"
    service = sender.service
    loaded = load_history(
        history, service.database, playbook=playbook, live=service.active_scorer.current, now_us=NOW_US
    )
    assert (loaded.conflicts, loaded.known_otherwise) == ({}, 3)
    assert set(sender.kinds(live).values()) == {"click"}
