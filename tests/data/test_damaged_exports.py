"""Files that are damaged, or written otherwise than most: the right line is blamed, and nothing is lost unseen."""

import unicodedata

import pytest

from data.commands import check
from data.errors import IntakeError
from data.home import Home
from data.workspace import Workspace
from tests.data.company import ACTIVITIES, LEADS, TWO_LEADS, company, imported, rows

CITY = {"city": {"type": "category", "says": "lives in {value}"}}
IDS = {"columns": {"lead_id": "id", "created_at": "created"}}


def blamed(warehouse):
    """Return the first example of each violation: the rule, the line, the excerpt."""
    return [(each.rule, each.examples[0].row, each.count) for each in warehouse.quality.violations]


def test_an_unclosed_quote_costs_its_own_line(tmp_path):
    lines = [f"{n},2026-01-01,Ulm" for n in range(1, 1001)]
    lines[499] = '500,2026-01-01,"Ulm'
    source = {**LEADS, **IDS}
    table = "\n".join(["id,created,city", *lines]) + "\n"
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source], attributes=CITY))
    assert warehouse.rows["leads"] == 999
    assert blamed(warehouse) == [("broken_line", 501, 1)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_bad_byte_and_a_bad_date_are_each_blamed_on_their_line(tmp_path, order):
    date, fine = b"3,14.03.2026,x", b"4,2026-01-04,y"
    last = [(date, fine), (fine, date)][order[0]]
    raw = b"\n".join([b"id,created,note", b"1,2026-01-01," + b"x" * 9_000, b"2,2026-01-02,caf\xe9", *last]) + b"\n"
    warehouse = imported(company(tmp_path, {"leads.csv": raw}, [{**LEADS, **IDS}]))
    assert rows(warehouse, "leads", "lead_id") == [("1",), ("4",)]
    assert sorted(blamed(warehouse)) == [("broken_line", 3, 1), ("unreadable", 4 + order[0], 1)]


def test_rows_after_short_ones_keep_their_lines(tmp_path):
    table = "id,created,city\n1,x\n2,x\n3,x\n4,bad,Ulm\n5,2026-01-01,Ulm\n"
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [{**LEADS, **IDS}], attributes=CITY))
    assert blamed(warehouse) == [("broken_line", 2, 3), ("unreadable", 5, 1)]


def test_the_words_for_another_encoding_are_named(tmp_path):
    raw = "id,created,Größe\n1,2026-01-01,Köln\n".encode("cp1252")
    source = {**LEADS, **IDS, "attributes": {"city": "Größe"}}
    with pytest.raises(IntakeError, match="encoding: cp1252"):
        imported(company(tmp_path, {"leads.csv": raw}, [source], attributes=CITY))
    read = imported(company(tmp_path, {"leads.csv": raw}, [{**source, "encoding": "cp1252"}], attributes=CITY))
    assert rows(read, "leads", "city") == [("Köln",)]


def test_a_header_with_another_line_end_than_the_rows_is_read(tmp_path):
    table = "lead_id,created_at\r\nann,2026-01-01\nbob,2026-01-02\n"
    assert imported(company(tmp_path, {"leads.csv": table}, [LEADS])).rows["leads"] == 2


def test_a_header_in_another_form_of_unicode_is_found(tmp_path):
    table = unicodedata.normalize("NFD", "lead_id,created_at,Größe\nann,2026-01-01,Köln\n")
    source = {**LEADS, "attributes": {"city": "Größe"}}
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source], attributes=CITY))
    assert rows(warehouse, "leads", "city") == [("Köln",)]


def test_a_file_that_is_mostly_damaged_stops_the_run(tmp_path):
    table = "lead_id,created_at\nann,2026-01-01\n" + 'x,"y\n' * 3
    playbook = company(tmp_path, {"leads.csv": table}, [LEADS], most_rejected=0.05)
    result = check(Workspace(playbook, Home(tmp_path / "home")))
    assert not result.passed
    assert "3 of 4 rows rejected" in str(result.stopped)


def test_rows_that_all_miss_their_lead_name_both_kinds_of_ids(tmp_path):
    table = "id,lead_id,kind,occurred_at\n" + "".join(f"{n},003A{n},view,2026-02-01\n" for n in range(5))
    files = {"leads.csv": TWO_LEADS.replace("ann", "00QA1").replace("bob", "00QA2"), "web.csv": table}
    (violation,) = imported(company(tmp_path, files, [LEADS, ACTIVITIES])).quality.violations
    assert (violation.rule, violation.count) == ("orphan", 5)
    assert "no row of the file meets a lead" in violation.mend
    assert "003A0" in violation.mend
    assert "00QA1" in violation.mend
    assert "via" in violation.mend


def test_a_file_of_a_similar_name_is_suggested(tmp_path):
    with pytest.raises(IntakeError, match=r"leads.csv is not in .*; did you mean LEADS_2026.csv\?"):
        imported(company(tmp_path, {"LEADS_2026.csv": TWO_LEADS}, [LEADS]))
