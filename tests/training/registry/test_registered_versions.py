"""What is read from MLflow's database without MLflow is what MLflow itself says."""

import shutil

import pytest

from data.home import Home
from training.errors import RegistryError, UnknownVersionError
from training.registry.mlflow_registry import Registry
from training.registry.registered_versions import CHALLENGER, find_version, registry_database


@pytest.fixture
def home(world, trained, tmp_path):
    """A home of its own with the same registered version."""
    shutil.copytree(world.home.registry, tmp_path / "models" / "store")
    return Home(tmp_path)


def test_a_version_is_found_by_alias_and_by_number_as_mlflow_finds_it(home, trained):
    client, name = Registry(home, "demo").client(), "leadscore-demo"
    for wanted, version in (
        (CHALLENGER, client.get_model_version_by_alias(name, CHALLENGER)),
        (trained.version, client.get_model_version(name, trained.version)),
    ):
        found = find_version(home, "demo", wanted)
        assert (found.version, found.run_id) == (str(version.version), version.run_id)
        assert found.fingerprint == version.tags["bundle_fingerprint"] == trained.fingerprint


def test_a_deleted_version_is_not_found(home, trained):
    Registry(home, "demo").client().delete_model_version("leadscore-demo", trained.version)
    for wanted in (CHALLENGER, trained.version):
        with pytest.raises(UnknownVersionError, match=f"has no version {wanted}"):
            find_version(home, "demo", wanted)


@pytest.mark.parametrize("wanted", ["99", "9" * 30, "champion", "nobody", "' OR 1=1 --", "-1", "1.0"])
def test_a_version_that_does_not_exist_is_a_sentence(home, wanted):
    with pytest.raises(UnknownVersionError, match="run leadscore train first, or name one that exists"):
        find_version(home, "demo", wanted)


@pytest.mark.parametrize("wanted", ["", " "])
def test_no_version_is_a_sentence(home, wanted):
    with pytest.raises(UnknownVersionError, match="No version is named"):
        find_version(home, "demo", wanted)


def test_the_model_of_another_playbook_is_not_found(home):
    with pytest.raises(UnknownVersionError, match="leadscore-other has no version challenger"):
        find_version(home, "other", CHALLENGER)


def test_without_a_registry_no_version_is_found_and_none_is_made(tmp_path):
    with pytest.raises(UnknownVersionError):
        find_version(Home(tmp_path), "demo", CHALLENGER)
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_was_only_begun_has_no_version(tmp_path):
    database = registry_database(Home(tmp_path))
    database.parent.mkdir(parents=True)
    database.touch()
    with pytest.raises(UnknownVersionError):
        find_version(Home(tmp_path), "demo", CHALLENGER)


def test_a_damaged_registry_is_a_sentence(home):
    registry_database(home).write_bytes(b"no database" * 1_000)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used \(.*\): restore it from a backup"):
        find_version(home, "demo", CHALLENGER)
