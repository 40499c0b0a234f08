"""What a column's cells show decides how they are read; what they leave open stops the run in one sentence."""

import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from data.commands import CheckResult
from data.errors import IntakeError
from tests.data.company import ACTIVITIES, LEADS, TWO_LEADS, company, imported, rows
from tests.data.screens import shown

WON = {"column": "stage", "stages": {"Won": "won"}, "reached_at": "closed"}
SIZE = {"size": {"type": "numeric", "says": "has {value} employees"}}


def leads(tmp_path, *cells, zone="UTC", **says):
    """Import leads a, b, … that were created as the cells say."""
    table = "".join(f'{chr(97 + at)},"{cell}"\n' for at, cell in enumerate(cells))
    return imported(company(tmp_path, {"leads.csv": "lead_id,created_at\n" + table}, [LEADS], timezone=zone, **says))


def stopped(tmp_path, *cells, **says):
    with pytest.raises(IntakeError) as error:
        leads(tmp_path, *cells, **says)
    return str(error.value)


def mends(warehouse):
    return {violation.rule: violation.mend for violation in warehouse.quality.violations}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1772362800", "written: {created_at: {date_format: epoch_s}} if it is 2026-03-01T11:00:00Z"),
        ("1772362800000", "date_format: epoch_ms}} if it is 2026-03-01T11:00:00Z"),
        ("1772362800000000", "date_format: epoch_us}} if it is 2026-03-01T11:00:00Z"),
        ("1772362800000000000", "date_format: epoch_ns}} if it is 2026-03-01T11:00:00Z"),
        ("202603141705", 'date_format: "%Y%m%d%H%M"}} if it is 2026-03-14T17:05:00Z'),
        ("1.77E+12", "in no unit that would make sense: export the column in ISO 8601"),
        ("46095", "in no unit that would make sense"),
    ],
)
def test_a_column_of_bare_numbers_is_refused_with_the_words_that_read_it(tmp_path, cell, words):
    message = stopped(tmp_path, cell, cell)
    assert f"created_at holds numbers such as {cell} (row 2)" in message
    assert words in message


def test_a_bare_number_among_instants_is_rejected_alone(tmp_path):
    warehouse = leads(tmp_path, "2026-01-01T08:00:00Z", "1772362800")
    assert rows(warehouse, "leads", "lead_id") == [("a",)]
    assert mends(warehouse)["unreadable"].startswith("say written: {created_at: {date_format: [iso, epoch_s]}}")


@pytest.mark.parametrize(("frame_type", "numbers"), [("int64", [1772362800] * 2), ("float64", [1772362800.0] * 2)])
def test_numbers_in_parquet_need_a_unit_too(tmp_path, frame_type, numbers):
    held = io.BytesIO()
    pd.DataFrame({"lead_id": ["a", "b"], "created_at": pd.Series(numbers, dtype=frame_type)}).to_parquet(held)
    files, source = {"leads.parquet": held.getvalue()}, {**LEADS, "file": "leads.parquet"}
    with pytest.raises(IntakeError, match="date_format: epoch_s"):
        imported(company(tmp_path, files, [source]))
    warehouse = imported(company(tmp_path, files, [{**source, "date_format": "epoch_s"}]))
    assert rows(warehouse, "leads", "created_at") == [("2026-03-01T11:00:00Z",)] * 2


@pytest.mark.parametrize(
    ("cells", "mend"),
    [
        (["14.03.2026", "1.4.2026"], "say written: {created_at: {date_format: german}}"),
        (["03/14/2026", "03/04/2026 5:05 PM"], "say written: {created_at: {date_format: us}}"),
        (["14/03/2026", "03/04/2026"], 'say written: {created_at: {date_format: "%d/%m/%Y"}}'),
        (
            ["03/04/2026", "03/04/2026"],
            'date_format: us reads 03/04/2026 as 2026-03-04; date_format: "%d/%m/%Y" reads 03/04/2026 as 2026-04-03',
        ),
        (["2026-03-01", "14.03.2026"], "date_format: [iso, german]"),
        (["14.03.2026", "next week"], "write ISO 8601"),
    ],
)
def test_unreadable_dates_name_the_format_that_reads_all_of_them(tmp_path, cells, mend):
    files = {
        "leads.csv": TWO_LEADS + "".join(f"{chr(99 + at)},{cell}\n" for at, cell in enumerate(cells)),
        "more.csv": "lead_id,created_at\n" + "".join(f"{chr(99 + at)},{cell}\n" for at, cell in enumerate(cells)),
    }
    warehouse = imported(company(tmp_path, files, [{**LEADS, "file": "leads.csv"}, {**LEADS, "file": "more.csv"}]))
    found = [
        each.mend for each in warehouse.quality.violations if (each.rule, each.source) == ("unreadable", "more.csv")
    ]
    assert mend in found[0]


@pytest.mark.parametrize(
    "cell", ["1900-01-01", "1970-01-01T00:00:00Z", "1970-01-01 01:00:00", "9999-12-31", "1601-01-01"]
)
def test_placeholders_are_no_instants(tmp_path, cell):
    warehouse = leads(tmp_path / "said", "2026-01-01", cell, zone="Europe/Berlin")
    assert rows(warehouse, "leads", "lead_id") == [("a",)]
    assert warehouse.quality.violations[0].rule == "placeholder"
    named = leads(tmp_path / "named", "2026-01-01", cell, zone="Europe/Berlin", empty=[cell])
    assert [violation.rule for violation in named.quality.violations] == ["missing"]


def test_a_win_at_midnight_of_the_day_of_creation_is_kept(tmp_path):
    """A close date written as midnight is a day, and known when the day is over."""
    files = {"leads.csv": "lead_id,created_at,stage,closed\n1,2026-01-15 10:00:00,Won,2026-01-15 00:00:00\n"}
    warehouse = imported(company(tmp_path, files, [{**LEADS, "outcome": WON}]))
    assert rows(warehouse, "outcomes", "reached_at", "known_at") == [("2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z")]
    assert warehouse.quality.sources[0].days == ("closed",)
    said = "leads.csv: closed holds hardly anything but midnights; these are taken as days, known when the day is over."
    assert said in shown(CheckResult(warehouse.quality))


@pytest.mark.parametrize(
    ("cell", "zone", "known_at"),
    [
        ("2026-01-15 00:00:00", "Europe/Berlin", "2026-01-15T23:00:00Z"),
        ("2026-01-15T00:00", "UTC", "2026-01-16T00:00:00Z"),
        ("2026-07-14T22:00:00Z", "Europe/Berlin", "2026-07-15T22:00:00Z"),
        ("2026-07-15T00:00:00+01:00", "Europe/Berlin", "2026-07-15T23:00:00Z"),  # winter's offset all year
        ("2026-01-15T00:00:00Z", "Europe/Berlin", "2026-01-16T00:00:00Z"),
        ("2026-01-15T00:00:00Z", "America/New_York", "2026-01-16T05:00:00Z"),  # over by both clocks
        ("2026-01-15T00:00:00+05:30", "UTC", "2026-01-16T00:00:00Z"),
    ],
)
def test_midnight_by_whichever_clock_is_a_day_known_at_its_end(tmp_path, cell, zone, known_at):
    assert rows(leads(tmp_path, cell, zone=zone), "leads", "known_at") == [(known_at,)]


def test_midnights_among_other_instants_are_instants(tmp_path):
    warehouse = leads(tmp_path, "2026-01-15T00:00:00Z", "2026-01-15T10:30:00Z")
    assert rows(warehouse, "leads", "known_at")[0] == ("2026-01-15T00:00:00Z",)
    assert warehouse.quality.sources[0].days == ()


def test_one_in_a_hundred_may_have_a_time_of_day(tmp_path):
    cells = ["2026-01-15T00:00:00Z"] * 99
    warehouse = leads(tmp_path / "1", *cells, "2026-01-15T10:30:00Z")
    assert rows(warehouse, "leads", "known_at").count(("2026-01-16T00:00:00Z",)) == 99
    assert rows(leads(tmp_path / "2", *cells[1:], *["2026-01-15T10:30:00Z"] * 2), "leads", "known_at")[0] == (
        "2026-01-15T00:00:00Z",
    )


def test_midnights_are_instants_where_the_playbook_says_so(tmp_path):
    assert rows(leads(tmp_path, "2026-01-15T00:00:00Z", midnights="instants"), "leads", "known_at") == [
        ("2026-01-15T00:00:00Z",)
    ]


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_midnights_in_parquet_are_days(tmp_path, zone):
    born = pd.Series(pd.to_datetime(["2026-01-15", "2026-07-15"])).dt.tz_localize(zone)
    held = io.BytesIO()
    pd.DataFrame({"lead_id": ["a", "b"], "created_at": born}).to_parquet(held)
    files, source = {"leads.parquet": held.getvalue()}, {**LEADS, "file": "leads.parquet"}
    warehouse = imported(company(tmp_path, files, [source], timezone="Europe/Berlin"))
    ends = (
        ["2026-01-16T00:00:00Z", "2026-07-16T00:00:00Z"]
        if zone == "UTC"
        else ["2026-01-15T23:00:00Z", "2026-07-15T22:00:00Z"]
    )
    assert rows(warehouse, "leads", "known_at") == [(end,) for end in ends]


def test_midnights_of_an_event_log_are_days(tmp_path):
    source = {"file": "log.csv", "holds": "event_log", "outcomes": {"won": "won"}}
    source["columns"] = {"lead_id": "case", "kind": "what", "occurred_at": "at"}
    files = {"log.csv": "case,what,at\nann,view,2026-01-01 00:00:00\nann,won,2026-01-05 00:00:00\n"}
    warehouse = imported(company(tmp_path, files, [source]))
    assert rows(warehouse, "outcomes", "known_at") == [("2026-01-06T00:00:00Z",)]


def sizes(tmp_path, *cells, **says):
    """Return what became of the numbers of leads 1, 2 and so on."""
    table = "".join(f'{at};2026-01-01;"{cell}"\n' for at, cell in enumerate(cells, start=1))
    files = {"leads.csv": "id;created;emp\n" + table}
    source = {**LEADS, "columns": {"lead_id": "id", "created_at": "created"}, "attributes": {"size": "emp"}}
    warehouse = imported(company(tmp_path, files, [source], attributes=SIZE, **says))
    known = dict(rows(warehouse, "leads", "lead_id", "size"))
    return [known[str(at)] for at, _ in enumerate(cells, start=1)]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.200", "12.500", "1.234,56"], [1200, 12500, 1234.56]),
        (["1.200", "12,5"], [1200, 12.5]),
        (["1,200", "1,234.56"], [1200, 1234.56]),
        (["1,200", "12.5"], [1200, 12.5]),
        (["1,234,567", "1.500"], [1234567, 1.5]),
        (["1.234.567", "1.500"], [1234567, 1500]),
        (["0.125", "1.500", "-3"], [0.125, 1.5, -3]),
        (["1234.567", "1e3", ""], [1234.567, 1000, None]),
        (["€ 1.234,50", "3 €", "-12,00"], [1234.5, 3, -12]),
        (["$1,200.00", "45"], [1200, 45]),
        (["N/A", "null", "(not set)", "#N/A", "7"], [None, None, None, None, 7]),
    ],
)
def test_numbers_are_read_by_the_notation_that_their_column_proves(tmp_path, cells, numbers):
    assert sizes(tmp_path, *cells) == numbers


@pytest.mark.parametrize(
    ("says", "cells", "numbers"),
    [
        ({"decimal": ","}, ["1.200", "12,5"], [1200, 12.5]),
        ({"decimal": "."}, ["1.200", "1,200"], [1.2, 1200]),
        ({"thousands": "."}, ["1.200"], [1200]),
        ({"thousands": " "}, ["1 200", "1\u00a0200,5", "12\u202f345"], [1200, 1200.5, 12345]),
        ({"thousands": "'"}, ["1'200.50", "1’200"], [1200.5, 1200]),
        ({"percent": True}, ["12 %", "0.5%"], [0.12, 0.005]),
        ({"percent": False}, ["12 %", "15"], [12, 15]),
        ({"currency_signs": ["EUR", "€"]}, ["EUR 12", "7 €"], [12, 7]),
        ({"empty": ["?"]}, ["?", "3"], [None, 3]),
    ],
)
def test_numbers_are_read_as_the_playbook_says(tmp_path, says, cells, numbers):
    assert sizes(tmp_path, *cells, **says) == numbers


@pytest.mark.parametrize(
    ("cells", "says", "why"),
    [
        (["1.200", "12.500"], {}, 'is 1200, if points stand between thousands (decimal: ","), or 1.200, if the point'),
        (["50", "1,200", "45,000"], {}, 'is 1200, if commas stand between thousands (decimal: "."), or 1.200'),
        (["12.5", "12,5"], {}, "holds 12.5 (row 2), whose decimal mark is the point, and 12,5 (row 3), whose"),
        (["12 %", "15"], {"percent": True}, "holds 1 numbers with a percent sign and 1 without"),
    ],
)  # fmt: skip
def test_a_column_whose_notation_cannot_be_known_is_refused_with_both_readings(tmp_path, cells, says, why):
    with pytest.raises(IntakeError) as error:
        sizes(tmp_path, *cells, **says)
    assert str(error.value).startswith("leads.csv: emp holds ")
    assert why in str(error.value)
    assert "in written: {emp: {…}} of its source" in str(error.value)


def test_four_large_companies_with_commas_do_not_vanish(tmp_path):
    """Their column is refused until the playbook says what a comma means; then they are there."""
    cells = [*map(str, range(50, 146)), "1,200", "2,500", "10,000", "45,000"]
    with pytest.raises(IntakeError, match="1,200"):
        sizes(tmp_path, *cells)
    assert sizes(tmp_path, *cells, decimal=".")[-4:] == [1200, 2500, 10000, 45000]


def test_all_files_of_a_source_prove_its_notation_together(tmp_path):
    files = {
        "leads-1.csv": 'lead_id,created_at,size\na,2026-01-01,"1.200"\n',
        "leads-2.csv": 'lead_id,created_at,size\nb,2026-01-01,"1.234,5"\n',
    }
    warehouse = imported(company(tmp_path, files, [{**LEADS, "file": "leads-*.csv"}], attributes=SIZE))
    assert rows(warehouse, "leads", "size") == [(1200.0,), (1234.5,)]


def test_numbers_of_parquet_are_never_ambiguous(tmp_path):
    held = io.BytesIO()
    pd.DataFrame({"lead_id": ["a"], "created_at": [datetime(2026, 1, 1, 8, tzinfo=UTC)], "size": [1.2]}).to_parquet(
        held
    )
    source = {**LEADS, "file": "leads.parquet"}
    warehouse = imported(company(tmp_path, {"leads.parquet": held.getvalue()}, [source], attributes=SIZE, decimal=","))
    assert rows(warehouse, "leads", "size") == [(1.2,)]


def test_words_of_a_column_go_over_those_of_its_source_and_of_the_playbook(tmp_path):
    source = {**ACTIVITIES, "columns": {"activity_id": "id", "kind": "kind", "value": "value"}, "date_format": "german"}
    source["written"] = {"value": {"decimal": ","}}
    table = 'id,lead_id,kind,occurred_at,value\n1,ann,call,01.02.2026 09:30,"1.200"\n'
    files = {"leads.csv": TWO_LEADS, "web.csv": table}
    warehouse = imported(company(tmp_path, files, [LEADS, source], date_format="iso", decimal="."))
    assert rows(warehouse, "activities", "occurred_at", "value") == [("2026-02-01T09:30:00Z", 1200.0)]


def test_words_for_a_column_that_is_not_there_are_a_mistake(tmp_path):
    with pytest.raises(IntakeError, match=r"leads.csv has no column creatd_at; did you mean created_at\?"):
        imported(company(tmp_path, {"leads.csv": TWO_LEADS}, [{**LEADS, "written": {"creatd_at": {"decimal": ","}}}]))


def test_booleans_have_words_of_their_own(tmp_path):
    vip = {"vip": {"type": "boolean", "says": "is a vip", "says_not": "is no vip"}}
    files = {"leads.csv": "lead_id,created_at,vip\na,2026-01-01,Ja\nb,2026-01-01,nein\nc,2026-01-01,-\n"}
    warehouse = imported(company(tmp_path, files, [LEADS], attributes=vip, yes="ja", no=["nein"]))
    assert rows(warehouse, "leads", "vip") == [(1.0,), (0.0,), (None,)]
    assert not warehouse.quality.lost


def test_a_category_is_empty_only_where_the_playbook_says_so(tmp_path):
    land = {"land": {"type": "category", "says": "is in {value}"}}
    files = {"leads.csv": "lead_id,created_at,land\na,2026-01-01,NA\nb,2026-01-01,(not set)\n"}
    warehouse = imported(company(tmp_path, files, [LEADS], attributes=land, empty=["(Not set)"]))
    assert rows(warehouse, "leads", "land") == [("NA",), (None,)]
