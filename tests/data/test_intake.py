"""Exports of every kind become the same contract tables."""

import gzip
import io
import unicodedata

import pandas as pd
import pytest

from data.errors import IntakeError
from tests.data.company import ACTIVITIES, LEADS, NOW_US, OUTCOMES, TWO_LEADS, company, imported, rows

VIEWS = [("a1", "ann", "view", "2026-01-03T10:00:00Z", "pricing"), ("a2", "bob", "view", "2026-01-04T10:00:00Z", None)]


def as_csv(delimiter=","):
    lines = [delimiter.join(("id", "lead_id", "kind", "occurred_at", "subject"))]
    return "\n".join([*lines, *(delimiter.join(cell or "" for cell in view) for view in VIEWS)]) + "\n"


def as_jsonl():
    frame = pd.DataFrame(VIEWS, columns=["id", "lead_id", "kind", "occurred_at", "subject"])
    return frame.to_json(orient="records", lines=True)


def as_parquet():
    frame = pd.DataFrame(VIEWS, columns=["id", "lead_id", "kind", "occurred_at", "subject"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"])
    held = io.BytesIO()
    frame.to_parquet(held)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("web.csv", as_csv()),
        ("web.csv", as_csv(";")),
        ("web.tsv", as_csv("\t")),
        ("web.csv", "\ufeff" + as_csv().replace("\n", "\r\n")),
        ("web.csv.gz", as_csv()),
        ("web.jsonl", as_jsonl()),
        ("web.jsonl.gz", as_jsonl()),
        ("web.parquet", as_parquet()),
    ],
)
def test_every_format_gives_the_same_table(tmp_path, name, content):
    columns = {"activity_id": "id", "kind": "kind", "subject": "subject"}
    source = {"file": name, "holds": "activities", "columns": columns}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, name: content}, [LEADS, source]))
    known = [(*view[:4], view[3], view[4]) for view in VIEWS]
    assert (
        rows(warehouse, "activities", "activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject") == known
    )


def test_a_format_may_be_said_where_the_name_does_not(tmp_path):
    source = {**ACTIVITIES, "file": "web.txt", "format": "csv"}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.txt": as_csv()}, [LEADS, source]))
    assert warehouse.rows["activities"] == 2


def created(tmp_path, text, zone="UTC", column="created_at"):
    content = f'lead_id,created_at\nann,"{text}"\n'
    warehouse = imported(company(tmp_path, {"leads.csv": content}, [LEADS], timezone=zone))
    return rows(warehouse, "leads", column)[0][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+01:00", "2026-03-01T11:00:00Z"),
        ("2026-03-01T12:00:00+0100", "2026-03-01T11:00:00Z"),
        ("2026-03-01 12:00:00.250 +01", "2026-03-01T11:00:00.250000Z"),
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01 12:00:00", "2026-03-01T11:00:00Z"),
        ("2026-03-01T12:00", "2026-03-01T11:00:00Z"),
        ("2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
        ("2026-03-01", "2026-02-28T23:00:00Z"),
        ("20260301", "2026-02-28T23:00:00Z"),
    ],
)
def test_instants_are_read_however_they_are_written(tmp_path, text, expected):
    assert created(tmp_path, text, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),  # does not exist: the clock jumps from 2 to 3
        ("2026-10-25 02:30:00", "2026-10-25T01:30:00Z"),  # exists twice: the second, for nothing is known too early
        ("2026-03-29", "2026-03-28T23:00:00Z"),
    ],
)
def test_wall_clocks_follow_the_zone_through_summer_time(tmp_path, text, expected):
    assert created(tmp_path, text, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2026-03-01", "2026-03-01T23:00:00Z"),
        ("2026-03-29", "2026-03-29T22:00:00Z"),  # the day of 23 hours
        ("2026-10-25", "2026-10-25T23:00:00Z"),  # the day of 25 hours
    ],
)
def test_a_day_without_a_time_is_known_when_it_is_over(tmp_path, text, ends):
    assert created(tmp_path, text, "Europe/Berlin", "known_at") == ends


def test_today_is_not_the_future(tmp_path):
    files = {"leads.csv": "lead_id,created_at\nann,2026-11-01\n"}
    warehouse = imported(company(tmp_path, files, [LEADS]), now_us=NOW_US + 3_600_000_000)
    assert rows(warehouse, "leads", "known_at") == [("2026-11-02T00:00:00Z",)]
    assert warehouse.cutoff_us == NOW_US + 3_600_000_000, "what the exports tell ends now, not when the day does"


def test_parquet_instants_may_have_a_zone_or_none(tmp_path):
    frame = pd.DataFrame({"lead_id": ["ann"], "born": [pd.Timestamp("2026-03-01 12:00")]})
    frame["seen"] = frame["born"].dt.tz_localize("America/New_York")
    frame["day"] = frame["born"].dt.date
    for column, meant in {"born": "11:00:00Z", "seen": "17:00:00Z"}.items():
        folder = tmp_path / column
        held = io.BytesIO()
        frame.to_parquet(held)
        source = {"file": "leads.parquet", "holds": "leads", "columns": {"created_at": column}}
        warehouse = imported(company(folder, {"leads.parquet": held.getvalue()}, [source], timezone="Europe/Berlin"))
        assert rows(warehouse, "leads", "created_at") == [(f"2026-03-01T{meant}",)]


def test_several_files_may_match_one_source(tmp_path):
    head = "id,lead_id,kind,occurred_at\n"
    files = {
        "leads.csv": TWO_LEADS,
        "web-1.csv": head + "a1,ann,view,2026-02-01\n",
        "web-2.csv": head + "a2,bob,view,2026-02-01\n",
    }
    warehouse = imported(company(tmp_path, files, [LEADS, {**ACTIVITIES, "file": "web-*.csv"}]))
    assert rows(warehouse, "activities", "activity_id") == [("a1",), ("a2",)]


def test_an_id_has_one_spelling(tmp_path):
    files = {
        "leads.csv": f"lead_id,created_at\n{unicodedata.normalize('NFD', 'zoé')},2026-01-01\n",
        "web.csv": "id,lead_id,kind,occurred_at\na1,zoé,view,2026-02-01\n",
    }
    warehouse = imported(company(tmp_path, files, [LEADS, ACTIVITIES]))
    assert rows(warehouse, "activities", "lead_id") == [("zoé",)]


def test_activity_files_may_have_a_kind_of_their_own(tmp_path):
    calls = {
        "file": "calls.csv",
        "holds": "activities",
        "kind": "call",
        "columns": {"lead_id": "who", "occurred_at": "at"},
    }
    files = {"leads.csv": TWO_LEADS, "calls.csv": "who,at\nann,2026-02-01T09:00:00Z\n"}
    assert rows(imported(company(tmp_path, files, [LEADS, calls])), "activities", "lead_id", "kind") == [
        ("ann", "call")
    ]


def test_words_of_the_export_are_mapped_and_others_ignored(tmp_path):
    source = {**ACTIVITIES, "kinds": {"page|open": "view"}, "ignore": ["page|close"]}
    source["columns"] = {"activity_id": "id", "kind": ["what", "how"]}
    table = "id,lead_id,what,how,occurred_at\n1,ann,page,open,2026-02-01\n2,ann,page,close,2026-02-01\n"
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, source]))
    assert rows(warehouse, "activities", "activity_id", "kind") == [("1", "view")]
    assert [(count.rows, count.kept, count.ignored) for count in warehouse.quality.sources][1] == (2, 1, 1)


def test_rows_without_an_id_get_one_of_their_content(tmp_path):
    """The same row has the same id in every run; rows with the same content are numbered."""
    source = {**ACTIVITIES, "columns": {"kind": "kind"}}
    first = "lead_id,kind,occurred_at\nann,view,2026-02-01T08:00:00Z\nann,view,2026-02-01T08:00:00Z\n"
    warehouse = imported(company(tmp_path / "1", {"leads.csv": TWO_LEADS, "web.csv": first}, [LEADS, source]))
    more = first + "bob,view,2026-02-01T08:00:00Z\n"
    later = imported(company(tmp_path / "2", {"leads.csv": TWO_LEADS, "web.csv": more}, [LEADS, source]))
    ids = [activity_id for (activity_id,) in rows(warehouse, "activities", "activity_id")]
    assert ids[1] == f"{ids[0]}-2"
    assert set(ids) < {activity_id for (activity_id,) in rows(later, "activities", "activity_id")}


def test_attributes_are_read_by_their_type(tmp_path):
    attributes = {
        "size": {"type": "numeric", "says": "has {value} employees"},
        "vip": {"type": "boolean", "says": "is a vip", "says_not": "is no vip"},
        "land": {"type": "category", "says": "is in {value}", "values": ["de", "nl"]},
    }
    source = {**LEADS, "attributes": {"size": "Employees", "vip": "vip", "land": "land"}}
    table = "lead_id,created_at,Employees,vip,land\nann,2026-01-01,1e3,Yes,de\nbob,2026-01-01,,,\n"
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source], attributes=attributes))
    assert rows(warehouse, "leads", "size", "vip", "land") == [(1000.0, 1.0, "de"), (None, None, None)]
    assert warehouse.leads.schema()["vip"].is_float64()


def test_versions_of_a_lead_are_kept_and_the_first_may_lack_known_at(tmp_path):
    source = {**LEADS, "columns": {"known_at": "seen"}}
    table = "lead_id,created_at,seen\nann,2026-01-01T08:00:00Z,\nann,2026-01-01T08:00:00Z,2026-05-01T07:00:00Z\n"
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source]))
    assert rows(warehouse, "leads", "known_at") == [("2026-01-01T08:00:00Z",), ("2026-05-01T07:00:00Z",)]


LEAD_TABLE = """lead_id,born,gone,gone_on,euros
ann,2026-01-01T08:00:00Z,true,2026-02-01,1200
bob,2026-01-02T08:00:00Z,false,,
cem,2026-01-03T08:00:00Z,,,
"""


def test_a_lead_table_alone_is_a_history(tmp_path):
    """The outcome and its date are columns; a date counts as known at the end of its day."""
    outcome = {"column": "gone", "stages": {True: "won"}, "reached_at": "gone_on", "amount": "euros"}
    source = {**LEADS, "columns": {"created_at": "born"}, "outcome": outcome}
    warehouse = imported(company(tmp_path, {"leads.csv": LEAD_TABLE}, [source], timezone="Europe/Berlin"))
    outcomes_kept = rows(warehouse, "outcomes", "lead_id", "stage", "reached_at", "known_at", "amount")
    assert outcomes_kept == [("ann", "won", "2026-01-31T23:00:00Z", "2026-02-01T23:00:00Z", 1200.0)]
    assert [(source.holds, source.rows, source.kept, source.ignored) for source in warehouse.quality.sources] == [
        ("leads", 3, 3, 0),
        ("outcomes", 3, 1, 2),
    ]


def test_what_later_versions_repeat_is_one_outcome(tmp_path):
    outcome = {"column": "stage", "stages": {"won": "won", 2: "lost"}, "reached_at": "on"}
    source = {**LEADS, "columns": {"known_at": "seen"}, "outcome": outcome}
    table = (
        "lead_id,created_at,seen,stage,on\nann,2026-01-01,2026-02-02,won,2026-02-01\n"
        "ann,2026-01-01,2026-03-03,won,2026-02-01\nbob,2026-01-01,2026-03-03,2.0,2026-02-01\n"
    )
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source]))
    assert rows(warehouse, "outcomes", "lead_id", "stage") == [("ann", "won"), ("bob", "lost")]


EVENT_LOG = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <!-- a comment -->
  <trace>
    <string key="concept:name" value="c1"/><int key="SIZE" value="7"/>
    <event>
      <string key="concept:name" value="call"/><date key="time:timestamp" value="2026-01-02T10:00:00+01:00"/>
    </event>
    <event>
      <string key="concept:name" value="look"><string key="nested" value="x"/></string>
      <date key="time:timestamp" value="2026-01-01T10:00:00+01:00"/>
    </event>
    <event>
      <string key="concept:name" value="sale"/><date key="time:timestamp" value="2026-01-03T10:00:00+01:00"/>
    </event>
    <event>
      <string key="concept:name" value="noise"/><date key="time:timestamp" value="2026-01-03T10:00:00+01:00"/>
    </event>
  </trace>
  <trace><string key="concept:name" value="empty"/></trace>
</log>
"""
LOG = {
    "file": "log.xes",
    "holds": "event_log",
    "attributes": {"size": "case:SIZE"},
    "kinds": {"look": "view", "call": "call"},
    "outcomes": {"sale": "won"},
    "ignore": ["noise"],
}
SIZE = {"size": {"type": "numeric", "says": "has size {value}"}}


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
@pytest.mark.parametrize("spaced", [True, False])
def test_an_event_log_alone_is_a_history(tmp_path, name, spaced):
    """A lead is created and known with its case's first event; named events are outcomes."""
    log = EVENT_LOG if spaced else EVENT_LOG.replace(' xmlns="http://www.xes-standard.org/"', "")
    warehouse = imported(company(tmp_path, {name: log}, [{**LOG, "file": name}], attributes=SIZE))
    start = "2026-01-01T09:00:00Z"
    assert rows(warehouse, "leads", "lead_id", "created_at", "known_at", "size") == [("c1", start, start, 7.0)]
    assert rows(warehouse, "activities", "kind", "occurred_at") == [("view", start), ("call", "2026-01-02T09:00:00Z")]
    assert rows(warehouse, "outcomes", "stage", "reached_at") == [("won", "2026-01-03T09:00:00Z")]
    events = warehouse.quality.sources[0]
    assert (events.rows, events.kept, events.ignored, events.rejected) == (5, 3, 1, 1), "the empty trace is no secret"


def test_events_outside_any_case_are_rejected_not_lost(tmp_path):
    alone = '<event><string key="concept:name" value="call"/></event>'
    log = EVENT_LOG.replace("<trace>", alone + "<trace>", 1).replace("</log>", alone + "</log>")
    warehouse = imported(company(tmp_path, {"log.xes": log}, [LOG], attributes=SIZE))
    assert (warehouse.quality.sources[0].rows, warehouse.quality.sources[0].rejected) == (7, 3)
    assert ("missing", "lead_id", 2) in {
        (violation.rule, violation.about, violation.count) for violation in warehouse.quality.violations
    }


def test_an_event_log_may_be_a_table(tmp_path):
    source = {
        "file": "log.csv",
        "holds": "event_log",
        "columns": {"lead_id": "case", "kind": "what", "occurred_at": "at"},
    }
    source |= {"outcomes": {"won": "won"}}
    files = {"log.csv": "case,what,at\nann,view,2026-01-01\nann,won,2026-01-05\n"}
    warehouse = imported(company(tmp_path, files, [source]))
    assert warehouse.rows == {"leads": 1, "activities": 1, "outcomes": 1}


def stopped(tmp_path, files, sources, **says):
    with pytest.raises(IntakeError) as error:
        imported(company(tmp_path, files, sources, **says))
    return str(error.value)


def test_missing_files_are_named_all_at_once(tmp_path):
    message = stopped(tmp_path, {}, [LEADS, {**ACTIVITIES, "file": "web-*.csv"}])
    assert "leads.csv is not in" in message
    assert "web-*.csv is not in" in message
    assert str(tmp_path / "exports") in message
    assert "leadscore simulate" in message
    assert "LEADSCORE_DATASETS" in message


def test_unknown_columns_are_named_with_what_was_meant(tmp_path):
    files = {"leads.csv": "lead_idd,created_at\nann,2026-01-01\n", "web.csv": "x,y\n1,2\n"}
    message = stopped(tmp_path, files, [LEADS, ACTIVITIES])
    assert "leads.csv has no column lead_id; did you mean lead_idd?" in message
    assert "web.csv has no column kind; known are x, y." in message


def truncated(content):
    whole = gzip.compress(content.encode() * 1000, mtime=0)
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("leads.csv", "", "leads.csv is empty"),
        ("leads.csv", "lead_id,created_at\n", "leads.csv has no rows"),
        ("leads.csv", "lead_id,lead_ID,created_at\n1,2,3\n", "leads.csv has more than one column lead_id"),
        (
            "leads.csv",
            "lead_id;Größe\n".encode("latin-1"),
            "leads.csv is not UTF-8 (line 1, its header): say its encoding",
        ),
        ("leads.csv.gz", truncated(TWO_LEADS), "leads.csv.gz breaks off after line"),
        ("leads.csv.gz", b"\x1f\x8bnot gzip at all", "leads.csv.gz cannot be read as csv"),
        ("leads.jsonl.gz", truncated('{"lead_id": 1}\n'), "leads.jsonl.gz breaks off after line"),
        ("leads.jsonl", "", "leads.jsonl is empty"),
        ("leads.parquet", b"PAR1 surely not", "leads.parquet cannot be read as parquet"),
        ("leads.parquet", as_parquet()[:300], "leads.parquet cannot be read as parquet"),
        ("leads.dat", "a,b", "leads.dat has no suffix of a known format"),
    ],
)
def test_files_that_cannot_be_read_stop_the_run(tmp_path, name, content, why):
    assert why in stopped(tmp_path, {name: content}, [{**LEADS, "file": name}])


BOMB = '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (EVENT_LOG[:600], "log.xes is damaged or not an event log"),
        (EVENT_LOG.replace("</event>", "", 1), "log.xes is damaged or not an event log"),
        (EVENT_LOG.replace("<log", BOMB + "<log", 1).replace('"look"', '"&b;"'), "declares a document type"),
        (EVENT_LOG.replace("<log", '<!DOCTYPE log SYSTEM "/etc/passwd"><log', 1), "declares a document type"),
        ("<html><body/></html>", "log.xes is XML, but no event log"),
        ("", "log.xes is damaged or not an event log"),
    ],
)
def test_event_logs_that_cannot_be_trusted_stop_the_run(tmp_path, log, why):
    assert why in stopped(tmp_path, {"log.xes": log}, [LOG], attributes=SIZE)


def test_a_truncated_event_log_stops_the_run(tmp_path):
    whole = gzip.compress(EVENT_LOG.encode() * 50, mtime=0)
    message = stopped(
        tmp_path, {"log.xes.gz": whole[: len(whole) // 2]}, [{**LOG, "file": "log.xes.gz"}], attributes=SIZE
    )
    assert "log.xes.gz is damaged" in message


def test_outcomes_have_a_source_of_their_own(tmp_path):
    table = "id,lead_id,stage,reached_at\no1,ann,won,2026-02-01T08:00:00Z\n"
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "outcomes.csv": table}, [LEADS, OUTCOMES]))
    assert rows(warehouse, "outcomes", "outcome_id", "stage") == [("o1", "won")]
