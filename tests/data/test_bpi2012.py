"""A real event log is read whole, by its playbook alone."""

from pathlib import Path

import pytest

from data.errors import IntakeError
from data.home import Home
from data.importing.intake import source_files
from data.importing.warehouse import import_history
from data.words.playbook import load_playbook
from data.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "data/playbooks/bpi2012"


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    folder = load_playbook(FOLDER)
    try:
        source_files(folder)
    except IntakeError as missing:
        pytest.skip(f"the BPI Challenge 2012 log is not on this machine: {missing}")
    return import_history(Workspace(folder, Home(tmp_path_factory.mktemp("home"))))


def test_every_event_is_accounted_for(history):
    events, leads = history.quality.sources
    assert (events.rows, events.rejected, events.ignored) == (262_200, 0, 0)
    assert events.kept == history.rows["activities"] + history.rows["outcomes"]
    assert leads.kept == history.rows["leads"] == 13_087
    assert history.quality.violations == ()


def test_outcomes_are_those_that_were_published(history):
    reached = history.frame("outcomes").groupby("stage")["lead_id"].nunique()
    assert reached.to_dict() == {"approved": 2_246, "cancelled": 2_807, "declined": 7_635}


def test_leads_know_the_amount_they_asked_for_from_the_start(history):
    leads = history.frame("leads")
    assert leads["amount_requested"].notna().all()
    assert (leads["known_at"] == leads["created_at"]).all()


def test_what_the_decision_writes_is_never_used(history):
    """Kinds that only leads with an outcome have are on the list, whatever else the playbook says."""
    playbook = load_playbook(FOLDER).business
    activities, outcomes = history.frame("activities"), history.frame("outcomes")
    closed = outcomes.groupby("lead_id")["reached_at"].min()
    before = activities[
        activities["occurred_at"] < activities["lead_id"].map(closed).fillna(history.cutoff_us) - 1_000_000
    ]
    telling = set(playbook.activities) - set(before["kind"])
    assert telling == {"registered", "activated", "offer_accepted", "offer_declined"}
    assert telling < set(playbook.never_use)
