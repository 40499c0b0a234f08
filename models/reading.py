"""Reading typed lists out of JSON that may be damaged; whatever is wrong ends in StructureError."""

import json
from collections.abc import Iterable
from typing import Any, Never

from models.errors import StructureError


def loads(text: str) -> object:
    """
    Read strict JSON: no NaN, no Infinity, no name twice in one object.

    Raises:
        StructureError: the text is not such JSON.

    >>> loads('{"a": NaN}')
    Traceback (most recent call last):
    models.errors.StructureError: JSON: found 'NaN', expected a finite number; export the model again.
    """
    try:
        found: object = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError:
        found = "lists within lists without end"
        raise StructureError(where="JSON", found=found, expected="trees") from None
    except ValueError as error:  # JSONDecodeError, or an integer of thousands of digits
        raise StructureError(where="JSON", found=str(error), expected="valid JSON") from None
    return found


def fields(found: object, where: str, names: Iterable[str]) -> dict[str, Any]:
    """
    Give an object that has exactly these fields.

    >>> fields({"a": 1}, "tree 0", ["a", "b"])
    Traceback (most recent call last):
    models.errors.StructureError: tree 0: found ['a'], expected the fields a, b; export the model again.
    """
    if not isinstance(found, dict):
        raise StructureError(where=where, found=found, expected="an object")
    expected = sorted(names)
    if sorted(found) != expected:
        wanted = f"the fields {', '.join(expected)}"
        raise StructureError(where=where, found=sorted(found), expected=wanted)
    return found


def whole(found: object, where: str) -> int:
    """Give an integer; true and false are none."""
    if type(found) is not int:
        raise StructureError(where=where, found=found, expected="an integer")
    return found


def integers(found: object, where: str) -> tuple[int, ...]:
    """Give a list of integers."""
    return _all_of(found, where, (int,), "integers")


def switches(found: object, where: str) -> tuple[bool, ...]:
    """Give a list of true and false."""
    return _all_of(found, where, (bool,), "true or false")


def numbers(found: object, where: str) -> tuple[float, ...]:
    """Give a list of numbers as floats; whether they are finite is the tree's to check."""
    read = _all_of(found, where, (int, float), "numbers")
    try:
        return tuple(map(float, read))
    except OverflowError:
        raise StructureError(where=where, found="a huge number", expected="numbers") from None


def texts(found: object, where: str) -> tuple[str, ...] | None:
    """Give a list of texts, or None where there is null."""
    return None if found is None else _all_of(found, where, (str,), "texts or null")


def _all_of(found: object, where: str, kinds: tuple[type, ...], says: str) -> tuple[Any, ...]:
    """Give a list as a tuple if each item is of one of these very types (a bool is no int here)."""
    if not isinstance(found, list):
        raise StructureError(where=where, found=found, expected=f"a list of {says}")
    for item in found:
        if type(item) not in kinds:
            raise StructureError(where=where, found=item, expected=says)
    return tuple(found)


def _refuse(constant: str) -> Never:
    """Refuse the words NaN and Infinity, which are not JSON."""
    raise StructureError(where="JSON", found=constant, expected="a finite number")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its pairs, each name once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise StructureError(where="JSON", found=names, expected="each name once")
    return found
