"""
Headers that every answer carries, and our own words where the framework refuses a body in its own.

It stands before everything else that handles a request, so no answer leaves without them, not even a mistake of ours.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import too_large
from serving.errors import TooLargeError

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
PLAIN = [*_ALWAYS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
_DOCS_FROM = (
    b"default-src 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data: https://fastapi.tiangolo.com; "
    b"script-src https://cdn.jsdelivr.net 'unsafe-inline'; style-src https://cdn.jsdelivr.net 'unsafe-inline'"
)
_DOCS = [*_ALWAYS, (b"content-security-policy", _DOCS_FROM)]
_DOCS_PATH = "/docs"
_WORDS = (b"content-type", b"text/plain; charset=utf-8")


class SecurityHeaders:
    """
    Add the headers to the answers of an app.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the app."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _DOCS if scope["path"] == _DOCS_PATH else PLAIN
        is_replaced = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start":
                is_replaced = message["status"] == TooLargeError.status and _WORDS in message["headers"]
                if is_replaced:
                    await too_large()(scope, receive, send_guarded)
                    is_replaced = True
                    return
                message["headers"] = [*message["headers"], *headers]
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, send_guarded)
