"""The test server is a real PostgreSQL: databases are separate, and committed rows outlive a kill."""

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.postgres import start_postgres


def test_each_fresh_database_is_reached_by_its_url_and_apart_from_the_others(postgres):
    first, second = create_engine(postgres.fresh()), create_engine(postgres.fresh())
    with first.begin() as connection:
        connection.execute(text("CREATE TABLE leads (lead_id text)"))
    with second.begin() as connection:
        assert connection.execute(text("SELECT to_regclass('leads')")).scalar() is None
        assert connection.execute(text("SHOW fsync")).scalar() == "on"
    first.dispose()
    second.dispose()


def test_a_copy_of_a_database_holds_its_tables(postgres):
    postgres.create("original")
    with psycopg.connect(postgres.libpq("original")) as connection:
        connection.execute("CREATE TABLE leads AS SELECT 'ann' AS lead_id")
    postgres.create("copy", template="original")
    with psycopg.connect(postgres.libpq("copy")) as connection:
        assert connection.execute("SELECT lead_id FROM leads").fetchone() == ("ann",)
    postgres.drop("copy")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.libpq("copy"))


def test_what_was_committed_outlives_a_kill():
    server = start_postgres()
    try:
        with psycopg.connect(server.uri) as connection:
            connection.execute("CREATE TABLE facts AS SELECT 7 AS fact")
        connected = psycopg.connect(server.uri)
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            connected.execute("SELECT 1")
        connected.close()
        server.start()
        with psycopg.connect(server.uri) as connection:
            assert connection.execute("SELECT fact FROM facts").fetchone() == (7,)
    finally:
        server.close()
    assert not server.data.exists()
