"""A server that ends well: whoever has begun a request is answered, and nobody is let in only to be turned away."""

import asyncio
import ctypes
import logging
import select
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from serving.observability.request_log import ShutdownState

_LOG = logging.getLogger("leadscore.serving")
_GRACE_S = 2.0
"""How long an idle connection stays open, since a request may be on its way on it."""
_LOOK_S = 0.02
_MOST_TURNS = 1000
_ATTACH_FILTER = 26
_DROP_ALL = (0x06, 0, 0, 0)


class Server(uvicorn.Server):
    """
    The server of one process.

    Args:
        config: what uvicorn is told.
        stopping: what the app looks at to know whether the end has begun.
        within_s: how long requests may still take once it has.
        on_ready: is called as soon as callers are answered.
    """

    def __init__(
        self, config: uvicorn.Config, stopping: ShutdownState, *, within_s: float, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._within_s = within_s
        self._on_ready = on_ready

    def stop(self) -> None:
        """Begin the end: from now on every answer closes its connection."""
        self._stopping.has_begun = True
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this server."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let in who stands at the door, close it, and answer everybody inside."""
        _LOG.info("Told to stop: what was begun is answered first")
        await self._close_door(sockets or [])
        try:
            await asyncio.wait_for(self._answer_all(), self._within_s)
        except TimeoutError:
            late = list(self.server_state.tasks)
            _LOG.error("%d requests took longer than %g s and are given up", len(late), self._within_s)
            for task in late:
                task.cancel()
        await self.lifespan.shutdown()

    async def _close_door(self, listeners: list[socket.socket]) -> None:
        for listener in listeners:
            turn_away(listener)
        for _ in range(_MOST_TURNS):
            if not _readable(listener.fileno() for listener in listeners):
                break
            await asyncio.sleep(0)  # one turn of the loop lets in all who wait
        for server in self.servers:
            server.close()
        for listener in listeners:
            listener.close()
        await asyncio.sleep(0)

    async def _answer_all(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _GRACE_S
        while self.server_state.connections or self.server_state.tasks:
            if loop.time() >= until:
                self._close_idle()
            await asyncio.sleep(_LOOK_S)

    def _close_idle(self) -> None:
        """Close connections on which nothing was begun, unless something has just arrived."""
        idle = {_fileno(one): one for one in self.server_state.connections if is_idle(one)}
        for number in idle.keys() - _readable(idle):
            idle[number].transport.close()


def is_idle(connection: Any) -> bool:
    """Say whether a connection of uvicorn's has neither begun to send a request nor waits for its answer."""
    cycle = connection.cycle
    if cycle is None:
        return connection.scope is None
    return cycle.response_complete and cycle.scope is connection.scope


def turn_away(listener: socket.socket) -> None:
    """
    Let nobody new connect, while those who are connected and not let in yet can still be.

    Closing a listening socket resets them. On Linux a filter that drops what arrives keeps newcomers out first: their
    systems try again, and then learn that nobody listens. Elsewhere a moment remains in which somebody may be reset.
    """
    code = ctypes.create_string_buffer(struct.pack("HBBI", *_DROP_ALL))
    program = struct.pack("HL", 1, ctypes.addressof(code))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


def _readable(numbers: Iterable[int]) -> set[int]:
    """Give those file descriptors that have something to read."""
    poll = select.poll()
    for number in numbers:
        poll.register(number, select.POLLIN)
    return {number for number, _ in poll.poll(0)}


def _fileno(connection: Any) -> int:
    found: int = connection.transport.get_extra_info("socket").fileno()
    return found
