"""Full dumps of leads become versions: what each says anew, known when its day is over; and one of their creation."""

import io
import zipfile
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import IntakeError, PlaybookError
from data.importing.unversioned_attributes import unversioned_attributes
from tests.data.company import LEADS, company, imported, rejected, rows

ATTRIBUTES = {
    "source": {"type": "category", "says": "came through {value}", "as_of_creation": True},
    "size": {"type": "numeric", "says": "has {value} employees"},
}
HEADER = "lead_id,created_at,account,source,size"
DUMPS = {
    "file": "leads_*.csv",
    "holds": "leads",
    "from_name": {"day": "%Y-%m-%d"},
    "snapshot_date": "day",
    "columns": {"account_id": "account"},
}


def dumps(folder, tables, source=DUMPS, sources=(), files=None, **says):
    """Import dumps: the name of a file, and its rows as texts."""
    written = {name: "\n".join([HEADER, *content]) + "\n" for name, content in tables.items()}
    says = {"attributes": ATTRIBUTES} | says
    return imported(company(folder, written | (files or {}), [source, *sources], **says))


def versions(warehouse):
    return rows(warehouse, "leads", "lead_id", "known_at", "account_id", "source", "size")


ANN = "ann,2025-06-01T08:00:00Z,acme,web"
TWO = {"leads_2026-01-31.csv": [f"{ANN},50"], "leads_2026-02-28.csv": [f"{ANN},70"]}


def test_each_dump_is_known_when_its_day_is_over(tmp_path):
    """The size of January is not known in January; the one before the first dump is not known at all."""
    warehouse = dumps(tmp_path, TWO, timezone="Europe/Berlin")
    assert versions(warehouse) == [
        ("ann", "2025-06-01T08:00:00Z", "acme", "web", None),
        ("ann", "2026-01-31T23:00:00Z", "acme", "web", 50),
        ("ann", "2026-02-28T23:00:00Z", "acme", "web", 70),
    ]


def test_dumps_that_say_nothing_new_are_ignored_and_counted(tmp_path):
    """50, 50, 70, 50: three versions and the one of creation; a value that returns is a version of its own."""
    days = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    tables = {f"leads_{day}.csv": [f"{ANN},{size}"] for day, size in zip(days, (50, 50, 70, 50), strict=True)}
    warehouse = dumps(tmp_path, tables)
    assert [(known[:10], size) for _, known, *_, size in versions(warehouse)] == [
        ("2025-06-01", None), ("2026-02-01", 50), ("2026-04-01", 70), ("2026-05-01", 50),
    ]  # fmt: skip
    main, created = warehouse.quality.sources
    assert (main.rows, main.kept, main.rejected, main.ignored) == (4, 3, 0, 1)
    assert (created.derived, created.rows, created.kept) == (True, 1, 1)


def test_a_dump_that_knows_no_more_than_the_creation_is_ignored(tmp_path):
    warehouse = dumps(tmp_path, {"leads_2026-01-31.csv": [f"{ANN},"]})
    assert [known for _, known, *_ in versions(warehouse)] == ["2025-06-01T08:00:00Z"]


def test_a_lead_that_was_created_on_the_day_of_its_dump_has_one_version(tmp_path):
    warehouse = dumps(tmp_path, {"leads_2026-01-31.csv": ["ann,2026-01-31,acme,web,50"]})
    assert versions(warehouse) == [("ann", "2026-02-01T00:00:00Z", "acme", "web", 50)]


def test_the_first_version_has_the_account_of_the_first_dump(tmp_path):
    later = "ann,2025-06-01T08:00:00Z,apex,web,50"
    tables = {"leads_2026-02-28.csv": [later], "leads_2026-01-31.csv": [f"{ANN},50"]}
    assert [account for _, _, account, *_ in versions(dumps(tmp_path, tables))] == ["acme", "acme", "apex"]


def test_the_date_may_stand_in_a_column(tmp_path):
    """An instant counts as its day in the playbook's zone: a dump that runs at night is known when that day is over."""
    files = {"all.csv": f"{HEADER},taken\n{ANN},50,2026-01-31 02:00\n{ANN},70,2026-02-28 02:00\n"}
    source = {**DUMPS, "file": "all.csv", "from_name": {}, "snapshot_date": "taken"}
    warehouse = dumps(tmp_path, {}, source, files=files, timezone="Europe/Berlin")
    assert [known for _, known, *_ in versions(warehouse)][1:] == ["2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"]


@pytest.mark.parametrize(
    ("taken", "fault"),
    [
        ("", "missing:snapshot_date"),
        ("soon", "unreadable:snapshot_date"),
        ("2027-01-31", "future:snapshot_date"),
        ("2025-05-31", "known_before:snapshot_date"),
    ],
)
def test_a_row_without_a_day_is_rejected_with_its_reason(tmp_path, taken, fault):
    files = {"all.csv": f"{HEADER},taken\n{ANN},50,2026-01-31\n{ANN},70,{taken}\n"}
    source = {**DUMPS, "file": "all.csv", "from_name": {}, "snapshot_date": "taken"}
    warehouse = dumps(tmp_path, {}, source, files=files)
    (found,) = rejected(warehouse).itertuples()
    assert (list(found.rules), found.row) == ([fault], 3)
    if taken:
        assert taken in warehouse.quality.violations[0].examples[0].found


def test_a_lead_that_stands_twice_in_one_dump_is_rejected_once(tmp_path):
    warehouse = dumps(tmp_path, {"leads_2026-01-31.csv": [f"{ANN},50", f"{ANN},60"]})
    assert [violation.rule for violation in warehouse.quality.violations] == ["contradicting"]
    assert [size for *_, size in versions(warehouse)] == [None, 50]


def test_an_outcome_in_the_dumps_is_one_outcome(tmp_path):
    header = f"{HEADER},won_on,state"
    outcome = {"column": "state", "stages": {"won": "won"}, "reached_at": "won_on"}
    files = dict.fromkeys(TWO, f"{header}\n{ANN},50,2026-01-20,won\n")
    warehouse = dumps(tmp_path, {}, {**DUMPS, "outcome": outcome}, files=files)
    assert rows(warehouse, "outcomes", "lead_id", "stage") == [("ann", "won")]
    assert all(count.rows == count.kept + count.rejected + count.ignored for count in warehouse.quality.sources)
    assert [count.holds for count in warehouse.quality.sources] == ["leads", "outcomes", "leads"]


def test_histories_and_dumps_work_together(tmp_path):
    """Of the size there is a history, which decides; the account comes from the dumps."""
    changes = {"file": "c.csv", "holds": "lead_changes", "columns": {"known_at": "at"}}
    files = {
        "c.csv": "lead_id,attribute,value,at\nann,size,40,2025-06-01T08:00:00Z\nann,size,70,2026-02-10T08:00:00Z\n"
    }
    warehouse = dumps(tmp_path, TWO, sources=[changes], files=files)
    assert [(known[:10], size) for _, known, *_, size in versions(warehouse)] == [
        ("2025-06-01", 40), ("2026-02-01", 40), ("2026-02-10", 70), ("2026-03-01", 70),
    ]  # fmt: skip


def test_files_in_an_archive_have_dates_of_their_own(tmp_path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in TWO.items():
            archive.writestr(f"2024-12-31/{name}", "\n".join([HEADER, *content]) + "\n")
    warehouse = dumps(tmp_path, {}, {**DUMPS, "file": "leads.zip"}, files={"leads.zip": held.getvalue()})
    assert [size for *_, size in versions(warehouse)] == [None, 50, 70]


def test_a_date_in_the_name_is_a_column_like_any_other(tmp_path):
    """It can be tested, and mapped as the instant of what happened."""
    source = {
        "file": "calls_*.csv", "holds": "activities", "kind": "call", "from_name": {"day": "%Y%m%d"},
        "where": {"day": {"not": "2026-02-02"}}, "columns": {"activity_id": "id", "occurred_at": "day"},
    }  # fmt: skip
    files = {f"calls_2026020{day}.csv": f"id,lead_id\nc{day},ann\n" for day in (1, 2)}
    warehouse = dumps(tmp_path, TWO, sources=[source], files=files)
    found = rows(warehouse, "activities", "activity_id", "occurred_at", "known_at")
    assert found == [("c1", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("leads_final.csv", 'leads_final.csv has no date in its name such as 2024-01-31, which from_name "%Y-%m-%d"'),
        ("leads_2026-13-01.csv", "leads_2026-13-01.csv has no date in its name"),
        (
            "leads_2026-01-31_2026-02-28.csv",
            "leads_2026-01-31_2026-02-28.csv has several dates in its name by",
        ),
    ],
)
def test_a_name_without_one_date_is_refused(tmp_path, name, why):
    with pytest.raises(IntakeError) as error:
        dumps(tmp_path, {**TWO, name: [f"{ANN},50"]})
    assert str(error.value).startswith(why)
    assert "\n" not in str(error.value)


def test_a_new_column_needs_a_new_name(tmp_path):
    with pytest.raises(IntakeError, match=r"already has a column account: give the new column in playbook\.yaml"):
        dumps(tmp_path, TWO, {**DUMPS, "from_name": {"account": "%Y-%m-%d"}, "snapshot_date": "account"})


@pytest.mark.parametrize(
    ("says", "line", "why"),
    [
        ({"columns": {"known_at": "k"}}, "snapshot_date:", "columns.known_at cannot hold too; remove one of the two."),
        ({"from_name": {"day": "%d.%m."}}, "day:", '%d.%m. is not the format of a date in a name: use "%Y-%m-%d"'),
        ({"from_name": {"day": "%Y-%m-%H"}}, "day:", "is not the format of a date in a name"),
    ],
)
def test_mistakes_are_named_by_file_and_line(tmp_path, says, line, why):
    with pytest.raises(PlaybookError) as error:
        company(tmp_path, {}, [{**DUMPS, **says}], attributes=ATTRIBUTES)
    (message,) = str(error.value).splitlines()
    text = (tmp_path / "playbook.yaml").read_text().splitlines()
    assert line in text[int(message.split(":")[1]) - 1]
    assert why in message


def test_dumps_vouch_for_their_attributes(tmp_path):
    assert unversioned_attributes(company(tmp_path / "dumps", {}, [DUMPS], attributes=ATTRIBUTES).business) == ()
    (named,) = unversioned_attributes(company(tmp_path / "today", {}, [LEADS], attributes=ATTRIBUTES).business)
    assert named.attributes == ("size",)


def test_vouching_for_an_attribute_makes_new_tables(tmp_path):
    """What was known at creation decides what the first version holds, so the tables are not reused."""
    first = dumps(tmp_path, TWO)
    attributes = {**ATTRIBUTES, "size": {**ATTRIBUTES["size"], "as_of_creation": True}}
    second = dumps(tmp_path, TWO, attributes=attributes)
    assert first.fingerprint != second.fingerprint
    assert versions(second)[0][-1] == 50


FIRST = date(2026, 1, 1)
PEOPLE = ("ann", "bob", "cyd", "dan", "eve", "fay")
STATES = st.dictionaries(st.sampled_from(PEOPLE), st.tuples(st.sampled_from("xy"), st.sampled_from("123")))


def day_of(number):
    return f"{FIRST + timedelta(days=number):%Y-%m-%d}"


def as_of(day, lead, by_day):
    """Say what was known of a lead on the morning of a day, from the dumps of the days before it."""
    held = {number: states[lead] for number, states in sorted(by_day.items()) if lead in states}
    if not held:
        return None
    told = [state for number, state in held.items() if number < day]
    account, size = told[-1] if told else (held[min(held)][0], None)
    return account, size


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(by_day=st.dictionaries(st.integers(0, 8), STATES, min_size=1, max_size=6))
def test_versions_equal_the_dumps_on_every_day(tmp_path_factory, by_day):
    """Any dumps, leads that come and go: the newest version of a morning is the last dump's; none repeats another."""
    by_day = {day: states for day, states in by_day.items() if states}
    if not by_day:
        return
    tables = {
        f"leads_{day_of(day)}.csv": [
            f"{lead},2025-06-01,{account},web,{size}" for lead, (account, size) in states.items()
        ]
        for day, states in by_day.items()
    }
    warehouse = dumps(tmp_path_factory.mktemp("dumps"), tables)
    found = versions(warehouse)
    for lead in PEOPLE:
        own = [row[1:] for row in found if row[0] == lead]
        assert all(before[1:] != after[1:] for before, after in pairwise(own))
        for day in range(10):
            newest = [row for row in own if row[0] <= f"{day_of(day)}T00:00:00Z"]
            says = (newest[-1][1], None if newest[-1][3] is None else f"{newest[-1][3]:.0f}") if newest else None
            assert says == as_of(day, lead, by_day)
    main, created = warehouse.quality.sources
    assert main.rows == main.kept + main.ignored == sum(len(states) for states in by_day.values())
    assert created.rows == len({lead for states in by_day.values() for lead in states})
