"""Every violation of the contract is counted, shown, written down; nothing is dropped silently."""

import json
from collections import Counter
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from data.commands import check, simulate
from data.errors import QualityError
from data.home import Home
from data.importing.row_faults import FAULTS, describe_fault
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.data.company import ACTIVITIES, LEADS, OUTCOMES, PLAYBOOK, TWO_LEADS, company, imported, rejected, rows

FULL = {
    **ACTIVITIES,
    "columns": {"activity_id": "id", "kind": "kind", "known_at": "known_at", "subject": "subject", "value": "value"},
}
HEAD = "id,lead_id,kind,occurred_at,known_at,subject,value\n"
WELL = "w,ann,view,2026-02-01T08:00:00Z,2026-02-01T08:00:01Z,pricing,\n"


def found_in(warehouse):
    return {(violation.rule, violation.about): violation.count for violation in warehouse.quality.violations}


BROKEN_ACTIVITIES = [
    (",ann,view,2026-02-01,2026-02-02,,", "missing:activity_id"),
    ("2,,view,2026-02-01,2026-02-02,,", "missing:lead_id"),
    ("3,nobody,view,2026-02-01,2026-02-02,,", "orphan:lead_id"),
    ("4,ann,,2026-02-01,2026-02-02,,", "missing:kind"),
    ("5,ann,veiw,2026-02-01,2026-02-02,,", "unknown_kind:kind"),
    ("6,ann,view,,2026-02-02,,", "missing:occurred_at"),
    ("7,ann,view,01/02/2026,2026-02-02,,", "unreadable:occurred_at"),
    ("8,ann,view,2026-02-30,2026-03-02,,", "unreadable:occurred_at"),
    ("9,ann,view,0001-01-01T00:00:00Z,2026-03-02,,", "placeholder:occurred_at"),
    ("1.23457E+11,ann,view,2026-02-01,2026-02-02,,", "rounded:activity_id"),
    ("11,ann,view,2026-11-02T00:00:00Z,,,", "future:occurred_at"),
    ("12,ann,view,2026-02-01,2027-02-01,,", "future:known_at"),
    ("13,ann,view,2026-02-01,soon,,", "unreadable:known_at"),
    ("14,ann,view,2026-02-01T08:00:00Z,2026-02-01T07:59:59Z,,", "known_before:known_at"),
    ("15,ann,call,2026-02-01,2026-02-02,pricing,3", "unexpected_subject:subject"),
    ("16,ann,view,2026-02-01,2026-02-02,,3", "unexpected_value:value"),
    ("17,ann,call,2026-02-01,2026-02-02,,three", "not_a_number:value"),
    ("18,ann,call,2026-02-01,2026-02-02,,inf", "not_a_number:value"),
    ("w,ann,view,2026-02-01T08:00:00Z,2026-02-05T08:00:01Z,pricing,", "repeated:activity_id"),
    ("w,bob,view,2026-02-01T08:00:00Z,2026-02-05T08:00:01Z,pricing,", "contradicting:activity_id"),
    ("21,ann,view,2026-02-01,2026-02-02,,,one cell too many", "broken_line:line"),
    ('22,ann,"view,2026-02-01,2026-02-02,,', "broken_line:line"),
]
BROKEN_OUTCOMES = [
    ("1,ann,won,2026-01-01T07:59:59Z", "before_creation:reached_at"),
    ("2,ann,won,2025-12-31", "before_creation:reached_at"),
    ("3,ann,wonn,2026-02-01", "unknown_stage:stage"),
    ("4,ann,,2026-02-01", "missing:stage"),
    ("5,zoe,won,2026-02-01", "orphan:lead_id"),
    ("6,ann,won,2026-12-01", "future:reached_at"),
    (",ann,won,2026-02-01", "missing:outcome_id"),
    ("o,ann,won,2026-02-01", "contradicting:outcome_id"),
]
BROKEN_LEADS = [
    (",2026-01-01,,,", "missing:lead_id"),
    ("x1,,,,", "missing:created_at"),
    ("x2,yesterday,,,", "unreadable:created_at"),
    ("x3,2026-12-01,,,", "future:created_at"),
    ("x4,1970-01-01,,,", "placeholder:created_at"),
    ("x5,2026-01-01,,,fr", "unknown_value:land"),
    ("ann,2026-01-01,,,", "repeated:version"),
    ("ann,2026-01-01,7,,", "contradicting:version"),
]
ATTRIBUTES = {
    "size": {"type": "numeric", "says": "has {value} employees"},
    "vip": {"type": "boolean", "says": "is a vip", "says_not": "is no vip"},
    "land": {"type": "category", "says": "is in {value}", "values": ["de", "nl"]},
}


def imported_once(folder, files, sources, **says):
    """Import rows of which each breaks a rule of its own; return the tables, and the rules broken by file and row."""
    warehouse = imported(company(folder, files, sources, **says))
    rejects = rejected(warehouse)
    return warehouse, {(row["file"], row["row"]): list(row["rules"]) for _, row in rejects.iterrows()}


def lines_of(broken):
    return "".join(f"{row}\n" for row, _ in broken)


@pytest.fixture(scope="module")
def broken_activities(tmp_path_factory):
    files = {"leads.csv": TWO_LEADS, "web.csv": HEAD + WELL + lines_of(BROKEN_ACTIVITIES)}
    return imported_once(tmp_path_factory.mktemp("activities"), files, [LEADS, FULL])


@pytest.fixture(scope="module")
def broken_outcomes(tmp_path_factory):
    table = "id,lead_id,stage,reached_at\no,bob,lost,2026-01-05\n" + lines_of(BROKEN_OUTCOMES)
    files = {"leads.csv": TWO_LEADS, "outcomes.csv": table}
    return imported_once(tmp_path_factory.mktemp("outcomes"), files, [LEADS, OUTCOMES])


@pytest.fixture(scope="module")
def broken_leads(tmp_path_factory):
    table = "lead_id,created_at,size,vip,land\nann,2026-01-01,,,\n" + lines_of(BROKEN_LEADS)
    return imported_once(tmp_path_factory.mktemp("leads"), {"leads.csv": table}, [LEADS], attributes=ATTRIBUTES)


@pytest.mark.parametrize("number", range(len(BROKEN_ACTIVITIES)), ids=[rule for _, rule in BROKEN_ACTIVITIES])
def test_an_activity_that_breaks_a_rule_is_rejected_with_its_row(broken_activities, number):
    _, rules = broken_activities
    assert rules["web.csv", number + 3] == [BROKEN_ACTIVITIES[number][1]]


@pytest.mark.parametrize("number", range(len(BROKEN_OUTCOMES)), ids=[rule for _, rule in BROKEN_OUTCOMES])
def test_an_outcome_that_breaks_a_rule_is_rejected(broken_outcomes, number):
    _, rules = broken_outcomes
    assert rules["outcomes.csv", number + 3] == [BROKEN_OUTCOMES[number][1]]


@pytest.mark.parametrize("number", range(len(BROKEN_LEADS)), ids=[rule for _, rule in BROKEN_LEADS])
def test_a_lead_that_breaks_a_rule_is_rejected(broken_leads, number):
    _, rules = broken_leads
    assert rules["leads.csv", number + 3] == [BROKEN_LEADS[number][1]]


def test_rows_that_break_a_rule_are_counted_by_it_and_the_others_are_kept(
    broken_activities, broken_outcomes, broken_leads
):
    kept = {"activities": ("activity_id", "w"), "outcomes": ("outcome_id", "o"), "leads": ("lead_id", "ann")}
    cases = zip(
        (broken_activities, broken_outcomes, broken_leads),
        (BROKEN_ACTIVITIES, BROKEN_OUTCOMES, BROKEN_LEADS),
        kept.items(),
        strict=True,
    )
    for (warehouse, rules), broken, (table, (name, value)) in cases:
        counted = {f"{rule}:{about}": count for (rule, about), count in found_in(warehouse).items()}
        assert counted == Counter(rule for _, rule in broken)
        assert len(rules) == len(broken)
        assert rows(warehouse, table, name) == [(value,)]


def test_examples_of_a_violation_name_file_and_row(broken_activities):
    warehouse, _ = broken_activities
    examples = {violation.rule: violation.examples[0] for violation in warehouse.quality.violations}
    assert [(examples[rule].file, examples[rule].row) for rule in ("orphan", "repeated")] == [
        ("web.csv", 5), ("web.csv", 21)
    ]  # fmt: skip


def test_an_outcome_on_the_day_of_creation_is_no_violation(tmp_path):
    table = "id,lead_id,stage,reached_at\n1,ann,won,2026-01-01\n"
    assert not found_in(imported(company(tmp_path, {"leads.csv": TWO_LEADS, "outcomes.csv": table}, [LEADS, OUTCOMES])))


def test_facts_of_a_rejected_lead_say_so(tmp_path):
    leads = "lead_id,created_at\nann,2026-01-01\nbob,never\n"
    table = "id,lead_id,kind,occurred_at\n1,bob,view,2026-02-01\n"
    warehouse = imported(company(tmp_path, {"leads.csv": leads, "web.csv": table}, [LEADS, ACTIVITIES]))
    assert found_in(warehouse) == {("unreadable", "created_at"): 1, ("lead_rejected", "lead_id"): 1}


def test_of_duplicates_the_first_known_is_kept(tmp_path):
    late = "1,ann,view,2026-02-01T08:00:00Z,2026-02-03T08:00:00Z,late,\n"
    early = "1,ann,view,2026-02-01T08:00:00Z,2026-02-02T08:00:00Z,early,\n"
    table = HEAD + late + early
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, FULL]))
    assert rows(warehouse, "activities", "subject") == [("early",)]
    assert found_in(warehouse) == {("contradicting", "activity_id"): 1}


def test_where_the_playbook_lists_the_subjects_of_a_kind_others_are_rejected(tmp_path):
    words = {"did": "filled in a form", "one": "form", "many": "forms"}
    activities = PLAYBOOK["activities"] | {"form": {**words, "subjects": {"trial": words}}}
    table = HEAD + "".join(
        f"{number},ann,{kind},2026-02-01,2026-02-02,{subject},\n"
        for number, (kind, subject) in enumerate([("form", "trial"), ("form", ""), ("form", "x"), ("view", "x")])
    )
    files = {"leads.csv": TWO_LEADS, "web.csv": table}
    warehouse = imported(company(tmp_path, files, [LEADS, FULL], activities=activities))
    assert found_in(warehouse) == {("unknown_subject", "subject"): 1}
    assert rows(warehouse, "activities", "kind", "subject") == [("form", "trial"), ("form", None), ("view", "x")]


def test_a_row_may_break_several_rules_and_all_are_told(tmp_path):
    row = "1,nobody,veiw,whenever,,pricing,lots\n"
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": HEAD + WELL + row}, [LEADS, FULL]))
    assert set(found_in(warehouse)) == {
        ("orphan", "lead_id"),
        ("unknown_kind", "kind"),
        ("unreadable", "occurred_at"),
        ("not_a_number", "value"),
    }
    rejects = rejected(warehouse)
    assert len(rejects) == 1
    assert rejects["original"][0]["occurred_at"] == "whenever"
    assert "occurred_at is not an instant" in rejects["reasons"][0]


def test_examples_are_three_and_rows_are_those_of_the_file(tmp_path):
    """Rows are numbered as an editor numbers their lines, lines that cannot be read counted."""
    lines = [
        "1,ann,view,2026-02-01,2026-02-02,,",
        "a,b,c,d,e,f,g,too many",
        *["2,ann,veiw,2026-02-01,2026-02-02,,"] * 4,
    ]
    warehouse = imported(
        company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": HEAD + "\n".join(lines) + "\n"}, [LEADS, FULL])
    )
    by_rule = {violation.rule: violation for violation in warehouse.quality.violations}
    assert [example.row for example in by_rule["unknown_kind"].examples] == [4, 5, 6]
    assert [example.row for example in by_rule["broken_line"].examples] == [3]
    assert by_rule["unknown_kind"].examples[0].found == "lead_id=ann, kind=veiw"


def test_broken_json_lines_are_rejected_as_they_are(tmp_path):
    source = {**ACTIVITIES, "file": "web.jsonl"}
    lines = '{"id": 1, "lead_id": "ann", "kind": "view", "occurred_at": "2026-03-01"}\nnot json\n[1]\n'
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.jsonl": lines}, [LEADS, source]))
    assert found_in(warehouse) == {("broken_line", "line"): 2}
    assert [line["line"] for line in rejected(warehouse)["original"]] == ["not json", "[1]"]


def test_broken_lines_count_for_the_file_they_stand_in(tmp_path):
    """A file may be read more than once, for its keys, its outcomes, its originals; a line is broken once."""
    leads = "lead_id,created_at,won,on\nann,2026-01-01,,\nbob,2026-01-01,x,y,z,too many\n"
    outcome = {"column": "won", "stages": {"yes": "won"}, "reached_at": "on"}
    lines = b'{"id": 1, "lead_id": "ann", "kind": "view", "occurred_at": "2026-02-01"}\n{"id": "\xff"}\n'
    more = '{"id": 2, "lead_id": "ann", "kind": "view", "occurred_at": "2026-02-01"}\n'
    sources = [{**LEADS, "outcome": outcome}, {**ACTIVITIES, "file": "*.jsonl"}, {**ACTIVITIES, "file": "web.csv"}]
    files = {"leads.csv": leads, "a.jsonl": lines, "b.jsonl": more, "web.csv": "id,lead_id,kind,occurred_at\n,,,\n"}
    warehouse = imported(company(tmp_path, files, sources))
    counts = [(source.holds, source.rows, source.rejected) for source in warehouse.quality.sources]
    assert counts == [("leads", 2, 1), ("outcomes", 1, 0), ("activities", 3, 1), ("activities", 1, 1)]
    broken = [violation for violation in warehouse.quality.violations if violation.rule == "broken_line"]
    assert [(example.examples[0].file, example.examples[0].row) for example in broken] == [
        ("leads.csv", 3),
        ("a.jsonl", 2),
    ]


def test_an_empty_known_at_is_taken_as_the_fact_and_counted(tmp_path):
    table = HEAD + "1,ann,view,2026-02-01T08:00:00Z,,,\n"
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, FULL]))
    assert rows(warehouse, "activities", "known_at") == [("2026-02-01T08:00:00Z",)]
    assert warehouse.quality.sources[1].assumed_known == 1


def test_too_many_rejected_rows_stop_the_run_and_say_why(tmp_path):
    table = HEAD + WELL + "1,ann,veiw,2026-02-01,2026-02-02,,\n"
    folder = company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, FULL], most_rejected=0.4)
    with pytest.raises(QualityError) as error:
        imported(folder)
    assert "web.csv (activities): 1 of 2 rows rejected, more than the 40% that most_rejected allows" in str(error.value)
    assert "map it in the source's kinds" in str(error.value)
    assert error.value.report is not None
    assert not list((tmp_path / "home/data/store/tiny").glob("*/")), "no tables, not even half of them"
    assert list((tmp_path / "home/data/store/tiny").glob("*.rejected.parquet"))


def test_no_lead_left_stops_the_run(tmp_path):
    with pytest.raises(QualityError, match="No lead is left"):
        imported(company(tmp_path, {"leads.csv": "lead_id,created_at\nann,never\n"}, [LEADS]))


def test_check_shows_what_was_found(tmp_path):
    table = HEAD + WELL + "1,ann,[veiw],2026-02-01,2026-02-02,,\n"
    folder = company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, FULL], most_rejected=0.2)
    result = check(Workspace(folder, Home(tmp_path / "home")))
    console = Console(file=StringIO(), width=120)
    result.show(console)
    shown = console.file.getvalue()
    assert not result.passed
    assert "web.csv:3: lead_id=ann, kind=[veiw]" in shown
    assert ".rejected.parquet" in shown
    assert json.loads(json.dumps(result.as_json()))["passed"] is False


def test_what_was_assumed_is_shown(tmp_path):
    table = HEAD + "1,ann,view,2026-02-01T08:00:00Z,,,\n"
    result = check(
        Workspace(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, FULL]), Home(tmp_path))
    )
    console = Console(file=StringIO(), width=120)
    result.show(console)
    assert "web.csv: 1 rows do not say when they became known" in console.file.getvalue()


def test_a_simulation_is_told_and_clean(tmp_path):
    """What the simulator writes, its playbook reads; doubled rows are all that is rejected."""
    made = simulate(tmp_path / "demo", leads=300, until="2026-06-01", seed=3)
    console = Console(file=StringIO(), width=120)
    made.show(console)
    assert "300 leads" in console.file.getvalue()
    result = check(Workspace(load_playbook(tmp_path / "demo"), Home(tmp_path)))
    assert made.as_json()["activities"] == sum(
        source.kept for source in result.report.sources if source.holds == "activities"
    )
    assert {violation.rule for violation in result.report.violations} == {"repeated"}


def test_every_rule_has_words():
    assert all(describe_fault(f"{rule}:x") and fault.mend.endswith(".") for rule, fault in FAULTS.items())


CELLS = {
    "id": st.sampled_from(["", "1", "2", "3", '"'])  # a lone quote breaks the line, and maybe those after it
    | st.text("ab,\"'\n;\\", max_size=3),
    "lead_id": st.sampled_from(["ann", "bob", "zoe", "", " ann "]),
    "kind": st.sampled_from(["view", "call", "", "other"]),
    "occurred_at": st.sampled_from(["2026-02-01", "2026-02-01T08:00:00Z", "x", "", "1772362800", "2030-01-01"]),
    "known_at": st.sampled_from(["2026-02-01", "2026-02-03T08:00:00Z", "x", ""]),
    "subject": st.sampled_from(["", "pricing"]),
    "value": st.sampled_from(["", "1", "nan", "x"]),
}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(*CELLS.values()), max_size=24), quoted=st.booleans())
def test_rows_in_are_rows_out_and_rejected(tmp_path_factory, table, quoted):
    """Whatever stands in an export, each of its rows is kept or rejected, and none is both."""
    lines = [WELL.strip()]
    for row in table:
        cells = [
            '"' + cell.replace('"', '""') + '"' if quoted else cell.replace("\n", " ").replace('"', "") for cell in row
        ]
        lines.append(",".join(cells))
    files = {"leads.csv": TWO_LEADS, "web.csv": HEAD + "\n".join(lines) + "\n"}
    warehouse = imported(company(tmp_path_factory.mktemp("quality"), files, [LEADS, FULL]))
    count = warehouse.quality.sources[1]
    assert count.rows == len(lines) == count.kept + count.rejected
    assert count.kept == warehouse.rows["activities"]
    assert count.rejected == (len(rejected(warehouse)) if warehouse.quality.rejected_rows else 0)
