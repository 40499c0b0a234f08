"""A company that is renamed keeps what is its own, and leaves what is not leadscore's where it is."""

import shutil

import pytest

from data.atomic_files import write_whole
from data.home import DEMO, Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.bundle_company import company_fact, require_own_bundle
from models.champion import bundle_folder
from tests.training import versions
from training.commands import promote, rename
from training.errors import RegistryError
from training.registry.mlflow_registry import Registry
from training.registry.renaming import RenameError


@pytest.fixture
def workspace(tmp_path):
    """A copy of the demo's playbook for a company of its own, with a store and a note beside it."""
    shutil.copytree(DEMO, tmp_path / "playbook")
    home = Home(tmp_path / "home")
    write_whole(home.tables("demo") / "leadscore.db", "the store")
    write_whole(home.tables("demo") / "notes.txt", "mine")
    return Workspace(load_playbook(tmp_path / "playbook"), home)


def test_store_and_models_move_and_the_playbook_remembers_the_name(workspace):
    home, path = workspace.home, workspace.playbook.path
    comments = (path / "playbook.yaml").read_text().count("#")
    found = rename(workspace, name="acme")
    assert (home.tables("acme") / "leadscore.db").read_text() == "the store"
    assert found.left == (home.tables("demo") / "notes.txt",)
    assert found.left[0].read_text() == "mine"
    renamed = load_playbook(path)
    assert (renamed.business.name, renamed.business.formerly) == ("acme", ("demo",))
    assert renamed.company.is_same_as(workspace.playbook.company)
    assert (path / "playbook.yaml").read_text().count("#") == comments
    rename(Workspace(renamed, home), name="apex")
    assert load_playbook(path).business.formerly == ("demo", "acme")
    rename(Workspace(load_playbook(path), home), name="demo")
    assert load_playbook(path).business.formerly == ("acme", "apex")


@pytest.mark.parametrize("name", ["demo", "Acme", "a b", ""])
def test_a_name_that_is_none_or_not_new_is_refused(workspace, name):
    with pytest.raises(RenameError, match="is not a new name"):
        rename(workspace, name=name)


def test_the_demo_itself_is_not_renamed(workspace):
    with pytest.raises(RenameError, match="part of leadscore"):
        rename(Workspace(load_playbook(DEMO), workspace.home), name="acme")


def test_nothing_is_moved_where_the_store_is_in_use_or_the_new_place_is_taken(workspace):
    home = workspace.home
    write_whole(home.tables("demo") / "leadscore.db-wal", "")
    with pytest.raises(RenameError, match="is in use"):
        rename(workspace, name="acme")
    (home.tables("demo") / "leadscore.db-wal").unlink()
    write_whole(home.tables("acme") / "leadscore.db", "another store")
    with pytest.raises(RenameError, match="exists already"):
        rename(workspace, name="acme")
    assert (home.tables("demo") / "leadscore.db").read_text() == "the store"
    assert (home.tables("acme") / "leadscore.db").read_text() == "another store"
    assert load_playbook(workspace.playbook.path).business.name == "demo"


def test_registered_versions_and_the_champion_stay_the_company_s_under_its_new_name(workspace):
    home, playbook = workspace.home, workspace.playbook
    versions.stock(home, 1)
    promote(workspace, version="1", force=True, reason="to see")
    rename(workspace, name="acme")
    renamed, registry = load_playbook(playbook.path), Registry(home, "acme")
    assert registry.find("challenger") == registry.champion() == registry.find("1")
    assert registry.champion_alias == "1"
    assert registry.client().search_registered_models("name = 'leadscore-demo'") == []
    assert promote(Workspace(renamed, home), version="1").change is None, "it serves already"
    require_own_bundle(bundle_folder(home.models("acme"), registry.find("1").run_id), renamed.company)


def test_a_model_of_another_company_is_not_promoted(tmp_path):
    """It lies in the folder of models under this name, and its bundle says whose it is."""
    from tests.models.small import fitted, golden

    home, playbook = Home(tmp_path), load_playbook(DEMO)
    other = type(playbook.company)("globex-1", "demo")
    model, booster = fitted()
    text = booster.model_to_string()
    versions.register(
        home,
        lambda folder: versions.save_bundle(
            model, folder, lightgbm_text=text, golden=golden(), facts=company_fact(other)
        ),
    )
    with pytest.raises(Exception, match=r"belongs to the company demo \(globex-1\), and the playbook describes demo"):
        promote(Workspace(playbook, home), version="1", force=True, reason="to see")
    registry = Registry(home, "demo")
    registry.client().set_registered_model_tag("leadscore-demo", "company", '{"id": "globex-1", "name": "demo"}')
    with pytest.raises(RegistryError, match=r"globex-1"):
        registry.require_company(playbook.company)
