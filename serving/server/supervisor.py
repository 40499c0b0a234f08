"""Several processes at one address: uvicorn's supervisor, which replaces the ones that die or stand still."""

import logging
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from serving.server.watchdog import notify_systemd

_LOG = logging.getLogger("leadscore.serving")
_SILENT_S = 5
"""How long a process that answered once may leave the supervisor without a sign of life."""


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
        self._is_announced = False

    def keep_subprocess_alive(self) -> None:
        """Replace processes that died or stand still, and announce the address as soon as every process answers."""
        before = list(self.processes)
        for process in before:
            process.child_conn.close()  # this end is the process's own: while it is open here, its death goes unnoticed
            self._check(process)
        is_ready = self._ready.issuperset(before)
        self.config.timeout_worker_healthcheck = _SILENT_S if is_ready else self._start_within_s
        super().keep_subprocess_alive()
        self._report(set(before).difference(self.processes))
        notify_systemd("WATCHDOG=1")
        if is_ready and not self._is_announced:
            self._is_announced = True
            notify_systemd("READY=1")
            _LOG.info("Listening on %s with %d processes", self._address, len(self.processes))

    def terminate_all(self) -> None:
        """Close the listening socket, so that nobody connects any more, then stop every process."""
        notify_systemd("STOPPING=1")
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def _check(self, process: Process) -> None:
        """Note that a process answers; kill one that answered once and is silent now, so that it is replaced."""
        if process not in self._ready:
            if process.is_ready(_SILENT_S):
                self._ready.add(process)
        elif not process.ping(_SILENT_S):
            process.process.kill()

    def _report(self, replaced: set[Process]) -> None:
        self._ready -= replaced
        for process in replaced:
            self._count_replaced()
            reason = f"ended with code {process.exitcode}, or was ended since it gave no sign of life for {_SILENT_S} s"
            _LOG.error("Process %s %s; another one takes its place", process.pid, reason)
