"""What the command line hands over: load history into the store, and serve."""

import errno
import logging
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import uvicorn
from rich.console import Console
from sqlalchemy import make_url

from data.home import Home
from data.playbook import PlaybookFolder
from data.progress import Progress, silent
from serving.app import create_app
from serving.connections import Connection
from serving.database import Database
from serving.errors import AddressError
from serving.ladder import Ladder
from serving.loading import Loaded, load_history
from serving.settings import Settings, settings_for

_LOG = logging.getLogger("uvicorn.error")  # where the server says everything else about its start
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
        live = Ladder(folder, settings, database=database).current
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
    """
    Serve with these settings until SIGTERM or Ctrl-C.

    Raises:
        AddressError: nobody can listen there; nothing else was touched then.
    """
    with listening(settings.host, settings.port) as listener:
        config = uvicorn.Config(
            create_app(settings),
            http=Connection,
            ws="none",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
        port = listener.getsockname()[1]
        _LOG.info("Listening on %s (Press CTRL+C to quit)", _address(settings.host, port))
        # uvicorn hands the signal on once it has stopped; stopping because one was told to is no failure.
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return Served(settings.host, port, make_url(settings.database).render_as_string(hide_password=True))


def listening(host: str, port: int) -> socket.socket:
    """
    Listen at an address, before anything that takes time.

    Args:
        host: name or address of this machine.
        port: 0 takes a free one.

    Raises:
        AddressError: another program listens there, or the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)  # a name may have several
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise AddressError(_no_listening(host, port, error)) from None


def _no_listening(host: str, port: int, error: Exception) -> str:
    """Say why nobody can listen at an address and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken: another program listens there. "
            "Stop it, or give a free port with --port or LEADSCORE_PORT."
        )
    if number == errno.EACCES:
        return (
            f"port {port} of {host} may not be listened on by this user: "
            "give one from 1024 up with --port or LEADSCORE_PORT."
        )
    said = error.strerror if isinstance(error, OSError) else "no such name"
    return (
        f"{host} is not an address that this machine can listen on ({said}): "
        "give one of its own with --host or LEADSCORE_HOST, such as 127.0.0.1."
    )


def _address(host: str, port: int) -> str:
    """
    Write where the service is.

    >>> _address("127.0.0.1", 8000), _address("::1", 8000)
    ('http://127.0.0.1:8000', 'http://[::1]:8000')
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
