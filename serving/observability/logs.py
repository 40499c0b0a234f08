"""
Logs: one JSON object a line on stderr, or plain text, and nothing of any lead in either.

Messages are ours and name no lead. Of an exception only its type and the places it went through are written: what it
says may repeat a value of a request or of the store.
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
    """
    Let everything that this process logs, whoever says it, leave in one form on stderr.

    Args:
        form: ``json`` for machines, ``text`` for people.
    """
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
    """Writes a record as a line for people, with what it carries behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        content = content_of(record)
        head = f"{content.pop('time')} {content.pop('level')} {content.pop('logger')}: {content.pop('message')}"
        del content["process"]
        error = content.pop("error", None)
        behind = "".join(f" {name}={value}" for name, value in content.items())
        return head + behind + ("" if error is None else "".join(f"\n  {line}" for line in _lines(error)))


def content_of(record: logging.LogRecord) -> dict[str, Any]:
    """
    Give what is written of a record.

    >>> record = logging.LogRecord("leadscore.serving", logging.INFO, "", 0, "took up model %s", ("3",), None)
    >>> content_of(record)["message"]
    'took up model 3'
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
    Give the type of an exception, the places it went through and what it came from; never what it says.

    >>> described(ValueError("L-1"))
    {'type': 'ValueError', 'at': []}
    """
    content: dict[str, Any] = {"type": _type(error), "at": _places(error.__traceback__)}
    if isinstance(error, BaseExceptionGroup):
        content["of"] = [described(one) for one in error.exceptions]
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        content["after"] = described(earlier)
    return content


def _type(error: BaseException) -> str:
    found = type(error)
    is_plain = found.__module__ == "builtins" or isinstance(error, LeadscoreError)
    return found.__qualname__ if is_plain else f"{found.__module__}.{found.__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _message(record: logging.LogRecord) -> str:
    """Give the message of a record; of a library's, the part before any value it may have put in."""
    package = record.name.partition(".")[0]
    if package == "leadscore":
        return record.getMessage()
    if package == "uvicorn":
        return record.getMessage().partition("\n")[0]  # an error's whole trace may stand below
    return str(record.msg).partition("\n")[0].partition("(")[0].partition("'")[0].strip()


def _lines(error: dict[str, Any]) -> list[str]:
    here = [error["type"], *(f"  at {place}" for place in error["at"])]
    within = [line for one in error.get("of", []) for line in _lines(one)]
    return [*here, *within, *(("after", *_lines(error["after"])) if "after" in error else ())]


def _on_error(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    _LOG.critical("the process ended by a mistake of ours", exc_info=error)


def _on_thread_error(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        _LOG.error("a thread ended early", exc_info=found.exc_value)


def _on_unraisable(found: "sys.UnraisableHookArgs") -> None:
    _LOG.error("an error could not be raised", exc_info=found.exc_value)
