"""
Takes a store back to what an earlier release knows: ``python -m serving.store.migrating STEP``.

The store is the one that ``LEADSCORE_DATABASE`` names, since an address may hold a password. Stop the service first.
"""

import os
import sys

from rich.console import Console

from data.errors import LeadscoreError
from serving.errors import SettingsError
from serving.settings import database_url
from serving.store.database import Database
from serving.store.schema_version import downgrade

STEPS = ("1", "2")
_USER_MISTAKE = 2


def take_back(url: str, step: str) -> str:
    """
    Take a store back; what only later steps know is lost.

    Args:
        url: the store.
        step: how far.

    Returns:
        Where the store is, without its password.

    Raises:
        SettingsError: there is no such step.
        StoreError: the store cannot be opened.
    """
    if step not in STEPS:
        message = f"a store can be taken back to step {' or '.join(STEPS)}; no other is known here."
        raise SettingsError(message)
    database = Database(url)
    try:
        with database.writing() as connection:
            downgrade(connection, step)
        return database.display_url
    finally:
        database.close()


def main() -> None:
    """Do what the command line asks."""
    named, given = os.environ.get("LEADSCORE_DATABASE"), sys.argv[1:]
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not named or len(given) != 1:
        console.print("Name the store in LEADSCORE_DATABASE and give the step: python -m serving.store.migrating 1")
        sys.exit(_USER_MISTAKE)
    try:
        shown = take_back(database_url(named), given[0])
    except (LeadscoreError, ValueError) as error:
        console.print(str(error), markup=False)
        sys.exit(_USER_MISTAKE)
    console.print(f"{shown} is at step {given[0]}: start the release that knows it.", markup=False)


if __name__ == "__main__":
    main()
