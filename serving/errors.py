"""
What can go wrong in serving, as a tree.

ServingError               the service cannot do what it was asked
├── SettingsError          a setting cannot be meant
├── AddressError           nobody can listen where the service was told to
├── StoreError             the store cannot be opened
├── UnreachableError       (client) the service does not answer
├── ProblemError           (client) the service refused; says its status and the kind of problem
└── RequestError           a caller asked for what cannot be; each says its HTTP status
    ├── UnreadableError    400  the body is not JSON
    ├── UnknownLeadError   404  nobody has told us of this lead, or not yet at that instant
    ├── ConflictError      409  this id is taken by other content
    ├── TooLargeError      413  the body is larger than any honest one
    └── InvalidError       422  the JSON is not what was expected
"""

from typing import ClassVar

from data.errors import LeadscoreError


class ServingError(LeadscoreError):
    """The service cannot do what it was asked."""


class SettingsError(ServingError):
    """A setting cannot be meant."""


class AddressError(ServingError):
    """Nobody can listen where the service was told to."""


class StoreError(ServingError):
    """The store cannot be opened."""


class UnreachableError(ServingError):
    """The service does not answer a client."""

    def __init__(self, where: str, attempts: int) -> None:
        super().__init__(
            f"{where} did not answer in {attempts} attempts: check that the service runs there and can be reached."
        )


class ProblemError(ServingError):
    """
    The service refused what a client asked for.

    Attributes:
        status: the HTTP status.
        type: the kind of problem, such as ``urn:leadscore:unknown-lead``.
        title: the kind of problem in words.
        detail: what is wrong this time and what to do.
    """

    def __init__(self, status: int, kind: str, *, title: str, detail: str) -> None:
        super().__init__(f"{title} ({status}): {detail}")
        self.status = status
        self.type = kind
        self.title = title
        self.detail = detail

    @property
    def slug(self) -> str:
        """Give the last part of the kind, such as ``unknown-lead``."""
        return self.type.rpartition(":")[2]


class RequestError(ServingError):
    """A caller asked for what cannot be; its message never repeats what the caller sent, but for a well-formed id."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"


class UnreadableError(RequestError):
    """The body is not JSON."""

    slug = "unreadable"
    title = "The body is not JSON"


class UnknownLeadError(RequestError):
    """Nobody has told us of this lead, or not yet at that instant."""

    status = 404
    slug = "unknown-lead"
    title = "This lead is not known"


class ConflictError(RequestError):
    """This id is taken by other content."""

    status = 409
    slug = "conflict"
    title = "This id is taken by other content"


class TooLargeError(RequestError):
    """The body is larger than any honest one."""

    status = 413
    slug = "too-large"
    title = "The body is too large"


class InvalidError(RequestError):
    """The JSON is not what was expected."""

    status = 422
    slug = "invalid"
    title = "The request is not what was expected"
