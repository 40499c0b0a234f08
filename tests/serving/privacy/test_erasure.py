"""An erased lead is gone: from every table, from every byte of the store's files, and it does not come back."""

import hashlib
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from sqlalchemy import Column, MetaData, Table, Text, create_engine, event, insert, select
from sqlalchemy.exc import DBAPIError

from leadscore_client import Client, ProblemError
from serving.errors import UnknownLeadError
from serving.privacy.erasure import erase, ids_of_person, scrub, scrub_if_due
from serving.store.database import Database
from serving.store.tables import activities, leads, metadata, store_state
from serving.store.tombstones import find_erased

WHO = "lead-anna.unique@example.com"
TWIN = "lead-anna.second@example.com"
SECRET_TEXT = "kingdom-of-unheard-of-attributes"
NEEDLES = [WHO, TWIN, "act-of-anna", SECRET_TEXT, "out-of-anna", "key-about-anna"]


@pytest.fixture
def inhabited(store):
    """A store that knows much about Anna, under two ids, and something about others."""
    client, at = Client("http://leads.test", http=store.client), store.clock.before()
    client.send_leads({"lead_id": f"other-{n}", "account_id": "A-1"} for n in range(300))
    store.lead(WHO, account_id="A-1", attributes={"country": SECRET_TEXT, "seniority": "vp", "employees": 500})
    store.lead(TWIN, attributes={"country": SECRET_TEXT})
    told = {"occurred_at": at, "kind": "demo_request"}
    anna = [{**told, "activity_id": f"act-of-anna-{n}", "lead_id": WHO if n % 2 else TWIN} for n in range(30)]
    client.send_activities(
        [*anna, *({**one, "activity_id": f"act-of-other-{n}", "lead_id": f"other-{n}"} for n, one in enumerate(anna))]
    )
    store.catch_up()
    store.score(WHO)
    store.clock.pass_days(1)
    store.score(WHO)
    late = {"activity_id": "act-of-anna-late", "lead_id": WHO, "kind": "call", "occurred_at": store.clock.before()}
    kept = store.client.post("/v1/activities", json=late, headers={"Idempotency-Key": "key-about-anna"})
    assert kept.status_code == 202
    ahead = {**late, "activity_id": "act-of-anna-ahead", "occurred_at": store.clock.before(-30)}
    assert client.send_activities([ahead]).quarantined == 1
    store.outcome("out-of-anna", "mql", lead_id=WHO)
    store.client.post(f"/v1/leads/{TWIN}/merge", json={"into": WHO}).raise_for_status()
    assert store.routes(), "Anna is to be handed over, or less is proved"
    return store


def delete(store, lead_id=WHO):
    answer = store.client.delete(f"/v1/leads/{lead_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_rows(store, needles=NEEDLES):
    """Return the tables that contain one of these texts."""
    found = set()
    with store.service.database.reading() as connection:
        for table in metadata.sorted_tables:
            said = repr([tuple(row) for row in connection.execute(select(table))])
            found |= {table.name for needle in needles if needle in said}
    return found


def in_bytes(settings, needles=NEEDLES):
    """Return the files of the store that contain one of these texts."""
    folder = type(settings.models)(settings.models).parent
    return {
        (path.name, needle)
        for path in folder.rglob("*")
        if path.is_file()
        for needle in needles
        if needle.encode() in path.read_bytes()
    }


@pytest.mark.parametrize("asked", [WHO, TWIN])
def test_nothing_of_a_person_is_left_in_any_table_whichever_id_is_erased(inhabited, asked):
    assert {"leads", "lead_versions", "activities", "outcomes", "receipts", "routes", "idempotent_requests"} <= in_rows(
        inhabited
    )
    receipt = delete(inhabited, asked)
    assert in_rows(inhabited) == set()
    assert receipt["lead_id"] == asked
    assert receipt["rows"]["leads"] == 2
    assert {"activities", "outcomes", "merges", "routes", "receipts", "scores", "idempotent_requests"} <= set(
        receipt["rows"]
    )
    assert len(inhabited.rows("leads")) == 300
    assert len([row for row in inhabited.rows("activities") if "other" in repr(row)]) == 30


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_not_one_byte_of_it_is_left_in_the_store_s_files(inhabited, settings):
    assert in_bytes(settings), "before, it is there: else nothing is proved"
    assert delete(inhabited)["bytes"] == "gone"
    assert in_bytes(settings) == set()
    inhabited.catch_up()
    assert in_bytes(settings) == set()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_while_an_older_snapshot_is_read_the_bytes_are_pending_and_the_worker_removes_them_later(inhabited, settings):
    with closing(sqlite3.connect(inhabited.service.database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM leads").fetchone()
        receipt = delete(inhabited)
        assert receipt["bytes"] == "pending"
        assert any("write-ahead log" in held["what"] for held in receipt["held"])
        assert in_bytes(settings)
    inhabited.clock.pass_days(1)
    inhabited.catch_up()
    assert in_bytes(settings) == set()
    with inhabited.service.database.reading() as connection:
        assert connection.execute(select(store_state.c.name).where(store_state.c.name == "scrub")).all() == []


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_postgres_rewrites_its_tables_on_request(inhabited, postgres):
    database = inhabited.service.database
    assert delete(inhabited)["bytes"] == "pending"
    assert scrub_if_due(database)
    erasure = erase(database, WHO, at=1, actor="me", thorough=True)
    assert erasure.left == "gone"
    assert any("write-ahead log" in held.what for held in erasure.held)
    with database.reading() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        number = connection.exec_driver_sql(f"SELECT oid FROM pg_database WHERE datname = '{name}'").scalar()
        connection.exec_driver_sql("SELECT 1")
    with database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    checkpoint(database)
    files = [path for path in (postgres.data / "base" / str(number)).iterdir() if path.is_file()]
    held = {path.name for path in files for needle in NEEDLES if needle.encode() in path.read_bytes()}
    assert len(files) > 50
    assert not held, "the planner's statistics are renewed too"


def checkpoint(database):
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def test_late_facts_about_an_erased_lead_are_refused_and_others_of_the_batch_are_kept(inhabited):
    delete(inhabited)
    for lead_id in (WHO, TWIN):
        refused = inhabited.client.post("/v1/leads", json={"lead_id": lead_id})
        assert (refused.status_code, refused.json()["type"]) == (410, "/docs/errors#erased")
        assert lead_id not in refused.text
    told = {"kind": "call", "occurred_at": inhabited.clock.before()}
    items = [
        {**told, "activity_id": "act-of-anna-later", "lead_id": WHO},
        {**told, "activity_id": "act-of-other-later", "lead_id": "other-1"},
    ]
    taken = Client("http://leads.test", http=inhabited.client).send_activities(items)
    assert [result["status"] for result in taken.results] == ["rejected", "stored"]
    outcome = {"outcome_id": "out-of-anna-2", "lead_id": TWIN, "stage": "won", "reached_at": inhabited.clock.before()}
    assert inhabited.client.post("/v1/outcomes", json=outcome).status_code == 410
    inhabited.catch_up()
    assert in_rows(inhabited) == set()


def test_an_erased_lead_is_unknown_and_erasing_it_again_does_no_harm(inhabited):
    first = delete(inhabited)
    assert inhabited.client.get(f"/v1/leads/{WHO}/score").status_code == 404
    assert inhabited.client.get(f"/v1/leads/{WHO}/receipts").status_code == 404
    assert inhabited.client.get(f"/v1/leads/{WHO}/dossier").status_code == 404
    inhabited.clock.pass_days(1)
    again = delete(inhabited)
    assert (again["erased_at"], again["rows"]) == (first["erased_at"], {})


def test_an_unknown_lead_cannot_be_erased_and_leaves_no_tombstone(store):
    with pytest.raises(ProblemError, match="nothing to erase") as raised:
        Client("http://leads.test", http=store.client).erase("nobody")
    assert raised.value.status == 404
    assert store.rows("tombstones") == []


def test_the_audit_log_names_who_erased_a_lead_but_not_the_lead(inhabited):
    delete(inhabited)
    note = inhabited.client.get("/v1/audit").json()["notes"][0]
    assert note["act"] == "leads.erase"
    assert len(note["about"]) == 64
    assert WHO not in json.dumps(inhabited.client.get("/v1/audit").json())


def test_scores_in_memory_are_forgotten_and_those_of_other_processes_are_not_stored(inhabited):
    """What another process served before the erasure is not stored after it."""
    inhabited.clock.pass_days(9)
    inhabited.score(WHO)
    assert inhabited.service.recorder.waiting == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(inhabited.service.recorder), "forget", lambda _self, _lead_id: None)
        delete(inhabited)
    inhabited.catch_up()
    assert in_rows(inhabited) == set()
    inhabited.lead("other-1000")
    inhabited.score("other-1000")
    delete(inhabited, "other-1000")
    assert inhabited.service.recorder.waiting == 0


def test_a_stored_response_never_brings_the_lead_back(inhabited):
    delete(inhabited)
    fact = {"activity_id": "act-of-anna-9", "lead_id": WHO, "kind": "call", "occurred_at": inhabited.clock.before()}
    again = inhabited.client.post("/v1/activities", json=[fact], headers={"Idempotency-Key": "key-about-anna"})
    assert again.json()["rejected"] == 1
    assert in_rows(inhabited) == set()


def test_every_table_that_names_leads_is_searched(store):
    """A table added later with a lead in a column of another name would be missed: so there must be none."""
    columns = {column.name for table in metadata.sorted_tables for column in table.columns}
    assert {name for name in columns if "lead" in name} == {"lead_id", "into_lead_id"}


def test_a_person_is_all_ids_that_were_ever_merged(store):
    for lead_id in ("a", "b", "c", "d", "e"):
        store.lead(lead_id)
    for lead_id, into in (("a", "b"), ("b", "c"), ("d", "c")):
        store.client.post(f"/v1/leads/{lead_id}/merge", json={"into": into}).raise_for_status()
    with store.service.database.reading() as connection:
        assert all(ids_of_person(connection, one) == {"a", "b", "c", "d"} for one in "abcd")
        assert ids_of_person(connection, "e") == {"e"}


def test_only_the_id_of_a_lead_finds_its_tombstone(store):
    store.lead("a")
    delete(store, "a")
    with store.service.database.reading() as connection:
        assert find_erased(connection, ["a", "b"]) == {"a"}
        with pytest.raises(UnknownLeadError):
            erase(store.service.database, "b", at=1, actor="me")
    assert all(mark != "a" for mark, _ in store.rows("tombstones"))


LEADS, EACH = 3000, 5


@pytest.fixture
def large(tmp_path):
    """A SQLite store into which thousands of leads came in random order, so that its pages were split all the time."""
    database = Database(str(tmp_path / "leadscore.db"))
    order = sorted(range(LEADS), key=lambda n: hashlib.sha256(f"turn {n}".encode()).digest())
    with database.writing() as connection:
        connection.execute(insert(leads), [{"lead_id": name_of(n)} for n in order])
        connection.execute(insert(activities), [activity_of(n, at) for n in order for at in range(EACH)])
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield database
    database.close()


def name_of(n):
    return f"{hashlib.sha256(str(n).encode()).hexdigest()[:20]}@example.com"


def activity_of(n, at):
    fact_id = hashlib.sha256(f"{n} {at}".encode()).hexdigest()[:20]
    return {"lead_id": name_of(n), "activity_id": fact_id, "kind": "call", "known_at": at, "occurred_at": at}


def copied(database):
    """Return the leads that occur more often in the store's file than its rows and indexes explain."""
    found = Counter(re.findall(rb"[0-9a-f]{20}@example\.com", database.path.read_bytes()))
    return [n for n in range(LEADS) if found[name_of(n).encode()] > 1 + 2 * EACH]


def left_of(database, numbers):
    """Return which of these leads can still be found among the bytes of the store."""
    there = b"".join(path.read_bytes() for path in database.path.parent.iterdir() if path.is_file())
    return {n for n in numbers if name_of(n).encode() in there}


def test_no_byte_is_left_where_pages_were_split_either(large):
    """Deleted rows are overwritten, but a copy stays where a page was split: the file is rewritten."""
    gone = copied(large)
    assert len(gone) > 9, "before, copies are there: else nothing is proved"
    for n in gone[1:]:
        erase(large, name_of(n), at=9, actor="me", scrubs=False)
    assert erase(large, name_of(gone[0]), at=9, actor="me").left == "gone"
    assert left_of(large, gone) == set()
    with large.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM activities").scalar() == EACH * (LEADS - len(gone))


def test_a_large_store_is_rewritten_by_the_worker_or_on_request(large, monkeypatch):
    monkeypatch.setattr("serving.privacy.erasure._QUICK_BYTES", 4096)
    first, second = copied(large)[:2]
    erasure = erase(large, name_of(first), at=9, actor="me")
    assert erasure.left == "pending"
    assert any("Unused parts of the store's file" in held.what for held in erasure.held)
    assert left_of(large, [first])
    assert scrub_if_due(large)
    assert left_of(large, [first]) == set()
    assert erase(large, name_of(second), at=9, actor="me", waits=True).left == "gone"
    assert left_of(large, [second]) == set()


def test_what_is_erased_while_bytes_are_removed_stays_due(large, monkeypatch):
    first, second = copied(large)[:2]

    def removed(database, *, thorough):
        done = scrub(database, thorough=thorough)
        erase(database, name_of(second), at=9, actor="somebody else", scrubs=False)
        return done

    erase(large, name_of(first), at=9, actor="me", scrubs=False)
    with monkeypatch.context() as patch:
        patch.setattr("serving.privacy.erasure.scrub", removed)
        assert scrub_if_due(large)
    assert left_of(large, [first, second]) == {second}
    assert scrub_if_due(large)
    assert left_of(large, [second]) == set()
    with large.reading() as connection:
        assert connection.execute(select(store_state.c.name).where(store_state.c.name == "scrub")).all() == []


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_scrub_that_fails_leaves_no_connection_behind(store, monkeypatch):
    other, disposed = MetaData(), []
    Table("no_such_table", other, Column("lead_id", Text))

    def watched(*given, **how):
        engine = create_engine(*given, **how)
        event.listen(engine, "engine_disposed", disposed.append)
        return engine

    monkeypatch.setattr("serving.privacy.erasure.create_engine", watched)
    monkeypatch.setattr("serving.privacy.erasure.metadata", other)
    with pytest.raises(DBAPIError, match="no_such_table"):
        scrub(store.service.database)
    assert len(disposed) == 1
