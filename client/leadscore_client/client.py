"""The two clients: all that tells them apart is how they send, wait and iterate."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

import httpx
from tenacity import AsyncRetrying, Retrying

from leadscore_client.api import Api
from leadscore_client.call import Answer, Call
from leadscore_client.errors import InvalidUrlError
from leadscore_client.operations import AsyncRunner, BlockingRunner, PagedList, Pages, Plan
from leadscore_client.retrying import answer_of, retry_options

T = TypeVar("T")


class Client(Api, BlockingRunner):
    """
    Synchronous client for the leadscore API; a context manager. Not thread-safe.

    A request that fails in passing is sent again: where no answer came, and where the service answers "later" (429,
    502, 503, 504, and 409 while the same request is still being answered). Pauses double, and the service may lengthen
    them with ``Retry-After``. Every other refusal raises `ProblemError` at once. Requests that change something carry
    an ``Idempotency-Key`` that stays the same when they are sent again, so nothing is stored twice.

    Args:
        url: the address of the service, such as ``http://127.0.0.1:8000``; a path behind the host is kept.
        key: an API key; None sends none.
        timeout_s: how long one attempt may take [s].
        patience_s: how long a request that fails in passing is sent again [s]; the default outlasts a restart.
        http: an httpx client to use in place of a new one, for proxies or certificates; it is not closed.

    Raises:
        InvalidUrlError: the address has no scheme or no host.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 30,
        patience_s: float = 60,
        http: httpx.Client | None = None,
    ) -> None:
        self._url = _checked(url)
        self._headers = _headers(key)
        self._retrying = retry_options(patience_s)
        self._owns_http = http is None
        self._http = http or httpx.Client(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._http.close()

    def run(self, plan: Plan[T]) -> T:
        """Send the requests of an operation one after the other, and return its result."""
        try:
            call = next(plan)
            while True:
                call = plan.send(self._send(call))
        except StopIteration as end:
            result: T = end.value
            return result

    def entries(self, paged: PagedList[T]) -> Iterator[T]:
        """Iterate over the entries of a list; each page is requested when it is reached."""
        pages = Pages(paged)
        while pages.call is not None:
            yield from pages.read(self._send(pages.call))

    def _send(self, call: Call) -> Answer:
        request = _request(self._http, self._url, call=call, headers=self._headers)
        answer: Answer = Retrying(**self._retrying)(lambda: answer_of(self._http.send(request)))
        return answer


class AsyncClient(Api, AsyncRunner):
    """
    Asynchronous client for the leadscore API; an async context manager, with the arguments and methods of `Client`.

    Raises:
        InvalidUrlError: the address has no scheme or no host.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 30,
        patience_s: float = 60,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = _checked(url)
        self._headers = _headers(key)
        self._retrying = retry_options(patience_s)
        self._owns_http = http is None
        self._http = http or httpx.AsyncClient(timeout=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def run(self, plan: Plan[T]) -> T:
        """Send the requests of an operation one after the other, and return its result."""
        try:
            call = next(plan)
            while True:
                call = plan.send(await self._send(call))
        except StopIteration as end:
            result: T = end.value
            return result

    async def entries(self, paged: PagedList[T]) -> AsyncIterator[T]:
        """Iterate over the entries of a list; each page is requested when it is reached."""
        pages = Pages(paged)
        while pages.call is not None:
            for entry in pages.read(await self._send(pages.call)):
                yield entry

    async def _send(self, call: Call) -> Answer:
        request = _request(self._http, self._url, call=call, headers=self._headers)

        async def attempt() -> Answer:
            return answer_of(await self._http.send(request))

        return await AsyncRetrying(**self._retrying)(attempt)


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise InvalidUrlError(url) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InvalidUrlError(url)
    return url.rstrip("/")


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _request(http: httpx.Client | httpx.AsyncClient, url: str, *, call: Call, headers: dict[str, str]) -> httpx.Request:
    """Build a request once, so that every attempt carries the same body and idempotency key."""
    own = {"Content-Type": call.media_type} if call.body is not None else {}
    if call.changes:
        own["Idempotency-Key"] = uuid4().hex
    query = call.given_query or None
    return http.build_request(call.method, f"{url}{call.path}", content=call.body, params=query, headers=headers | own)
