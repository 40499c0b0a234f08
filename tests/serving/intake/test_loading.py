"""History is loaded whole, once, and no lead is handed over by it."""

from dataclasses import dataclass, replace

import ibis
import pandas as pd
import pytest
from sqlalchemy import insert

from data.instants import DAY_US
from data.words.playbook import load_playbook
from serving.intake.loading import load_history
from serving.scorers.active_scorer import ActiveScorer
from serving.store.database import Database
from serving.store.tables import activities
from tests.serving.conftest import NOON, PLAYBOOK, MovableClock, opened


@dataclass
class Tables:
    """Contract tables in memory."""

    leads: ibis.Table
    activities: ibis.Table
    outcomes: ibis.Table


@pytest.fixture
def history():
    leads = pd.DataFrame(
        [
            ("hot", "A-1", NOON - 9 * DAY_US, NOON - 9 * DAY_US, "vp", 500.0, 1.0),
            ("hot", "A-1", NOON - 9 * DAY_US, NOON - 8 * DAY_US, "c_level", 500.0, 1.0),
            ("won", None, NOON - 9 * DAY_US, NOON - 9 * DAY_US, "vp", 500.0, None),
            ("cold", None, NOON - 9 * DAY_US, NOON - 9 * DAY_US, None, None, 0.0),
        ],
        columns=["lead_id", "account_id", "created_at", "known_at", "seniority", "employees", "business_email"],
    )
    activities = pd.DataFrame(
        [
            ("a-1", "hot", "demo_request", NOON - 2 * DAY_US, NOON - 2 * DAY_US, None, None),
            ("a-2", "won", "demo_request", NOON - 2 * DAY_US, NOON - 2 * DAY_US, None, None),
            ("a-3", "cold", "page_view", NOON - DAY_US, NOON - DAY_US, "pricing", 30.0),
        ],
        columns=["activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject", "value"],
    )
    outcomes = pd.DataFrame(
        [("o-1", "won", "sql", NOON - DAY_US, NOON - DAY_US, 100.0, None)],
        columns=["outcome_id", "lead_id", "stage", "reached_at", "known_at", "amount", "reason"],
    ).astype({"reason": "string"})
    return Tables(ibis.memtable(leads), ibis.memtable(activities), ibis.memtable(outcomes))


def load(settings, history, progress=lambda *_told: None):
    folder, database = load_playbook(PLAYBOOK), Database(settings.database)
    try:
        live = ActiveScorer(folder, settings, database=database).current
        return load_history(history, database, playbook=folder, live=live, progress=progress, now_us=NOON)
    finally:
        database.close()


def test_history_is_loaded_whole_and_a_second_time_nothing_is_new(settings, history):
    first, again = load(settings, history), load(settings, history)
    assert first.as_json() == {
        "database": first.database,
        "rows": 8,
        "leads": 3,
        "lead_versions": 4,
        "activities": 3,
        "outcomes": 1,
        "above": 1,
    }
    assert [again.leads, again.lead_versions, again.activities, again.outcomes, again.above] == [0, 0, 0, 0, 1]


def test_loaded_leads_above_the_threshold_are_not_routed_and_new_ones_are(settings, history):
    load(settings, history)
    found = opened(settings, MovableClock(NOON))
    with found.client:
        assert found.score("hot")["score"] == 75
        found.activity("b-1", lead_id="hot")
        found.activity("b-2", lead_id="won")
        assert found.routes() == []
        found.lead("cold", attributes={"seniority": "vp", "employees": 300})
        found.activity("b-3", lead_id="cold")
        assert [route["lead_id"] for route in found.routes()] == ["cold"]


def test_loaded_and_sent_attributes_have_the_same_content(settings, history):
    load(settings, history)
    found = opened(settings, MovableClock(NOON))
    with found.client:
        told = {"seniority": "c_level", "employees": 500, "business_email": True}
        assert found.lead("hot", account_id="A-1", attributes=told).json()["duplicates"] == 1


def test_a_load_that_breaks_leaves_nothing(settings, history):
    def stop(what, done, total):
        if what == "loading activities":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(settings, history, stop)
    assert load(settings, history).leads == 3


def test_progress_is_reported_to_the_end(settings, history):
    told = {}
    load(settings, history, lambda what, done, total: told.update({what: (done, total)}))
    assert told["loading activities"] == (3, 3)
    assert told["scoring loaded leads"] == (3, 3)


def test_live_leads_of_which_a_load_brings_nothing_new_cross_as_before(settings, history):
    """Its handover is still to come, and loading other leads does not prevent it."""
    found = opened(settings, MovableClock(NOON - DAY_US))
    with found.client:
        found.lead("live", attributes={"seniority": "vp", "employees": 500})
        store = found.service.database
        with store.writing() as connection:
            at = NOON - DAY_US // 2
            fact = {"lead_id": "live", "known_at": at, "activity_id": "c-1", "kind": "demo_request", "occurred_at": at}
            connection.execute(insert(activities).values(**fact))
    assert load(settings, history).above == 1, "only the loaded one"
    found = opened(settings, MovableClock(NOON))
    with found.client:
        found.activity("c-2", "page_view", lead_id="live")
        assert [route["lead_id"] for route in found.routes()] == ["live"]


def test_a_load_that_brings_facts_of_a_live_lead_hands_nobody_over(settings, history):
    found = opened(settings, MovableClock(NOON - 3 * DAY_US))
    with found.client:
        found.lead("hot", attributes={"seniority": "vp", "employees": 500})
    load(settings, history)
    found = opened(settings, MovableClock(NOON))
    with found.client:
        found.activity("c-1", "page_view", lead_id="hot")
        assert found.routes() == []


def merged(settings, *pairs):
    """Open a service to which these leads were sent and then merged, before their history is loaded."""
    found = opened(settings, MovableClock(NOON - 3 * DAY_US))
    with found.client:
        for lead_id in dict.fromkeys(one for pair in pairs for one in pair):
            found.lead(lead_id)
        for duplicate, into in pairs:
            found.client.post(f"/v1/leads/{duplicate}/merge", json={"into": into}).raise_for_status()


def owners(found, table, name):
    with found.service.database.reading() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql(f"SELECT {name}, lead_id FROM {table}").fetchall()}


def test_history_of_a_merged_lead_counts_for_the_one_that_it_has_become(settings, history):
    merged(settings, ("won", "cold"), ("cold", "hot"))
    first = load(settings, history)
    assert (first.leads, first.lead_versions, first.activities, first.outcomes) == (0, 2, 3, 1)
    found = opened(settings, MovableClock(NOON))
    with found.client:
        assert set(owners(found, "activities", "activity_id").values()) == {"hot"}
        assert owners(found, "outcomes", "outcome_id") == {"o-1": "hot"}
        counted = {reason["code"].split(":")[2] for reason in found.score("cold")["reasons"]}
        assert {"demo_request", "page_view"} <= counted, "what the other two did"
    again = load(settings, history)
    assert [again.leads, again.lead_versions, again.activities, again.outcomes] == [0, 0, 0, 0]


def test_facts_that_were_there_before_the_merge_are_not_loaded_a_second_time(settings, history):
    load(settings, history)
    found = opened(settings, MovableClock(NOON))
    with found.client:
        found.client.post("/v1/leads/cold/merge", json={"into": "hot"}).raise_for_status()
        before = found.rows("activities"), found.rows("lead_versions")
    assert load(settings, history).activities == 0
    again = opened(settings, MovableClock(NOON + DAY_US))
    with again.client:
        assert (again.rows("activities"), again.rows("lead_versions")) == before


def changed(history, table, column, value, *, row=0):
    frame = getattr(history, table).to_pandas()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    kept = frame.convert_dtypes() if table == "outcomes" else frame.infer_objects()
    return replace(history, **{table: ibis.memtable(kept)})


@pytest.mark.parametrize(
    ("table", "column", "value", "kind", "name"),
    [
        ("leads", "account_id", "A-2", "leads", "hot"),
        ("leads", "seniority", "manager", "leads", "hot"),
        ("activities", "kind", "call", "activities", "a-1"),
        ("activities", "lead_id", "cold", "activities", "a-1"),
        ("activities", "occurred_at", NOON - 3 * 86_400_000_000, "activities", "a-1"),
        ("outcomes", "amount", 7.0, "outcomes", "o-1"),
        ("outcomes", "stage", "meeting", "outcomes", "o-1"),
    ],
)
def test_a_row_that_contradicts_the_store_is_named_and_what_is_stored_stays(
    settings, history, table, column, value, kind, name
):
    load(settings, history)
    stored = rows_of(settings)
    found = load(settings, changed(history, table, column, value))
    differs = "attributes" if column == "seniority" else column
    assert found.conflicts == {kind: 1}
    assert [each.as_json() for each in found.named] == [{"kind": kind, "id": name, "differs": [differs]}]
    assert not found.passed
    assert rows_of(settings) == stored


def rows_of(settings):
    found = opened(settings, MovableClock(NOON))
    with found.client:
        return [found.rows(table) for table in ("lead_versions", "activities", "outcomes")]


def test_equal_and_new_rows_are_no_conflicts(settings, history):
    load(settings, history)
    again = load(settings, history)
    assert (again.conflicts, again.known_otherwise, again.passed) == ({}, 0, True)
    assert "conflicts" not in again.as_json()


def test_conflicts_pass_where_the_user_says_so(settings, history):
    load(settings, history)
    found = load(settings, changed(history, "activities", "kind", "call"))
    assert replace(found, keeps_stored=True).passed


def test_what_was_sent_to_the_service_is_the_same_fact_known_earlier_and_is_counted(settings, history):
    found = opened(settings, MovableClock(NOON))
    with found.client:
        found.lead("hot")
        sent = found.activity("a-1", lead_id="hot", occurred_at="2026-02-27T12:00:00Z")
        assert sent.json()["stored"] == 1
    loaded = load(settings, history)
    assert (loaded.known_otherwise, loaded.conflicts, loaded.passed) == (1, {}, True)


def test_all_are_counted_and_the_first_thousand_named(settings, history):
    rows = pd.DataFrame(
        [(f"b-{n}", "hot", "page_view", NOON - 5, NOON - 5, "pricing", None) for n in range(1200)],
        columns=["activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject", "value"],
    ).astype({"value": "float"})
    load(settings, replace(history, activities=ibis.memtable(rows)))
    found = load(settings, replace(history, activities=ibis.memtable(rows.assign(subject="blog"))))
    assert found.conflicts == {"activities": 1200}
    assert len(found.named) == 1000
