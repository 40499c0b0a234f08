"""
Watchdogs: a process whose event loop stands still is ended, with what it was doing in the log.

The timer is the interpreter's own (`faulthandler`), so it also ends a process that is stuck in compiled code. Who
started the process starts another one: our supervisor, systemd or the container's runtime.
"""

import asyncio
import faulthandler
import os
import socket
from contextlib import suppress

STUCK_S = 5.0
"""How long an event loop may stand still."""
_BEAT_S = 1.0
BEAT_PATIENCE_S = 0.1
"""How long a sign of life waits for room: the next one follows within a second."""


async def send_heartbeats() -> None:
    """Put off the end of this process once a second, for ever, and report to systemd that it is alive."""
    try:
        while True:
            faulthandler.dump_traceback_later(STUCK_S, exit=True)
            notify_systemd("WATCHDOG=1", patience_s=BEAT_PATIENCE_S)
            await asyncio.sleep(_BEAT_S)
    finally:
        faulthandler.cancel_dump_traceback_later()


def notify_systemd(state: str, *, patience_s: float = 10) -> None:
    """
    Report the state of the service to systemd, where systemd started it and waits for that (sd_notify(3)).

    What systemd has no room for, since it reads nothing, is dropped: the service does not stand still for that.

    Args:
        state: such as ``READY=1``.
        patience_s: how long to wait for room.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(patience_s)
            with suppress(TimeoutError):
                channel.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
