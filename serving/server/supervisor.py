"""Several processes at one address: uvicorn's supervisor, which replaces the ones that die."""

import logging
import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

_LOG = logging.getLogger("leadscore.serving")


class Supervisor(Multiprocess):
    """
    Keep ``config.workers`` processes answering at one address until a signal stops the service.

    The listening socket is this process's, so callers can connect whichever of the others dies.

    Args:
        config: of every process; it is pickled to them, so passwords never stand on a command line.
        sockets: where callers connect.
        address: what the log calls that place.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], *, address: str) -> None:
        super().__init__(config, sockets)
        self._address = address
        self._is_announced = False

    def keep_subprocess_alive(self) -> None:
        """Replace processes that died, and announce the address as soon as every process answers."""
        for process in self.processes:
            process.child_conn.close()  # this end is the process's own: while it is open here, its death goes unnoticed
        super().keep_subprocess_alive()
        if not self._is_announced and all(process.is_ready() for process in self.processes):
            self._is_announced = True
            _LOG.info("Listening on %s with %d processes", self._address, len(self.processes))

    def terminate_all(self) -> None:
        """Close the listening socket, so that nobody connects any more, then stop every process."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()
