"""Histories of attributes in long form become versions of leads: each says what was known by its instant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import IntakeError, PlaybookError, QualityError
from data.importing.unversioned_attributes import unversioned_attributes
from tests.data.company import LEADS, TWO_LEADS, company, imported, rejected, rows

ATTRIBUTES = {
    "title": {"type": "category", "says": "is {value}"},
    "size": {"type": "numeric", "says": "has {value} employees"},
    "fit": {"type": "boolean", "says": "fits", "says_not": "does not fit"},
}
COLUMNS = {"lead_id": "who", "attribute": "name", "value": "value", "known_at": "at"}
CHANGES = {"file": "history.csv", "holds": "lead_changes", "columns": COLUMNS}
WORDS = {"jobtitle": "title", "employees": "size"}
TODAY = "lead_id,created_at,size,title\nann,2026-01-01T08:00:00Z,70,VP\nbob,2026-01-02T08:00:00Z,90,\n"
READS = {**LEADS, "attributes": {"size": "size", "title": "title"}}


def history(folder, changes, leads=TODAY, reads=READS, header="who,name,value,at", sources=(), files=None, **says):
    """Import leads with changes, one text a row."""
    says = {"attributes": WORDS} | says
    table = "\n".join([header, *changes]) + "\n"
    files = {"leads.csv": leads, "history.csv": table, **(files or {})}
    attributes = says.pop("playbook_attributes", ATTRIBUTES)
    playbook = {name: says.pop(name) for name in ("most_rejected", "timezone") if name in says}
    return imported(company(folder, files, [reads, {**CHANGES, **says}, *sources], attributes=attributes, **playbook))


def versions(warehouse, *columns):
    return rows(warehouse, "leads", "lead_id", "known_at", *columns)


def test_a_version_says_what_was_known_by_then(tmp_path):
    """Neither the title nor the size is today's before it was; what never changed is what the leads' file says."""
    warehouse = history(
        tmp_path,
        ["ann,jobtitle,Buyer,2026-01-01T08:00:00Z", "ann,jobtitle,VP,2026-03-01T09:00:00Z"],
    )
    assert versions(warehouse, "title", "size") == [
        ("ann", "2026-01-01T08:00:00Z", "Buyer", 70),
        ("ann", "2026-03-01T09:00:00Z", "VP", 70),
        ("bob", "2026-01-02T08:00:00Z", None, 90),
    ]


def test_before_the_first_change_nothing_is_known(tmp_path):
    """The leads' file says VP, which is the value of today: it must not stand before the change to it."""
    warehouse = history(tmp_path, ["ann,jobtitle,VP,2026-03-01T09:00:00Z"])
    assert versions(warehouse, "title")[:2] == [
        ("ann", "2026-01-01T08:00:00Z", None),
        ("ann", "2026-03-01T09:00:00Z", "VP"),
    ]


def test_before_the_first_change_its_previous_value_stands(tmp_path):
    warehouse = history(
        tmp_path,
        ["ann,employees,60,50,2026-02-01T00:00:01Z", "ann,employees,70,,2026-03-01T00:00:01Z"],
        header="who,name,value,old,at",
        columns={**COLUMNS, "previous": "old"},
    )
    assert [size for *_, size in versions(warehouse, "size")] == [50, 60, 70, 90]


def test_a_change_to_nothing_is_a_change(tmp_path):
    warehouse = history(tmp_path, ["ann,jobtitle,Buyer,2026-02-01T08:00:00Z", "ann,jobtitle,,2026-03-01T08:00:00Z"])
    assert [title for *_, title in versions(warehouse, "title")] == [None, "Buyer", None, None]


def test_changes_before_the_first_version_belong_to_it(tmp_path):
    """The last of them counts, whatever their order in the file."""
    changes = ["ann,jobtitle,VP,2025-12-02T08:00:00Z", "ann,jobtitle,Buyer,2025-12-01T08:00:00Z"]
    assert versions(history(tmp_path, changes), "title")[0] == ("ann", "2026-01-01T08:00:00Z", "VP")


def test_of_changes_at_one_instant_the_later_row_counts(tmp_path):
    changes = ["ann,jobtitle,Buyer,2026-02-01T08:00:00Z", "ann,jobtitle,VP,2026-02-01T08:00:00Z"]
    assert [title for *_, title in versions(history(tmp_path, changes), "title")] == [None, "VP", None]


def test_an_attribute_may_be_given_by_its_history_alone(tmp_path):
    changes = ["ann,jobtitle,Buyer,2026-02-01T08:00:00Z"]
    warehouse = history(tmp_path, changes, leads=TWO_LEADS, reads={**LEADS, "attributes": {}})
    assert [title for *_, title in versions(warehouse, "title")] == [None, "Buyer", None]


def test_versions_of_the_leads_file_and_changes_are_told_together(tmp_path):
    """A version of February says the account anew; the title that changed in January stays changed."""
    leads = (
        "lead_id,created_at,known_at,account,title,size\n"
        "ann,2026-01-01T08:00:00Z,2026-01-01T08:00:00Z,acme,,10\n"
        "ann,2026-01-01T08:00:00Z,2026-02-01T08:00:00Z,apex,,20\n"
    )
    reads = {**READS, "columns": {"account_id": "account", "known_at": "known_at"}}
    warehouse = history(tmp_path, ["ann,jobtitle,VP,2026-01-15T08:00:00Z"], leads=leads, reads=reads)
    assert versions(warehouse, "account_id", "title", "size") == [
        ("ann", "2026-01-01T08:00:00Z", "acme", None, 10),
        ("ann", "2026-01-15T08:00:00Z", "acme", "VP", 10),
        ("ann", "2026-02-01T08:00:00Z", "apex", "VP", 20),
    ]


def test_a_day_alone_is_known_when_it_is_over(tmp_path):
    warehouse = history(tmp_path, ["ann,jobtitle,VP,2026-03-01"], timezone="Europe/Berlin")
    assert versions(warehouse, "title")[1] == ("ann", "2026-03-01T23:00:00Z", "VP")


FAULTS = [
    (",jobtitle,VP,2026-03-01T08:00:00Z", "missing:lead_id"),
    ("cid,jobtitle,VP,2026-03-01T08:00:00Z", "orphan:lead_id"),
    ("ann,,VP,2026-03-01T08:00:00Z", "missing:attribute"),
    ("ann,phone,1,2026-03-01T08:00:00Z", "unknown_attribute:attribute"),
    ("ann,jobtitle,VP,", "missing:known_at"),
    ("ann,jobtitle,VP,soon", "unreadable:known_at"),
    ("ann,jobtitle,VP,2027-03-01T08:00:00Z", "future:known_at"),
]


@pytest.mark.parametrize(("row", "fault"), FAULTS)
def test_a_change_with_a_fault_is_rejected_with_its_reason(tmp_path, row, fault):
    warehouse = history(tmp_path, ["bob,jobtitle,Buyer,2026-02-01T08:00:00Z", row])
    (found,) = rejected(warehouse).itertuples()
    assert (list(found.rules), found.holds, found.row) == ([fault], "lead_changes", 3)
    assert list(found.original) == ["who", "name", "value", "at"], "the row as it stands in the file"
    count = warehouse.quality.sources[1]
    assert (count.rows, count.kept, count.rejected, count.ignored) == (2, 1, 1, 0)


def test_a_change_of_a_rejected_lead_is_rejected(tmp_path):
    leads = TODAY.replace("2026-01-01T08:00:00Z", "whenever")
    warehouse = history(tmp_path, ["ann,jobtitle,VP,2026-03-01T08:00:00Z"], leads=leads)
    assert [violation.rule for violation in warehouse.quality.violations] == ["unreadable", "lead_rejected"]


def test_a_value_that_the_attribute_does_not_have_rejects_the_change(tmp_path):
    attributes = ATTRIBUTES | {"title": {**ATTRIBUTES["title"], "values": ["VP"]}}
    warehouse = history(tmp_path, ["ann,jobtitle,Boss,2026-03-01T08:00:00Z"], playbook_attributes=attributes)
    (violation,) = warehouse.quality.violations
    assert (violation.rule, violation.about) == ("unknown_value", "title")
    assert violation.examples[0].found == "who=ann, name=jobtitle, value=Boss"


def test_words_are_ignored_by_name_or_all_others_at_once(tmp_path):
    changes = ["ann,jobtitle,VP,2026-03-01T08:00:00Z", "ann,phone,1,2026-03-01T08:00:00Z", "ann,owner,x,whenever"]
    for number, ignore in enumerate((["phone", "owner"], "others")):
        count = history(tmp_path / str(number), changes, ignore=ignore).quality.sources[1]
        assert (count.rows, count.kept, count.rejected, count.ignored) == (3, 1, 0, 2)


def test_an_unreadable_number_is_a_change_to_unknown_and_is_counted(tmp_path):
    changes = ["ann,employees,60,2026-02-01T08:00:00Z", "ann,employees,many,2026-03-01T08:00:00Z"]
    warehouse = history(tmp_path, changes)
    assert [size for *_, size in versions(warehouse, "size")] == [None, 60, None, 90]
    (lost,) = warehouse.quality.lost
    assert (lost.source, lost.attribute, lost.count, lost.given, lost.leads) == ("history.csv", "size", 1, 2, 1)
    assert (lost.examples[0].row, lost.examples[0].found) == (3, '"many"')


def test_too_many_unreadable_numbers_stop_the_run(tmp_path):
    with pytest.raises(QualityError, match=r"history\.csv: size cannot be read in 1 of 1 cells"):
        history(tmp_path, ["ann,employees,many,2026-03-01T08:00:00Z"], most_rejected=0.1)


def test_numbers_are_read_by_what_values_and_previous_values_prove_together(tmp_path):
    """1.200 alone may be either; that 12,5 is written with a comma proves that the point is one of thousands."""
    warehouse = history(
        tmp_path,
        ['ann;employees;"12,5";1.200;2026-03-01T08:00:00Z'],
        header="who;name;value;old;at",
        columns={**COLUMNS, "previous": "old"},
    )
    assert [size for *_, size in versions(warehouse, "size")] == [1200, 12.5, 90]


def test_numbers_that_may_be_either_are_refused_by_the_words_that_settle_them(tmp_path):
    changes = ["ann,employees,1.200,2026-03-01T08:00:00Z"]
    with pytest.raises(IntakeError, match=r"history.csv: value of size .*"):
        history(tmp_path / "1", changes)
    for number, written in enumerate(({"value": {"decimal": ","}}, {"value of size": {"decimal": ","}})):
        warehouse = history(tmp_path / f"said {number}", changes, written=written)
        assert [size for *_, size in versions(warehouse, "size")] == [None, 1200, 90]


def test_unknown_columns_are_told_with_the_nearest(tmp_path):
    with pytest.raises(IntakeError) as error:
        history(tmp_path, ["ann,jobtitle,VP,2026-03-01"], columns={**COLUMNS, "value": "valu", "previous": "old"})
    assert str(error.value).splitlines() == [
        "history.csv has no column valu; did you mean value? Correct the source's mapping in playbook.yaml.",
        "history.csv has no column old; known are at, name, value, who. Correct the source's mapping in playbook.yaml.",
    ]


def test_rows_may_be_looked_up_and_selected_like_those_of_any_source(tmp_path):
    files, columns = {"people.csv": "contact,lead\nc1,ann\n"}, {**COLUMNS, "lead_id": "lead"}
    lookup = {"file": "people.csv", "match": {"who": "contact"}, "take": {"lead": "lead"}}
    changes = ["c1,jobtitle,VP,2026-03-01T08:00:00Z", "c1,jobtitle,CEO,2026-04-01T08:00:00Z"]
    where = {"value": {"not": "CEO"}}
    warehouse = history(tmp_path, changes, files=files, via=[lookup], where=where, columns=columns)
    assert [title for *_, title in versions(warehouse, "title")] == [None, "VP", None]
    assert warehouse.quality.sources[1].ignored == 1


def test_two_words_may_mean_one_attribute_and_two_files_one_history(tmp_path):
    more = {**CHANGES, "file": "more.csv", "attributes": {"title": "title"}}
    files = {"more.csv": "who,name,value,at\nann,title,CEO,2026-04-01T08:00:00Z\n"}
    words = {"jobtitle": "title", "role": "title"}
    changes = ["ann,jobtitle,Buyer,2026-02-01T08:00:00Z", "ann,role,VP,2026-03-01T08:00:00Z"]
    warehouse = history(tmp_path, changes, sources=[more], files=files, attributes=words)
    assert [title for *_, title in versions(warehouse, "title")] == [None, "Buyer", "VP", "CEO", None]


def test_a_history_vouches_for_its_attributes(tmp_path):
    """What a history gives is not named as today's value; what it does not give still is."""
    attributes = {"title": ATTRIBUTES["title"], "size": ATTRIBUTES["size"]}
    source = {**CHANGES, "attributes": {"jobtitle": "title"}}
    (named,) = unversioned_attributes(company(tmp_path, {}, [LEADS, source], attributes=attributes).business)
    assert named.attributes == ("size",)


@pytest.mark.parametrize(
    ("says", "line", "why"),
    [
        ({"attributes": {"jobtitle": "titel"}}, "jobtitle: titel", "unknown attribute titel; did you mean title?"),
        ({"ignore": ["jobtitle"]}, "ignore:", "jobtitle is in attributes and in ignore; keep one."),
        (
            {"ignore": "other"},
            "ignore: other",
            "expected a list of words, or others for all that are not mapped: write [other]",
        ),
        ({"columns": {"value": "v", "previous": "v"}}, "columns:", "value and previous are both v"),
        ({"columns": {"values": "v"}}, "values: v", "unknown name; did you mean value?"),
    ],
)
def test_mistakes_are_named_by_file_and_line(tmp_path, says, line, why):
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [LEADS, {**CHANGES, "attributes": WORDS, **says}], attributes=ATTRIBUTES)
    (message,) = str(error.value).splitlines()
    text = (tmp_path / "playbook.yaml").read_text().splitlines()
    number = int(message.split(":")[1])
    assert line in text[number - 1]
    assert why in message


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(1, 12)  # where all changes are of midnight, they are of days
VALUES = st.sampled_from([None, "1", "2", "3"])
PEOPLE = st.sampled_from(["ann", "bob", "cyd", "dan", "eve", "fay"])
CHANGE = st.tuples(PEOPLE, st.sampled_from(["title", "size"]), VALUES, VALUES, HOURS)
VERSION = st.tuples(PEOPLE, st.integers(4, 8), VALUES, VALUES)


def at(hour):
    return f"{BEGIN + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}"


def expected_at(hour, lead, attribute, versions_, changes, *, with_previous):
    """Say what was known of an attribute at an hour, from the definition, row by row; nothing before the lead was."""
    own = sorted((known, row) for row, (who, known, *_) in enumerate(versions_) if who == lead)
    before = [row for known, row in own if known <= hour]
    if not before:
        return None
    told = [change for change in changes if change[0] == lead and change[1] == attribute]
    in_order = sorted(told, key=lambda change: change[4])  # the order of rows stays where hours are equal
    if not in_order:
        return versions_[before[-1]][2 if attribute == "title" else 3]
    by_then = [change for change in in_order if change[4] <= hour]
    if by_then:
        return by_then[-1][2]
    return in_order[0][3] if with_previous else None


@settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    versions_=st.lists(VERSION, min_size=1, max_size=15, unique_by=lambda version: version[:2]),
    changes=st.lists(CHANGE, min_size=1, max_size=30),
    with_previous=st.booleans(),
)
def test_versions_equal_the_definition_at_every_instant(tmp_path_factory, versions_, changes, with_previous):
    """Any order of rows, equal instants, emptied values: as of every hour, the newest version is what was known."""
    known = {lead for lead, *_ in versions_}
    leads = [f"{lead},{at(0)},{at(hour)},{title or ''},{size or ''}" for lead, hour, title, size in versions_]
    told = [f"{who},{name},{value or ''},{old or ''},{at(hour)}" for who, name, value, old, hour in changes]
    columns = {**COLUMNS, "previous": "old"} if with_previous else COLUMNS
    warehouse = history(
        tmp_path_factory.mktemp("history"),
        told,
        header="who,name,value,old,at",
        leads="\n".join(["lead_id,created_at,known_at,title,size", *leads]) + "\n",
        reads={**READS, "columns": {"known_at": "known_at"}},
        columns=columns,
        attributes={"title": "title", "size": "size"},
    )
    found = versions(warehouse, "title", "size")
    for lead in known:
        own = [row[1:] for row in found if row[0] == lead]
        instants = [instant for instant, *_ in own]
        assert instants == sorted(set(instants)), "one version an instant"
        for hour in range(13):
            newest = [row for row in own if row[0] <= at(hour)]
            _, title, size = newest[-1] if newest else (None, None, None)
            says = (title, None if size is None else f"{size:.0f}")
            about = {"versions_": versions_, "changes": changes, "with_previous": with_previous}
            assert says == tuple(expected_at(hour, lead, name, **about) for name in ("title", "size"))
    count = warehouse.quality.sources[1]
    assert count.rows == count.kept + count.rejected + count.ignored == len(changes)
    assert count.rejected == sum(who not in known for who, *_ in changes)


def test_leads_of_an_event_log_have_histories_too(tmp_path):
    log = {
        "file": "log.csv", "holds": "event_log", "columns": {"lead_id": "case", "kind": "what", "occurred_at": "at"},
        "attributes": {"size": "size"}, "outcomes": {"won": "won"},
    }  # fmt: skip
    files = {"log.csv": "case,what,at,size\nann,view,2026-01-01T08:00:00Z,70\nann,won,2026-04-01T08:00:00Z,70\n"}
    changes = ["ann,employees,70,2026-03-01T09:00:00Z"]
    assert versions(history(tmp_path, changes, reads=log, files=files), "size") == [
        ("ann", "2026-01-01T08:00:00Z", None),
        ("ann", "2026-03-01T09:00:00Z", 70),
    ]
