"""
What can go wrong in serving, as a tree.

ServingError               the service cannot do what it was asked
├── SettingsError          a setting is invalid or unknown
├── AddressError           nobody can listen where the service was told to
├── StoreError             the store cannot be opened
├── ExportError            an export cannot be written where it was asked for
├── RecheckError           what was served cannot be held against history
├── LoadError              there is no history to load
├── KeysError              a key cannot be made, rotated or revoked
├── UnknownScorerError     the store does not hold a scorer that is asked for
└── RequestError           a caller asked for what cannot be; each says its HTTP status
    ├── UnreadableError    400  the body is not JSON
    ├── UnauthorisedError  401  there is no key, or it opens nothing
    │   └── ExpiredKeyError     its end has come
    ├── ForbiddenError     403  the key has none of the scopes that would do
    ├── UnknownLeadError   404  nobody has told us of this lead, or not yet at that instant
    ├── UnknownReceiptError 404 no receipt has this id
    ├── UnknownFactError   404  no fact with this number was quarantined
    ├── ConflictError      409  this id is taken by other content
    ├── MergedError        409  a lead is part of another merge
    ├── SettledError       409  a fact that was quarantined is settled
    ├── InFlightError      409  the first request with this idempotency key is under way
    ├── ErasedError        410  the lead was erased
    ├── TooLargeError      413  the body is larger than any honest one
    ├── InvalidError       422  the JSON is not what was expected
    ├── BundleRefusedError 422  the bundle is not as it was saved
    ├── ReusedKeyError     422  this idempotency key stands for another request
    ├── TooManyError       429  this caller asks more often than it may
    └── StoppingError      503  the service is to stop and takes nobody new
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from data.errors import LeadscoreError


class ServingError(LeadscoreError):
    """The service cannot do what it was asked."""


class SettingsError(ServingError):
    """A setting is invalid, or a variable ``LEADSCORE_…`` is unknown."""


class AddressError(ServingError):
    """Nobody can listen where the service was told to."""


class StoreError(ServingError):
    """The store cannot be opened."""


class LoadError(ServingError):
    """There is no history to load."""


class KeysError(ServingError):
    """A key cannot be made, rotated or revoked."""


class UnknownScorerError(ServingError):
    """The store does not hold a scorer that is asked for."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(f"the store holds no scorer {fingerprint[:12]}: deploy its bundle, or restore a backup.")


class ExportError(ServingError):
    """An export cannot be written where it was asked for."""


class RecheckError(ServingError):
    """What was served cannot be held against history."""


class RequestError(ServingError):
    """A caller asked for what cannot be; its message never repeats what the caller sent, but for a well-formed id."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"

    @property
    def headers(self) -> Mapping[str, str]:
        """Give the headers that go with the answer."""
        return {}


class UnreadableError(RequestError):
    """The body is not JSON."""

    slug = "unreadable"
    title = "The body is not JSON"


class UnauthorisedError(RequestError):
    """
    There is no key, or it opens nothing.

    Args:
        message: what is wrong and what to do.
        error: the code of RFC 6750, where a key was sent.
    """

    status = 401
    slug = "no-valid-key"
    title = "No valid key"

    def __init__(self, message: str, *, error: str | None = None) -> None:
        super().__init__(message)
        self._error = error

    @property
    def headers(self) -> Mapping[str, str]:
        """Give the challenge, as RFC 6750 has it."""
        return {"WWW-Authenticate": f'Bearer error="{self._error}"' if self._error else "Bearer"}


class ExpiredKeyError(UnauthorisedError):
    """Its end has come."""

    slug = "key-expired"
    title = "This key has expired"


class ForbiddenError(RequestError):
    """
    The key has none of the scopes that would do.

    Args:
        scopes: any one of them would do.
    """

    status = 403
    slug = "scope-missing"
    title = "This key may not do this"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"This takes a key with the scope {' or '.join(scopes)}; the one sent has another.")
        self._scopes = scopes

    @property
    def headers(self) -> Mapping[str, str]:
        """Give the challenge, as RFC 6750 has it."""
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(self._scopes)}"'}


class UnknownLeadError(RequestError):
    """Nobody has told us of this lead, or not yet at that instant."""

    status = 404
    slug = "unknown-lead"
    title = "This lead is not known"


class UnknownReceiptError(RequestError):
    """No receipt has this id."""

    status = 404
    slug = "unknown-receipt"
    title = "This receipt is not known"


class ConflictError(RequestError):
    """This id is taken by other content."""

    status = 409
    slug = "conflict"
    title = "This id is taken by other content"


class UnknownFactError(RequestError):
    """No fact with this number was quarantined."""

    status = 404
    slug = "unknown-fact"
    title = "This fact is not known"


class MergedError(RequestError):
    """A lead is part of another merge."""

    status = 409
    slug = "merged"
    title = "This lead is merged already"


class SettledError(RequestError):
    """A fact that was quarantined is settled."""

    status = 409
    slug = "settled"
    title = "This fact is settled already"


class InFlightError(RequestError):
    """The first request with this idempotency key is under way."""

    status = 409
    slug = "in-flight"
    title = "The first request with this key is under way"

    @property
    def headers(self) -> Mapping[str, str]:
        """Say when to ask again."""
        return {"Retry-After": "1"}


class ErasedError(RequestError):
    """The lead was erased."""

    status = 410
    slug = "erased"
    title = "This lead was erased"


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


class ReusedKeyError(RequestError):
    """This idempotency key stands for another request."""

    status = 422
    slug = "key-reused"
    title = "This idempotency key stands for another request"


class BundleRefusedError(RequestError):
    """The bundle is not as it was saved; nothing of it was kept, and what answered before goes on answering."""

    status = 422
    slug = "bundle-refused"
    title = "The bundle is refused"


class TooManyError(RequestError):
    """
    This caller asks more often than it may.

    Args:
        message: what to do.
        retry_after_s: after how many seconds it may ask again.
    """

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self._retry_after_s = retry_after_s

    @property
    def headers(self) -> Mapping[str, str]:
        """Give when to come back."""
        return {"Retry-After": str(self._retry_after_s)}


class StoppingError(RequestError):
    """The service is to stop and takes nobody new."""

    status = 503
    slug = "stopping"
    title = "The service is stopping"

    @property
    def headers(self) -> Mapping[str, str]:
        """Give when to come back."""
        return {"Retry-After": "1"}
