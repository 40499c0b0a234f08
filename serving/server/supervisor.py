"""Several processes at one address: uvicorn's supervisor, which replaces the ones that die or stand still."""

import logging
import socket
import time
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from serving.server.watchdog import BEAT_PATIENCE_S, notify_systemd

_LOG = logging.getLogger("leadscore.serving")
_SILENT_S = 5
"""How long a process that answered once may leave the supervisor without a sign of life."""
_GLANCE_S = 0.1
"""How long a process that starts is looked at: systemd and the other processes are not kept waiting for it."""


class Supervisor(Multiprocess):
    """
    Keep ``config.workers`` processes answering at one address until a signal stops the service.

    The listening socket is this process's, so callers can connect whichever of the others dies. The configuration is
    pickled to them, so passwords never stand on a command line.

    Args:
        count_replaced: called for each process that is replaced.
    """

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], *, address: str, count_replaced: Callable[[], None]
    ) -> None:
        super().__init__(config, sockets)
        self._address = address
        self._count_replaced = count_replaced
        self._start_within_s = config.timeout_worker_healthcheck
        self._ready: set[Process] = set()
        self._starting: dict[Process, float] = {}
        self._asked: set[Process] = set()
        self._is_announced = False

    def keep_subprocess_alive(self) -> None:
        """Replace processes that died or stand still, and announce the address as soon as every process answers."""
        before = list(self.processes)
        for process in before:
            process.child_conn.close()  # this end is the process's own: while it is open here, its death goes unnoticed
            self._check(process)
        is_ready = self._ready.issuperset(before)
        starting = [process for process in before if process not in self._ready and process.process.is_alive()]
        self.processes = [process for process in before if process not in starting]
        self.config.timeout_worker_healthcheck = _SILENT_S
        super().keep_subprocess_alive()
        self.config.timeout_worker_healthcheck = self._start_within_s  # SIGHUP gives new processes so long
        self.processes += starting
        self._report(set(before).difference(self.processes))
        notify_systemd("WATCHDOG=1", patience_s=BEAT_PATIENCE_S)
        if is_ready and not self._is_announced:
            self._is_announced = True
            _LOG.info("Listening on %s with %d processes", self._address, len(self.processes))
            notify_systemd("READY=1")

    def terminate_all(self) -> None:
        """Close the listening socket, so that nobody connects any more, then stop every process."""
        notify_systemd("STOPPING=1")
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def _check(self, process: Process) -> None:
        """Note that a process answers; kill one that never does, or that did and is silent now, so it is replaced."""
        if process in self._ready:
            if not process.ping(_SILENT_S):
                process.process.kill()
        elif self._has_started(process):
            self._ready.add(process)
        elif time.monotonic() - self._starting.setdefault(process, time.monotonic()) > self._start_within_s:
            process.process.kill()

    def _has_started(self, process: Process) -> bool:
        """Return whether a process answers; it is asked again only once it has said that it does not yet."""
        try:
            if process not in self._asked:
                process.parent_conn.send(b"ping")
                self._asked.add(process)
            if not process.parent_conn.poll(_GLANCE_S):
                return False
            self._asked.discard(process)
            return process.parent_conn.recv() is True
        except (OSError, EOFError):  # it has ended
            return False

    def _report(self, replaced: set[Process]) -> None:
        self._ready -= replaced
        self._asked -= replaced
        for process in replaced:
            self._starting.pop(process, None)
            self._count_replaced()
            reason = f"ended with code {process.exitcode}, or was ended since it gave no sign of life for {_SILENT_S} s"
            _LOG.error("Process %s %s; another one takes its place", process.pid, reason)
