"""Running the service: in this process, or in several that answer at one address."""

import errno
import logging
import math
import os
import re
import resource
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from sqlalchemy import make_url

from data.words.playbook import load_playbook
from serving.api.auth import check_open
from serving.errors import AddressError, SettingsError
from serving.observability.logs import write_logs
from serving.observability.prometheus import SHARED_FOLDER
from serving.server.http_limits import Connection
from serving.server.member import Replacements, member_app, tuned_app
from serving.server.supervisor import Supervisor
from serving.server.watchdog import notify_systemd
from serving.settings import Settings
from serving.store.database import Database

_LOG = logging.getLogger("leadscore.serving")
_KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection, so that none is closed just as a request sets out."""
_METRICS_FOLDER = "leadscore-metrics-"
_MADE_BY = re.compile(rf"{_METRICS_FOLDER}([0-9]{{1,9}})-\w+")
_OTHER_DESCRIPTORS = 200
"""Files of the store, of the metrics and of threads, beside the connections."""
_START_WITHIN_S = 300
"""How long a process may take to start: a hundred times what it takes on a quiet machine."""


@dataclass(frozen=True, slots=True)
class ServeResult:
    """Where the service was until it was stopped."""

    host: str
    port: int
    database: str

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return asdict(self)

    def show(self, console: Console) -> None:
        """Print the result on a console."""
        console.print(f"Stopped; every fact that was accepted is in {self.database}.", soft_wrap=True)


def run(settings: Settings) -> ServeResult:
    """
    Serve until SIGTERM or Ctrl-C; requests that were begun are answered first.

    Raises:
        SettingsError: keys are off and others than this machine could connect.
        AddressError: nobody can listen at the address; nothing else was touched then.
        PlaybookError: the playbook has mistakes.
        StoreError: the store cannot be opened.
    """
    check_open(settings)
    write_logs(settings.log_format)
    _allow_descriptors(settings.connections + _OTHER_DESCRIPTORS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until uvicorn takes over, and once it has finished
    with listening(settings.host, settings.port) as listener, suppress(KeyboardInterrupt):
        port = listener.getsockname()[1]
        if settings.workers == 1:
            _serve_alone(settings, listener, address=_address(settings.host, port))
        else:
            _serve_together(settings, listener, address=_address(settings.host, port))
    return ServeResult(settings.host, port, make_url(settings.database).render_as_string(hide_password=True))


def _allow_descriptors(count: int) -> None:
    """
    Raise the limit of open files and connections, of this process and of those it starts.

    Raises:
        SettingsError: the system allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != hard < count:
        message = (
            f"The system allows a process {hard:,} open files, and LEADSCORE_CONNECTIONS needs {count:,}: "
            "raise LimitNOFILE (or ulimit -n), or set fewer connections."
        )
        raise SettingsError(message)
    if resource.RLIM_INFINITY != soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Server(uvicorn.Server):
    """uvicorn's server, which announces in the log where callers connect once it answers there."""

    def __init__(self, config: uvicorn.Config, *, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        notify_systemd("READY=1")
        _LOG.info("Listening on %s", self._address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, and finish what was begun."""
        notify_systemd("STOPPING=1")
        await super().shutdown(sockets)


def _serve_alone(settings: Settings, listener: socket.socket, *, address: str) -> None:
    Server(_config(settings, partial(tuned_app, settings)), address=address).run([listener])


def _serve_together(settings: Settings, listener: socket.socket, *, address: str) -> None:
    """Serve from several processes, after what would stop each of them was tried once here."""
    load_playbook(settings.playbook)
    Database(settings.database, busy_timeout_s=settings.busy_timeout_s, ledger=settings.ledger_file).close()
    delete_abandoned_folders()
    with tempfile.TemporaryDirectory(prefix=f"{_METRICS_FOLDER}{os.getpid()}-") as folder:
        os.environ[SHARED_FOLDER] = folder
        replaced = Replacements()
        config = _config(settings, partial(member_app, settings, replaced))
        Supervisor(config, [listener], address=address, count_replaced=replaced.add_one).run()


def delete_abandoned_folders() -> None:
    """Delete the metrics of services of this user that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_METRICS_FOLDER}*"):
        made = _MADE_BY.fullmatch(folder.name)
        is_ours = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
        if made and is_ours and not _runs(int(made[1])) and all(file.suffix == ".db" for file in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


def _config(settings: Settings, app: Callable[[], FastAPI]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=True,
        workers=settings.workers,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.drain_s),
        timeout_worker_healthcheck=_START_WITHIN_S,
    )


def listening(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens at an address of this machine; port 0 takes a free one.

    Callers can connect from here on; they are answered once the app stands behind it.

    Raises:
        AddressError: another program listens there, or the address is not this machine's.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(
            addresses, key=lambda entry: entry[0] != socket.AF_INET
        )  # a name may have several
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise AddressError(_no_listening(host, port, error)) from None


def _no_listening(host: str, port: int, error: Exception) -> str:
    """Return why nobody can listen at an address, and what to do."""
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
    reason = error.strerror if isinstance(error, OSError) else "no such name"
    return (
        f"{host} is not an address that this machine can listen on ({reason}): "
        "give one of its own with --host or LEADSCORE_HOST, such as 127.0.0.1."
    )


def _address(host: str, port: int) -> str:
    """
    Return the URL of the service.

    >>> _address("127.0.0.1", 8000), _address("::1", 8000)
    ('http://127.0.0.1:8000', 'http://[::1]:8000')
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
