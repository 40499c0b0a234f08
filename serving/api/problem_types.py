"""
Every type of problem that the service answers with, its cause and its cure: ``docs/errors.md`` and ``/docs/errors``.

Renew the page with ``python -m tests.serving.api.errors_page``.
"""

from dataclasses import dataclass

from serving import errors
from serving.errors import RequestError

ERRORS_PATH = "/docs/errors"
ABOUT_BLANK = "about:blank"
"""The type of a problem of which the HTTP status says everything, as RFC 9457 has it."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """
    One type of problem.

    Attributes:
        slug: its short name, the fragment of its URL; never changes.
        status: the HTTP status.
        title: the type in words.
        cause: when the service answers so.
        cure: what the caller does about it.
    """

    slug: str
    status: int
    title: str
    cause: str
    cure: str


def type_url(slug: str) -> str:
    """
    Return the URL of a type of problem, relative to the service, which answers there with this list.

    >>> type_url("unknown-lead")
    '/docs/errors#unknown-lead'
    """
    return f"{ERRORS_PATH}#{slug}"


def _of(error: type[RequestError], cause: str, cure: str) -> ProblemType:
    return ProblemType(error.slug, error.status, error.title, cause, cure)


PROBLEM_TYPES = (
    _of(
        RequestError,
        "The request cannot be answered, for the reason in `detail`.",
        "Change the request as `detail` says.",
    ),
    ProblemType(
        "incomplete",
        400,
        "The request is incomplete",
        "The connection ended before the whole request had arrived.",
        "Send the request again; nothing of it was stored.",
    ),
    _of(
        errors.UnreadableError,
        "The body is not JSON: not UTF-8, cut off, nested too deeply, or with NaN or Infinity in it.",
        "Send one JSON object, or a list of them, in UTF-8. Leave a field out where its value is unknown.",
    ),
    _of(
        errors.UnauthorisedError,
        "The request carries no key, or one that was never made here or was revoked.",
        "Send `Authorization: Bearer lsk_…` with a key from `leadscore keys create`.",
    ),
    _of(
        errors.ExpiredKeyError,
        "The key was valid until its expiry.",
        "Ask the operator for the key that replaced it (`leadscore keys rotate`).",
    ),
    _of(
        errors.ForbiddenError,
        "The key is valid and lacks the scope of this operation.",
        "Use a key with a scope that `detail` names; `leadscore keys list` shows the scopes of each key.",
    ),
    ProblemType(
        "not-found",
        404,
        "Not Found",
        "There is no operation at this address.",
        "Compare the address with `/openapi.json` or `/docs`; ids must be percent-encoded.",
    ),
    _of(
        errors.UnknownLeadError,
        "No lead with this id was sent, or none had been at the instant in `as_of`.",
        "Send the lead to `/v1/leads` first, or ask as of a later instant.",
    ),
    _of(
        errors.UnknownReceiptError,
        "No receipt has this id: it was mistyped, or its lead was erased.",
        "Take ids from `receipt_id` in `/v1/scores`, or from the list of a lead's receipts.",
    ),
    _of(
        errors.UnknownFactError,
        "No quarantined fact has this number: it was discarded, or its lead was erased.",
        "Take numbers from `GET /v1/quarantine`.",
    ),
    ProblemType(
        "method-not-allowed",
        405,
        "Method Not Allowed",
        "The address exists and takes other methods.",
        "Use a method that the `Allow` header names.",
    ),
    ProblemType(
        "request-timeout",
        408,
        "Request Timeout",
        "The request did not arrive within a minute.",
        "Send it again, or less at once over a slow connection.",
    ),
    _of(
        errors.ConflictError,
        "An activity or outcome with this id is stored with other content. Facts never change once they are stored.",
        "Give each fact an id of its own. To correct a fact, send the corrected one under a new id.",
    ),
    _of(
        errors.MergedError,
        "One of the leads is already part of another merge.",
        "Merge into the lead that `detail` names; `GET /v1/leads/{lead_id}/dossier` lists merged ids.",
    ),
    _of(
        errors.SettledError,
        "The quarantined fact was already released.",
        "Nothing: the fact is stored.",
    ),
    _of(
        errors.InFlightError,
        "The first request with this `Idempotency-Key` is still being answered.",
        "Send the same request again after the seconds in `Retry-After`; it gets the answer of the first.",
    ),
    _of(
        errors.ErasedError,
        "The person behind this lead was erased on request. Late facts about them are refused for good.",
        "Delete the lead at the sender too, and stop sending facts about it.",
    ),
    _of(
        errors.TooLargeError,
        "The body is larger than this address accepts.",
        "Send fewer items at once: at most 1,000, and 8 MiB.",
    ),
    _of(
        errors.InvalidError,
        "The JSON or a parameter is not what the operation expects; `detail` names each field.",
        "Correct the fields. `/openapi.json` has the type and an example of each.",
    ),
    _of(
        errors.ReusedKeyError,
        "This `Idempotency-Key` was sent before with another request.",
        "Use a new key for every new request, such as a random UUID; keep it only when the same request is sent again.",
    ),
    _of(
        errors.BundleRefusedError,
        "The bundle is damaged or cannot be used here. Nothing of it was kept, and the scorer before it goes on.",
        "Run `leadscore deploy` where the bundle was made, which names the fault; or export it again.",
    ),
    _of(
        errors.TooManyError,
        "This key, or this address with wrong keys, sent more requests than allowed.",
        "Wait for the seconds in `Retry-After`. The operator sets the rates with `LEADSCORE_REQUESTS_PER_S` and"
        " `LEADSCORE_LEADS_PER_S`.",
    ),
    ProblemType(
        "request-header-fields-too-large",
        431,
        "Request Header Fields Too Large",
        "The address and the headers are longer than 64 KiB together.",
        "Send shorter headers; send many ids in the body of `POST /v1/scores`.",
    ),
    ProblemType(
        "internal-error",
        500,
        "The service made a mistake",
        "Something broke in the service; nothing of the request was stored.",
        "Report the `X-Request-Id` of the response to the operator. Sending the same request again does no harm.",
    ),
    _of(
        errors.ClockBehindError,
        "The machine's clock is behind the newest fact in the store, as after a virtual machine was restored.",
        "Set the clock of the machine; the service is ready as soon as it shows the right time.",
    ),
    _of(
        errors.DiskFullError,
        "The disk that holds the store has less than 16 MiB left.",
        "Make room on the disk, or give the store a larger one; then the service is ready again.",
    ),
    _of(
        errors.StoppingError,
        "The process is shutting down and accepts no new work.",
        "Send the request again after the seconds in `Retry-After`: the next process answers.",
    ),
    ProblemType(
        "store-unavailable",
        503,
        "The store does not answer",
        "The database is busy or cannot be reached; nothing of the request was stored.",
        "Send the same request again after the seconds in `Retry-After`. The operator finds the reason in the log.",
    ),
)
INTRODUCTION = (
    "Every error of the service is `application/problem+json` (RFC 9457) with `type`, `title`, `status` and `detail`.",
    "The `type` is the address of a section below, `title` names it in words, `detail` says what is wrong this time.",
    "Programs decide by `type`, whose fragment never changes. An error repeats nothing that was sent but a valid id.",
)


def errors_markdown() -> str:
    """Return the list as Markdown, with one section and one anchor per type."""
    sections = [
        f'<a id="{kind.slug}"></a>\n\n## {kind.slug}\n\n**{kind.status} · {kind.title}**\n\n'
        f"- Cause: {kind.cause}\n- Cure: {kind.cure}\n"
        for kind in PROBLEM_TYPES
    ]
    return "\n".join(["# Errors\n", *(f"{paragraph}\n" for paragraph in INTRODUCTION), *sections])
