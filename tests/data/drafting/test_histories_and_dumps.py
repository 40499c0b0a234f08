"""Drafts recognise histories of attributes and full dumps by what their rows prove, and nothing else as such."""

import pytest

from data.commands import check
from data.drafting.commands import draft_from
from data.home import Home
from data.importing.unversioned_attributes import unversioned_attributes
from data.importing.warehouse import import_history
from data.words.playbook import load_playbook
from data.words.sources import ActivitySource, LeadChangeSource, LeadSource
from data.workspace import Workspace
from tests.data.company import NOW_US, rows
from tests.data.crm_tables import at, write_tables

LEADS = 30


def leads(**more):
    """Leads of which every third converts; in today's table, each even one has grown since."""
    return [
        {
            "lead_id": f"L{n:03d}", "created_at": at(n), "region": "North" if n % 2 else "South",
            "employees": 10 * n if n % 2 else 20 * n, **{name: of(n) for name, of in more.items()},
        }
        for n in range(1, LEADS)
    ]  # fmt: skip


def deals():
    return [{"lead_id": f"L{n:03d}", "stage": "won", "closed_at": at(n + 20)} for n in range(1, LEADS, 3)]


def history(**columns):
    """A change of the employees of each even lead, and one of a field that no column has."""
    names = {"lead": "lead_id", "field": "field", "old": "old_value", "new": "new_value", "at": "changed_at", **columns}
    changes = [(n, "Employees", 10 * n, 20 * n) for n in range(2, LEADS, 2)]
    others = [(n, "Mood", "good", "bad") for n in range(1, LEADS, 2)]
    return [
        dict(zip(names.values(), (f"L{n:03d}", field, old, new, at(n + 5)), strict=True))
        for n, field, old, new in [*changes, *others]
    ]


def drafted(folder, tables):
    write_tables(folder / "exports", tables)
    result = draft_from(sorted((folder / "exports").rglob("*.csv")), out=folder / "acme")
    playbook = load_playbook(folder / "acme")
    assert check(Workspace(playbook, Home(folder / "checked"))).passed
    return playbook, (folder / "acme" / "playbook.yaml").read_text(encoding="utf-8"), result


def imported(folder, playbook):
    return import_history(Workspace(playbook, Home(folder / "home")), now_us=NOW_US)


def source(playbook, kind):
    return next((each for each in playbook.business.sources if isinstance(each, kind)), None)


@pytest.mark.parametrize(
    "spelled",
    [
        {},
        {"field": "Property Name", "old": "From", "new": "To", "at": "timestamp"},
        {"at": "created_date", "new": "value"},
    ],
)
def test_a_history_in_long_form_is_read_as_changes(tmp_path, spelled):
    playbook, text, _ = drafted(tmp_path, {"leads": leads(), "deals": deals(), "field_history": history(**spelled)})
    found = source(playbook, LeadChangeSource)
    assert (found.attributes, found.ignore) == ({"Employees": "employees"}, "others")
    new = spelled.get("new", "new_value")
    assert f"# the last {new} of Employees is the employees of leads.csv for 14 of 14 leads" in text
    versions = rows(imported(tmp_path, playbook), "leads", "lead_id", "employees")
    assert [each for each in versions if each[0] in {"L003", "L004"}] == [("L003", 30), ("L004", 40), ("L004", 80)]
    assert [name for each in unversioned_attributes(playbook.business) for name in each.attributes] == ["region"]


def test_numbers_of_a_history_are_read_as_they_are_written(tmp_path):
    """The column of values holds words and numbers; those of one attribute alone show how its numbers are written."""
    more = [
        {
            "lead_id": f"L{n:03d}",
            "field": "revenue",
            "old_value": "",
            "new_value": f"{n}.000.5{n % 10}0",
            "changed_at": at(n + 3),
        }
        for n in range(1, LEADS)
    ]
    tables = {"leads": leads(revenue=lambda n: f"{n}.000.5{n % 10}0"), "deals": deals(), "changes": [*history(), *more]}
    playbook, _, _ = drafted(tmp_path, tables)
    found = source(playbook, LeadChangeSource)
    assert set(found.attributes) == {"Employees", "revenue"}
    assert "new_value of revenue" in found.written
    values = rows(imported(tmp_path, playbook), "leads", "lead_id", "revenue")
    assert ("L007", 7_000_570) in values


def test_a_counter_with_a_history_is_an_attribute(tmp_path):
    """Without one it would be left out: today's value knows the future."""
    changes = [
        {"lead_id": f"L{n:03d}", "field": "num_visits", "old_value": n, "new_value": 2 * n, "changed_at": at(n + 9)}
        for n in range(1, LEADS)
    ]
    tables = {"leads": leads(num_visits=lambda n: 2 * n), "deals": deals()}
    playbook, _, _ = drafted(tmp_path / "without", tables)
    assert "num_visits" not in playbook.business.attributes
    playbook, _, _ = drafted(tmp_path / "with", {**tables, "changes": changes})
    assert "num_visits" in playbook.business.attributes


def test_a_history_whose_last_values_are_not_those_of_the_leads_is_none(tmp_path):
    """It may be one of another thing, or broken off: nothing is proven, and it is read as before."""
    wrong = [{**row, "new_value": 7} for row in history()]
    playbook, _, _ = drafted(tmp_path, {"leads": leads(), "deals": deals(), "field_history": wrong})
    assert source(playbook, LeadChangeSource) is None


def test_activities_with_a_field_and_a_value_stay_activities(tmp_path):
    visits = [
        {"lead_id": f"L{n:03d}", "event": "page view", "value": n, "at": at(n + day)}
        for n in range(1, LEADS)
        for day in (1, 2)
    ]
    playbook, _, _ = drafted(tmp_path, {"leads": leads(), "deals": deals(), "visits": visits})
    assert source(playbook, LeadChangeSource) is None
    assert source(playbook, ActivitySource) is not None


def dumped(*days, column="dump_date"):
    """Full dumps: the leads that were there on a day, each with the employees of that day."""
    return [
        {**row, "employees": 10 * day + n, column: at(day)[:10]}
        for day in days
        for n, row in enumerate(leads(), start=1)
        if n <= day
    ]


def test_full_dumps_in_one_file_are_versions_known_on_their_days(tmp_path):
    playbook, text, _ = drafted(tmp_path, {"leads": dumped(29, 40, 70), "deals": deals()})
    found = source(playbook, LeadSource)
    assert (found.snapshot_date, found.columns.known_at, found.from_name) == ("dump_date", None, {})
    assert "# 3 dumps; a lead is in 100% of those since its first" in text
    assert unversioned_attributes(playbook.business) == ()
    assert len(rows(imported(tmp_path, playbook), "leads", "lead_id")) == 4 * (LEADS - 1)


@pytest.mark.parametrize(
    ("names", "given"), [("leads_2026-0{}-28", "%Y-%m-%d"), ("leads_20260{}28", "%Y%m%d"), ("leads-2026-0{}", "%Y-%m")]
)
def test_the_dates_in_the_names_of_dumps_are_their_days(tmp_path, names, given):
    tables = {names.format(month): [
        {**row, "employees": 100 * month + n} for n, row in enumerate(leads(), start=1)
    ] for month in (2, 3, 4)}  # fmt: skip
    playbook, text, _ = drafted(tmp_path, {**tables, "deals": deals()})
    found = source(playbook, LeadSource)
    assert (found.snapshot_date, found.from_name) == ("snapshot_date", {"snapshot_date": given})
    assert "# the date in the names of the files: 3 dumps; a lead is in 100% of those since its first" in text
    assert len(rows(imported(tmp_path, playbook), "leads", "lead_id")) == 4 * (LEADS - 1)


def test_monthly_files_of_new_leads_are_no_dumps(tmp_path):
    tables = {
        f"leads_2026-0{month}": [row for row in leads() if row["created_at"][5:7] == f"0{month}"] for month in (1, 2)
    }
    playbook, _, _ = drafted(tmp_path, {**tables, "deals": deals()})
    found = source(playbook, LeadSource)
    assert (found.file, found.snapshot_date, found.from_name) == ("leads_*-*.csv", None, {})


def test_versions_that_are_written_where_something_changed_are_no_dumps(tmp_path):
    versions = [{**row, "valid_from": row["created_at"]} for row in leads()]
    versions += [
        {**row, "valid_from": at(n + 7), "employees": 5} for n, row in enumerate(leads(), start=1) if n % 3 == 0
    ]
    playbook, _, _ = drafted(tmp_path, {"leads": versions, "deals": deals()})
    found = source(playbook, LeadSource)
    assert (found.snapshot_date, found.columns.known_at) == (None, "valid_from")
