"""The tables of a store on PostgreSQL that a backup replaces: moved into a schema of their own, and kept there."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from serving.backup.engine_copy import VERSION_TABLE
from serving.store.database import Database
from serving.store.tables import metadata

_NAMES = [*(table.name for table in metadata.sorted_tables), VERSION_TABLE]
_PRESENT = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema AND tablename = ANY (:names)")


class ReplacedTables:
    """
    The tables that were there.

    Args:
        database: the store.
        schema: a name that no schema has yet.
    """

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self.schema = schema
        with database.reading() as connection:
            self._home = str(connection.execute(text("SELECT current_schema()")).scalar_one())

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Move them out of the way while others take their place; unless that ends well, they move back."""
        with self._database.writing() as connection:
            connection.execute(text(f'CREATE SCHEMA "{self.schema}"'))
            _move(connection, self._home, self.schema)
        is_done = False
        try:
            yield
            is_done = True
        finally:
            if not is_done:
                self._put_back()

    def _put_back(self) -> None:
        with self._database.writing() as connection:
            _move(connection, self.schema, self._home)
            connection.execute(text(f'DROP SCHEMA "{self.schema}"'))


def _move(connection: Connection, source: str, target: str) -> None:
    """Move the store's tables from one schema to another; their indexes and sequences go with them."""
    present = connection.execute(_PRESENT, {"schema": source, "names": _NAMES}).scalars().all()
    for name in present:
        connection.execute(text(f'ALTER TABLE "{source}"."{name}" SET SCHEMA "{target}"'))
