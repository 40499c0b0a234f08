"""The store of a workspace, open for as long as a verb works on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from data.workspace import Workspace
from serving.settings import Settings, settings_for
from serving.store.database import Database


@contextmanager
def opened_store(workspace: Workspace) -> Iterator[tuple[Settings, Database]]:
    """
    Open the store that the settings name, and close it at the end.

    Raises:
        ServingError: a setting is invalid, or the store cannot be opened.
    """
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        yield settings, database
    finally:
        database.close()
