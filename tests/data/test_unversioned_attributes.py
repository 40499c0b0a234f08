"""What a file cannot know is said by name: since when its values are known."""

from io import StringIO

import pytest
from rich.console import Console

from data.commands import check
from data.home import Home
from data.importing.unversioned_attributes import UnversionedAttributes, unversioned_attributes
from data.workspace import Workspace
from tests.data.company import LEADS, OUTCOMES, company

VIEWS = {"type": "numeric", "says": "looked at {value} pages"}
SIZE = {"type": "numeric", "says": "has {value} employees"}
CONTACTS = "Record ID,Create Date,Number of Pageviews\n1,2024-01-05 09:14,87\n"
COLUMNS = {"lead_id": "Record ID", "created_at": "Create Date"}


def test_check_names_what_holds_todays_value(tmp_path):
    """A contact created seven minutes ago already has the page views of the day of the export."""
    source = {**LEADS, "columns": COLUMNS, "attributes": {"page_views": "Number of Pageviews"}}
    playbook = company(tmp_path, {"leads.csv": CONTACTS}, [source], attributes={"page_views": VIEWS})
    result = check(Workspace(playbook, Home(tmp_path / "home")))
    console = Console(file=StringIO(), width=120)
    result.show(console)
    shown = console.file.getvalue()
    assert "leads.csv does not say since when the values of page_views are known" in shown
    assert "set as_of_creation: true" in shown
    assert result.as_json()["unversioned"][0]["attributes"] == ("page_views",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, ("views", "size")),
        ({"never_use": ["views"]}, ("size",)),
        ({"attributes": {"views": VIEWS, "size": {**SIZE, "as_of_creation": True}}}, ("views",)),
    ],
)
def test_what_is_vouched_for_or_forbidden_is_not_named(tmp_path, change, named):
    says = {"attributes": {"views": VIEWS, "size": SIZE}} | change
    playbook = company(tmp_path, {"leads.csv": "lead_id,created_at\n"}, [LEADS], **says)
    assert unversioned_attributes(playbook.business) == (UnversionedAttributes("leads.csv", named),)


def test_a_source_with_known_at_is_not_named(tmp_path):
    source = {**LEADS, "columns": {"known_at": "changed"}}
    playbook = company(tmp_path, {}, [source, OUTCOMES], attributes={"views": VIEWS})
    assert unversioned_attributes(playbook.business) == ()


def test_case_attributes_of_an_event_log_are_named(tmp_path):
    log = {"file": "log.xes", "holds": "event_log", "attributes": {"size": "case:size"}, "outcomes": {"w": "won"}}
    playbook = company(tmp_path, {}, [log], attributes={"size": SIZE})
    assert unversioned_attributes(playbook.business) == (UnversionedAttributes("log.xes", ("size",)),)
