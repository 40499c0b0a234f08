"""What the tests of learned rules share: the small company's training set, a model of it, and its rules."""

import pytest

from data.warehouse import import_history
from training.dataset import build
from training.fitting import fit
from training.learned_rules import distil


@pytest.fixture(scope="session")
def warehouse(world):
    return import_history(world.folder, world.home)


@pytest.fixture(scope="session")
def dataset(world, warehouse):
    return build(warehouse, world.folder, world.home)[0]


@pytest.fixture(scope="session")
def model(world, dataset):
    return fit(dataset, world.folder).model.labelled(version="3", fingerprint="abcdef1234567890")


@pytest.fixture(scope="session")
def learned(world, dataset, model):
    return distil(model, dataset, world.folder)
