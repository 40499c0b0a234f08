"""What the command line hands over: load history into the store, and serve."""

import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import uvicorn
from rich.console import Console

from data.home import Home
from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from serving.app import create_app
from serving.database import Database
from serving.ladder import Ladder
from serving.loading import Loaded, load_history
from serving.settings import Settings, settings_for

_PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Served:
    """Where the service was until it was told to stop."""

    host: str
    port: int
    database: str

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return asdict(self)

    def show(self, console: Console) -> None:
        """Say it on a console."""
        console.print(f"Stopped; every fact that was accepted is in {self.database}.", soft_wrap=True)


def load(folder: PlaybookFolder, home: Home, *, progress: Progress = silent) -> Loaded:
    """
    Load the history of a playbook into the store; what is there already stays as it is.

    Args:
        folder: the playbook and where its exports are.
        home: where local tables and models stand.
        progress: hears how far it has come.

    Raises:
        DataError: the exports cannot be read as the playbook says.
        ServingError: the store cannot be opened.
    """
    from data.warehouse import import_history  # noqa: PLC0415 - a server has no DuckDB, and needs none to serve

    settings = settings_for(folder, home)
    history = import_history(folder, home, progress=progress)
    database = Database(settings.database, busy_timeout_s=settings.busy_timeout_s)
    try:
        live = Ladder(folder, settings.models).current
        return load_history(history, database, folder=folder, live=live, progress=progress)
    finally:
        database.close()


def serve(folder: PlaybookFolder, home: Home, *, host: str | None = None, port: int | None = None) -> Served:
    """
    Serve until a signal says to stop; requests under way are answered first.

    Args:
        folder: the playbook.
        home: where local tables and models stand.
        host: address to listen on; default: as the settings say.
        port: port to listen on; default: as the settings say.

    Raises:
        LeadscoreError: the playbook, a setting or the store is not what it must be.
    """
    return run(settings_for(folder, home, host=host, port=port))


def run(settings: Settings) -> Served:
    """Serve with these settings until SIGTERM or Ctrl-C."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_S,
    )
    # uvicorn hands the signal on once it has stopped; stopping because one was told to is no failure.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
    return Served(settings.host, settings.port, str(settings.database))
