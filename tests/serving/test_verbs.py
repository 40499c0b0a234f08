"""Verbs that read or load leave it to the service to follow promotions."""

import pandas as pd
import pytest

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.store.database import Database
from serving.verbs.erase_and_dossier import write_dossier
from serving.verbs.load_and_serve import load
from tests.serving.conftest import PLAYBOOK, opened, promote, settings_in


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A home without a store, and a models folder in which nothing was promoted yet."""
    settings = settings_in(tmp_path)
    monkeypatch.setenv("LEADSCORE_DATABASE", settings.database)
    monkeypatch.setenv("LEADSCORE_MODELS", str(settings.models))
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    monkeypatch.setenv("LEADSCORE_UNSIGNED_BUNDLES", "accept")
    monkeypatch.setattr("data.importing.warehouse.import_history", lambda *_given, **_how: Nothing())
    return settings


class Nothing:
    """An empty history, in the contract's columns."""

    def __init__(self):
        import ibis

        columns = {
            "leads": ["lead_id", "account_id", "created_at", "known_at"],
            "activities": ["activity_id", "lead_id", "kind", "occurred_at", "known_at", "subject", "value"],
            "outcomes": ["outcome_id", "lead_id", "stage", "reached_at", "known_at", "amount", "reason"],
        }
        for name, names in columns.items():
            setattr(self, name, ibis.memtable(pd.DataFrame({one: [] for one in names}, dtype="string")))


def deployed(settings):
    database = Database(settings.database)
    try:
        with database.reading() as connection:
            return connection.exec_driver_sql("SELECT source, fingerprint FROM deployments ORDER BY id").fetchall()
    finally:
        database.close()


def test_a_load_deploys_the_first_promotion_and_leaves_later_ones_to_the_service(place, tmp_path):
    folder, home = load_playbook(PLAYBOOK), Home(tmp_path)
    promote(place.models, "a", version="1")
    load(Workspace(folder, home))
    first = deployed(place)
    assert [source for source, _ in first] == ["promotion"], "promote, load, serve: what is loaded is scored by it"
    promote(place.models, "b", version="2")
    load(Workspace(folder, home))
    assert deployed(place) == first
    with opened(place).client:
        assert len(deployed(place)) == 2


def test_a_load_follows_no_promotion_if_the_settings_say_so(place, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADSCORE_FOLLOW_PROMOTIONS", "false")
    promote(place.models, "a", version="1")
    load(Workspace(load_playbook(PLAYBOOK), Home(tmp_path)))
    assert deployed(place) == []


def test_a_dossier_deploys_nothing(place, tmp_path):
    store = opened(place)
    with store.client:
        store.lead(attributes={"seniority": "vp"})
    promote(place.models, "a", version="1")
    write_dossier(Workspace(load_playbook(PLAYBOOK), Home(tmp_path)), "L-1")
    assert deployed(place) == []
