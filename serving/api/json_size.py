"""
How much a JSON text would build, measured before anything of it is built.

Eight megabytes of JSON are one text, or millions of lists of 100 bytes each. One compiled pass over the bytes tells
the two apart in a few hundredths of a second, and other threads go on meanwhile.
"""

from typing import NamedTuple

import numpy as np
from numba import int64, uint8
from numpy.typing import NDArray

from data.compiled_loops import compiled, inlined, read_only
from data.strict_json import DEEPEST

MOST_NODES = 200_000
"""Names and values in a body: 1,000 items of 100 fields."""
MOST_FEW_NODES = 20_000
"""Names and values in a body that is one object."""
MOST_CONTAINERS = 10_000
"""Lists and objects in a body: 1,000 items of a few each; to make 100,000 takes a fifth of a second, in one call."""
MOST_NAMES = 2_000
"""Names in one object: a lead may have 1,000 attributes. One of 100,000 takes a tenth of a second, in one call."""
LONGEST_TEXT_BYTES = 65_536
LONGEST_NUMBER_BYTES = 400
"""The longest finite number, written out with all digits, has 309 before its point."""
LARGEST_DECODED_BYTES = 16 * 2**20
"""Python keeps four bytes for each character of a text with an emoji in it."""

_QUOTE, _ESCAPE, _COMMA, _COLON = 0x22, 0x5C, 0x2C, 0x3A
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = 0x5B, 0x5D, 0x7B, 0x7D
_BLANK, _CONTINUES, _CONTINUATION, _FOUR_BYTES = 0x20, 0xC0, 0x80, 0xF0


class JsonSize(NamedTuple):
    """
    The size of a JSON text.

    Attributes:
        nodes: names and values, at most one of each too many.
        containers: lists and objects.
        names: in the object that has the most of them.
        levels: how deep lists and objects are nested.
        longest_text_bytes: the longest text or name.
        longest_number_bytes: the longest number, or anything else that is no text.
        characters: of the whole.
        is_wide: whether a character needs four bytes.
    """

    nodes: int
    containers: int
    names: int
    levels: int
    longest_text_bytes: int
    longest_number_bytes: int
    characters: int
    is_wide: bool

    @property
    def decoded_bytes(self) -> int:
        """The memory that the whole takes as a Python text, at most [bytes]."""
        return self.characters * (4 if self.is_wide else 2)


def size_of(body: bytes) -> JsonSize:
    """
    Measure a JSON text; what is not JSON is measured as far as it looks like it.

    >>> size = size_of(b'{"lead_ids": ["L-1", "L-2"], "n": 12.5}')
    >>> size.nodes, size.containers, size.names, size.levels, size.longest_text_bytes, size.characters
    (7, 2, 2, 2, 8, 39)
    """
    size = np.zeros(len(JsonSize._fields), np.int64)
    _measure(np.frombuffer(body, np.uint8), size)
    nodes, containers, names, levels, text, number, characters, is_wide = size.tolist()
    return JsonSize(nodes, containers, names, levels, text, number, characters, bool(is_wide))


def excess_of(size: JsonSize, *, most_nodes: int) -> str | None:
    """
    Return what of a size is too much, with the bound; None where nothing is.

    >>> excess_of(size_of(b"[1, 2, 3]"), most_nodes=3)
    'more than 3 names and values'
    """
    if size.nodes > most_nodes:
        return f"more than {most_nodes:,} names and values"
    if size.names > MOST_NAMES:
        return f"an object of more than {MOST_NAMES:,} fields"
    if size.containers > MOST_CONTAINERS:
        return f"more than {MOST_CONTAINERS:,} lists and objects"
    if size.longest_text_bytes > LONGEST_TEXT_BYTES:
        return f"a text of more than {LONGEST_TEXT_BYTES:,} bytes"
    if size.decoded_bytes > LARGEST_DECODED_BYTES:
        return f"more text than {LARGEST_DECODED_BYTES // 2**20} MiB in memory"
    return None


@inlined
def _inside(level: int) -> int:
    """Return the place of a level among those that are counted, also where brackets close what nobody opened."""
    return min(max(level, 0), DEEPEST + 1)


@compiled(read_only(uint8), int64[::1])
def _measure(body: NDArray[np.uint8], size: NDArray[np.int64]) -> None:
    """Measure in one pass; ``size`` gets the attributes of JsonSize, in order."""
    nodes, containers, level, levels, run, text, number, characters, wide = 1, 0, 0, 0, 0, 0, 0, 0, 0
    is_in_text = is_escaped = False
    names, most_names = np.zeros(DEEPEST + 2, np.int64), 0
    for byte in body:
        characters += (byte & _CONTINUES) != _CONTINUATION
        wide |= byte >= _FOUR_BYTES
        if is_in_text:
            if byte == _QUOTE and not is_escaped:
                is_in_text, run = False, 0
                continue
            is_escaped = byte == _ESCAPE and not is_escaped
            run += 1
            text = max(text, run)
        elif byte == _QUOTE:
            is_in_text, is_escaped, run = True, False, 0
        elif byte in (_OPEN_LIST, _OPEN_OBJECT):
            nodes, containers, level, run = nodes + 1, containers + 1, level + 1, 0
            levels = max(levels, level)
            names[_inside(level)] = 0
        elif byte in (_CLOSE_LIST, _CLOSE_OBJECT):
            level, run = level - 1, 0
        elif byte in (_COMMA, _COLON):
            nodes, run = nodes + 1, 0
            names[_inside(level)] += byte == _COLON
            most_names = max(most_names, names[_inside(level)])
        elif byte > _BLANK:
            run += 1
            number = max(number, run)
        else:
            run = 0
    size[:] = nodes, containers, most_names, levels, text, number, characters, wide
