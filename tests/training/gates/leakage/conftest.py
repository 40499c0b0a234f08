"""What the gates against leakage know of the small company beside its history and training set."""

import pytest


@pytest.fixture(scope="session")
def playbook(world):
    return world.playbook.business
