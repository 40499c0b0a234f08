"""A store is one company's: the first that opens it, and no other one's after that."""

from dataclasses import replace

import pytest
from sqlalchemy import insert

from data.company_identity import CompanyIdentity
from data.errors import IntakeError
from data.home import Home
from data.operational_store import OperationalStore
from data.words.playbook import load_playbook
from data.workspace import Workspace
from serving.app import open_service
from serving.errors import ExportError, OtherStoreError
from serving.feedback.export import export
from serving.store.database import Database
from serving.store.migrating import take_back
from serving.store.store_company import claim_store, company_of_store
from serving.store.tables import leads
from serving.verbs.opened_store import opened_store
from tests.serving.conftest import PLAYBOOK

ACME, GLOBEX = CompanyIdentity("acme-1", "acme"), CompanyIdentity("globex-1", "globex")


@pytest.fixture
def database(settings):
    opened = Database(settings.database)
    yield opened
    opened.close()


def recorded(database):
    with database.reading() as connection:
        return company_of_store(connection)


def test_a_new_store_belongs_to_whoever_opens_it_first_and_says_nothing(database):
    assert recorded(database) is None
    assert claim_store(database, ACME) == ""
    assert recorded(database) == ACME
    assert claim_store(database, ACME) == ""


def test_a_store_of_an_earlier_release_is_adopted_and_says_so(database):
    with database.writing() as connection:
        connection.execute(insert(leads).values(lead_id="L-1"))
    assert claim_store(database, ACME).endswith("did not say whose it is, and is now that of acme (acme-1).")
    assert claim_store(database, ACME) == ""


@pytest.mark.parametrize("other", [GLOBEX, replace(ACME, id="acme-2"), replace(ACME, name="globex")])
def test_another_company_is_refused_and_both_are_named(database, other):
    claim_store(database, ACME)
    with pytest.raises(OtherStoreError) as raised:
        claim_store(database, other)
    assert ACME.shown in str(raised.value)
    assert other.shown in str(raised.value)
    assert recorded(database) == ACME


def test_a_renamed_company_is_known_by_its_former_name(database):
    claim_store(database, ACME)
    renamed = CompanyIdentity("acme-1", "apex", formerly=("acme",))
    assert claim_store(database, renamed).endswith("of acme (acme-1) is now called that of apex.")
    assert recorded(database) == renamed
    with pytest.raises(OtherStoreError):
        claim_store(database, ACME)


def test_going_back_forgets_the_company_and_loses_nothing_else(database, settings):
    with database.writing() as connection:
        connection.execute(insert(leads).values(lead_id="L-1"))
    claim_store(database, ACME)
    take_back(settings.database, "3")
    again = Database(settings.database)
    try:
        assert recorded(again) is None
        assert "did not say whose it is" in claim_store(again, GLOBEX), "its lead is still there"
    finally:
        again.close()


def test_the_service_refuses_the_store_of_another_company(database, settings):
    claim_store(database, ACME)
    with pytest.raises(OtherStoreError, match=r"belongs to the company acme \(acme-1\)"):
        open_service(settings)


def test_verbs_and_readers_refuse_it_too(database, settings, tmp_path, monkeypatch):
    claim_store(database, ACME)
    monkeypatch.setenv("LEADSCORE_DATABASE", settings.database)
    playbook = load_playbook(PLAYBOOK)
    with pytest.raises(OtherStoreError), opened_store(Workspace(playbook, Home(tmp_path))):
        pass
    store = OperationalStore(database.url.render_as_string(hide_password=False))
    with store.moment() as moment, pytest.raises(IntakeError, match="belongs to the company acme"):
        store.require_company(moment, playbook.company)
    with store.moment() as moment:
        store.require_company(moment, ACME)


def test_an_export_of_another_company_s_store_is_not_brought_up_to_date(database, tmp_path):
    business = load_playbook(PLAYBOOK).business
    claim_store(database, ACME)
    export(database, business, tmp_path / "out")
    other = Database(str(tmp_path / "other.db"))
    try:
        claim_store(other, GLOBEX)
        with pytest.raises(ExportError, match=r"belongs to the company acme \(acme-1\)"):
            export(other, business, tmp_path / "out")
    finally:
        other.close()
