"""
Connections of callers that are slow, endless or not HTTP: each is told so in a problem, and closed.

By itself uvicorn waits for ever for the rest of a request, keeps headers of any length, and answers in plain text what
is not HTTP.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.api.problems import problem
from serving.api.security_headers import PLAIN

_LONGEST_HEAD_BYTES = 64 * 2**10


class Connection(HttpToolsProtocol):
    """
    A connection that a request must arrive on within a minute, with at most 64 KiB before its body.

    Attributes:
        within_s: how long a request may take to arrive, from its first byte to its last.
    """

    within_s: ClassVar[float] = 60

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._is_arriving = True
        self._head_bytes = self._unread_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._is_arriving = False
        self._watch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived; whatever adds up without becoming a request is refused."""
        self._is_arriving = True
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > _LONGEST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._watch()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._is_arriving = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which uvicorn keeps as one."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the app begin to answer."""
        self._unread_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; the app says when it is too large."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._is_arriving = False
        self._unread_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours says it in our words
        """Answer what is not HTTP, or has too long a head."""
        is_long = self._head_bytes > _LONGEST_HEAD_BYTES
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if is_long else HTTPStatus.BAD_REQUEST)

    def _count(self, size: int) -> None:
        self._unread_bytes = 0
        self._head_bytes += size
        if self._head_bytes > _LONGEST_HEAD_BYTES:
            raise ValueError

    def _watch(self) -> None:
        """Wait for the rest of a request, as long as there is one."""
        if not self._is_arriving and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif self._is_arriving and self._deadline is None:
            self._deadline = self.loop.call_later(self.within_s, self._end)

    def _end(self) -> None:
        """Close a connection whose request did not arrive in time; one that is being answered goes on."""
        self._deadline = None
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.more_body and not cycle.response_complete
        if self.transport.is_closing() or is_answering:
            return
        if cycle is not None and cycle.response_started:
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        self.transport.write(_REFUSALS[status])
        self.transport.close()


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    """Write a whole answer, for what no app will ever see."""
    answer = problem(status.phrase.lower().replace(" ", "-"), status.phrase, status=status, detail=detail)
    headers = [*answer.raw_headers, *PLAIN, (b"connection", b"close")]
    lines = [f"HTTP/1.1 {status} {status.phrase}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", bytes(answer.body)])


_REFUSALS = {
    status: _refusal(status, detail)
    for status, detail in {
        HTTPStatus.BAD_REQUEST: "This is not HTTP as RFC 9112 has it.",
        HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive within a minute: send it again, or send less at once.",
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The address and headers are longer than 64 KiB: send less there.",
    }.items()
}
