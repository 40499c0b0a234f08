"""
How large a bundle may be, checked before anything of its size is built.

A small file can describe something huge: 39 KB that unpack to millions of leaves, or a JSON text of empty lists that
takes 25 times its length as objects. So files are weighed as bytes, and what JSON they hold is counted by its signs,
before either is parsed; `models.trees` then counts leaves and the tables of reasons before those are built. Each limit
is at least twice what a training can make.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.errors import LimitError

MOST_GOLDEN_ROWS = 64
MOST_WORDS = 1_000
"""Words for the values of one category, and items of any other list in a catalog."""

LONGEST_TEXT = 1_000
"""Characters of a name, a category or a phrase; a reason in words may have twice as many."""

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class FileLimit:
    """
    How large a file of a bundle may be.

    Attributes:
        size: bytes at most.
        values: values at most, counted by the signs of JSON that come with each; None where it is not read as JSON.
    """

    size: int
    values: int | None


LIMITS: Mapping[str, FileLimit] = {
    "manifest.json": FileLimit(_MIB // 2, 50_000),
    "catalog.json": FileLimit(_MIB, 200_000),
    "trees.json": FileLimit(8 * _MIB, 500_000),
    "model.json": FileLimit(_MIB, 100_000),
    "golden.json": FileLimit(2 * _MIB, 400_000),
    "lightgbm.txt": FileLimit(8 * _MIB, None),
    "signature.json": FileLimit(1_024, 20),
}
_SIGNS = (b",", b":", b"[", b"{")


def check_files(files: Mapping[str, bytes]) -> None:
    """
    Reject files that are too large, or that hold too many values.

    Args:
        files: contents by name; names without a limit are somebody else's concern.

    Raises:
        LimitError: names the file, what was found and the limit.

    >>> check_files({"signature.json": b"[" * 30})
    Traceback (most recent call last):
    models.errors.LimitError: values in signature.json: found 30, expected at most 20; make the model smaller.
    """
    for name, content in files.items():
        limit = LIMITS.get(name)
        if limit is None:
            continue
        require(f"bytes of {name}", len(content), limit.size)
        if limit.values is not None:
            require(f"values in {name}", sum(map(content.count, _SIGNS)), limit.values)


def check_catalog(content: object, most_features: int) -> None:
    """
    Reject a catalog with too many features, or with long lists or texts.

    Args:
        content: the parsed file; what else is wrong with it, the catalog itself says.
        most_features: how many there may be.

    Raises:
        LimitError: names what was found and the limit.
    """
    features = content.get("features") if isinstance(content, dict) else None
    require("features", _length(features), most_features)
    for index, feature in enumerate(features if isinstance(features, list) else ()):
        _check_parts(feature, f"feature {index}", LONGEST_TEXT)
    _check_parts({**content, "features": []} if isinstance(content, dict) else content, "catalog.json", LONGEST_TEXT)


def check_golden(content: object) -> None:
    """
    Reject too many golden rows, and rows with long texts.

    Raises:
        LimitError: names what was found and the limit.
    """
    require("golden rows", _length(content), MOST_GOLDEN_ROWS)
    for index, row in enumerate(content if isinstance(content, list) else ()):
        _check_parts(row, f"golden row {index}", 2 * LONGEST_TEXT)


def check_words(words: Iterable[str], where: str) -> None:
    """
    Reject long texts.

    Raises:
        LimitError: names what was found and the limit.
    """
    for text in words:
        require(f"characters of a text in {where}", len(text), LONGEST_TEXT)


def require(where: str, found: int, most: int) -> None:
    """
    Reject a count above its limit.

    Raises:
        LimitError: names what was counted, what was found and the limit.
    """
    if found > most:
        raise LimitError(where=where, found=found, most=most)


def _check_parts(content: object, where: str, longest: int) -> None:
    """Reject lists and texts in a value that are too long, however deep."""
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            require(f"characters of a text in {where}", len(part), longest)
        elif isinstance(part, list):
            require(f"items of a list in {where}", len(part), MOST_WORDS)
            waiting += part
        elif isinstance(part, dict):
            waiting += [*part, *part.values()]


def _length(content: object) -> int:
    return len(content) if isinstance(content, list) else 0
