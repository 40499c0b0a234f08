"""`leadscore deploy` puts a bundle into the store or sends it to a service, and refuses what makes no sense."""

import io

import pytest
from rich.console import Console

from data.home import Home
from data.words.playbook import load_playbook
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
def workspace(tmp_path, monkeypatch):
    """A workspace of its own in which a model was promoted."""
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    promoted = Workspace(load_playbook(PLAYBOOK), Home(tmp_path))
    promote(promoted.home.models("demo"), "run", version="4")
    return promoted


def deployed(workspace):
    database = Database(settings_for(workspace).database)
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


def printed(result):
    console = Console(file=io.StringIO(), width=200)
    result.show(console)
    return console.file.getvalue()


def test_what_was_promoted_is_put_into_the_store(workspace):
    found = deploy(workspace)
    champion = deployed(workspace)["champion"]
    assert (champion.scorer, champion.deployed_by, champion.source) == (found.scorer, "ann", "deploy")
    assert found.scorer.version == "4"
    assert found.as_json() == {
        "role": "champion",
        "scorer": {"kind": "model", "name": "leadscore-test", "version": "4", "fingerprint": found.scorer.fingerprint},
        "where": str(settings_for(workspace).database).removeprefix("sqlite:///"),
    }
    assert "leadscore-test 4 answers in every process" in printed(found)


def test_a_bundles_folder_can_be_a_shadow_and_be_removed(workspace, tmp_path):
    found = deploy(workspace, version=bundle_in(tmp_path / "two"), shadow=True)
    assert deployed(workspace)["shadow"].scorer.fingerprint == fingerprint_of("two", 2) == found.scorer.fingerprint
    assert "its scores are only recorded" in printed(found)
    removed = deploy(workspace, shadow=False)
    assert deployed(workspace)["shadow"].scorer is None
    assert removed.as_json()["scorer"] is None
    assert "any longer" in printed(removed)


def test_over_http_the_same(workspace, store, tmp_path, monkeypatch):
    secret = key_in(store.service.database, ("models:write",))

    def client(url, key):
        assert url == "http://leads"
        return Client(url, key=key, http=store.client)

    monkeypatch.setattr("leadscore_client.Client", client)
    store.client.headers.pop("Authorization")
    found = deploy(workspace, to="http://leads", key=secret)
    assert store.service.active_scorer.current.scorer.id == found.scorer
    assert found.where == "http://leads"
    deploy(workspace, version=bundle_in(tmp_path / "two"), shadow=True, to="http://leads", key=secret)
    assert store.service.active_scorer.shadow.scorer.id.fingerprint == fingerprint_of("two", 2)
    deploy(workspace, shadow=False, to="http://leads", key=secret)
    assert store.service.active_scorer.shadow is None
    with pytest.raises(ServingError, match="may not do this"):
        deploy(workspace, to="http://leads", key=key_in(store.service.database, ("scores:read",)))
    assert not (workspace.home.tables("demo") / "leadscore.db").exists(), "nothing was opened here"


@pytest.mark.parametrize("is_deployed", [True, False])
def test_a_champion_cannot_be_its_own_shadow(workspace, is_deployed):
    """Neither one that is in force on the store, nor one that a service has yet to follow."""
    if is_deployed:
        deploy(workspace)
    before = deployed(workspace)
    with pytest.raises(ServingError, match="a champion cannot be its own shadow: name another bundle"):
        deploy(workspace, version="champion", shadow=True)
    assert deployed(workspace) == before


def test_a_service_refuses_its_champion_as_shadow(workspace, store, monkeypatch):
    secret = key_in(store.service.database, ("models:write",))
    monkeypatch.setattr("leadscore_client.Client", lambda url, key: Client(url, key=key, http=store.client))
    store.client.headers.pop("Authorization")
    deploy(workspace, to="http://leads", key=secret)
    with pytest.raises(ServingError, match="a champion cannot be its own shadow"):
        deploy(workspace, version="champion", shadow=True, to="http://leads", key=secret)
    assert store.service.active_scorer.shadow is None


def test_what_was_promoted_may_be_the_shadow_of_another_champion(workspace, tmp_path):
    deploy(workspace, version=bundle_in(tmp_path / "two"))
    shadow = deploy(workspace, version="champion", shadow=True)
    assert deployed(workspace)["shadow"].scorer == shadow.scorer


def test_a_damaged_bundle_is_refused_here_and_says_why(workspace, tmp_path):
    broken = bundle_in(tmp_path / "two")
    (tmp_path / "two" / "trees.json").write_text("{}")
    with pytest.raises(ModelError, match=r"trees\.json has sha256"):
        deploy(workspace, version=broken)
    assert not (workspace.home.tables("demo") / "leadscore.db").exists()


def test_options_that_make_no_sense_are_refused(workspace, tmp_path):
    with pytest.raises(ServingError, match="leave --version out"):
        deploy(workspace, version="4", shadow=False)
    with pytest.raises(ModelError, match="no bundle is called"):
        deploy(workspace, version="99")
    with pytest.raises(NoChampionError, match="leadscore promote"):
        deploy(Workspace(workspace.playbook, Home(tmp_path / "empty")))


def test_a_bundle_that_cannot_answer_on_the_store_is_not_kept(workspace, monkeypatch):
    def refuse(*_given):
        message = "its features do not run on a store"
        raise ModelError(message)

    monkeypatch.setattr(deploy_commands, "admit_scorer", refuse)
    with pytest.raises(ModelError, match="do not run"):
        deploy(workspace)
    assert deployed(workspace) == {}
