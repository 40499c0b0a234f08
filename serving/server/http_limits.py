"""
Bounds on what a connection may cost: time to send a request and to read its answer, and bytes before its body.

By itself uvicorn waits for ever for the rest of a request and for a caller that does not read its answer, keeps headers
of any length, and answers what is not HTTP in plain text. Here each of the first is answered with a problem (RFC 9457),
and the connection is closed; one whose caller does not read is cut off.
"""

import array
import asyncio
import fcntl
import socket
import struct
import termios
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from serving.api.problems import problem
from serving.api.security_headers import PLAIN
from serving.observability.open_connections import OpenConnections
from serving.server.graceful_shutdown import GracefulConnection

_MAX_HEAD_BYTES = 64 * 2**10
_FORGET_UNREAD = struct.pack("ii", 1, 0)


class Connection(GracefulConnection):
    """
    A connection on which a request must arrive within a minute, with at most 64 KiB before its body.

    Attributes:
        within_s: how long a request may take to arrive, from its first byte to its last.
        unread_s: how long a caller may leave an answer unread.
        look_again_s: in which time it must have read some of an answer that the system holds for it.
    """

    within_s: ClassVar[float] = 60
    unread_s: ClassVar[float] = 15
    look_again_s: ClassVar[float] = 5

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._open: OpenConnections = self.app_state["connections"]
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._unparsed_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request, if there is room."""
        super().connection_made(transport)
        if self._open.admit(self, self.client[0] if self.client else ""):
            self._expect_request()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def cut_off(self) -> None:
        """Close the connection at once, and let the system forget what its caller did not read."""
        channel: socket.socket = self.transport.get_extra_info("socket")
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET_UNREAD)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._open.forget(self)
        self._stop_waiting()
        self._stop_unread()
        self._stop_looking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start to wait for the caller to read what was sent."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.unread_s, self.cut_off)

    def resume_writing(self) -> None:
        """Stop waiting: the caller reads."""
        self._stop_unread()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse the bytes; reject those that add up to more than a head without becoming a request."""
        self._expect_request()
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self._unparsed_bytes > _MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Wait for the rest of this request, which may follow another in the same bytes."""
        self._expect_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start to answer, unless the head is too long or does not name one host (RFC 9112, section 3.2)."""
        self._unparsed_bytes = 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > _MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            raise ValueError  # ends the parsing
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            self._refuse(HTTPStatus.BAD_REQUEST)
            raise ValueError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, whose size the app bounds."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: the request is here."""
        self._unparsed_bytes = 0
        self._stop_waiting()
        self._open.has_request(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._open.is_answered(self)
        super().on_response_complete()
        self._stop_looking()
        self._look = self.loop.call_later(self.unread_s, self._look_for_unread, None)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, in plain text
        """Answer what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _expect_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.within_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_for_unread(self, before: int | None) -> None:
        """Cut off a caller of whose answer the system still holds as much as before: the caller does not read."""
        held = _held_by_the_system(self.transport.get_extra_info("socket"))
        if held and held == before:
            self.cut_off()
        elif held:
            self._look = self.loop.call_later(self.look_again_s, self._look_for_unread, held)

    def _give_up(self) -> None:
        """Close a connection whose request did not arrive in time, unless an earlier one is still being answered."""
        self._deadline = None
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif cycle.more_body:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        if not self.transport.is_closing():
            self._open.refused[status] += 1
            self.transport.write(_REFUSALS[status])
            self.transport.close()


def _held_by_the_system(channel: socket.socket) -> int:
    """Return how many bytes were written to a connection that its other side has not taken; 0 where nobody can say."""
    held = array.array("i", [0])
    try:
        fcntl.ioctl(channel.fileno(), termios.TIOCOUTQ, held)
    except OSError:
        return 0
    return held[0]


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    """Return a whole HTTP response, for requests that never reach the app."""
    response = problem(status.phrase.lower().replace(" ", "-"), status.phrase, status=status, detail=detail)
    headers = [*response.raw_headers, *PLAIN, (b"connection", b"close")]
    lines = [f"HTTP/1.1 {status} {status.phrase}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", bytes(response.body)])


_REFUSALS = {
    status: _refusal(status, detail)
    for status, detail in {
        HTTPStatus.BAD_REQUEST: "The request is not HTTP as RFC 9112 defines it.",
        HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive within a minute: send it again, or send less at once.",
        HTTPStatus.SERVICE_UNAVAILABLE: "The service has as many connections as it takes: try again in a few seconds.",
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The address and headers are longer than 64 KiB: shorten them.",
    }.items()
}
