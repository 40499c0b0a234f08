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
S = TypeVar("S")
A = TypeVar("A")
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


class Method(Generic[P, S, A]):
    """A method of both clients, made of a function with its arguments that describes what to request."""

    def __init__(self, describe: Callable[P, Any], runner: str) -> None:
        self._describe = describe
        self._runner = runner

    @overload
    def __get__(self, client: BlockingRunner, owner: type) -> Callable[P, S]: ...
    @overload
    def __get__(self, client: AsyncRunner, owner: type) -> Callable[P, A]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Any]: ...
    def __get__(self, client: BlockingRunner | AsyncRunner | None, owner: type) -> Callable[P, Any]:
        """Return the method of a client, or the function where the class is asked."""
        describe = self._describe
        if client is None:
            return describe

        @wraps(describe)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return getattr(client, self._runner)(describe(*args, **kwargs))

        return method


def operation(plan: Callable[P, Plan[T]]) -> Method[P, T, Awaitable[T]]:
    """Return the method that sends the requests of a plan and returns its result."""
    return Method(plan, "run")


def listing(paged: Callable[P, PagedList[T]]) -> Method[P, Iterator[T], AsyncIterator[T]]:
    """Return the method that iterates over a list of the service."""
    return Method(paged, "entries")
