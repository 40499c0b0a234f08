"""
What can go wrong in the client, as a tree.

ClientError               base of every error of this package
├── InvalidUrlError       the address of the service is not an http(s) URL
├── InvalidArgumentError  an argument is not what the method takes, such as text in place of a list of ids
├── InvalidItemError      an item cannot be written as JSON; names its index and field
├── UnreachableError      the service did not answer for as long as the client had patience
└── ProblemError          the service refused; has the status, the type of problem, and what to do
"""

import re


class ClientError(Exception):
    """Base of every error of this package."""


class InvalidUrlError(ClientError):
    """The address of the service is not an http(s) URL."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url!r} is not a URL of a service: write it with its scheme, such as http://127.0.0.1:8000.")


class InvalidArgumentError(ClientError, TypeError):
    """An argument is not what the method takes."""


class InvalidItemError(ClientError, ValueError):
    """
    An item cannot be written as JSON, so its batch was not sent.

    Attributes:
        index: position of the item among those given, from 0.
        field: path of the field, such as ``attributes.employees``; empty for the item itself.
    """

    def __init__(self, index: int, field: str, problem: str) -> None:
        place = f"item {index}, {field}" if field else f"item {index}"
        super().__init__(f"{place}: {problem}.")
        self.index = index
        self.field = field


class UnreachableError(ClientError):
    """The service did not answer for as long as the client had patience."""

    def __init__(self, host: str, *, attempts: int) -> None:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"{host} did not answer in {times}: check that the service runs there and can be reached.")


class ProblemError(ClientError):
    """
    The service refused a request.

    Attributes:
        status: the HTTP status.
        type: the type of problem, a URL whose fragment is the slug.
        title: the type of problem in words.
        detail: what is wrong this time and what to do.
        retry_after_s: how long the service asks to wait before the next attempt [s]; 0 where it does not say.
    """

    def __init__(self, status: int, problem_type: str, *, title: str, detail: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{title} ({status}): {detail}")
        self.status = status
        self.type = problem_type
        self.title = title
        self.detail = detail
        self.retry_after_s = retry_after_s

    @property
    def slug(self) -> str:
        """
        The short name of the type of problem, under which docs/errors.md lists cause and cure.

        >>> ProblemError(404, "/docs/errors#unknown-lead", title="Unknown lead", detail="Send it first.").slug
        'unknown-lead'
        """
        return re.split("[#:/]", self.type)[-1]
