"""What the gates against leakage know of the small company beside its history and training set."""

import pytest

from tests.training.gates.leakage.when_written import known_history_of


@pytest.fixture(scope="session")
def playbook(world):
    return world.playbook.business


@pytest.fixture(scope="session")
def known_history(world, warehouse):
    return known_history_of(world.playbook, warehouse)
