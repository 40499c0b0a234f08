"""What tests of features share: a store on PostgreSQL."""

import pytest

from tests.features.worlds import postgres_store


@pytest.fixture(scope="module")
def live(postgres, request):
    """A PostgreSQL database with the store's tables, empty before and after each question."""
    name = f"live_{request.module.__name__.rpartition('.')[2]}"
    postgres.create(name)
    with postgres_store(postgres.libpq(name)) as store:
        yield store
