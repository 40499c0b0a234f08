"""
Methods that are written once and work in both clients.

An operation is a generator function: it yields requests, is sent the answers, and returns the result. The synchronous
client runs it at once, the asynchronous one when it is awaited. A listing returns a `PagedList`, over which the one
client iterates with ``for`` and the other with ``async for``.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, overload

from leadscore_client.batching import MAX_ITEMS
from leadscore_client.call import Answer, Call

P = ParamSpec("P")
T = TypeVar("T")
Plan = Generator[Call, Answer, T]


@dataclass(frozen=True, slots=True)
class PagedList(Generic[T]):
    """
    A list that the service returns page by page.

    Attributes:
        call: the request, without ``limit`` and ``cursor``.
        name: the field of the answer that holds the entries.
        limit: how many entries to read at most; None means all.
    """

    call: Call
    name: str
    limit: int | None = None


class Pages(Generic[T]):
    """
    The state of one iteration over a `PagedList`.

    Attributes:
        call: the request for the next page; None after the last one.
    """

    def __init__(self, paged: PagedList[T]) -> None:
        self._paged = paged
        self._left = paged.limit
        self.call: Call | None = None
        self._turn_to(None)

    def read(self, answer: Answer) -> list[T]:
        """Return the entries of a page, and turn to the page that its ``next`` names."""
        entries: list[T] = answer[self._paged.name]
        if self._left is not None:
            self._left -= len(entries)
        self.call = None
        if answer.get("next") and entries:
            self._turn_to(answer["next"])
        return entries

    def _turn_to(self, cursor: str | None) -> None:
        size = MAX_ITEMS if self._left is None else min(MAX_ITEMS, self._left)
        if size > 0:
            query = {**self._paged.call.query, "limit": size, "cursor": cursor}
            self.call = replace(self._paged.call, query=query)


class BlockingRunner(ABC):
    """What runs operations and returns their results."""

    @abstractmethod
    def run(self, plan: Plan[T]) -> T:
        """Run an operation."""

    @abstractmethod
    def entries(self, paged: PagedList[T]) -> Iterator[T]:
        """Iterate over a list."""


class AsyncRunner(ABC):
    """What runs operations when they are awaited."""

    @abstractmethod
    async def run(self, plan: Plan[T]) -> T:
        """Run an operation."""

    @abstractmethod
    def entries(self, paged: PagedList[T]) -> AsyncIterator[T]:
        """Iterate over a list."""


class Operation(Generic[P, T]):
    """
    A method of both clients, made of a function that plans its requests.

    Args:
        plan: the function; its arguments are the method's.
    """

    def __init__(self, plan: Callable[P, Plan[T]]) -> None:
        self._plan = plan

    @overload
    def __get__(self, client: BlockingRunner, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncRunner, owner: type) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Plan[T]]: ...
    def __get__(self, client: BlockingRunner | AsyncRunner | None, owner: type) -> Callable[P, Any]:
        """Return the method of a client, or the function where the class is asked."""
        plan = self._plan
        if client is None:
            return plan

        @wraps(plan)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.run(plan(*args, **kwargs))

        return method


class Listing(Generic[P, T]):
    """
    A method of both clients that iterates over a list of the service.

    Args:
        paged: a function that returns the list; its arguments are the method's.
    """

    def __init__(self, paged: Callable[P, PagedList[T]]) -> None:
        self._paged = paged

    @overload
    def __get__(self, client: BlockingRunner, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: AsyncRunner, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, PagedList[T]]: ...
    def __get__(self, client: BlockingRunner | AsyncRunner | None, owner: type) -> Callable[P, Any]:
        """Return the method of a client, or the function where the class is asked."""
        paged = self._paged
        if client is None:
            return paged

        @wraps(paged)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.entries(paged(*args, **kwargs))

        return method
