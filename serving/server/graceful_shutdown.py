"""Connections that end well: every request a caller has begun to send is answered before its connection closes."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.observability.request_log import ShutdownState

_GRACE_S = 2.0
"""How long an idle connection stays open once the service is stopping, since a request may be on its way on it."""


class GracefulConnection(HttpToolsProtocol):
    """
    A connection that announces its end before it closes.

    By itself uvicorn closes idle connections the moment it is stopped, and a request that is on its way on one of them
    is lost. Here such a request is answered with ``Connection: close``.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._shutdown_state: ShutdownState = self.app_state.get("shutdown") or ShutdownState()

    def shutdown(self) -> None:
        """Begin to end: uvicorn calls this on every connection once it is stopped."""
        self._shutdown_state.has_begun = True
        if self._is_idle():
            self.loop.call_later(_GRACE_S, self._close_if_idle)
        elif self.cycle is not None:
            self.cycle.keep_alive = False

    def on_headers_complete(self) -> None:
        """Start to answer; once the service is stopping, this answer is the connection's last."""
        super().on_headers_complete()
        if self._shutdown_state.has_begun:
            self.cycle.keep_alive = False

    def _is_idle(self) -> bool:
        """Return whether no request has begun to arrive and none waits for its answer."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return self.scope is None
        return cycle.response_complete and cycle.scope is self.scope

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()
