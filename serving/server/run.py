"""Running the service: in this process, or in several that answer at one address; each answers what it began."""

import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

import uvicorn
from rich.console import Console
from sqlalchemy import make_url

from serving.api.auth import check_open
from serving.app import create_app
from serving.errors import AddressError
from serving.observability.logs import write_logs
from serving.server.graceful_shutdown import Server
from serving.server.http_limits import Connection
from serving.server.supervisor import Supervisor
from serving.settings import Settings
from serving.store.database import Database

_LOG = logging.getLogger("leadscore.serving")
_TURN_S = 0.00003
"""How long the worker's thread may compute while an answer waits for its turn; Python's own 5 ms show in answers."""
_KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection, so that none is closed just as a request sets out."""
_STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class ServeResult:
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


@dataclass
class StopSignal:
    """
    What a signal does: it says once that the service is to stop; more of them change nothing.

    Attributes:
        act: what is to be done then; nothing yet while the service starts.
    """

    is_wanted: bool = False
    act: Callable[[], None] | None = None

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Hear a signal."""
        if not self.is_wanted:
            self.is_wanted = True
            if self.act is not None:
                self.act()

    def then(self, act: Callable[[], None]) -> None:
        """Say what to do; it is done at once where the signal has come already."""
        self.act = act
        if self.is_wanted:
            act()


def hear_stops() -> StopSignal:
    """Let SIGTERM and Ctrl-C stop the service, and do nothing else to this process from now on."""
    stop = StopSignal()
    for number in _STOPS:
        signal.signal(number, stop)
    return stop


def run(settings: Settings) -> ServeResult:
    """
    Serve with these settings until SIGTERM or Ctrl-C; requests that were begun are answered first.

    Raises:
        AddressError: nobody can listen there; nothing else was touched then.
        SettingsError: keys are off and others than this machine could listen.
        StoreError: the store cannot be opened.
        ServingError: none of several processes could answer.
    """
    write_logs(settings.log_format)
    stop = hear_stops()
    with listening(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        _LOG.info("Listening on %s (Press CTRL+C to quit)", _address(settings.host, port))
        if settings.workers == 1:
            answer_on(listener, settings, stop=stop)
        else:
            _share(listener, settings, stop=stop)
    return ServeResult(settings.host, port, make_url(settings.database).render_as_string(hide_password=True))


def answer_on(
    listener: socket.socket, settings: Settings, *, stop: StopSignal, on_ready: Callable[[], None] = lambda: None
) -> None:
    """
    Answer in this process until it is to stop.

    Args:
        listener: where callers arrive.
        settings: the settings.
        stop: hears when.
        on_ready: is called as soon as callers are answered.
    """
    sys.setswitchinterval(_TURN_S)
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what stays for ever is not looked through again: that would take a tenth of a second of some answer
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    server = Server(config, app.state.stopping, within_s=settings.drain_s, on_ready=on_ready)
    stop.then(server.stop)
    server.run(sockets=[listener])


def _share(listener: socket.socket, settings: Settings, *, stop: StopSignal) -> None:
    """Let several processes answer; what would stop each of them is found out here, and tables are made once."""
    check_open(settings)
    Database(settings.database, busy_timeout_s=settings.busy_timeout_s).close()
    crew = Supervisor(settings, listener)
    stop.then(crew.stop)
    crew.work()


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
