"""Rows of a source: which are meant, what is derived of several columns, what is looked up in other files."""

import pytest

from data.errors import IntakeError, PlaybookError
from tests.data.company import ACTIVITIES, LEADS, OUTCOMES, TWO_LEADS, company, imported, rows

DEALS = (
    "id,contact,amount,is_won,is_closed,close_date\n"
    "d1,c1,100,true,true,2026-02-01\n"
    "d2,c2,200,false,false,2026-09-01\n"
    "d3,c2,300,false,true,2026-03-01\n"
)
STAGE = [{"when": {"is_won": True}, "is": "won"}, {"when": {"is_closed": True}, "is": "lost"}]
CONVERTED = "lead_id,created_at,contact\nann,2026-01-01,c1\nbob,2026-01-02,c2\n"


def deals(**says):
    columns = {"outcome_id": "id", "lead_id": "lead", "stage": "stage", "reached_at": "close_date", "amount": "amount"}
    lookup = {"file": "leads.csv", "match": {"contact": "contact"}, "take": {"lead": "lead_id"}}
    derived = {"stage": STAGE}
    return {"file": "deals.csv", "holds": "outcomes", "columns": columns, "via": [lookup], "derived": derived, **says}


def test_an_open_deal_is_no_loss(tmp_path):
    """A stage of several columns: an open deal has none yet, so its planned close date is no outcome."""
    source = deals(where={"is_closed": True})
    playbook = company(tmp_path, {"leads.csv": CONVERTED, "deals.csv": DEALS}, [LEADS, source])
    warehouse = imported(playbook)
    assert rows(warehouse, "outcomes", "outcome_id", "lead_id", "stage") == [
        ("d1", "ann", "won"),
        ("d3", "bob", "lost"),
    ]
    count = warehouse.quality.sources[1]
    assert (count.rows, count.kept, count.rejected, count.ignored) == (3, 2, 0, 1)
    assert [(join.rows, join.met) for join in warehouse.quality.joins] == [(3, 3)]


def test_a_key_that_meets_nothing_is_counted_with_examples(tmp_path):
    files = {"leads.csv": CONVERTED, "deals.csv": DEALS.replace(",c2,", ",003x,")}
    warehouse = imported(company(tmp_path, files, [LEADS, deals()]))
    (join,) = warehouse.quality.joins
    assert join.sentence.startswith("deals.csv: 1 of 3 contact meet a row of leads.csv; ")
    assert join.sentence.endswith("the others are such as 003x, and there stand such as c1, c2.")
    assert rows(warehouse, "outcomes", "outcome_id") == [("d1",)]


def test_rows_without_a_match_may_be_ignored(tmp_path):
    source = deals()
    source["via"] = [{**source["via"][0], "unmet": "ignore"}]
    files = {"leads.csv": CONVERTED, "deals.csv": DEALS.replace(",c2,", ",003x,")}
    count = imported(company(tmp_path, files, [LEADS, source])).quality.sources[1]
    assert (count.rows, count.kept, count.ignored) == (3, 1, 2)


ASSOCIATIONS = "deal,person\nd1,ann\nd1,bob\nd3,bob\n"


@pytest.mark.parametrize(
    ("several", "expected"),
    [("first", [("d1", "ann"), ("d3", "bob")]), ("each", [("d1", "ann"), ("d1-2", "bob"), ("d3", "bob")])],
)
def test_one_deal_of_several_people_follows_a_rule(tmp_path, several, expected):
    lookup = {
        "file": "a.csv",
        "match": {"id": "deal"},
        "take": {"lead": "person"},
        "several": several,
        "unmet": "ignore",
    }
    files = {"leads.csv": TWO_LEADS, "deals.csv": DEALS, "a.csv": ASSOCIATIONS}
    warehouse = imported(company(tmp_path, files, [LEADS, deals(via=[lookup])]))
    assert sorted(rows(warehouse, "outcomes", "outcome_id", "lead_id")) == expected
    count = warehouse.quality.sources[1]
    assert count.rows == count.kept + count.rejected + count.ignored


def test_several_matches_without_a_rule_are_refused(tmp_path):
    lookup = {"file": "a.csv", "match": {"id": "deal"}, "take": {"lead": "person"}}
    files = {"leads.csv": TWO_LEADS, "deals.csv": DEALS, "a.csv": ASSOCIATIONS}
    with pytest.raises(IntakeError, match=r"a.csv has several rows with deal d1: say several: first"):
        imported(company(tmp_path, files, [LEADS, deals(via=[lookup])]))


def test_lookups_follow_one_another(tmp_path):
    """Engagement → contact → lead: two association tables, one after another."""
    files = {
        "leads.csv": "lead_id,created_at,contact\nann,2026-01-01,c1\nbob,2026-01-02,c2\n",
        "who.csv": "engagement,contact_id\ne1,c1\ne2,c2\n",
        "calls.csv": "id,at,kind\ne1,2026-02-01,view\ne2,2026-02-02,view\ne3,2026-02-02,view\n",
    }
    via = [
        {"file": "who.csv", "match": {"id": "engagement"}, "take": {"contact": "contact_id"}},
        {"file": "leads.csv", "match": {"contact": "contact"}, "take": {"lead": "lead_id"}},
    ]
    columns = {"activity_id": "id", "lead_id": "lead", "kind": "kind", "occurred_at": "at"}
    warehouse = imported(
        company(tmp_path, files, [LEADS, {"file": "calls.csv", "holds": "activities", "columns": columns, "via": via}])
    )
    assert rows(warehouse, "activities", "activity_id", "lead_id") == [("e1", "ann"), ("e2", "bob")]
    assert [(join.rows, join.met) for join in warehouse.quality.joins] == [(3, 2), (2, 2)]
    assert [violation.rule for violation in warehouse.quality.violations] == ["missing"]


def test_attributes_of_an_account_are_joined_to_the_lead(tmp_path):
    attributes = {"size": {"type": "numeric", "says": "has {value} employees"}}
    lookup = {"file": "accounts.csv", "match": {"company": "id"}, "take": {"employees": "number_of_employees"}}
    source = {**LEADS, "attributes": {"size": "employees"}, "via": [lookup]}
    files = {
        "leads.csv": "lead_id,created_at,company\nann,2026-01-01,a1\nbob,2026-01-02,\n",
        "accounts.csv": "id,number_of_employees\na1,50\na2,70\n",
    }
    warehouse = imported(company(tmp_path, files, [source], attributes=attributes))
    assert rows(warehouse, "leads", "lead_id", "size") == [("ann", 50.0), ("bob", None)]


HISTORY = (
    "contact_id,timestamp,name,value\n"
    "ann,2026-02-01T10:00:00Z,lifecyclestage,customer\n"
    "ann,2026-01-05T10:00:00Z,lifecyclestage,lead\n"
    "bob,2026-02-03T10:00:00Z,jobtitle,boss\n"
)


def test_stages_stand_among_other_properties(tmp_path):
    columns = {"lead_id": "contact_id", "stage": "value", "reached_at": "timestamp"}
    source = {
        "file": "history.csv", "holds": "outcomes", "columns": columns, "where": {"name": "lifecyclestage"},
        "stages": {"customer": "won"}, "ignore": ["lead"],
    }  # fmt: skip
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "history.csv": HISTORY}, [LEADS, source]))
    assert rows(warehouse, "outcomes", "lead_id", "stage") == [("ann", "won")]
    count = warehouse.quality.sources[1]
    assert (count.rows, count.kept, count.ignored, count.rejected) == (3, 1, 2, 0)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"kind": "view"}, ["1", "2"]),
        ({"kind": ["call", "view"]}, ["1", "2", "3"]),
        ({"kind": {"starts_with": "c"}}, ["3"]),
        ({"kind": {"not": ["view", "call"]}}, []),
        ({"note": {"given": False}}, ["2", "3"]),
        ({"note": {"not": "x"}}, ["2", "3"]),
        ({"n": 1}, ["1", "2"]),
        ({"kind": "view", "note": "x"}, ["1"]),
    ],
)
def test_conditions_say_which_rows_are_meant(tmp_path, where, kept):
    lines = ["1,ann,view,2026-02-01,x,1", "2,ann,view,2026-02-01,,1.0", "3,ann,call,2026-02-01,,2"]
    table = "\n".join(["id,lead_id,kind,occurred_at,note,n", *lines]) + "\n"
    source = {**ACTIVITIES, "where": where}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": table}, [LEADS, source]))
    assert [one for (one,) in rows(warehouse, "activities", "activity_id")] == kept
    assert warehouse.quality.sources[1].ignored == 3 - len(kept)


def test_a_rejected_row_shows_the_line_and_the_cells_of_its_file(tmp_path):
    table = "id,lead_id,stage,reached_at,n\n1,ann,won,2026-02-01,1\n2,ann,won,never,1\n3,ann,won,2026-02-01,2\n"
    source = {**OUTCOMES, "where": {"n": 1}}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "outcomes.csv": table}, [LEADS, source]))
    (violation,) = warehouse.quality.violations
    assert (violation.examples[0].row, violation.examples[0].found) == (3, "lead_id=ann, reached_at=never")


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"where": {"is_own": True}}, "deals.csv has no column is_own; did you mean is_won"),
        ({"derived": {"amount": STAGE}}, "deals.csv already has a column amount"),
        ({"derived": {"stage": [{"when": {"closed": True}, "is": "won"}]}}, "deals.csv has no column closed"),
        (
            {"via": [{"file": "leads.csv", "match": {"contact": "who"}, "take": {"lead": "lead_id"}}]},
            "leads.csv has no column who",
        ),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path, says, why):
    with pytest.raises(IntakeError) as error:
        imported(company(tmp_path, {"leads.csv": CONVERTED, "deals.csv": DEALS}, [LEADS, deals(**says)]))
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"derived": {"x": [{"when": {"a": 1}}]}}, "give the value once"),
        ({"where": {"a": {}}}, "say what the cell must be"),
        ({"via": [{"file": "../x.csv", "match": {"a": "b"}, "take": {"c": "d"}}]}, "must stay inside the folder"),
    ],
)
def test_words_that_say_nothing_are_refused(tmp_path, says, why):
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [LEADS, deals(**says)])
    assert why in str(error.value)


def test_a_change_of_a_file_that_is_only_looked_up_in_is_seen(tmp_path):
    files = {"leads.csv": TWO_LEADS, "deals.csv": DEALS, "a.csv": "deal,person\nd1,ann\n"}
    lookup = {"file": "a.csv", "match": {"id": "deal"}, "take": {"lead": "person"}, "unmet": "ignore"}
    playbook = company(tmp_path, files, [LEADS, deals(via=[lookup])])
    first = imported(playbook)
    (playbook.exports_folder / "a.csv").write_text("deal,person\nd1,bob\n")
    assert rows(first, "outcomes", "lead_id") == [("ann",)]
    assert rows(imported(playbook), "outcomes", "lead_id") == [("bob",)]


def test_conditions_and_keys_are_read_by_the_words_of_the_playbook(tmp_path):
    """Blanks, yes and no are those that the source, the lookup or the playbook says."""
    lookup = {
        "file": "people.csv",
        "match": {"who": "key"},
        "take": {"lead": "lead"},
        "empty": ["?"],
        "unmet": "ignore",
    }
    source = {
        "file": "web.csv", "holds": "activities", "kind": "view", "via": [lookup], "empty": ["-"], "yes": ["ja"],
        "no": ["nein"], "where": {"human": True, "note": {"given": False}},
        "columns": {"activity_id": "id", "lead_id": "lead", "occurred_at": "at"},
    }  # fmt: skip
    table = ["id,who,at,human,note", "1,a,2026-02-01,ja,-", "2,a,2026-02-01,nein,-", "3,a,2026-02-01,ja,x"]
    files = {
        "leads.csv": TWO_LEADS,
        "web.csv": "\n".join([*table, "4,-,2026-02-01,ja,-"]) + "\n",
        "people.csv": "key,lead\na,ann\n?,bob\n-,bob\n",
    }
    warehouse = imported(company(tmp_path, files, [LEADS, source]))
    assert rows(warehouse, "activities", "activity_id", "lead_id") == [("1", "ann")]
    assert warehouse.quality.sources[1].ignored == 3
