"""The store of a workspace, open for as long as a verb works on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from data.workspace import Workspace
from serving.settings import Settings, settings_for
from serving.store.database import Database
from serving.store.store_company import claim_store


def announce(sentence: str) -> None:
    """Print on stderr what became of the store, if anything did."""
    if sentence:
        Console(stderr=True).print(sentence, soft_wrap=True, markup=False, highlight=False)


@contextmanager
def opened_store(workspace: Workspace) -> Iterator[tuple[Settings, Database]]:
    """
    Open the store that the settings name, and close it at the end.

    Raises:
        ServingError: a setting is invalid, or the store cannot be opened, or is another company's.
    """
    settings = settings_for(workspace)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s, ledger=settings.ledger_file)
    try:
        announce(claim_store(database, workspace.playbook.company))
        yield settings, database
    finally:
        database.close()
