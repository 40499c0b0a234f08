"""The service that the clients talk to: as the service's own tests start it, on SQLite."""

import pytest

from tests.serving.conftest import process, read_once, settings, store, template_file

__all__ = ["engine", "process", "read_once", "settings", "store", "template_file"]


@pytest.fixture
def engine():
    """What a client sees does not depend on the engine under the store."""
    return "sqlite"
