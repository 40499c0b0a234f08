"""
What can go wrong in serving, as a tree.

ServingError               the service cannot do what it was asked
├── SettingsError          a setting cannot be meant
├── AddressError           nobody can listen where the service was told to
├── StoreError             the store cannot be opened
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
