"""What is wrong with a request, in one sentence that names the fields and repeats nothing that was sent."""

import re
from collections.abc import Sequence
from typing import Any

PLAIN_PATTERN = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
"""Text without control characters, and without blanks at its ends."""
KEY_PATTERN = "^[!-~]+$"
"""Printable ASCII without blanks."""
NUMBER = "a number from -1e15 to 1e15"
_SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MOST_MISTAKES = 5
_TEXT_OF_PATTERN = {
    PLAIN_PATTERN: "text without control characters, and without blanks at its ends",
    KEY_PATTERN: "printable ASCII characters without blanks, such as a UUID",
}
_WORDS = {
    "missing": "is missing",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "dict_type": "expected an object",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "too_long": "expected at most {max_length:,} items",
    "string_type": "expected text",
    "string_too_short": "expected text of at least {min_length:,} characters",
    "string_too_long": "expected text of at most {max_length:,} characters",
    "string_unicode": "expected Unicode text without lone surrogates",
    "float_type": f"expected {NUMBER}",
    "finite_number": f"expected {NUMBER}",
    "greater_than_equal": f"expected {NUMBER}",
    "less_than_equal": f"expected {NUMBER}",
    "literal_error": "expected {expected}",
}


def message_of(errors: Sequence[Any], *, below: int = 0) -> str:
    """
    Return one sentence that names the first five mistakes which pydantic found.

    Args:
        errors: as ``ValidationError.errors()`` lists them.
        below: how many leading parts of each location to leave out, such as FastAPI's "query".

    >>> message_of([{"type": "missing", "loc": ("query", "since"), "msg": "Field required"}], below=1)
    'since: is missing.'
    """
    mistakes = [_mistake(error, below) for error in errors]
    more = f"; and {len(mistakes) - _MOST_MISTAKES:,} more" if len(mistakes) > _MOST_MISTAKES else ""
    return f"{'; '.join(mistakes[:_MOST_MISTAKES])}{more}."


def _mistake(error: Any, below: int) -> str:
    names = [safe_name(part) for part in error["loc"][below:]]
    if error["type"] == "extra_forbidden":
        *names, unknown = names
        text = f"unknown field {unknown}"
    else:
        text = _worded(error["type"], error.get("ctx", {}), error["msg"])
    return f"{'.'.join(names)}: {text}" if names else text


def _worded(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "string_pattern_mismatch":
        return f"expected {_TEXT_OF_PATTERN.get(context['pattern'], 'text of another form')}"
    words = _WORDS.get(kind)
    return message[:1].lower() + message[1:] if words is None else words.format(**context)


def safe_name(given: int | str) -> str:
    """
    Return a name for a message if it looks like one, since a message never repeats what else was sent.

    >>> safe_name("lead_id"), safe_name("<b>")
    ('lead_id', '(name)')
    """
    return str(given) if isinstance(given, int) or _SAFE_NAME.fullmatch(given) else "(name)"
