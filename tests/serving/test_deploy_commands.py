"""`leadscore deploy` hands a bundle to the store or to a service; what it cannot mean it refuses."""

import io

import pytest
from rich.console import Console

from data.home import Home
from data.playbook import load_playbook
from data.workspace import Workspace
from leadscore_client import Client
from models.champion import NoChampionError
from models.errors import ModelError
from serving.errors import ServingError
from serving.scorers.deployments import deployments_in_force
from serving.settings import settings_for
from serving.store.database import Database
from serving.verbs import deploy as deploy_commands
from serving.verbs.deploy import deploy
from tests.serving.bundles import files_of, fingerprint_of
from tests.serving.conftest import PLAYBOOK, key_in, promote


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Give a playbook and a home of its own in which a model was promoted."""
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    folder, home = load_playbook(PLAYBOOK), Home(tmp_path)
    promote(home.models("demo"), "run", version="4")
    return Workspace(folder, home)


def deployed(place):
    database = Database(settings_for(place).database)
    try:
        with database.reading() as connection:
            return deployments_in_force(connection)
    finally:
        database.close()


def bundle_in(folder, name="two", seed=2):
    folder.mkdir()
    for file, content in files_of(name, seed).items():
        (folder / file).write_bytes(content)
    return str(folder)


def said(found):
    console = Console(file=io.StringIO(), width=200)
    found.show(console)
    return console.file.getvalue()


def test_what_was_promoted_is_handed_to_the_store(place):
    found = deploy(place)
    champion = deployed(place)["champion"]
    assert (champion.scorer, champion.deployed_by, champion.source) == (found.scorer, "ann", "deploy")
    assert found.scorer.version == "4"
    assert found.as_json() == {
        "role": "champion",
        "scorer": {"kind": "model", "name": "leadscore-test", "version": "4", "fingerprint": found.scorer.fingerprint},
        "where": str(settings_for(place).database).removeprefix("sqlite:///"),
    }
    assert "leadscore-test 4 answers in every process" in said(found)


def test_a_bundles_folder_can_be_a_shadow_and_be_taken_away(place, tmp_path):
    found = deploy(place, version=bundle_in(tmp_path / "two"), shadow=True)
    assert deployed(place)["shadow"].scorer.fingerprint == fingerprint_of("two", 2) == found.scorer.fingerprint
    assert "routes none" in said(found)
    gone = deploy(place, shadow=False)
    assert deployed(place)["shadow"].scorer is None
    assert gone.as_json()["scorer"] is None
    assert "any longer" in said(gone)


def test_over_http_the_same(place, store, tmp_path, monkeypatch):
    secret = key_in(store.service.database, ("models:write",))

    def client(url, key):
        assert url == "http://leads"
        return Client(url, key=key, http=store.client)

    monkeypatch.setattr("leadscore_client.Client", client)
    store.client.headers.pop("Authorization")
    found = deploy(place, to="http://leads", key=secret)
    assert store.service.active_scorer.current.scorer.id == found.scorer
    assert found.where == "http://leads"
    deploy(place, version=bundle_in(tmp_path / "two"), shadow=True, to="http://leads", key=secret)
    assert store.service.active_scorer.shadow.scorer.id.fingerprint == fingerprint_of("two", 2)
    deploy(place, shadow=False, to="http://leads", key=secret)
    assert store.service.active_scorer.shadow is None
    with pytest.raises(ServingError, match="may not do this"):
        deploy(place, to="http://leads", key=key_in(store.service.database, ("scores:read",)))
    assert not (place.home.tables("demo") / "leadscore.db").exists(), "nothing was opened here"


def test_a_damaged_bundle_is_refused_here_and_says_why(place, tmp_path):
    broken = bundle_in(tmp_path / "two")
    (tmp_path / "two" / "trees.json").write_text("{}")
    with pytest.raises(ModelError, match=r"trees\.json has sha256"):
        deploy(place, version=broken)
    assert not (place.home.tables("demo") / "leadscore.db").exists()


def test_what_cannot_be_meant_is_refused(place, tmp_path):
    with pytest.raises(ServingError, match="leave --version out"):
        deploy(place, version="4", shadow=False)
    with pytest.raises(ModelError, match="no bundle goes by"):
        deploy(place, version="99")
    with pytest.raises(NoChampionError, match="leadscore promote"):
        deploy(Workspace(place.playbook, Home(tmp_path / "empty")))


def test_a_bundle_that_cannot_answer_on_the_store_is_not_kept(place, monkeypatch):
    def refuse(*_given):
        message = "its features cannot be asked of a store"
        raise ModelError(message)

    monkeypatch.setattr(deploy_commands, "admit_scorer", refuse)
    with pytest.raises(ModelError, match="cannot be asked"):
        deploy(place)
    assert deployed(place) == {}
