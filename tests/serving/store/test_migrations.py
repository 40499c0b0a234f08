"""A store of the first release comes up to date and goes back, on both engines, and loses nothing but names."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, insert, inspect, select, text

from serving.store.database import Database
from serving.store.migrating import take_back
from serving.store.migrations.versions.clear_names import _COLUMNS, _TABLES
from serving.store.schema_version import upgrade
from serving.store.tables import metadata

FIRST_RELEASE = "2"
NAMED = {(_TABLES.get(table, table), old.strip('"')): new for table, old, new in _COLUMNS}
LEAD = {"lead_id": "L-1"}


@pytest.fixture
def first_release(engine, request, tmp_path):
    """The address of a store as the first release made it, with rows in every table."""
    url = f"sqlite:///{tmp_path / 'old.db'}" if engine == "sqlite" else request.getfixturevalue("postgres").fresh()
    writer = create_engine(url)
    with writer.begin() as connection:
        upgrade(connection, FIRST_RELEASE)
    tables = MetaData()
    tables.reflect(writer)
    with writer.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows = [filled(table, number) for number in range(1, 4)]
                connection.execute(insert(table), rows)
    writer.dispose()
    return url


def filled(table, number):
    """Fill every column of a row, so that rows of different tables refer to each other."""
    row = {}
    for column in table.columns:
        if column.name == "is_above":
            row[column.name] = number % 2
        elif column.type.python_type is bytes:
            row[column.name] = bytes([number])
        elif column.type.python_type is str:
            row[column.name] = f"text {number}"
        else:
            row[column.name] = column.type.python_type(number)
    return row


IDENTITY = {"store_id", "epoch", "secret"}
"""What a store is given when it is opened, whatever its step."""


def content(url):
    """Read every row of every table, by the newest names of tables and columns."""
    engine, tables = create_engine(url), MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            _TABLES.get(table.name, table.name): [
                {NAMED.get((_TABLES.get(table.name, table.name), name), name): value for name, value in row.items()}
                for row in connection.execute(select(table).order_by(*table.columns)).mappings()
            ]
            for table in tables.sorted_tables
        }
    engine.dispose()
    rows.pop("alembic_version")
    rows["store_state"] = [row for row in rows["store_state"] if row["name"] not in IDENTITY]
    return rows


def known_then(rows, before):
    """Leave out the columns that rows did not have before."""
    return [{name: row[name] for name in before[0]} for row in rows]


def shape(url):
    """Describe the tables: columns with type, default and nullability, keys, indexes and checks."""
    engine = create_engine(url)
    found = inspect(engine)
    described = {
        table: (
            [{**column, "type": str(column["type"])} for column in found.get_columns(table)],
            found.get_pk_constraint(table),
            sorted(map(str, found.get_foreign_keys(table))),
            sorted(re.sub(r"<.*? object at \w+>", "", str(index)) for index in found.get_indexes(table)),
            sorted(map(str, found.get_unique_constraints(table))),
            sorted(map(str, found.get_check_constraints(table))),
        )
        for table in found.get_table_names()
    }
    engine.dispose()
    return described


def test_a_store_of_the_first_release_keeps_every_row_on_the_way_up_and_back(first_release):
    before, shape_before = content(first_release), shape(first_release)
    assert all(len(rows) == 3 for rows in before.values())
    Database(first_release).close()
    after = content(first_release)
    assert {table: known_then(after[table], rows) for table, rows in before.items()} == before
    assert {table for table, rows in after.items() if rows} == set(before)
    assert set(_TABLES).isdisjoint(shape(first_release))
    take_back(first_release, FIRST_RELEASE)
    assert content(first_release) == before
    assert shape(first_release) == shape_before


def test_numbers_go_on_counting_where_the_first_release_ended(first_release):
    database = Database(first_release)
    entry = {"noted_at": 0, "actor": "ada", "action": "keys.create", "target": "k"}
    with database.writing() as connection:
        if database.dialect == "postgres":
            connection.execute(text("SELECT setval('audit_log_id_seq', 3)"))
        connection.execute(insert(metadata.tables["audit_log"]).values(entry))
        numbers = connection.execute(select(metadata.tables["audit_log"].c.id)).scalars().all()
    database.close()
    assert sorted(numbers) == [1, 2, 3, 4]


def test_the_newest_step_makes_the_tables_that_the_code_works_with(settings):
    database = Database(settings.database)
    with database.writing() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()
    assert differences == []


def test_names_of_constraints_and_indexes_follow_their_tables(settings):
    """On PostgreSQL all of them; SQLite keeps the names of constraints that a table was made with."""
    database = Database(settings.database)
    with database.reading() as connection:
        found = inspect(connection)
        indexes = {index["name"] for table in metadata.tables for index in found.get_indexes(table)}
        keys = {found.get_pk_constraint(table)["name"] for table in metadata.tables}
    database.close()
    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= indexes
    if database.dialect == "postgres":
        assert keys == {str(table.primary_key.name) for table in metadata.tables.values()}
