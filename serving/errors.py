"""
What can go wrong in serving, as a tree.

ServingError               base of every error of serving
├── SettingsError          a setting is invalid or unknown
├── AddressError           the service cannot listen at its address
├── StoreError             the store cannot be opened
├── ExportError            an export cannot be written to its destination
├── RecheckError           served scores cannot be compared with history
├── LoadError              there is no history to load
├── KeysError              a key cannot be made, rotated or revoked
├── UnknownScorerError     the store does not hold the requested scorer
└── RequestError           a request is refused; each class has its HTTP status
    ├── UnreadableError    400  the body is not JSON
    ├── UnauthorisedError  401  there is no key, or it is not valid
    │   └── ExpiredKeyError     the key has expired
    ├── ForbiddenError     403  the key has none of the scopes that the operation accepts
    ├── UnknownLeadError   404  this lead is unknown, or was at that instant
    ├── UnknownReceiptError 404 no receipt has this id
    ├── UnknownFactError   404  no fact with this number was quarantined
    ├── ConflictError      409  a fact with this id and other content is stored
    ├── MergedError        409  a lead is part of another merge
    ├── SettledError       409  the quarantined fact was already released
    ├── InFlightError      409  the first request with this idempotency key is still being answered
    ├── ErasedError        410  the lead was erased
    ├── TooLargeError      413  the body is larger than the address accepts
    ├── InvalidError       422  the JSON or a parameter is not what the operation expects
    ├── BundleRefusedError 422  the bundle is damaged, or cannot be used here
    ├── ReusedKeyError     422  this idempotency key was sent with another request
    ├── TooManyError       429  this caller sends more requests than it may
    ├── ClockBehindError   503  the machine's clock is behind what the store knows
    ├── DiskFullError      503  the disk of the store has hardly any space left
    └── StoppingError      503  the service is shutting down and accepts no new requests
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from data.errors import LeadscoreError


class ServingError(LeadscoreError):
    """Base of every error of serving."""


class SettingsError(ServingError):
    """A setting is invalid, or a variable ``LEADSCORE_…`` is unknown."""


class AddressError(ServingError):
    """The service cannot listen at its address."""


class StoreError(ServingError):
    """The store cannot be opened."""


class LoadError(ServingError):
    """There is no history to load."""


class KeysError(ServingError):
    """A key cannot be made, rotated or revoked."""


class UnknownScorerError(ServingError):
    """The store does not hold the requested scorer."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(f"the store holds no scorer {fingerprint[:12]}: deploy its bundle, or restore a backup.")


class ExportError(ServingError):
    """An export cannot be written to its destination."""


class RecheckError(ServingError):
    """Served scores cannot be compared with history."""


class RequestError(ServingError):
    """A request is refused; the message never repeats what the caller sent, except a well-formed id."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        return {}


class UnreadableError(RequestError):
    """The body is not JSON."""

    slug = "unreadable"
    title = "The body is not JSON"


class UnauthorisedError(RequestError):
    """
    There is no key, or it is not valid.

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
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": f'Bearer error="{self._error}"' if self._error else "Bearer"}


class ExpiredKeyError(UnauthorisedError):
    """The key has expired."""

    slug = "key-expired"
    title = "This key has expired"


class ForbiddenError(RequestError):
    """
    The key has none of the scopes that the operation accepts.

    Args:
        scopes: the operation accepts any one of them.
    """

    status = 403
    slug = "scope-missing"
    title = "This key may not do this"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"This takes a key with the scope {' or '.join(scopes)}; the one sent has another.")
        self._scopes = scopes

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(self._scopes)}"'}


class UnknownLeadError(RequestError):
    """This lead is unknown, or was at that instant."""

    status = 404
    slug = "unknown-lead"
    title = "This lead is not known"


class UnknownReceiptError(RequestError):
    """No receipt has this id."""

    status = 404
    slug = "unknown-receipt"
    title = "This receipt is not known"


class ConflictError(RequestError):
    """A fact with this id and other content is stored."""

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
    """The quarantined fact was already released."""

    status = 409
    slug = "settled"
    title = "This fact is settled already"


class InFlightError(RequestError):
    """The first request with this idempotency key is still being answered."""

    status = 409
    slug = "in-flight"
    title = "The first request with this key is under way"

    @property
    def headers(self) -> Mapping[str, str]:
        """The header that says when to try again."""
        return {"Retry-After": "1"}


class ErasedError(RequestError):
    """The lead was erased."""

    status = 410
    slug = "erased"
    title = "This lead was erased"


class TooLargeError(RequestError):
    """The body is larger than the address accepts."""

    status = 413
    slug = "too-large"
    title = "The body is too large"


class InvalidError(RequestError):
    """The JSON or a parameter is not what the operation expects."""

    status = 422
    slug = "invalid"
    title = "The request is not what was expected"


class ReusedKeyError(RequestError):
    """This idempotency key was sent with another request."""

    status = 422
    slug = "key-reused"
    title = "This idempotency key stands for another request"


class BundleRefusedError(RequestError):
    """The bundle is damaged or cannot be used here; nothing of it was stored, and the scorer in force stays."""

    status = 422
    slug = "bundle-refused"
    title = "The bundle is refused"


class TooManyError(RequestError):
    """
    This caller sends more requests than it may.

    Args:
        message: what to do.
        retry_after_s: after how long it may try again [s].
    """

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self._retry_after_s = retry_after_s

    @property
    def headers(self) -> Mapping[str, str]:
        """The header that says when to try again."""
        return {"Retry-After": str(self._retry_after_s)}


class ClockBehindError(RequestError):
    """The machine's clock is behind what the store knows, so that the newest facts would count in no score."""

    status = 503
    slug = "clock-behind"
    title = "The clock is behind the store"


class DiskFullError(RequestError):
    """The disk of the store has so little space left that facts may be refused any moment."""

    status = 503
    slug = "disk-full"
    title = "The disk of the store is full"


class StoppingError(RequestError):
    """The service is shutting down and accepts no new requests."""

    status = 503
    slug = "stopping"
    title = "The service is stopping"

    @property
    def headers(self) -> Mapping[str, str]:
        """The header that says when to try again."""
        return {"Retry-After": "1"}
