"""Typed values from JSON that may be damaged; whatever is wrong raises StructureError."""

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

from data.strict_json import JsonError, parse_text
from models.errors import StructureError

_LARGEST_WHOLE = 2**1023
_LONGEST_LABEL = 200


def loads(text: str) -> object:
    """
    Parse strict JSON.

    Raises:
        StructureError: the text is not such JSON.

    >>> loads('{"a": NaN}')
    Traceback (most recent call last):
    models.errors.StructureError: JSON: found 'NaN', expected a finite number; export the model again.
    """
    try:
        return parse_text(text)
    except JsonError as error:
        raise StructureError(where="JSON", found=error.found, expected=error.expected) from None


def fields(value: object, where: str, names: Iterable[str]) -> dict[str, Any]:
    """
    Return an object that has exactly these fields.

    >>> fields({"a": 1}, "tree 0", ["a", "b"])
    Traceback (most recent call last):
    models.errors.StructureError: tree 0: found ['a'], expected the fields a, b; export the model again.
    """
    if not isinstance(value, dict):
        raise StructureError(where=where, found=value, expected="an object")
    expected = sorted(names)
    if sorted(value) != expected:
        wanted = f"the fields {', '.join(expected)}"
        raise StructureError(where=where, found=sorted(value), expected=wanted)
    return value


def whole(value: object, where: str) -> int:
    """Return an integer; true and false are rejected."""
    if type(value) is not int:
        raise StructureError(where=where, found=value, expected="an integer")
    return value


def integers(value: object, where: str) -> tuple[int, ...]:
    """Return a list of integers."""
    return _all_of(value, where, (int,), "integers")


def switches(value: object, where: str) -> tuple[bool, ...]:
    """Return a list of true and false."""
    return _all_of(value, where, (bool,), "true or false")


def numbers(value: object, where: str) -> tuple[float, ...]:
    """Return a list of numbers as floats, finite or not."""
    read = _all_of(value, where, (int, float), "numbers")
    try:
        return tuple(map(float, read))
    except OverflowError:
        raise StructureError(where=where, found="a huge number", expected="numbers") from None


def texts(value: object, where: str) -> tuple[str, ...] | None:
    """Return a list of texts, or None where there is null."""
    return None if value is None else _all_of(value, where, (str,), "texts or null")


def is_label(value: object) -> TypeGuard[str]:
    """
    Return whether a value can be the name or the version of a model: one line of at most 200 characters.

    >>> is_label("leadscore-demo"), is_label(""), is_label(7)
    (True, False, False)
    """
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_LABEL and value.isprintable()


def check_plain(value: object, where: str) -> None:
    """
    Reject parsed JSON that cannot be written back: 1e999, half a UTF-16 pair, NUL.

    Raises:
        StructureError: there is such a thing.

    >>> check_plain({"loss": [1e999]}, "facts")
    Traceback (most recent call last):
    models.errors.StructureError: facts: found inf, expected a finite number; export the model again.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        _check_one(item, where)
        waiting += _parts(item)


def _parts(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return [*item, *item.values()]
    return item if isinstance(item, list) else ()


def _check_one(item: object, where: str) -> None:
    if isinstance(item, float) and not math.isfinite(item):
        raise StructureError(where=where, found=item, expected="a finite number")
    if isinstance(item, int) and abs(item) > _LARGEST_WHOLE:
        raise StructureError(where=where, found="a huge number", expected="a number")
    if isinstance(item, str) and ("\0" in item or not _is_unicode(item)):
        raise StructureError(where=where, found="a character that no text can hold", expected="text")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _all_of(value: object, where: str, kinds: tuple[type, ...], says: str) -> tuple[Any, ...]:
    """Return a list as a tuple if each item has exactly one of these types (a bool is not an int here)."""
    if not isinstance(value, list):
        raise StructureError(where=where, found=value, expected=f"a list of {says}")
    for item in value:
        if type(item) not in kinds:
            raise StructureError(where=where, found=item, expected=says)
    return tuple(value)
