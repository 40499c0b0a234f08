"""
Takes a store back to the tables of an earlier release: ``python -m serving.store.migrating STEP``.

``LEADSCORE_DATABASE`` names the store, since its address may hold a password. Stop the service first.
"""

import os
import sys

from rich.console import Console

from data.errors import LeadscoreError
from serving.errors import SettingsError
from serving.settings import database_url
from serving.store.database import Database
from serving.store.schema_version import downgrade

EARLIER_STEPS = ("1", "2", "3", "4", "5")
_USER_MISTAKE = 2


def take_back(url: str, step: str) -> str:
    """
    Take a store back to an earlier step, and return where it is; what only later steps store is lost.

    Raises:
        SettingsError: there is no such step.
        StoreError: the store cannot be opened.
    """
    if step not in EARLIER_STEPS:
        *others, last = EARLIER_STEPS
        message = f"a store can be taken back to step {', '.join(others)} or {last}; there is no other earlier step."
        raise SettingsError(message)
    database = Database(url)
    try:
        with database.writing() as connection:
            downgrade(connection, step)
        return database.display_url
    finally:
        database.close()


def main() -> None:
    """Run the command line."""
    address, arguments = os.environ.get("LEADSCORE_DATABASE"), sys.argv[1:]
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not address or len(arguments) != 1:
        console.print("Name the store in LEADSCORE_DATABASE, then run: python -m serving.store.migrating 2")
        sys.exit(_USER_MISTAKE)
    try:
        where = take_back(database_url(address), arguments[0])
    except (LeadscoreError, ValueError) as error:
        console.print(str(error), markup=False)
        sys.exit(_USER_MISTAKE)
    console.print(f"{where} is at step {arguments[0]}: start the release that knows it.", markup=False)


if __name__ == "__main__":
    main()
