"""
Logs: one JSON object a line on stderr, or plain text, without any data of a lead.

Our own messages name no lead. Of an exception only its type and the places it went through are written: its text may
repeat a value of a request or of the store.
"""

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from data.errors import LeadscoreError

_OURS = ("leadscore", "uvicorn")
_EXTRAS = ("route", "method", "status", "ms", "key", "request_id")
_MOST_FRAMES = 30
_LOG = logging.getLogger("leadscore.serving")


def write_logs(form: Literal["json", "text"]) -> None:
    """Write all that this process logs, libraries included, to stderr: as JSON for machines or as text for people."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else PlainLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_error
    threading.excepthook = _on_thread_error
    sys.unraisablehook = _on_unraisable


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return json.dumps(content_of(record), ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """Writes a record as a line for people, followed by its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        content = content_of(record)
        head = f"{content.pop('time')} {content.pop('level')} {content.pop('logger')}: {content.pop('message')}"
        del content["process"]
        error = content.pop("error", None)
        extras = "".join(f" {name}={value}" for name, value in content.items())
        return head + extras + ("" if error is None else "".join(f"\n  {line}" for line in _lines(error)))


def content_of(record: logging.LogRecord) -> dict[str, Any]:
    """
    Return what is written of a record.

    >>> record = logging.LogRecord("leadscore.serving", logging.INFO, "", 0, "switched to model %s", ("3",), None)
    >>> content_of(record)["message"]
    'switched to model 3'
    """
    content: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _message(record),
        "process": record.process,
    }
    content |= {name: getattr(record, name) for name in _EXTRAS if hasattr(record, name)}
    if record.exc_info and record.exc_info[1] is not None:
        content["error"] = described(record.exc_info[1])
    return content


def described(error: BaseException) -> dict[str, Any]:
    """
    Return the type of an exception, the places it went through and what it came from; never its text.

    >>> described(ValueError("L-1"))
    {'type': 'ValueError', 'at': []}
    """
    content: dict[str, Any] = {"type": _type(error), "at": _places(error.__traceback__)}
    if isinstance(error, BaseExceptionGroup):
        content["of"] = [described(part) for part in error.exceptions]
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        content["after"] = described(earlier)
    return content


def _type(error: BaseException) -> str:
    kind = type(error)
    is_plain = kind.__module__ == "builtins" or isinstance(error, LeadscoreError)
    return kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _message(record: logging.LogRecord) -> str:
    """Return the message of a record; of a library's, only the part before any value it may contain."""
    package = record.name.partition(".")[0]
    if package == "leadscore":
        return record.getMessage()
    if package == "uvicorn":
        return record.getMessage().partition("\n")[0]  # an error's whole trace may stand below
    return str(record.msg).partition("\n")[0].partition("(")[0].partition("'")[0].strip()


def _lines(error: dict[str, Any]) -> list[str]:
    here = [error["type"], *(f"  at {place}" for place in error["at"])]
    within = [line for part in error.get("of", []) for line in _lines(part)]
    return [*here, *within, *(("after", *_lines(error["after"])) if "after" in error else ())]


def _on_error(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    _LOG.critical("the process ended by an unhandled error", exc_info=error)


def _on_thread_error(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        _LOG.error("a thread ended by an unhandled error", exc_info=arguments.exc_value)


def _on_unraisable(arguments: "sys.UnraisableHookArgs") -> None:
    _LOG.error("an error could not be raised", exc_info=arguments.exc_value)
