"""
What can go wrong in serving, as a tree.

ServingError               base of every error of serving
├── SettingsError          a setting is invalid or unknown
├── AddressError           the service cannot listen at its address
├── StoreError             the store cannot be opened
│   └── OtherStoreError    the store holds the leads of another company
├── ExportError            an export cannot be written to its destination
├── RecheckError           served scores cannot be compared with history
├── LoadError              there is no history to load
├── UnknownScorerError     the store does not hold the requested scorer
└── RequestError           a request is refused; each class has its HTTP status; bundle_errors.py has those of
                           bundles, unready_errors.py those of a service that cannot work for now
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
    ├── KeysError          422  a key cannot be made, rotated or revoked
    ├── InvalidError       422  the JSON or a parameter is not what the operation expects
    ├── ReusedKeyError     422  this idempotency key was sent with another request
    └── TooManyError       429  this caller sends more requests than it may
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


class OtherStoreError(StoreError):
    """The store holds the leads of another company."""


class LoadError(ServingError):
    """There is no history to load."""


class UnknownScorerError(ServingError):
    """The store does not hold the requested scorer."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(f"the store holds no scorer {fingerprint[:12]}: deploy its bundle, or restore a backup.")


class ExportError(ServingError):
    """An export cannot be written to its destination."""


class RecheckError(ServingError):
    """Served scores cannot be compared with history."""


class RequestError(ServingError):
    """
    A request is refused; the message never repeats what the caller sent, except a well-formed id.

    Attributes:
        status: the HTTP status.
        slug: its short name, the fragment of its type's URL; never changes.
        title: the type in words.
        cause: when the service answers so, in general.
        cure: what the caller does about it.
        retry_after_s: after how long the caller may try again [s]; None if that would not help.
    """

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"
    cause: ClassVar[str] = "The request cannot be answered, for the reason in `detail`."
    cure: ClassVar[str] = "Change the request as `detail` says."
    retry_after_s: int | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


class UnreadableError(RequestError):
    """The body is not JSON."""

    slug = "unreadable"
    title = "The body is not JSON"
    cause = "The body is not JSON: not UTF-8, cut off, nested too deeply, or with NaN or Infinity in it."
    cure = "Send one JSON object, or a list of them, in UTF-8. Leave a field out where its value is unknown."


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
    cause = (
        "The request carries no key, or one that opens nothing here: made elsewhere, revoked, or for other addresses."
    )
    cure = "Send `Authorization: Bearer lsk_…` with a key from `leadscore keys create`."

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
    cause = "The key was valid until its expiry."
    cure = "Ask the operator for the key that replaced it (`leadscore keys rotate`)."


class ForbiddenError(RequestError):
    """The key has none of the scopes of which the operation accepts any."""

    status = 403
    slug = "scope-missing"
    title = "This key may not do this"
    cause = "The key is valid and lacks the scope of this operation."
    cure = "Use a key with a scope that `detail` names; `leadscore keys list` shows the scopes of each key."

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
    cause = "No lead with this id was sent, or none had been at the instant in `as_of`."
    cure = "Send the lead to `/v1/leads` first, or ask as of a later instant."


class UnknownReceiptError(RequestError):
    """No receipt has this id."""

    status = 404
    slug = "unknown-receipt"
    title = "This receipt is not known"
    cause = "No receipt has this id: it was mistyped, or its lead was erased."
    cure = "Take ids from `receipt_id` in `/v1/scores`, or from the list of a lead's receipts."


class ConflictError(RequestError):
    """A fact with this id and other content is stored."""

    status = 409
    slug = "conflict"
    title = "This id is taken by other content"
    cause = "An activity or outcome with this id is stored with other content. Facts never change once they are stored."
    cure = "Give each fact an id of its own. To correct a fact, send the corrected one under a new id."


class UnknownFactError(RequestError):
    """No fact with this number was quarantined."""

    status = 404
    slug = "unknown-fact"
    title = "This fact is not known"
    cause = "No quarantined fact has this number: it was discarded, or its lead was erased."
    cure = "Take numbers from `GET /v1/quarantine`."


class MergedError(RequestError):
    """A lead is part of another merge."""

    status = 409
    slug = "merged"
    title = "This lead is merged already"
    cause = "One of the leads is already part of another merge."
    cure = "Merge into the lead that `detail` names; `GET /v1/leads/{lead_id}/dossier` lists merged ids."


class SettledError(RequestError):
    """The quarantined fact was already released."""

    status = 409
    slug = "settled"
    title = "This fact is settled already"
    cause = "The quarantined fact was already released."
    cure = "Nothing: the fact is stored."


class InFlightError(RequestError):
    """The first request with this idempotency key is still being answered."""

    status = 409
    slug = "in-flight"
    title = "The first request with this key is under way"
    cause = "The first request with this `Idempotency-Key` is still being answered."
    cure = "Send the same request again after the seconds in `Retry-After`; it gets the answer of the first."
    retry_after_s = 1


class ErasedError(RequestError):
    """The lead was erased."""

    status = 410
    slug = "erased"
    title = "This lead was erased"
    cause = "The person behind this lead was erased on request. Late facts about them are refused for good."
    cure = "Delete the lead at the sender too, and stop sending facts about it."


class TooLargeError(RequestError):
    """The body is larger than the address accepts."""

    status = 413
    slug = "too-large"
    title = "The body is too large"
    cause = "The body is larger than this address accepts, in bytes, or in names and values."
    cure = "Send fewer items at once: at most 1,000, and 8 MiB, and 200,000 names and values."


class InvalidError(RequestError):
    """The JSON or a parameter is not what the operation expects."""

    status = 422
    slug = "invalid"
    title = "The request is not what was expected"
    cause = "The JSON or a parameter is not what the operation expects; `detail` names each field."
    cure = "Correct the fields. `/openapi.json` has the type and an example of each."


class KeysError(RequestError):
    """A key cannot be made, rotated or revoked."""

    status = 422
    slug = "key-refused"
    title = "The key cannot be made, rotated or revoked"
    cause = "There is no key with this id, it works no longer or was rotated before, or an address range is none."
    cure = "`GET /v1/keys` or `leadscore keys list` shows all keys, their states and their successors."


class ReusedKeyError(RequestError):
    """This idempotency key was sent with another request."""

    status = 422
    slug = "key-reused"
    title = "This idempotency key stands for another request"
    cause = "This `Idempotency-Key` was sent before with another request."
    cure = "Use a new key, such as a random UUID, for every new request; keep it only to send the same one again."


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
    cause = "This key, or this address with wrong keys, sent more requests, or requests about more leads, than allowed."
    cure = "Wait the seconds in `Retry-After`; `LEADSCORE_REQUESTS_PER_S` and `LEADSCORE_LEADS_PER_S` set the rates."

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
