"""What tests of training share: the small company's history and training set, and registries that need not be made."""

import contextlib
import shutil

import pytest

from data.importing.warehouse import import_history
from data.workspace import Workspace
from training.dataset.dataset_builder import build_dataset
from training.registry.mlflow_registry import Registry


@pytest.fixture(scope="session")
def warehouse(world):
    return import_history(Workspace(world.playbook, world.home))


@pytest.fixture(scope="session")
def dataset(world, warehouse):
    return build_dataset(warehouse, Workspace(world.playbook, world.home))[0]


@pytest.fixture(scope="session", autouse=True)
def fresh_registries(tmp_path_factory):
    """MLflow takes three seconds to make a database: from the second on, an empty one is a copy of the first."""
    blank = tmp_path_factory.mktemp("blank") / "mlflow.db"
    opened = Registry.client

    def client(self):
        database = self.home.registry / "mlflow.db"
        new = not database.exists()
        if new and blank.exists():
            with contextlib.suppress(OSError):  # what is refused here is refused again, and told, where it is opened
                database.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(blank, database)
        found = opened(self)
        if new and not blank.exists():
            shutil.copyfile(database, blank)
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Registry, "client", client)
        yield
