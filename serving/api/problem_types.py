"""
Every type of problem that the service answers with, its cause and its cure: ``docs/errors.md`` and ``/docs/errors``.

Renew the page with ``python -m tests.serving.api.errors_page``.
"""

from dataclasses import dataclass

from serving import bundle_errors, errors, unready_errors
from serving.errors import RequestError

ERRORS_PATH = "/docs/errors"
ABOUT_BLANK = "about:blank"
"""The type of a problem of which the HTTP status says everything, as RFC 9457 has it."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type of problem, with the attributes of ``RequestError``."""

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


_OTHERS = (
    ProblemType(
        "incomplete",
        400,
        "The request is incomplete",
        "The connection ended before the whole request had arrived.",
        "Send the request again; nothing of it was stored.",
    ),
    ProblemType(
        "not-found",
        404,
        "Not Found",
        "There is no operation at this address.",
        "Compare the address with `/openapi.json` or `/docs`; ids must be percent-encoded.",
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
    ProblemType(
        "store-unavailable",
        503,
        "The store does not answer",
        "The database is busy or cannot be reached; nothing of the request was stored.",
        "Send the same request again after the seconds in `Retry-After`. The operator finds the reason in the log.",
    ),
)
"""What the framework, the HTTP server and the store refuse, and errors that have no class."""
_REFUSALS = tuple(
    ProblemType(error.slug, error.status, error.title, error.cause, error.cure)
    for error in (vars(errors) | vars(bundle_errors) | vars(unready_errors)).values()
    if isinstance(error, type) and issubclass(error, RequestError)
)
PROBLEM_TYPES = tuple(sorted((*_REFUSALS, *_OTHERS), key=lambda kind: kind.status))
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
