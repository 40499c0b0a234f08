"""
Strict JSON, as RFC 8259 defines it: UTF-8, finite numbers, each name once in an object, at most 64 levels deep.

`json.loads` takes NaN and Infinity, keeps the last of two equal names without a word and nests as deep as the stack
allows. Input from outside gets none of that: it is either unambiguous or refused. The cost is linear in the input.

The decoder is compiled, and nothing else of the process runs until it returns. So it calls back for every number and
object, and reads only short texts whole: no other thread waits for a long one.
"""

import json
from collections import Counter
from collections.abc import Iterable
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any, NoReturn

from data.errors import DataError

DEEPEST = 64
"""Levels of lists and objects; the deepest document of leadscore has seven."""

_LONGEST_COMPILED = 2**20
"""Characters that take the compiled decoder up to 20 ms, however they are made up, in which no other thread runs."""
_LONGEST_NAME = 60
_MOST_NAMES = 5


class JsonError(DataError):
    """A text is not strict JSON."""

    def __init__(self, *, found: str, expected: str) -> None:
        """Name what stands there and what should."""
        super().__init__(f"JSON: found {found}, expected {expected}.")
        self.found = found
        self.expected = expected


class NotUtf8Error(JsonError):
    """The bytes are not UTF-8."""


class InvalidJsonError(JsonError):
    """The text breaks the grammar of JSON, for which NaN and Infinity are no numbers."""


class DeepJsonError(JsonError):
    """Lists and objects are nested deeper than any document needs."""


class DuplicateNameError(JsonError):
    """
    An object has a name more than once, so that nobody can tell which value is meant.

    Attributes:
        names: each such name once, sorted, as it was sent.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """
        Name at most five of them.

        >>> print(DuplicateNameError(["lead_id", "as_of"]))
        JSON: found "as_of", "lead_id" more than once in one object, expected each name once.
        """
        self.names = tuple(sorted(names))
        shown = ", ".join(json.dumps(name[:_LONGEST_NAME]) for name in self.names[:_MOST_NAMES])
        super().__init__(found=f"{shown} more than once in one object", expected="each name once")


def parse_text(text: str) -> Any:
    """
    Parse the text of a JSON document.

    Raises:
        JsonError: it is not strict JSON.

    >>> parse_text('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    data.strict_json.DuplicateNameError: JSON: found "a" more than once in one object, expected each name once.
    >>> parse_text("[NaN]")
    Traceback (most recent call last):
    data.strict_json.InvalidJsonError: JSON: found NaN, expected a finite number.
    """
    value = _decoded(text, _DECODER)
    _check_depth(value, brackets=text.count("[") + text.count("{"))
    return value


def parse_flat(body: bytes) -> Any:
    """
    Parse the bytes of a JSON document that is known not to be nested too deep, so that nobody looks again.

    Raises:
        JsonError: they are not UTF-8, or not strict JSON.

    >>> parse_flat(b'{"lead_id": "L-1", "points": [1, 2.5, null]}')
    {'lead_id': 'L-1', 'points': [1, 2.5, None]}
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotUtf8Error(found="bytes that are not UTF-8", expected="UTF-8") from None
    return _decoded(text, _DECODER if len(text) <= _LONGEST_COMPILED else _GIVING_WAY)


def canonical_json(content: object) -> str:
    """
    Write JSON in its one canonical form: equal content gives equal bytes, and every float is exact.

    >>> canonical_json({"b": 0.1, "a": [None, "x"]})
    '{"a":[null,"x"],"b":0.1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # JSONDecodeError, or a whole number of thousands of digits
        raise InvalidJsonError(found=str(error), expected="valid JSON") from None


def _check_depth(value: object, *, brackets: int) -> None:
    """Reject what is nested too deep; a text with few brackets cannot be, and is not walked through."""
    if brackets <= DEEPEST:
        return
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [part for item in level for part in _parts(item) if isinstance(part, dict | list)]
        if not level:
            return
    raise _too_deep()


def _parts(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _too_deep() -> DeepJsonError:
    return DeepJsonError(found="lists and objects nested too deep", expected=f"at most {DEEPEST} levels")


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJsonError(found=name, expected="a finite number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise DuplicateNameError(name for name, count in counts.items() if count > 1)
    return fields


def _whole(text: str) -> int:
    """Call `int` from Python, where the interpreter lets other threads have their turn."""
    return int(_in_ascii(text))


def _real(text: str) -> float:
    """Call `float` from Python, as above."""
    return float(_in_ascii(text))


def _in_ascii(number: str) -> str:
    """Refuse digits of other scripts, which the decoder that is written in Python lets through."""
    if not number.isascii():
        raise InvalidJsonError(found="a digit that is not ASCII", expected="digits from 0 to 9")
    return number


class _StrictDecoder(json.JSONDecoder):
    """The decoder of the standard library, strict about constants and names."""

    def __init__(self) -> None:
        super().__init__(
            parse_constant=_refuse_constant, parse_int=_whole, parse_float=_real, object_pairs_hook=_object
        )


class _GivingWayDecoder(_StrictDecoder):
    """The same in Python, several times slower: between any two values other threads may have their turn."""

    def __init__(self) -> None:
        super().__init__()
        self.scan_once = py_make_scanner(self)


_DECODER = _StrictDecoder()
_GIVING_WAY = _GivingWayDecoder()
