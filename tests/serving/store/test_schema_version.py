"""A store knows which release made it, and one that is too new is refused in a sentence."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from serving.errors import StoreError
from serving.store import schema_version as upgrading
from serving.store.database import Database


def test_the_store_of_a_newer_release_is_refused_in_a_sentence_and_left_as_it_is(settings):
    database = Database(settings.database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9'"))
    expected = (
        r"^the store \S+ was made by a newer leadscore \(step 9, this one knows \d+\): "
        r"install that release again, or restore a backup\.$"
    )
    with pytest.raises(StoreError, match=expected) as raised:
        Database(settings.database)
    assert str(database.url.database) in str(raised.value)
    with database.writing() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9"
        connection.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": upgrading.NEWEST})
    database.close()
    Database(settings.database).close()


def test_every_step_is_known():
    folder = Path(upgrading.__file__).parent / "migrations" / "versions"
    steps = {re.search(r'^revision = "(\w+)"', path.read_text(), re.MULTILINE)[1] for path in folder.glob("[a-z]*.py")}
    assert steps == set(upgrading._KNOWN)
