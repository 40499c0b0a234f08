"""
Security headers on every response, and a problem in place of the plain text with which the framework refuses a body.

This layer stands before everything else that handles a request, so no response lacks the headers.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.documentation import ASSETS_PATH, DOCS_PATH, SCRIPT_HASH
from serving.api.problems import too_large
from serving.errors import TooLargeError

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
_NOT_STORED = (b"cache-control", b"no-store")
_NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; connect-src 'self'; "
    f"img-src 'self' data:; script-src 'self' '{SCRIPT_HASH}'; style-src 'self' 'unsafe-inline'"
)
PLAIN = [*_ALWAYS, _NOT_STORED, _NOTHING]
_PAGES = [*_ALWAYS, _NOT_STORED, (b"content-security-policy", _PAGE.encode())]
_ASSETS = [*_ALWAYS, (b"cache-control", b"public, max-age=31536000, immutable"), _NOTHING]
_PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_OK = 200


def _headers_of(path: str, status: int) -> list[tuple[bytes, bytes]]:
    if not path.startswith(DOCS_PATH) or status != _OK:
        return PLAIN
    return _ASSETS if path.startswith(ASSETS_PATH) else _PAGES


class SecurityHeaders:
    """Adds the headers to the responses of an app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request with the app."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        is_replaced = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start":
                is_replaced = message["status"] == TooLargeError.status and _PLAIN_TEXT in message["headers"]
                if is_replaced:
                    await too_large()(scope, receive, send_guarded)
                    is_replaced = True
                    return
                message["headers"] = [*message["headers"], *_headers_of(path, message["status"])]
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, send_guarded)
