"""The small company's history and training set, built once for all who only look at them."""

import pytest

from data.warehouse import import_history
from training.dataset import build


@pytest.fixture(scope="session")
def warehouse(world):
    return import_history(world.folder, world.home)


@pytest.fixture(scope="session")
def dataset(world, warehouse):
    return build(warehouse, world.folder, world.home)[0]
