"""What the tests of learned rules share: the small company's training set, a model of it, and its rules."""

import pytest

from data.importing.warehouse import import_history
from data.workspace import Workspace
from training.dataset.dataset_builder import build_dataset
from training.distillation.distillation import distil
from training.fitting.fit import fit


@pytest.fixture(scope="session")
def warehouse(world):
    return import_history(Workspace(world.playbook, world.home))


@pytest.fixture(scope="session")
def dataset(world, warehouse):
    return build_dataset(warehouse, Workspace(world.playbook, world.home))[0]


@pytest.fixture(scope="session")
def model(world, dataset):
    return fit(dataset, world.playbook).model.labelled(version="3", fingerprint="abcdef1234567890")


@pytest.fixture(scope="session")
def learned(world, dataset, model):
    return distil(model, dataset, world.playbook)
