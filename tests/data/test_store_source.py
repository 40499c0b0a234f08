"""A playbook can name the service's store as its source."""

import sqlite3

import pytest

from data.errors import IntakeError, PlaybookError
from data.home import Home
from data.importing.warehouse import fingerprint_of, import_history
from data.workspace import Workspace
from tests.data.company import NOW_US, company, imported, rejected, rows
from tests.data.stores import AT, HOUR_US, activity, fill, outcome, version

ATTRIBUTES = {
    "size": {"type": "numeric", "says": "has {value} people"},
    "country": {"type": "category", "says": "is in {value}"},
    "vip": {"type": "boolean", "says": "is important", "says_not": "is not important"},
}
STORE = {"holds": "store", "database": "leadscore.db"}


@pytest.fixture
def folder(tmp_path):
    return company(tmp_path, {}, [STORE], attributes=ATTRIBUTES)


@pytest.fixture
def store(folder):
    return fill(
        folder.path / "leadscore.db",
        versions=[version("ann", account_id="A", size=0.1, vip=True), version("bob", country="true")],
        activities=[activity("a-1", "ann", subject="pricing"), activity("a-2", "bob", kind="call", value=3.0)],
        outcomes=[outcome("o-1", "ann", amount=9.5)],
    )


def test_facts_of_the_store_become_the_tables_to_the_microsecond(folder, store):
    warehouse = imported(folder)
    leads = warehouse.frame("leads")
    assert leads[["lead_id", "account_id", "created_at", "known_at", "size"]].values.tolist()[0] == [
        "ann",
        "A",
        AT - 1,
        AT,
        0.1,
    ]
    assert warehouse.frame("activities")["known_at"].tolist() == [AT + HOUR_US] * 2
    assert rows(warehouse, "activities", "activity_id", "lead_id", "subject", "value") == [
        ("a-1", "ann", "pricing", None),
        ("a-2", "bob", None, 3.0),
    ]
    assert rows(warehouse, "outcomes", "outcome_id", "stage", "amount") == [("o-1", "won", 9.5)]
    assert rows(warehouse, "leads", "country", "vip") == [(None, 1.0), ("true", None)]
    assert [(count.source, count.rows, count.kept) for count in warehouse.quality.sources] == [
        ("leads of the store", 2, 2),
        ("activities of the store", 2, 2),
        ("outcomes of the store", 1, 1),
    ]


def test_the_usual_store_of_the_playbook_is_read_where_none_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LEADSCORE_DATABASE", raising=False)
    folder = company(tmp_path, {}, [{"holds": "store"}])
    home = Home(tmp_path / "home")
    fill(home.tables("tiny") / "leadscore.db", versions=[version("usual")])
    assert import_history(Workspace(folder, home), now_us=NOW_US).frame("leads")["lead_id"].tolist() == ["usual"]
    monkeypatch.setenv("LEADSCORE_DATABASE", fill(tmp_path / "served.db", versions=[version("served")]))
    assert import_history(Workspace(folder, home), now_us=NOW_US).frame("leads")["lead_id"].tolist() == ["served"]


def test_a_store_can_be_named_by_a_variable_as_path_or_url(tmp_path, monkeypatch, postgres):
    folder = company(tmp_path, {}, [{"holds": "store", "database": "${CRM_STORE:-none.db}"}])
    for name, url in (("path", str(tmp_path / "a.db")), ("sqlite", f"sqlite:///{tmp_path / 'b.db'}")):
        monkeypatch.setenv("CRM_STORE", fill(url, versions=[version(name)]))
        assert imported(folder).frame("leads")["lead_id"].tolist() == [name]
    monkeypatch.setenv("CRM_STORE", fill(postgres.fresh(), versions=[version("postgres")]))
    assert imported(folder).frame("leads")["lead_id"].tolist() == ["postgres"]
    monkeypatch.delenv("CRM_STORE")
    with pytest.raises(IntakeError, match=r"There is no store at .*none\.db"):
        imported(folder)


def test_unchanged_facts_mean_that_the_tables_are_reused(folder, store):
    first = imported(folder)
    made = first.folder.stat().st_mtime_ns
    again = imported(folder)
    assert (again.folder, again.folder.stat().st_mtime_ns) == (first.folder, made)
    fill(store, activities=[activity("a-3", "bob")])
    assert imported(folder).fingerprint != first.fingerprint


def test_facts_that_only_changed_their_owner_are_another_content(folder, store):
    """Counts and instants are as they were: a lead was erased and came back under another id."""
    first = imported(folder)
    with sqlite3.connect(store) as connection:
        for table in ("leads", "lead_versions", "activities"):
            connection.execute(f"UPDATE {table} SET lead_id = 'bib' WHERE lead_id = 'bob'")
    connection.close()
    second = imported(folder)
    assert second.folder != first.folder
    assert "bib" in second.frame("activities")["lead_id"].tolist()


def test_what_the_playbook_no_longer_knows_is_rejected_or_lost_and_counted(folder, store):
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE activities SET kind = 'fax' WHERE activity_id = 'a-1'")
        connection.execute("""UPDATE lead_versions SET attributes = '{"size":"big"}' WHERE lead_id = 'bob'""")
    connection.close()
    warehouse = imported(folder)
    assert [(violation.source, violation.rule, violation.about) for violation in warehouse.quality.violations] == [
        ("activities of the store", "unknown_kind", "kind"),
    ]
    assert [(lost.attribute, lost.count) for lost in warehouse.quality.lost] == [("size", 1)]
    assert set(rejected(warehouse)["source"]) == {"activities of the store"}


def test_a_store_without_outcomes_is_no_mistake_and_one_without_leads_is(tmp_path):
    folder = company(tmp_path, {}, [STORE])
    fill(tmp_path / "leadscore.db")
    with pytest.raises(IntakeError, match="holds no leads yet"):
        imported(folder)
    fill(tmp_path / "leadscore.db", versions=[version("ann")])
    assert [count.source for count in imported(folder).quality.sources] == ["leads of the store"]


def test_nothing_of_the_copy_is_left(folder, store):
    warehouse = imported(folder)
    assert list(warehouse.folder.parent.glob(".partial-*")) == []


def test_other_files_can_stand_beside_the_store(tmp_path):
    calls = {
        "file": "calls.csv",
        "holds": "activities",
        "kind": "call",
        "columns": {"activity_id": "id", "occurred_at": "at"},
    }
    folder = company(tmp_path, {"calls.csv": "id,lead_id,at\nc-1,ann,2026-02-01T08:00:00Z\n"}, [STORE, calls])
    fill(tmp_path / "leadscore.db", versions=[version("ann")])
    assert rows(imported(folder), "activities", "activity_id", "lead_id") == [("c-1", "ann")]


def test_two_stores_are_a_mistake_of_the_playbook(tmp_path):
    with pytest.raises(PlaybookError, match="reads only one store"):
        company(tmp_path, {}, [STORE, {"holds": "store"}])


def test_where_the_store_stands_does_not_decide_what_the_tables_hold(tmp_path):
    one = company(tmp_path / "one", {}, [STORE])
    two = company(tmp_path / "two", {}, [{"holds": "store", "database": "elsewhere.db"}])
    assert fingerprint_of(one) == fingerprint_of(two)
